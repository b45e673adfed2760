//! ExtractField: one field of a struct or map in place of the whole.

mod path;

use towpath_connect::config_def::Validator;
use towpath_connect::transform::{RecordOrigin, Transform};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, Result, SchemaRef, Type, Value,
};

use super::side::{Side, require_map, require_struct};

const FIELD: &str = "field";
const SYNTAX: &str = "field.syntax.version";
const PURPOSE: &str = "field extraction";
const NESTED_PURPOSE: &str = "nested field access";

/// Extracts a field.
#[derive(Debug)]
pub struct ExtractField {
    side: Side,
    /// As configured, for messages.
    field: String,
    /// The names to follow from the outermost struct or map; at least one.
    steps: Vec<String>,
    replace_null_with_default: bool,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(ConfigKey::string(FIELD).doc("The field to extract."))
        .define(super::replace_null())
        .define(
            ConfigKey::string(SYNTAX)
                .default("V1")
                .valid(Validator::OneOfIgnoreCase(&["V1", "V2"]))
                .high()
                .doc(
                    "How `field` is read: V1 as a name, V2 as a path of names with dots between them; a name with dots \
                     stands in backticks.",
                ),
        )
}

impl ExtractField {
    /// A transform with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(side: Side, config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        let field = parsed.string(FIELD).to_owned();
        let steps = if parsed.string(SYNTAX).eq_ignore_ascii_case("V2") {
            path::parse(&field)?
        } else {
            vec![field.clone()]
        };
        Ok(Self {
            side,
            field,
            steps,
            replace_null_with_default: parsed.boolean(super::REPLACE_NULL),
        })
    }

    fn schemaless(&self, value: Value) -> Result<Value> {
        let mut value = value;
        let mut purpose = PURPOSE;
        for step in &self.steps {
            if value.is_null() {
                return Ok(value);
            }
            value = require_map(value, purpose)?.remove(step).unwrap_or_default();
            purpose = NESTED_PURPOSE;
        }
        Ok(value)
    }

    fn with_schema(&self, schema: SchemaRef, value: Value) -> Result<(SchemaRef, Value)> {
        let mut value = match value {
            Value::Null => Value::Null,
            other => Value::Struct(require_struct(other, PURPOSE)?),
        };
        let mut schema = schema;
        for (index, step) in self.steps.iter().enumerate() {
            if schema.kind() != Type::Struct {
                return Err(ConnectorError::data("Cannot look up fields on non-struct type"));
            }
            let field = schema
                .field(step)
                .ok_or_else(|| ConnectorError::data(format!("Unknown field: {}", self.field)))?;
            if let Value::Struct(parent) = value {
                value = parent.into_values().swap_remove(field.index);
                let is_last = index + 1 == self.steps.len();
                // What leads to the field is always as good as its default.
                if value.is_null()
                    && (self.replace_null_with_default || !is_last)
                    && let Some(default) = field.schema.default_value()
                {
                    value = default.clone();
                }
            }
            schema = SchemaRef::clone(&field.schema);
        }
        Ok((schema, value))
    }
}

impl Transform for ExtractField {
    fn apply(&mut self, mut record: ConnectRecord, _origin: RecordOrigin) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => (None, self.schemaless(value)?),
            Some(schema) => {
                let (schema, value) = self.with_schema(schema, value)?;
                (Some(schema), value)
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests;

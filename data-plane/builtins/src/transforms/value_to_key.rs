//! ValueToKey: a key made of fields of the value.

use std::sync::Arc;

use towpath_connect::config_def::Validator;
use towpath_connect::transform::{RecordOrigin, Transform};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, Map, Result, SchemaBuilder, SchemaRef,
    Struct, Value,
};

use super::schema_cache::SchemaCache;

const FIELDS: &str = "fields";
const PURPOSE: &str = "copying fields from value to key";

/// Makes keys.
#[derive(Debug)]
pub struct ValueToKey {
    fields: Vec<String>,
    replace_null_with_default: bool,
    plans: SchemaCache<Arc<Plan>>,
}

/// How the keys of values of one schema are made.
#[derive(Debug)]
struct Plan {
    schema: SchemaRef,
    /// The index in the value of each field.
    fields: Vec<usize>,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::list(FIELDS)
                .valid(Validator::SomeUniqueItems)
                .high()
                .doc("The fields of the value that make the key, in the order of the key."),
        )
        .define(super::replace_null())
}

impl ValueToKey {
    /// A transform with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        Ok(Self {
            fields: parsed.list(FIELDS).to_vec(),
            replace_null_with_default: parsed.boolean(super::REPLACE_NULL),
            plans: SchemaCache::new(),
        })
    }

    fn key_struct(&mut self, schema: &SchemaRef, value: &Value) -> Result<(SchemaRef, Value)> {
        let Value::Struct(value) = value else {
            return Err(ConnectorError::data(format!(
                "Only Struct objects supported for [{PURPOSE}], found: {}",
                value.java_class()
            )));
        };
        let fields = &self.fields;
        let plan = self.plans.get_or_make(schema, |schema| plan(schema, fields))?;
        let field = |&index: &usize| {
            if self.replace_null_with_default {
                value.get_at(index).clone()
            } else {
                value.values()[index].clone()
            }
        };
        let values = plan.fields.iter().map(field).collect();
        let key = Struct::of(SchemaRef::clone(&plan.schema), values)?;
        Ok((SchemaRef::clone(&plan.schema), Value::Struct(key)))
    }

    fn key_map(&self, value: &Value) -> Result<Value> {
        let Value::Map(value) = value else {
            return Err(ConnectorError::data(format!(
                "Only Map objects supported in absence of schema for [{PURPOSE}], found: {}",
                value.java_class()
            )));
        };
        let entry = |name: &String| {
            let field = value.get(name).cloned().unwrap_or_default();
            (Value::from(name.as_str()), field)
        };
        Ok(Value::Map(self.fields.iter().map(entry).collect::<Map>()))
    }
}

fn plan(schema: &SchemaRef, names: &[String]) -> Result<Arc<Plan>> {
    let mut builder = SchemaBuilder::new_struct();
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        let field = schema
            .field(name)
            .ok_or_else(|| ConnectorError::data(format!("Field does not exist: {name}")))?;
        builder = builder.field(Arc::clone(&field.name), SchemaRef::clone(&field.schema));
        fields.push(field.index);
    }
    Ok(Arc::new(Plan {
        schema: builder.build()?,
        fields,
    }))
}

impl Transform for ValueToKey {
    fn apply(&mut self, mut record: ConnectRecord, _origin: RecordOrigin) -> Result<Option<ConnectRecord>> {
        (record.key_schema, record.key) = match &record.value_schema {
            Some(schema) => {
                let (schema, key) = self.key_struct(schema, &record.value)?;
                (Some(schema), key)
            }
            None => (None, self.key_map(&record.value)?),
        };
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests;

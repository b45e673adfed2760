//! Cast: other primitive types for the whole value or for fields of it.

mod convert;
mod spec;

use std::sync::Arc;

use towpath_connect::config_def::Validator;
use towpath_connect::data::validate;
use towpath_connect::transform::{RecordOrigin, Transform};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, Field, Result, Schema, SchemaBuilder,
    SchemaRef, Struct, Type, Value,
};

use self::convert::cast;
use self::spec::Spec;
use super::schema_cache::SchemaCache;
use super::side::{Side, require_map, require_struct};

const SPEC: &str = "spec";
const PURPOSE: &str = "cast types";

/// Casts values.
#[derive(Debug)]
pub struct Cast {
    side: Side,
    spec: Spec,
    replace_null_with_default: bool,
    plans: SchemaCache<Arc<Plan>>,
}

/// What becomes of values of one schema.
#[derive(Debug)]
struct Plan {
    schema: SchemaRef,
    /// The new type of each field that gets one, by its index.
    fields: Vec<(usize, Type)>,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::list(SPEC)
                .valid(Validator::Custom(spec::check))
                .high()
                .doc(
                    "The casts, each as `field:type`, or one type for the whole value. Types are int8, int16, int32, \
                     int64, float32, float64, boolean and string.",
                ),
        )
        .define(super::replace_null())
}

impl Cast {
    /// A transform with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(side: Side, config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        let spec = Spec::parse(SPEC, parsed.value(SPEC)).map_err(ConnectorError::config)?;
        Ok(Self {
            side,
            spec,
            replace_null_with_default: parsed.boolean(super::REPLACE_NULL),
            plans: SchemaCache::new(),
        })
    }

    fn with_schema(&mut self, schema: SchemaRef, value: Value) -> Result<(SchemaRef, Value)> {
        let spec = &self.spec;
        let plan = self.plans.get_or_make(&schema, |schema| plan(schema, spec))?;
        let after = SchemaRef::clone(&plan.schema);
        if let Spec::Whole(target) = spec {
            return Ok((after, cast(Some(&schema), value, *target)?));
        }
        let mut values = require_struct(value, PURPOSE)?.into_values();
        if self.replace_null_with_default {
            super::replace_nulls(schema.fields(), &mut values);
        }
        for &(index, target) in &plan.fields {
            let before = std::mem::take(&mut values[index]);
            let value = cast(Some(&schema.fields()[index].schema), before, target)?;
            check(&after.fields()[index], &value)?;
            values[index] = value;
        }
        let value = Struct::of(SchemaRef::clone(&after), values)?;
        Ok((after, Value::Struct(value)))
    }

    fn schemaless(&self, value: Value) -> Result<Value> {
        match &self.spec {
            Spec::Whole(target) => cast(None, value, *target),
            Spec::Fields(fields) => {
                let mut map = require_map(value, PURPOSE)?;
                for (field, target) in fields {
                    let before = map.get(field).cloned().unwrap_or_default();
                    map.insert(Value::from(field.as_str()), cast(None, before, *target)?);
                }
                Ok(Value::Map(map))
            }
        }
    }
}

impl Transform for Cast {
    fn apply(&mut self, mut record: ConnectRecord, _origin: RecordOrigin) -> Result<Option<ConnectRecord>> {
        if self.side.is_null(&record) {
            return Ok(Some(record));
        }
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

fn check(field: &Field, value: &Value) -> Result<()> {
    validate::named(&validate::Place::Field(&field.name), &field.schema, value)
}

/// A whole value keeps all attributes of its schema, a field only whether it is optional; both keep their default, cast.
fn plan(schema: &SchemaRef, spec: &Spec) -> Result<Arc<Plan>> {
    let fields = match spec {
        Spec::Whole(target) => {
            let builder = SchemaBuilder::copy_basics(schema, SchemaBuilder::new(*target));
            let schema = cast_rest(schema, builder, *target)?;
            return Ok(Arc::new(Plan {
                schema,
                fields: Vec::new(),
            }));
        }
        Spec::Fields(fields) => fields,
    };
    if schema.kind() != Type::Struct {
        return Err(ConnectorError::data("Cannot list fields on non-struct type"));
    }
    let mut builder =
        SchemaBuilder::copy_basics(schema, SchemaBuilder::new_struct()).with_optional(schema.is_optional());
    let mut targets = Vec::new();
    for field in schema.fields() {
        let field_schema = match fields.get(field.name.as_ref()) {
            Some(&target) => {
                targets.push((field.index, target));
                cast_rest(&field.schema, SchemaBuilder::new(target), target)?
            }
            None => SchemaRef::clone(&field.schema),
        };
        builder = builder.field(Arc::clone(&field.name), field_schema);
    }
    Ok(Arc::new(Plan {
        schema: builder.build()?,
        fields: targets,
    }))
}

fn cast_rest(schema: &Schema, builder: SchemaBuilder, target: Type) -> Result<SchemaRef> {
    let builder = builder.with_optional(schema.is_optional());
    match schema.default_value() {
        Some(default) => builder
            .default_value(cast(Some(schema), default.clone(), target)?)
            .build(),
        None => builder.build(),
    }
}

#[cfg(test)]
mod tests;

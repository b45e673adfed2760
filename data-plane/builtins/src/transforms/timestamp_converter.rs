//! TimestampConverter: between text, numbers and the logical types Date, Time and Timestamp.

mod instant;

use std::sync::Arc;

use towpath_connect::config_def::Validator;
use towpath_connect::data::validate;
use towpath_connect::transform::{RecordOrigin, Transform};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, ParsedConfig, Result, SchemaBuilder,
    SchemaRef, Struct, Value,
};

use self::instant::{Conversion, Form, Precision, TargetSchemas};
use super::schema_cache::SchemaCache;
use super::side::{Side, require_map, require_struct};
use crate::java_date_format::DateFormat;

const FIELD: &str = "field";
const TARGET_TYPE: &str = "target.type";
const FORMAT: &str = "format";
const UNIX_PRECISION: &str = "unix.precision";
const PURPOSE: &str = "converting timestamp formats";

/// Converts one field or the whole value.
#[derive(Debug)]
pub struct TimestampConverter {
    side: Side,
    /// `None`: the whole value.
    field: Option<String>,
    conversion: Conversion,
    replace_null_with_default: bool,
    plans: SchemaCache<Arc<Plan>>,
}

/// What becomes of structs of one schema.
#[derive(Debug)]
struct Plan {
    schema: SchemaRef,
    /// The index of the field to be converted.
    converted: Option<usize>,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::string(FIELD)
                .default("")
                .high()
                .doc("The field to be converted; empty for the whole value."),
        )
        .define(
            ConfigKey::string(TARGET_TYPE)
                .valid(Validator::OneOf(&["string", "unix", "Date", "Time", "Timestamp"]))
                .high()
                .doc("What it is converted to."),
        )
        .define(
            ConfigKey::string(FORMAT).default("").doc(
                "The pattern of dates in text, as for Java's `SimpleDateFormat`, in UTC. Needed to read or write text.",
            ),
        )
        .define(
            ConfigKey::string(UNIX_PRECISION)
                .default("milliseconds")
                .valid(Validator::OneOf(&[
                    "nanoseconds",
                    "microseconds",
                    "milliseconds",
                    "seconds",
                ]))
                .low()
                .doc("The unit of numbers that are read or written."),
        )
        .define(super::replace_null())
}

impl TimestampConverter {
    /// A transform with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(side: Side, config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        let field = parsed.string(FIELD);
        Ok(Self {
            side,
            field: Some(field.to_owned()).filter(|field| !field.is_empty()),
            conversion: conversion(&parsed)?,
            replace_null_with_default: parsed.boolean(super::REPLACE_NULL),
            plans: SchemaCache::new(),
        })
    }

    fn with_schema(&mut self, schema: SchemaRef, value: Value) -> Result<(SchemaRef, Value)> {
        let Some(field) = &self.field else {
            let form = Form::of_schema(&schema)?;
            let converted = self.conversion.convert(form, value)?;
            return Ok((self.conversion.schemas.get(schema.is_optional()), converted));
        };
        let conversion = &self.conversion;
        let plan = self
            .plans
            .get_or_make(&schema, |schema| plan(schema, field, conversion))?;
        if value.is_null() {
            return Ok((SchemaRef::clone(&plan.schema), Value::Null));
        }
        let mut values = require_struct(value, PURPOSE)?.into_values();
        if self.replace_null_with_default {
            super::replace_nulls(schema.fields(), &mut values);
        }
        if let Some(index) = plan.converted {
            let form = Form::of_schema(&schema.fields()[index].schema)?;
            let converted = conversion.convert(form, std::mem::take(&mut values[index]))?;
            let field = &plan.schema.fields()[index];
            validate::named(&validate::Place::Field(&field.name), &field.schema, &converted)?;
            values[index] = converted;
        }
        let value = Struct::of(SchemaRef::clone(&plan.schema), values)?;
        Ok((SchemaRef::clone(&plan.schema), Value::Struct(value)))
    }

    fn schemaless(&self, value: Value) -> Result<Value> {
        let Some(field) = &self.field else {
            return self.conversion.convert_any(value);
        };
        if value.is_null() {
            return Ok(value);
        }
        let mut map = require_map(value, PURPOSE)?;
        let before = map.get(field).cloned().unwrap_or_default();
        let converted = self.conversion.convert_any(before)?;
        map.insert(Value::from(field.as_str()), converted);
        Ok(Value::Map(map))
    }
}

impl Transform for TimestampConverter {
    fn apply(&mut self, mut record: ConnectRecord, _origin: RecordOrigin) -> Result<Option<ConnectRecord>> {
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            Some(schema) => {
                let (schema, value) = self.with_schema(schema, value)?;
                (Some(schema), value)
            }
            None => (None, self.schemaless(value)?),
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

fn conversion(parsed: &ParsedConfig) -> Result<Conversion> {
    let target = Form::of_name(parsed.string(TARGET_TYPE));
    let pattern = parsed.string(FORMAT);
    if target == Form::String && pattern.is_empty() {
        return Err(ConnectorError::config(
            "TimestampConverter requires format option to be specified when using string timestamps",
        ));
    }
    let format = if pattern.is_empty() {
        None
    } else {
        Some(DateFormat::new(pattern).map_err(|problem| {
            ConnectorError::config(format!(
                "Invalid value java.lang.IllegalArgumentException: {problem} for configuration TimestampConverter \
                 requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
            ))
        })?)
    };
    Ok(Conversion {
        target,
        pattern: pattern.to_owned(),
        format,
        precision: Precision::of_name(parsed.string(UNIX_PRECISION)),
        schemas: TargetSchemas::of(target)?,
    })
}

/// The struct keeps everything but the type of the field.
fn plan(schema: &SchemaRef, name: &str, conversion: &Conversion) -> Result<Arc<Plan>> {
    let mut builder =
        SchemaBuilder::copy_basics(schema, SchemaBuilder::new_struct()).with_optional(schema.is_optional());
    let mut converted = None;
    for field in schema.fields() {
        let field_schema = if field.name.as_ref() == name {
            converted = Some(field.index);
            conversion.schemas.get(field.schema.is_optional())
        } else {
            SchemaRef::clone(&field.schema)
        };
        builder = builder.field(Arc::clone(&field.name), field_schema);
    }
    Ok(Arc::new(Plan {
        schema: builder.build()?,
        converted,
    }))
}

#[cfg(test)]
mod tests;

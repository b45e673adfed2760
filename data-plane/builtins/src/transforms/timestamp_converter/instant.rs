//! The forms in which an instant can be written down, and the way from one to another.

use towpath_connect::data::logical::{self, MILLIS_PER_DAY};
use towpath_connect::{ConnectorError, Result, Schema, SchemaBuilder, SchemaRef, Type, Value};

use crate::java_date_format::DateFormat;

/// What an instant is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    String,
    Unix,
    Date,
    Time,
    Timestamp,
}

impl Form {
    /// The form of a valid `target.type`.
    pub(super) fn of_name(name: &str) -> Self {
        match name {
            "string" => Self::String,
            "unix" => Self::Unix,
            "Date" => Self::Date,
            "Time" => Self::Time,
            _ => Self::Timestamp,
        }
    }

    pub(super) fn of_schema(schema: &Schema) -> Result<Self> {
        match (schema.name(), schema.kind()) {
            (Some(logical::TIMESTAMP), _) => Ok(Self::Timestamp),
            (Some(logical::DATE), _) => Ok(Self::Date),
            (Some(logical::TIME), _) => Ok(Self::Time),
            (_, Type::String) => Ok(Self::String),
            (_, Type::Int64) => Ok(Self::Unix),
            _ => Err(ConnectorError::data(format!(
                "Schema {schema} does not correspond to a known timestamp type format"
            ))),
        }
    }

    fn of_value(value: &Value) -> Result<Self> {
        match value {
            Value::Instant(_) => Ok(Self::Timestamp),
            Value::Int64(_) => Ok(Self::Unix),
            Value::String(_) => Ok(Self::String),
            other => Err(ConnectorError::data(format!(
                "TimestampConverter does not support class {} objects as timestamps",
                other.java_class()
            ))),
        }
    }
}

/// The unit of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
}

impl Precision {
    /// The unit of a valid `unix.precision`.
    pub(super) fn of_name(name: &str) -> Self {
        match name {
            "nanoseconds" => Self::Nanoseconds,
            "microseconds" => Self::Microseconds,
            "seconds" => Self::Seconds,
            _ => Self::Milliseconds,
        }
    }

    /// What is lost is cut off, what is too great is the greatest.
    fn to_millis(self, number: i64) -> i64 {
        match self {
            Self::Nanoseconds => number / 1_000_000,
            Self::Microseconds => number / 1000,
            Self::Milliseconds => number,
            Self::Seconds => number.saturating_mul(1000),
        }
    }

    fn of_millis(self, millis: i64) -> i64 {
        match self {
            Self::Nanoseconds => millis.saturating_mul(1_000_000),
            Self::Microseconds => millis.saturating_mul(1000),
            Self::Milliseconds => millis,
            Self::Seconds => millis / 1000,
        }
    }
}

/// The way from whatever form to one form.
#[derive(Debug)]
pub(super) struct Conversion {
    pub(super) target: Form,
    pub(super) pattern: String,
    pub(super) format: Option<DateFormat>,
    pub(super) precision: Precision,
    pub(super) schemas: TargetSchemas,
}

/// The schema of what comes out, made once so that all records share it.
#[derive(Debug)]
pub(super) struct TargetSchemas {
    required: SchemaRef,
    optional: SchemaRef,
}

impl TargetSchemas {
    pub(super) fn of(form: Form) -> Result<Self> {
        let builder = || match form {
            Form::String => SchemaBuilder::new(Type::String),
            Form::Unix => SchemaBuilder::new(Type::Int64),
            Form::Date => logical::date(),
            Form::Time => logical::time(),
            Form::Timestamp => logical::timestamp(),
        };
        Ok(Self {
            required: builder().build()?,
            optional: builder().optional().build()?,
        })
    }

    pub(super) fn get(&self, optional: bool) -> SchemaRef {
        SchemaRef::clone(if optional { &self.optional } else { &self.required })
    }
}

impl Conversion {
    /// Converts a value without a schema.
    pub(super) fn convert_any(&self, value: Value) -> Result<Value> {
        if value.is_null() {
            return Ok(value);
        }
        self.convert(Form::of_value(&value)?, value)
    }

    /// Converts a value of this form. Null stays null.
    pub(super) fn convert(&self, from: Form, value: Value) -> Result<Value> {
        if value.is_null() {
            return Ok(value);
        }
        let millis = self.instant(from, &value)?;
        Ok(match self.target {
            Form::String => Value::String(self.format()?.format(millis).into()),
            Form::Unix => Value::Int64(self.precision.of_millis(millis)),
            Form::Date => Value::Instant(millis - millis.rem_euclid(MILLIS_PER_DAY)),
            Form::Time => Value::Instant(millis.rem_euclid(MILLIS_PER_DAY)),
            Form::Timestamp => Value::Instant(millis),
        })
    }

    fn instant(&self, form: Form, value: &Value) -> Result<i64> {
        let expected = |what: &str| {
            Err(ConnectorError::data(format!(
                "Expected {what}, but found class {}",
                value.java_class()
            )))
        };
        match (form, value) {
            (Form::String, Value::String(text)) => self.format()?.parse(text).ok_or_else(|| {
                ConnectorError::data(format!(
                    "Could not parse timestamp: value ({text}) does not match pattern ({})",
                    self.pattern
                ))
            }),
            (Form::Unix, Value::Int64(number)) => Ok(self.precision.to_millis(*number)),
            (Form::Date | Form::Time | Form::Timestamp, Value::Instant(millis)) => Ok(*millis),
            (Form::String, _) => expected("string timestamp to be a String"),
            (Form::Unix, _) => expected("Unix timestamp to be a Long"),
            (Form::Date, _) => expected("Date to be a java.util.Date"),
            (Form::Time, _) => expected("Time to be a java.util.Date"),
            (Form::Timestamp, _) => expected("Timestamp to be a java.util.Date"),
        }
    }

    fn format(&self) -> Result<&DateFormat> {
        self.format.as_ref().ok_or_else(|| {
            ConnectorError::data("a timestamp in text cannot be read without a pattern; set `format`")
        })
    }
}

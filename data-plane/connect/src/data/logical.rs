//! The logical types Decimal, Date, Time and Timestamp: their names, schemas and encodings.

use smallvec::SmallVec;

use crate::data::{Decimal, Schema, SchemaBuilder, Type};
use crate::error::{ConnectorError, Result};

/// Name of the logical type Decimal: BYTES, parameter `scale`.
pub const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
/// Name of the logical type Date: INT32, days since the epoch in UTC.
pub const DATE: &str = "org.apache.kafka.connect.data.Date";
/// Name of the logical type Time: INT32, milliseconds since midnight.
pub const TIME: &str = "org.apache.kafka.connect.data.Time";
/// Name of the logical type Timestamp: INT64, milliseconds since the epoch.
pub const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
/// Parameter of a Decimal schema that holds its scale.
pub const SCALE: &str = "scale";
/// Milliseconds of a day.
pub const MILLIS_PER_DAY: i64 = 86_400_000;

/// A builder for a Decimal of this scale.
pub fn decimal(scale: i32) -> SchemaBuilder {
    SchemaBuilder::new(Type::Bytes)
        .name(DECIMAL)
        .parameter(SCALE, scale.to_string())
        .version(1)
}

/// A builder for a Date.
pub fn date() -> SchemaBuilder {
    SchemaBuilder::new(Type::Int32).name(DATE).version(1)
}

/// A builder for a Time.
pub fn time() -> SchemaBuilder {
    SchemaBuilder::new(Type::Int32).name(TIME).version(1)
}

/// A builder for a Timestamp.
pub fn timestamp() -> SchemaBuilder {
    SchemaBuilder::new(Type::Int64).name(TIMESTAMP).version(1)
}

/// The scale of a Decimal schema.
///
/// # Errors
/// `Data` when the parameter is missing or no integer.
pub fn decimal_scale(schema: &Schema) -> Result<i32> {
    let text = schema
        .parameter(SCALE)
        .ok_or_else(|| ConnectorError::data("Invalid Decimal schema: scale parameter not found."))?;
    text.parse().map_err(|cause| {
        ConnectorError::data("Invalid scale parameter found in Decimal schema: ").with_source(cause)
    })
}

/// The bytes of a Decimal: two's complement, big-endian, unscaled.
///
/// # Errors
/// `Data` when the value's scale is not the schema's.
pub fn decimal_to_bytes(schema: &Schema, value: &Decimal) -> Result<SmallVec<[u8; 16]>> {
    let scale = decimal_scale(schema)?;
    if value.scale() != scale {
        return Err(ConnectorError::data(format!(
            "Decimal value has mismatching scale for given Decimal schema. Schema has scale {scale}, value has scale {}.",
            value.scale()
        )));
    }
    Ok(value.unscaled_bytes())
}

/// Days since the epoch.
///
/// # Errors
/// `Data` when the instant is not midnight in UTC.
pub fn date_to_days(millis: i64) -> Result<i32> {
    if millis.rem_euclid(MILLIS_PER_DAY) != 0 {
        return Err(ConnectorError::data(
            "Kafka Connect Date type should not have any time fields set to non-zero values.",
        ));
    }
    i32::try_from(millis.div_euclid(MILLIS_PER_DAY))
        .map_err(|cause| ConnectorError::data("the date lies beyond what a Date can hold").with_source(cause))
}

/// Milliseconds since midnight.
///
/// # Errors
/// `Data` when the instant is not on 1970-01-01.
pub fn time_to_millis(millis: i64) -> Result<i32> {
    if !(0..=MILLIS_PER_DAY).contains(&millis) {
        return Err(ConnectorError::data(
            "Kafka Connect Time type should not have any date fields set to non-zero values.",
        ));
    }
    i32::try_from(millis)
        .map_err(|cause| ConnectorError::data("the time lies beyond a day").with_source(cause))
}

/// The instant of a number of days since the epoch.
pub fn days_to_date(days: i32) -> i64 {
    i64::from(days) * MILLIS_PER_DAY
}

/// The instant of a number of milliseconds since midnight.
///
/// # Errors
/// `Data` when it lies outside a day.
pub fn millis_to_time(millis: i32) -> Result<i64> {
    let millis = i64::from(millis);
    if !(0..=MILLIS_PER_DAY).contains(&millis) {
        return Err(ConnectorError::data(
            "Time values must use number of milliseconds greater than 0 and less than 86400000",
        ));
    }
    Ok(millis)
}

#[cfg(test)]
mod tests;

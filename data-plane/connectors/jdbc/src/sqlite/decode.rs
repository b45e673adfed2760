//! Values of a row from SQLite as values of fields. A column holds what was put in, whatever its declaration says, so
//! each value is looked at; one that cannot be what the declaration promises is an error and never becomes another.

use bytes::Bytes;
use bytestring::ByteString;
use rusqlite::types::ValueRef;
use towpath_connect::{Decimal, Value};

use crate::moment::{Civil, Moment, Wall};
use crate::number;
use crate::properties::Properties;
use crate::rows::Row;
use crate::rows::temporal::Temporal;
use crate::types::{FieldError, Target};

const MILLIS_PER_DAY: f64 = 86_400_000.0;
/// 1970-01-01T00:00:00Z as a Julian day.
const EPOCH_JULIAN_DAY: f64 = 2_440_587.5;

/// What an integer in a column for times counts: the driver's property `date_precision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Seconds,
    Millis,
}

impl Precision {
    pub(super) fn of(properties: &Properties) -> Self {
        let word = properties.get("date_precision").unwrap_or_default();
        if word.eq_ignore_ascii_case("seconds") {
            Self::Seconds
        } else {
            Self::Millis
        }
    }
}

/// A row of a result.
pub(super) struct SqliteRow<'a, 'r> {
    row: &'a rusqlite::Row<'r>,
    precision: Precision,
}

impl<'a, 'r> SqliteRow<'a, 'r> {
    pub(super) fn new(row: &'a rusqlite::Row<'r>, precision: Precision) -> Self {
        Self { row, precision }
    }

    fn raw(&self, column: usize) -> Result<ValueRef<'a>, FieldError> {
        self.row
            .get_ref(column)
            .map_err(|_| FieldError::Unfit("nothing that can be read"))
    }
}

impl Row for SqliteRow<'_, '_> {
    fn moment(&self, column: usize, temporal: &Temporal) -> Result<Option<Moment>, FieldError> {
        moment(self.raw(column)?, temporal, self.precision)
    }

    fn value(&mut self, column: usize, target: &Target, temporal: &Temporal) -> Result<Value, FieldError> {
        let value = self.raw(column)?;
        if matches!(target, Target::Date | Target::Timestamp) {
            return match stamp(value, self.precision)? {
                None => Ok(Value::Null),
                Some(Stamp::Wall(wall)) => temporal.wall(wall, target),
                Some(Stamp::Moment(moment)) if *target == Target::Date => {
                    Ok(temporal.date(moment.seconds().div_euclid(86_400)))
                }
                Some(Stamp::Moment(moment)) => temporal.timestamp(moment),
            };
        }
        plain(value, target)
    }
}

fn plain(value: ValueRef<'_>, target: &Target) -> Result<Value, FieldError> {
    match (value, target) {
        (ValueRef::Null, _) => Ok(Value::Null),
        (ValueRef::Integer(number), Target::Text) => Ok(Value::string(number.to_string())),
        (ValueRef::Integer(number), _) => number::integer(number, target),
        (ValueRef::Real(number), Target::Float64) => Ok(Value::Float64(number)),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a column REAL is a 32-bit float, as with the Java driver"
        )]
        (ValueRef::Real(number), Target::Float32) => Ok(Value::Float32(number as f32)),
        (ValueRef::Real(number), Target::Text) => Ok(Value::string(number.to_string())),
        (ValueRef::Real(number), _) => of_real(number, target),
        (ValueRef::Text(text), Target::Text) => {
            let text = std::str::from_utf8(text).map_err(|_| FieldError::Unfit("text that is not UTF-8"))?;
            Ok(Value::String(ByteString::from(text)))
        }
        (ValueRef::Text(bytes) | ValueRef::Blob(bytes), Target::Bytes) => {
            Ok(Value::Bytes(Bytes::copy_from_slice(bytes)))
        }
        (ValueRef::Text(text), _) => {
            let number =
                number::parse(text.trim_ascii()).ok_or(FieldError::Unfit("text that is no number"))?;
            number::encode(number, target)
        }
        (ValueRef::Blob(_), _) => Err(FieldError::Unfit("bytes that are neither a number nor text")),
    }
}

/// A binary fraction is rounded to the digits of a decimal column; for an integer column it must be whole.
fn of_real(number: f64, target: &Target) -> Result<Value, FieldError> {
    let text = match target {
        Target::Decimal { scale, .. } => {
            let digits = usize::try_from(*scale).unwrap_or_default();
            // Through the shortest text that means this number: 19.99 is not 19.989999….
            rounded(&number.to_string(), digits)
        }
        _ => number.to_string(),
    };
    let number: Decimal = text
        .parse()
        .map_err(|_| FieldError::Unfit("infinity or no number"))?;
    number::encode(number, target)
}

/// Rounds plain digits half up (away from zero).
fn rounded(text: &str, digits: usize) -> String {
    let Some((whole, fraction)) = text.split_once('.') else {
        return text.to_owned();
    };
    let Some((kept, cut)) = fraction.split_at_checked(digits) else {
        return text.to_owned();
    };
    let shortened = format!("{whole}.{kept}");
    if !cut.starts_with(|c: char| c >= '5') {
        return shortened;
    }
    let Ok(number) = shortened.trim_end_matches('.').parse::<Decimal>() else {
        return text.to_owned();
    };
    let step = if text.starts_with('-') { -1 } else { 1 };
    Decimal::new(number.unscaled() + step, number.scale()).to_string()
}

/// A time with or without a zone.
enum Stamp {
    Wall(Wall),
    Moment(Moment),
}

/// The point in time that a value means.
pub(super) fn moment(
    value: ValueRef<'_>,
    temporal: &Temporal,
    precision: Precision,
) -> Result<Option<Moment>, FieldError> {
    Ok(stamp(value, precision)?.map(|stamp| match stamp {
        Stamp::Wall(wall) => temporal.zone.moment(wall),
        Stamp::Moment(moment) => moment,
    }))
}

fn stamp(value: ValueRef<'_>, precision: Precision) -> Result<Option<Stamp>, FieldError> {
    let unfit = FieldError::Unfit("something that is no date; use text such as `2024-02-29 12:30:00.123`");
    Ok(Some(match value {
        ValueRef::Null => return Ok(None),
        ValueRef::Integer(number) => Stamp::Moment(match precision {
            Precision::Seconds => Moment::new(number, 0),
            Precision::Millis => Moment::from_millis(number),
        }),
        ValueRef::Real(days) if days.is_finite() => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float becomes an integer by saturating"
            )]
            let millis = ((days - EPOCH_JULIAN_DAY) * MILLIS_PER_DAY).round() as i64;
            Stamp::Moment(Moment::from_millis(millis))
        }
        ValueRef::Text(text) => std::str::from_utf8(text).ok().and_then(parse).ok_or(unfit)?,
        ValueRef::Real(_) | ValueRef::Blob(_) => return Err(unfit),
    }))
}

/// `2024-02-29`, with ` 12:30`, `T12:30:00` or `T12:30:00.123456`, and `Z` or `+02:00` after a time.
fn parse(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let mut parts = date.split('-');
    let mut civil = Civil {
        year: digits(parts.next()?, 4)?.into(),
        month: digits(parts.next()?, 2).filter(|month| (1..=12).contains(month))?,
        day: digits(parts.next()?, 2).filter(|day| (1..=31).contains(day))?,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
    };
    if parts.next().is_some() {
        return None;
    }
    if rest.is_empty() {
        return Some(Stamp::Wall(Wall::from_civil(&civil)));
    }
    let rest = rest.strip_prefix([' ', 'T', 't'])?;
    let zone_at = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(zone_at)?;
    parse_time(time, &mut civil)?;
    let wall = Wall::from_civil(&civil);
    match zone.trim() {
        "" => Some(Stamp::Wall(wall)),
        zone => {
            let zone = crate::zone::Zone::parse(&zone.to_ascii_uppercase())?;
            Some(Stamp::Moment(zone.moment(wall)))
        }
    }
}

fn parse_time(time: &str, civil: &mut Civil) -> Option<()> {
    let mut parts = time.split(':');
    civil.hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
    civil.minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
    if let Some(seconds) = parts.next() {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        civil.second = digits(whole, 2).filter(|second| *second < 60)?;
        civil.nanos = nanos(fraction)?;
    }
    parts.next().is_none().then_some(())
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let all_digits = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

/// The digits after the point; those beyond the ninth are cut off.
fn nanos(fraction: &str) -> Option<u32> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = format!("{fraction:0<9}");
    padded.get(..9)?.parse().ok()
}

#[cfg(test)]
mod tests;

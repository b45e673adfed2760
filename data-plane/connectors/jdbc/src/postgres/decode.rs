//! Values of a row from PostgreSQL as values of fields, and values to bind.

use std::error::Error;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use towpath_connect::Value;

use crate::error::DbError;
use crate::moment::{Moment, SECONDS_PER_DAY, Wall};
use crate::number;
use crate::rows::Row;
use crate::rows::temporal::Temporal;
use crate::statement::Bind;
use crate::types::{FieldError, Target};

use super::metadata::Kind;
use super::numeric;

/// 2000-01-01, from which the server counts, in days and seconds since 1970-01-01.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_SECONDS: i64 = EPOCH_DAYS * SECONDS_PER_DAY;
const MICROS_PER_DAY: i64 = SECONDS_PER_DAY * 1_000_000;
/// What the Java driver makes of `infinity` and `-infinity`, in milliseconds.
const INFINITY: i64 = 9_223_372_036_825_200_000;
const MINUS_INFINITY: i64 = -9_223_372_036_832_400_000;

/// The bytes of a value, whatever its type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A row of a result.
pub(super) struct PgRow<'a> {
    row: &'a tokio_postgres::Row,
    kinds: &'a [Kind],
}

impl<'a> PgRow<'a> {
    pub(super) fn new(row: &'a tokio_postgres::Row, kinds: &'a [Kind]) -> Self {
        Self { row, kinds }
    }

    fn raw(&self, column: usize) -> Result<Option<(&'a [u8], Kind)>, FieldError> {
        let raw: Option<Raw<'a>> = self
            .row
            .try_get(column)
            .map_err(|_| FieldError::Unfit("unreadable bytes"))?;
        let kind = self.kinds.get(column).copied().unwrap_or(Kind::Unknown);
        Ok(raw.map(|raw| (raw.0, kind)))
    }
}

impl Row for PgRow<'_> {
    fn moment(&self, column: usize, temporal: &Temporal) -> Result<Option<Moment>, FieldError> {
        let Some((bytes, kind)) = self.raw(column)? else {
            return Ok(None);
        };
        Ok(Some(match kind {
            Kind::Timestamp => temporal.zone.moment(Wall(timestamp(bytes)?)),
            Kind::TimestampTz => timestamp(bytes)?,
            Kind::Date => temporal
                .zone
                .moment(Wall(Moment::new(days(bytes)? * SECONDS_PER_DAY, 0))),
            _ => return Err(FieldError::Unfit("no date with time")),
        }))
    }

    fn value(&mut self, column: usize, target: &Target, temporal: &Temporal) -> Result<Value, FieldError> {
        let Some((bytes, kind)) = self.raw(column)? else {
            return Ok(Value::Null);
        };
        match kind {
            Kind::Bool => Ok(Value::Boolean(bytes.first() == Some(&1))),
            Kind::Bits(length) => bits(bytes, length, target),
            Kind::Int2 => number::integer(i16::from_be_bytes(fixed(bytes)?).into(), target),
            Kind::Int4 => number::integer(i32::from_be_bytes(fixed(bytes)?).into(), target),
            Kind::Int8 => number::integer(i64::from_be_bytes(fixed(bytes)?), target),
            Kind::Oid => number::integer(u32::from_be_bytes(fixed(bytes)?).into(), target),
            Kind::Float4 => Ok(Value::Float32(f32::from_be_bytes(fixed(bytes)?))),
            Kind::Float8 => Ok(Value::Float64(f64::from_be_bytes(fixed(bytes)?))),
            Kind::Money => money(bytes),
            Kind::Numeric => number::encode(numeric::decode(bytes)?, target),
            Kind::Text => text(bytes),
            // The first byte is the version of the format.
            Kind::Jsonb => text(bytes.get(1..).unwrap_or_default()),
            Kind::Uuid => Ok(Value::string(uuid(fixed(bytes)?))),
            Kind::Bytea => Ok(Value::Bytes(Bytes::copy_from_slice(bytes))),
            Kind::Date => Ok(temporal.date(days(bytes)?)),
            Kind::Time => temporal.time(i64::from_be_bytes(fixed(bytes)?).rem_euclid(MICROS_PER_DAY) * 1000),
            Kind::TimeTz => time_with_zone(bytes),
            Kind::Timestamp => {
                let wall = Wall(timestamp(bytes)?);
                if is_infinite(wall.0) {
                    return temporal.timestamp(wall.0);
                }
                temporal.wall(wall, target)
            }
            Kind::TimestampTz => temporal.timestamp(timestamp(bytes)?),
            Kind::Unknown => Err(FieldError::Unfit("a type that has no counterpart")),
        }
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], FieldError> {
    bytes
        .try_into()
        .map_err(|_| FieldError::Unfit("bytes of another length than its type has"))
}

fn text(bytes: &[u8]) -> Result<Value, FieldError> {
    let text = std::str::from_utf8(bytes).map_err(|_| FieldError::Unfit("text that is not UTF-8"))?;
    Ok(Value::String(ByteString::from(text)))
}

/// Two digits after the point, as in nearly all of the server's locales.
fn money(bytes: &[u8]) -> Result<Value, FieldError> {
    let hundredths = i64::from_be_bytes(fixed(bytes)?);
    let number = towpath_connect::Decimal::new(hundredths, 2);
    Ok(Value::Float64(number.to_f64()))
}

/// A count, then the bits from the highest on.
fn bits(bytes: &[u8], length: u32, target: &Target) -> Result<Value, FieldError> {
    let bits = bytes.get(4..).unwrap_or_default();
    let first = bits.first().copied().unwrap_or_default();
    Ok(match target {
        Target::Boolean => Value::Boolean(first & 0x80 != 0),
        Target::Int8 => Value::Int8(i8::from_be_bytes([first >> 8u32.saturating_sub(length)])),
        _ => Value::Bytes(Bytes::copy_from_slice(bits)),
    })
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let mut out = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(digit);
    }
    out
}

/// Days since 1970-01-01. The infinite ones become the first and last day that a Connect date can be.
fn days(bytes: &[u8]) -> Result<i64, FieldError> {
    Ok(match i32::from_be_bytes(fixed(bytes)?) {
        i32::MAX => i64::from(i32::MAX),
        i32::MIN => i64::from(i32::MIN),
        days => i64::from(days) + EPOCH_DAYS,
    })
}

fn timestamp(bytes: &[u8]) -> Result<Moment, FieldError> {
    Ok(match i64::from_be_bytes(fixed(bytes)?) {
        i64::MAX => Moment::from_millis(INFINITY),
        i64::MIN => Moment::from_millis(MINUS_INFINITY),
        micros => {
            let moment = Moment::from_micros(micros);
            Moment::new(moment.seconds() + EPOCH_SECONDS, moment.nanos().into())
        }
    })
}

fn is_infinite(moment: Moment) -> bool {
    matches!(moment.millis(), INFINITY | MINUS_INFINITY)
}

/// The same time in UTC; the zone is lost, as it is with the Java driver.
fn time_with_zone(bytes: &[u8]) -> Result<Value, FieldError> {
    let (time, west) = bytes.split_at_checked(8).ok_or(FieldError::Unfit("no time"))?;
    let west = i64::from(i32::from_be_bytes(fixed(west)?)) * 1_000_000;
    let micros = (i64::from_be_bytes(fixed(time)?) + west).rem_euclid(MICROS_PER_DAY);
    Ok(Value::Instant(micros / 1000))
}

/// The server's clock: the only column of a row.
pub(super) fn clock(row: &tokio_postgres::Row) -> Option<Moment> {
    let raw: Raw<'_> = row.try_get(0).ok()?;
    timestamp(raw.0).ok()
}

/// A value in the type that the server wants for its place.
#[derive(Debug)]
pub(super) enum Bound {
    Integer(i64),
    /// Microseconds since 2000-01-01.
    Micros(i64),
    /// Days since 2000-01-01.
    Days(i32),
}

/// The values for a statement's places. The server took their types from the columns they are compared with.
pub(super) fn bound(binds: &[Bind], types: &[Type], temporal: &Temporal) -> Result<Vec<Bound>, DbError> {
    let micros = |moment: Moment| moment.micros().saturating_sub(EPOCH_SECONDS * 1_000_000);
    let pairs = binds.iter().zip(types);
    let bound = pairs.map(|(bind, kind)| match (*bind, kind) {
        (Bind::Integer(number), _) => Ok(Bound::Integer(number)),
        (Bind::Moment(moment), &Type::TIMESTAMPTZ) => Ok(Bound::Micros(micros(moment))),
        (Bind::Moment(moment), &Type::TIMESTAMP) => Ok(Bound::Micros(micros(temporal.zone.wall(moment).0))),
        (Bind::Moment(moment), &Type::DATE) => {
            let days = temporal.zone.wall(moment).0.seconds().div_euclid(SECONDS_PER_DAY) - EPOCH_DAYS;
            Ok(Bound::Days(i32::try_from(days).unwrap_or(if days < 0 {
                i32::MIN
            } else {
                i32::MAX
            })))
        }
        (Bind::Moment(_), other) => Err(DbError::Setting(format!(
            "the timestamp column is of type `{other}`; use one of type `timestamp`, `timestamptz` or `date`"
        ))),
    });
    bound.collect()
}

impl ToSql for Bound {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Integer(number) | Self::Micros(number) => out.put_i64(*number),
            Self::Days(days) => out.put_i32(*days),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::choices::Granularity;
    use crate::moment::Calendar;
    use crate::zone::Zone;

    #[test]
    fn times_count_from_2000_and_may_be_infinite() {
        assert_eq!(
            timestamp(&0i64.to_be_bytes()).unwrap(),
            Moment::new(946_684_800, 0)
        );
        assert_eq!(
            timestamp(&(-1i64).to_be_bytes()).unwrap(),
            Moment::new(946_684_799, 999_999_000)
        );
        assert_eq!(timestamp(&i64::MAX.to_be_bytes()).unwrap().millis(), INFINITY);
        assert_eq!(
            timestamp(&i64::MIN.to_be_bytes()).unwrap().millis(),
            MINUS_INFINITY
        );
        assert_eq!(days(&0i32.to_be_bytes()).unwrap(), EPOCH_DAYS);
        assert_eq!(days(&i32::MAX.to_be_bytes()).unwrap(), i64::from(i32::MAX));
        assert!(timestamp(&[0]).is_err());
    }

    #[test]
    fn a_time_with_zone_becomes_the_time_in_utc() {
        let hour = 3_600_000_000i64;
        let value = |hours: i64, west: i32| {
            let bytes = [&(hours * hour).to_be_bytes()[..], &west.to_be_bytes()].concat();
            time_with_zone(&bytes).unwrap()
        };
        assert_eq!(value(10, -7200), Value::Instant(8 * 3_600_000));
        assert_eq!(value(23, 7200), Value::Instant(3_600_000));
    }

    #[test]
    fn moments_are_bound_in_the_type_of_their_column() {
        let temporal = Temporal {
            zone: Zone::Fixed(7200),
            calendar: Calendar::Legacy,
            granularity: Granularity::ConnectLogical,
        };
        let moment = Bind::Moment(Moment::new(946_684_800 + 82_800, 0));
        let micros = |kind: Type| match bound(&[moment], &[kind], &temporal).unwrap()[0] {
            Bound::Integer(number) | Bound::Micros(number) => number,
            Bound::Days(days) => days.into(),
        };
        assert_eq!(micros(Type::TIMESTAMPTZ), 82_800_000_000);
        assert_eq!(micros(Type::TIMESTAMP), 90_000_000_000);
        assert_eq!(micros(Type::DATE), 1);
        let error = bound(&[moment], &[Type::TEXT], &temporal)
            .unwrap_err()
            .to_string();
        assert!(error.contains("`text`"), "{error}");
    }

    #[test]
    fn small_types_are_decoded() {
        assert_eq!(uuid([0x12; 16]), "12121212-1212-1212-1212-121212121212");
        let eight = [0, 0, 0, 3, 0b1010_0000];
        assert_eq!(bits(&eight, 3, &Target::Int8).unwrap(), Value::Int8(5));
        assert_eq!(bits(&eight, 1, &Target::Boolean).unwrap(), Value::Boolean(true));
        assert_eq!(
            money(&(-12_345i64).to_be_bytes()).unwrap(),
            Value::Float64(-123.45)
        );
    }
}

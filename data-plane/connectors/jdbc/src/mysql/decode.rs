//! Values of a row from MySQL or MariaDB as values of fields.

use bytes::Bytes;
use bytestring::ByteString;
use mysql_async::Value as Wired;
use towpath_connect::Value;

use crate::moment::{Civil, Moment, Wall, days_from_civil};
use crate::number;
use crate::rows::Row;
use crate::rows::temporal::Temporal;
use crate::types::{FieldError, Target};

use super::metadata::{Kind, Wire};
use super::options::{Behaviour, ZeroDates};

/// A row whose values are taken out one by one.
pub(super) struct MySqlRow<'a> {
    values: Vec<Option<Wired>>,
    kinds: &'a [Kind],
    behaviour: &'a Behaviour,
}

impl<'a> MySqlRow<'a> {
    pub(super) fn new(row: mysql_async::Row, kinds: &'a [Kind], behaviour: &'a Behaviour) -> Self {
        Self {
            values: row.unwrap_raw(),
            kinds,
            behaviour,
        }
    }
}

impl Row for MySqlRow<'_> {
    fn moment(&self, column: usize, temporal: &Temporal) -> Result<Option<Moment>, FieldError> {
        match self.values.get(column).and_then(Option::as_ref) {
            None | Some(Wired::NULL) => Ok(None),
            Some(value) => match wall(value) {
                Some(wall) => Ok(Some(temporal.zone.moment(wall))),
                None => Err(FieldError::Unfit("no date with time")),
            },
        }
    }

    fn value(&mut self, column: usize, target: &Target, temporal: &Temporal) -> Result<Value, FieldError> {
        let value = self
            .values
            .get_mut(column)
            .and_then(Option::take)
            .unwrap_or(Wired::NULL);
        let wire = self.kinds.get(column).map_or(Wire::Plain, |kind| kind.wire);
        match value {
            Wired::NULL => Ok(Value::Null),
            Wired::Int(year) if wire == Wire::Year && *target == Target::Date => {
                Ok(temporal.date(days_from_civil(year, 1, 1)))
            }
            Wired::Int(number) => number::integer(number, target),
            Wired::UInt(number) => {
                number::integer(i64::try_from(number).map_err(|_| FieldError::TooWide)?, target)
            }
            Wired::Float(number) => Ok(Value::Float32(number)),
            Wired::Double(number) => Ok(Value::Float64(number)),
            Wired::Bytes(bytes) if wire == Wire::Bits => bits(&bytes),
            Wired::Bytes(bytes) => of_bytes(bytes, target),
            Wired::Date(..) => match wall(&value) {
                Some(wall) => temporal.wall(wall, target),
                None => zero_date(self.behaviour.zero_dates, target, temporal),
            },
            Wired::Time(negative, days, hours, minutes, seconds, micros) => {
                if negative {
                    return Err(FieldError::Unfit("a time that is no time of a day"));
                }
                let hours = i64::from(days) * 24 + i64::from(hours);
                let seconds = hours * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
                temporal.time((seconds * 1_000_000 + i64::from(micros)) * 1000)
            }
        }
    }
}

/// The lowest eight bits, as the Java driver gives them.
fn bits(bytes: &[u8]) -> Result<Value, FieldError> {
    let lowest = bytes.last().copied().unwrap_or_default();
    Ok(Value::Int8(i8::from_be_bytes([lowest])))
}

fn of_bytes(bytes: Vec<u8>, target: &Target) -> Result<Value, FieldError> {
    match target {
        Target::Text => ByteString::try_from(Bytes::from(bytes))
            .map(Value::String)
            .map_err(|_| FieldError::Unfit("text that is not UTF-8")),
        Target::Bytes => Ok(Value::Bytes(Bytes::from(bytes))),
        _ => {
            let number = number::parse(&bytes).ok_or(FieldError::Unfit("no number"))?;
            number::encode(number, target)
        }
    }
}

fn zero_date(zero_dates: ZeroDates, target: &Target, temporal: &Temporal) -> Result<Value, FieldError> {
    match zero_dates {
        ZeroDates::Null => Ok(Value::Null),
        ZeroDates::Round => {
            let first_day = Civil {
                year: 1,
                month: 1,
                day: 1,
                hour: 0,
                minute: 0,
                second: 0,
                nanos: 0,
            };
            temporal.wall(Wall::from_civil(&first_day), target)
        }
        ZeroDates::Refuse => Err(FieldError::Unfit(
            "a zero date (the connection property `zeroDateTimeBehavior=CONVERT_TO_NULL` makes nulls of them)",
        )),
    }
}

/// A date with time; `None` for zero dates and other values.
pub(super) fn wall(value: &Wired) -> Option<Wall> {
    match *value {
        Wired::Date(year, month, day, hour, minute, second, micros) if month > 0 && day > 0 => {
            Some(Wall::from_civil(&Civil {
                year: i64::from(year),
                month: u32::from(month),
                day: u32::from(day),
                hour: u32::from(hour),
                minute: u32::from(minute),
                second: u32::from(second),
                nanos: micros * 1000,
            }))
        }
        _ => None,
    }
}

/// A wall clock as a value to bind, to the microsecond. Years that the database does not know become those at the ends.
pub(super) fn wall_value(wall: Wall) -> Wired {
    let civil = wall.civil();
    let part = |n: u32| u8::try_from(n).unwrap_or_default();
    match u16::try_from(civil.year) {
        Ok(year @ 0..=9999) => Wired::Date(
            year,
            part(civil.month),
            part(civil.day),
            part(civil.hour),
            part(civil.minute),
            part(civil.second),
            civil.nanos / 1000,
        ),
        Err(_) if civil.year < 0 => Wired::Date(0, 1, 1, 0, 0, 0, 0),
        Ok(_) | Err(_) => Wired::Date(9999, 12, 31, 23, 59, 59, 999_999),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::choices::Granularity;
    use crate::moment::Calendar;
    use crate::types::SqlType;
    use crate::zone::UTC;

    const TEMPORAL: Temporal = Temporal {
        zone: UTC,
        calendar: Calendar::Legacy,
        granularity: Granularity::ConnectLogical,
    };

    fn behaviour(zero_dates: ZeroDates) -> Behaviour {
        Behaviour {
            tiny_int_1_is_bit: true,
            transformed_bit_is_boolean: false,
            year_is_date: true,
            zero_dates,
            only_current_database: true,
        }
    }

    fn decode(value: Wired, wire: Wire, target: &Target, zero_dates: ZeroDates) -> Result<Value, FieldError> {
        let kind = Kind {
            sql_type: SqlType::Text,
            wire,
        };
        let mut row = MySqlRow {
            values: vec![Some(value)],
            kinds: &[kind],
            behaviour: &behaviour(zero_dates),
        };
        row.value(0, target, &TEMPORAL)
    }

    #[test]
    fn zero_dates_are_what_the_property_says() {
        let zero = Wired::Date(0, 0, 0, 0, 0, 0, 0);
        let value = |zero_dates| decode(zero.clone(), Wire::Plain, &Target::Timestamp, zero_dates);
        assert!(value(ZeroDates::Refuse).is_err());
        assert_eq!(value(ZeroDates::Null).unwrap(), Value::Null);
        assert_eq!(
            value(ZeroDates::Round).unwrap(),
            Value::Instant(-719_164 * 86_400_000)
        );
    }

    #[test]
    fn times_beyond_a_day_are_refused() {
        let time = |negative, days, hours| {
            let time = Wired::Time(negative, days, hours, 0, 1, 500_000);
            decode(time, Wire::Plain, &Target::Time, ZeroDates::Refuse)
        };
        assert_eq!(time(false, 0, 1).unwrap(), Value::Instant(3_601_500));
        assert!(time(false, 1, 0).is_err());
        assert!(time(true, 0, 1).is_err());
    }

    #[test]
    fn bits_are_the_lowest_eight_and_large_numbers_do_not_wrap() {
        let bits = Wired::Bytes(vec![1, 0b1000_0001]);
        assert_eq!(
            decode(bits, Wire::Bits, &Target::Int8, ZeroDates::Refuse).unwrap(),
            Value::Int8(-127)
        );
        let large = Wired::UInt(u64::MAX);
        let error = decode(large, Wire::Plain, &Target::Int64, ZeroDates::Refuse).unwrap_err();
        assert_eq!(error, FieldError::TooWide);
    }

    #[test]
    fn a_bound_moment_stays_within_what_the_database_knows() {
        let year = |seconds| match wall_value(Wall(Moment::new(seconds, 0))) {
            Wired::Date(year, ..) => year,
            other => panic!("{other:?}"),
        };
        assert_eq!(year(0), 1970);
        assert_eq!(year(-100_000_000_000), 0);
        assert_eq!(year(1_000_000_000_000), 9999);
    }
}

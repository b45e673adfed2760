//! Dates and times as fields have them: by `db.timezone`, `timestamp.granularity` and `date.calendar.system`.

use towpath_connect::Value;
use towpath_connect::data::logical::MILLIS_PER_DAY;

use crate::keys::choices::Granularity;
use crate::moment::{Calendar, Moment, Wall};
use crate::types::{FieldError, Target};
use crate::zone::Zone;

const NANOS_PER_DAY: i64 = MILLIS_PER_DAY * 1_000_000;

/// How dates and times are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Temporal {
    pub(crate) zone: Zone,
    pub(crate) calendar: Calendar,
    pub(crate) granularity: Granularity,
}

impl Temporal {
    /// A date, given as days since 1970-01-01.
    pub(crate) fn date(&self, days: i64) -> Value {
        Value::Instant(self.calendar.millis_of_day(days))
    }

    /// A time of day on a clock in the zone; the date of such a clock is 1970-01-01.
    pub(crate) fn time(&self, nanos_of_day: i64) -> Result<Value, FieldError> {
        if !(0..NANOS_PER_DAY).contains(&nanos_of_day) {
            return Err(FieldError::Unfit("a time that is no time of a day"));
        }
        let moment = self.zone.moment(Wall(Moment::new(0, nanos_of_day)));
        Ok(Value::Instant(moment.millis().rem_euclid(MILLIS_PER_DAY)))
    }

    /// The value of a date and time without zone, for a target that is a date or a timestamp.
    pub(crate) fn wall(&self, wall: Wall, target: &Target) -> Result<Value, FieldError> {
        match target {
            Target::Date => Ok(self.date(wall.0.seconds().div_euclid(86_400))),
            _ => self.timestamp(self.zone.moment(wall.in_calendar(self.calendar))),
        }
    }

    /// A point in time that is not read by the zone.
    pub(crate) fn timestamp(&self, moment: Moment) -> Result<Value, FieldError> {
        let text = |text: String| Value::string(text);
        Ok(match self.granularity {
            Granularity::ConnectLogical => Value::Instant(moment.millis()),
            Granularity::MicrosLong => Value::Int64(moment.micros()),
            Granularity::MicrosString => text(moment.micros().to_string()),
            Granularity::MicrosIso => text(self.iso(moment, 6)),
            Granularity::NanosLong => {
                let nanos = i64::try_from(moment.total_nanos());
                Value::Int64(nanos.map_err(|_| FieldError::Unfit("a time beyond the year 2262"))?)
            }
            Granularity::NanosString => text(moment.total_nanos().to_string()),
            Granularity::NanosIso => text(self.iso(moment, 9)),
        })
    }

    /// `2024-02-29T23:59:58.123456` in the zone.
    fn iso(&self, moment: Moment, digits: usize) -> String {
        let civil = self.zone.wall(moment).civil();
        let mut text = format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}",
            civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second, civil.nanos
        );
        text.truncate(text.len() - (9 - digits));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::{Civil, days_from_civil};
    use crate::zone::UTC;

    fn temporal(zone: &str, granularity: Granularity) -> Temporal {
        Temporal {
            zone: Zone::parse(zone).unwrap(),
            calendar: Calendar::Legacy,
            granularity,
        }
    }

    fn wall() -> Wall {
        Wall::from_civil(&Civil {
            year: 2024,
            month: 2,
            day: 29,
            hour: 23,
            minute: 59,
            second: 58,
            nanos: 123_456_700,
        })
    }

    #[test]
    fn timestamps_have_the_granularity_that_was_asked_for() {
        for (granularity, value) in [
            (Granularity::ConnectLogical, Value::Instant(1_709_251_198_123)),
            (Granularity::MicrosLong, Value::Int64(1_709_251_198_123_456)),
            (Granularity::MicrosString, Value::from("1709251198123456")),
            (Granularity::MicrosIso, Value::from("2024-02-29T23:59:58.123456")),
            (Granularity::NanosLong, Value::Int64(1_709_251_198_123_456_700)),
            (Granularity::NanosString, Value::from("1709251198123456700")),
            (
                Granularity::NanosIso,
                Value::from("2024-02-29T23:59:58.123456700"),
            ),
        ] {
            let found = temporal("UTC", granularity).wall(wall(), &Target::Timestamp);
            assert_eq!(found.unwrap(), value, "{granularity:?}");
        }
    }

    #[test]
    fn the_zone_shifts_timestamps_and_times_and_no_dates() {
        let berlin = temporal("Europe/Berlin", Granularity::ConnectLogical);
        let hour = 3_600_000;
        let timestamp = berlin.wall(wall(), &Target::Timestamp).unwrap();
        assert_eq!(timestamp, Value::Instant(1_709_251_198_123 - hour));
        assert_eq!(
            berlin.time(10 * hour * 1_000_000).unwrap(),
            Value::Instant(9 * hour)
        );
        assert_eq!(berlin.time(0).unwrap(), Value::Instant(23 * hour));
        assert_eq!(berlin.date(1), Value::Instant(MILLIS_PER_DAY));
        let iso = temporal("Europe/Berlin", Granularity::MicrosIso);
        let text = iso.wall(wall(), &Target::Timestamp).unwrap();
        assert_eq!(text, Value::from("2024-02-29T23:59:58.123456"));
    }

    #[test]
    fn a_time_beyond_the_day_is_refused() {
        let utc = temporal("UTC", Granularity::ConnectLogical);
        assert!(utc.time(NANOS_PER_DAY).is_err());
        assert!(utc.time(-1).is_err());
    }

    #[test]
    fn old_dates_are_of_the_calendar_that_was_asked_for() {
        let mut temporal = temporal("UTC", Granularity::ConnectLogical);
        let first = days_from_civil(1, 1, 1);
        assert_eq!(temporal.date(first), Value::Instant((first - 2) * MILLIS_PER_DAY));
        temporal.calendar = Calendar::ProlepticGregorian;
        assert_eq!(temporal.date(first), Value::Instant(first * MILLIS_PER_DAY));
        assert_eq!(temporal.zone, UTC);
    }
}

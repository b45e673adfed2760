//! Points in time and wall clocks, to the nanosecond, and days by the calendars of `date.calendar.system`.

use std::time::Duration;

use towpath_connect::data::java_text::civil_from_days;
use towpath_connect::data::logical::MILLIS_PER_DAY;

pub(crate) const NANOS_PER_SECOND: i64 = 1_000_000_000;
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;
/// The day, counted from 1970-01-01, on which the Gregorian calendar begins: 1582-10-15.
const FIRST_GREGORIAN_DAY: i64 = -141_427;

/// A point in time: seconds since 1970-01-01T00:00:00Z, and nanoseconds of that second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    seconds: i64,
    nanos: u32,
}

impl Moment {
    /// `nanos` beyond a second are carried over.
    pub(crate) fn new(seconds: i64, nanos: i64) -> Self {
        let carried = seconds.saturating_add(nanos.div_euclid(NANOS_PER_SECOND));
        let nanos = u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).unwrap_or_default();
        Self {
            seconds: carried,
            nanos,
        }
    }

    pub(crate) fn from_millis(millis: i64) -> Self {
        Self::new(millis.div_euclid(1000), millis.rem_euclid(1000) * 1_000_000)
    }

    pub(crate) fn from_micros(micros: i64) -> Self {
        Self::new(micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000) * 1000)
    }

    pub(crate) fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds of the second, 0 to 999,999,999.
    pub(crate) fn nanos(self) -> u32 {
        self.nanos
    }

    pub(crate) fn millis(self) -> i64 {
        self.seconds
            .saturating_mul(1000)
            .saturating_add(i64::from(self.nanos / 1_000_000))
    }

    pub(crate) fn micros(self) -> i64 {
        self.seconds
            .saturating_mul(1_000_000)
            .saturating_add(i64::from(self.nanos / 1000))
    }

    /// Nanoseconds since the epoch; 128 bits because 64 end in the year 2262.
    pub(crate) fn total_nanos(self) -> i128 {
        i128::from(self.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanos)
    }

    /// What is finer than a millisecond is cut off.
    pub(crate) fn truncated_to_millis(self) -> Self {
        Self::from_millis(self.millis())
    }

    pub(crate) fn minus(self, duration: Duration) -> Self {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::new(
            self.seconds.saturating_sub(seconds),
            i64::from(self.nanos) - i64::from(duration.subsec_nanos()),
        )
    }
}

/// What a clock on the wall and a calendar show, without a time zone: counted as if they were in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wall(pub(crate) Moment);

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) nanos: u32,
}

impl Wall {
    pub(crate) fn from_civil(civil: &Civil) -> Self {
        let days = days_from_civil(civil.year, civil.month, civil.day);
        let of_day = i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60 + i64::from(civil.second);
        Self(Moment::new(
            days * SECONDS_PER_DAY + of_day,
            i64::from(civil.nanos),
        ))
    }

    pub(crate) fn civil(self) -> Civil {
        let (year, month, day) = civil_from_days(self.0.seconds.div_euclid(SECONDS_PER_DAY));
        let of_day = small(self.0.seconds.rem_euclid(SECONDS_PER_DAY));
        Civil {
            year,
            month: small(month),
            day: small(day),
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanos: self.0.nanos,
        }
    }

    /// The same date in the given calendar: see [`Calendar::days`].
    pub(crate) fn in_calendar(self, calendar: Calendar) -> Self {
        let days = self.0.seconds.div_euclid(SECONDS_PER_DAY);
        let of_day = self.0.seconds.rem_euclid(SECONDS_PER_DAY);
        Self(Moment {
            seconds: calendar.days(days) * SECONDS_PER_DAY + of_day,
            nanos: self.0.nanos,
        })
    }
}

/// Which calendar the dates before 1582-10-15 are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// Julian before, Gregorian since, as `java.util.GregorianCalendar`.
    Legacy,
    /// Gregorian always, as databases count.
    ProlepticGregorian,
}

impl Calendar {
    /// The days since the epoch of the date that Gregorian counting calls by these days.
    pub(crate) fn days(self, gregorian: i64) -> i64 {
        if self == Self::ProlepticGregorian || gregorian >= FIRST_GREGORIAN_DAY {
            return gregorian;
        }
        let (year, month, day) = civil_from_days(gregorian);
        days_from_julian(year, small(month), small(day))
    }

    /// Milliseconds since the epoch of the midnight (in UTC) of this day.
    pub(crate) fn millis_of_day(self, gregorian: i64) -> i64 {
        self.days(gregorian).saturating_mul(MILLIS_PER_DAY)
    }
}

/// For parts of dates and times, which are small and not negative.
fn small(part: i64) -> u32 {
    u32::try_from(part).unwrap_or_default()
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Days and months beyond their range are carried
/// over, as Java's lenient calendars do.
pub(crate) fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let (year, month) = shifted(year, month);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year(month) + i64::from(day) - 1;
    era * 146_097 + day_of_era - 719_468
}

fn days_from_julian(year: i64, month: u32, day: u32) -> i64 {
    let (year, month) = shifted(year, month);
    let cycle = year.div_euclid(4);
    let day_of_cycle = year.rem_euclid(4) * 365 + day_of_year(month) + i64::from(day) - 1;
    // The Julian 0000-03-01 lies two days before the Gregorian one.
    cycle * 1461 + day_of_cycle - 719_470
}

/// Years that begin in March, so that the leap day is their last; the month is 0 for March.
fn shifted(year: i64, month: u32) -> (i64, i64) {
    let month = i64::from(month);
    if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    }
}

/// Days before a month of a year that begins in March.
fn day_of_year(month_from_march: i64) -> i64 {
    (153 * month_from_march + 2) / 5
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: u32, day: u32) -> i64 {
        days_from_civil(year, month, day)
    }

    #[test]
    fn days_count_from_1970_and_back() {
        assert_eq!(at(1970, 1, 1), 0);
        assert_eq!(at(2000, 2, 29), 11_016);
        assert_eq!(at(1, 1, 1), -719_162);
        assert_eq!(at(1582, 10, 15), FIRST_GREGORIAN_DAY);
        for days in (-800_000..3_000_000).step_by(997) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(at(year, small(month), small(day)), days);
        }
    }

    #[test]
    fn the_legacy_calendar_is_julian_before_october_1582() {
        let legacy = |year, month, day| Calendar::Legacy.days(at(year, month, day));
        // As `new GregorianCalendar(year, month, day)` counts.
        assert_eq!(legacy(1, 1, 1), -719_164);
        assert_eq!(legacy(1582, 10, 4), -141_428);
        assert_eq!(legacy(1582, 10, 15), -141_427);
        assert_eq!(legacy(1000, 1, 1), -354_280);
        assert_eq!(Calendar::ProlepticGregorian.days(at(1000, 1, 1)), -354_285);
        assert_eq!(legacy(2024, 2, 29), at(2024, 2, 29));
    }

    #[test]
    fn a_wall_clock_is_taken_apart_and_put_together() {
        let civil = Civil {
            year: 2024,
            month: 2,
            day: 29,
            hour: 23,
            minute: 59,
            second: 58,
            nanos: 123_456_789,
        };
        let wall = Wall::from_civil(&civil);
        assert_eq!(wall.0.millis(), 1_709_251_198_123);
        assert_eq!(wall.civil(), civil);
        let before_epoch = Wall(Moment::from_millis(-1));
        assert_eq!(before_epoch.civil().nanos, 999_000_000);
        assert_eq!(before_epoch.civil().year, 1969);
    }

    #[test]
    fn moments_keep_their_fraction_before_and_after_the_epoch() {
        let moment = Moment::from_micros(-1_500_001);
        assert_eq!((moment.seconds(), moment.nanos()), (-2, 499_999_000));
        assert_eq!(moment.millis(), -1501);
        assert_eq!(moment.micros(), -1_500_001);
        assert_eq!(moment.total_nanos(), -1_500_001_000);
        assert_eq!(moment.truncated_to_millis(), Moment::from_millis(-1501));
        assert_eq!(
            Moment::from_millis(1).minus(Duration::from_millis(2)),
            Moment::from_millis(-1)
        );
    }
}

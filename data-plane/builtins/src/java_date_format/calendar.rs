//! Dates as `java.util.GregorianCalendar` counts them: Gregorian from 1582-10-15 on, Julian before. Days are numbered
//! from 1970-01-01.

use towpath_connect::data::java_text::civil_from_days;
use towpath_connect::data::logical::MILLIS_PER_DAY;

/// 1582-10-15, the first day of the Gregorian calendar.
const CUTOVER: i64 = -141_427;
/// Days from 0000-03-01 of the Gregorian calendar to the epoch.
const GREGORIAN_SHIFT: i64 = 719_468;
/// Days from 0000-03-01 of the Julian calendar to the epoch.
const JULIAN_SHIFT: i64 = 719_470;
const SUNDAY: i64 = 0;

/// A day. `year` counts through: 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
}

impl Date {
    pub(super) fn of(days: i64) -> Self {
        let (year, month, day) = if days >= CUTOVER {
            civil_from_days(days)
        } else {
            julian_from_days(days)
        };
        Self { year, month, day }
    }
}

/// Which of the two calendars.
#[derive(Clone, Copy, Debug)]
pub(super) enum Calendar {
    Gregorian,
    Julian,
}

impl Calendar {
    /// The first day of a month; months out of range carry over.
    pub(super) fn month_start(self, year: i64, month: i64) -> i64 {
        let year = year.saturating_add((month - 1).div_euclid(12));
        let month = (month - 1).rem_euclid(12) + 1;
        // Counted from March, so that the leap day is the last of a year.
        let shifted_year = year - i64::from(month <= 2);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
        let leap_days = shifted_year.div_euclid(4);
        match self {
            Self::Gregorian => {
                let leap_days = leap_days - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
                365 * shifted_year + leap_days + day_of_year - GREGORIAN_SHIFT
            }
            Self::Julian => 365 * shifted_year + leap_days + day_of_year - JULIAN_SHIFT,
        }
    }
}

fn julian_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + JULIAN_SHIFT;
    let cycle = days.div_euclid(1461);
    let day_of_cycle = days.rem_euclid(1461);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1460) / 365;
    let day_of_year = day_of_cycle - 365 * year_of_cycle;
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    (cycle * 4 + year_of_cycle + i64::from(month <= 2), month, day)
}

/// The calendar in which a day is to be looked up again: the Gregorian where it holds.
pub(super) fn choose(day: impl Fn(Calendar) -> i64) -> i64 {
    let gregorian = day(Calendar::Gregorian);
    if gregorian >= CUTOVER {
        gregorian
    } else {
        day(Calendar::Julian)
    }
}

/// The first day of a month, whichever calendar held then.
pub(super) fn month_start(year: i64, month: i64) -> i64 {
    choose(|calendar| calendar.month_start(year, month))
}

/// 0 for Sunday to 6.
pub(super) fn day_of_week(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// The last day of this weekday up to `days`.
pub(super) fn weekday_on_or_before(days: i64, weekday: i64) -> i64 {
    days - (day_of_week(days) - weekday).rem_euclid(7)
}

/// The Sunday with which the first week of a month or year begins: the week that its first day is in.
pub(super) fn first_week(start: i64) -> i64 {
    weekday_on_or_before(start, SUNDAY)
}

/// The week of a year and the year it counts for. The last days of December may be in the first week of the next.
pub(super) fn week_of_year(days: i64) -> (i64, i64) {
    let year = Date::of(days).year;
    let next = first_week(month_start(year + 1, 1));
    if days >= next {
        return (1, year + 1);
    }
    let week = (days - first_week(month_start(year, 1))).div_euclid(7) + 1;
    (week, year)
}

/// The instant a number of calendar years before.
pub(super) fn years_before(millis: i64, years: i64) -> i64 {
    let date = Date::of(millis.div_euclid(MILLIS_PER_DAY));
    let days = month_start(date.year - years, date.month) + date.day - 1;
    days * MILLIS_PER_DAY + millis.rem_euclid(MILLIS_PER_DAY)
}

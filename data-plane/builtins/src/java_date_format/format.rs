//! Instants as text.

use std::fmt::Write;

use towpath_connect::data::logical::MILLIS_PER_DAY;

use super::calendar::{self, Date};
use super::pattern::{Item, Part};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub(super) fn format(items: &[Item], millis: i64) -> String {
    let moment = Moment::of(millis);
    let mut out = String::new();
    for item in items {
        match item {
            Item::Text(text) => out.push_str(text),
            Item::Part(part, count) => moment.append(&mut out, *part, *count),
        }
    }
    out
}

/// An instant taken apart.
struct Moment {
    days: i64,
    date: Date,
    /// Milliseconds since midnight.
    of_day: i64,
}

impl Moment {
    fn of(millis: i64) -> Self {
        let days = millis.div_euclid(MILLIS_PER_DAY);
        Self {
            days,
            date: Date::of(days),
            of_day: millis.rem_euclid(MILLIS_PER_DAY),
        }
    }

    fn append(&self, out: &mut String, part: Part, count: usize) {
        match part {
            Part::Era => out.push_str(if self.date.year > 0 { "AD" } else { "BC" }),
            Part::Year => append_year(out, self.date.year, count),
            Part::WeekYear => {
                let (_, year) = calendar::week_of_year(self.days);
                append_number(out, if count == 2 { year.rem_euclid(100) } else { year }, count);
            }
            Part::Month if count >= 3 => append_name(out, &MONTHS, self.date.month - 1, count),
            Part::DayName => append_name(out, &DAYS, calendar::day_of_week(self.days), count),
            Part::AmPm => out.push_str(if self.hour() < 12 { "AM" } else { "PM" }),
            Part::ZoneName if count >= 4 => out.push_str("Coordinated Universal Time"),
            Part::ZoneName => out.push_str("UTC"),
            Part::ZoneRfc822 => out.push_str("+0000"),
            Part::ZoneIso8601 => out.push('Z'),
            Part::Month
            | Part::WeekOfYear
            | Part::WeekOfMonth
            | Part::DayOfYear
            | Part::DayOfMonth
            | Part::DayOfWeekInMonth
            | Part::DayNumber
            | Part::Hour0To23
            | Part::Hour1To24
            | Part::Hour0To11
            | Part::Hour1To12
            | Part::Minute
            | Part::Second
            | Part::Millisecond => append_number(out, self.number(part), count),
        }
    }

    fn hour(&self) -> i64 {
        self.of_day / 3_600_000
    }

    fn number(&self, part: Part) -> i64 {
        let Date { year, month, day } = self.date;
        let month_start = calendar::month_start(year, month);
        // Hours that run from 1: midnight and noon are the last of them.
        let from_one = |hours: i64| (self.hour() + hours - 1) % hours + 1;
        match part {
            Part::Month => month,
            Part::WeekOfYear => calendar::week_of_year(self.days).0,
            Part::WeekOfMonth => (self.days - calendar::first_week(month_start)).div_euclid(7) + 1,
            Part::DayOfYear => self.days - calendar::month_start(year, 1) + 1,
            Part::DayOfMonth => day,
            Part::DayOfWeekInMonth => (day - 1) / 7 + 1,
            Part::DayNumber => (calendar::day_of_week(self.days) + 6) % 7 + 1,
            Part::Hour0To23 => self.hour(),
            Part::Hour1To24 => from_one(24),
            Part::Hour0To11 => self.hour() % 12,
            Part::Hour1To12 => from_one(12),
            Part::Minute => self.of_day / 60_000 % 60,
            Part::Second => self.of_day / 1000 % 60,
            _ => self.of_day % 1000,
        }
    }
}

/// Years count within their era; two letters mean two digits.
fn append_year(out: &mut String, year: i64, count: usize) {
    let of_era = if year > 0 { year } else { 1 - year };
    if count == 2 {
        append_number(out, of_era % 100, 2);
    } else {
        append_number(out, of_era, count);
    }
}

fn append_number(out: &mut String, number: i64, count: usize) {
    let written = write!(out, "{number:0count$}");
    debug_assert!(written.is_ok(), "writing to a string cannot go wrong");
}

fn append_name(out: &mut String, names: &[&str], index: i64, count: usize) {
    let name = usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index).copied())
        .unwrap_or_default();
    out.push_str(if count >= 4 { name } else { short(name) });
}

/// The first three letters.
pub(super) fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}

//! The parts of a date as they were read, and the instant that they mean together. As in `java.util.Calendar`, of parts
//! that contradict each other those read last count.

use towpath_connect::data::logical::MILLIS_PER_DAY;

use super::calendar::{self, Calendar};

const EPOCH_YEAR: i64 = 1970;
const SUNDAY: i64 = 0;

/// A value and when it was set: 0 for never.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stamped {
    value: i64,
    stamp: u32,
}

impl Stamped {
    fn or(self, default: i64) -> i64 {
        if self.stamp == 0 { default } else { self.value }
    }
}

/// The parts that a text can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    Year,
    WeekYear,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayOfWeek,
    AmPm,
    HourOfDay,
    HourOfHalfDay,
    Minute,
    Second,
    Millisecond,
    ZoneOffset,
}

const FIELDS: usize = 17;

#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    values: [Stamped; FIELDS],
    stamp: u32,
}

impl Fields {
    pub(super) fn set(&mut self, field: Field, value: i64) {
        self.stamp += 1;
        self.values[field as usize] = Stamped {
            value,
            stamp: self.stamp,
        };
    }

    /// Adds to the year: for a year of two digits that turned out to be in the century before.
    pub(super) fn add_to_year(&mut self, years: i64) {
        self.values[Field::Year as usize].value += years;
    }

    /// The instant in milliseconds.
    pub(super) fn instant(&self) -> i64 {
        let of_day = self.time_of_day();
        let days = self.day();
        // Years beyond what fits wrap around, as in Java.
        days.wrapping_mul(MILLIS_PER_DAY)
            .wrapping_add(of_day)
            .wrapping_sub(self.get(Field::ZoneOffset).or(0))
    }

    fn get(&self, field: Field) -> Stamped {
        self.values[field as usize]
    }

    fn stamp(&self, field: Field) -> u32 {
        self.get(field).stamp
    }

    /// When both were set last; never if one was not.
    fn both(&self, a: Field, b: Field) -> u32 {
        let (a, b) = (self.stamp(a), self.stamp(b));
        if a == 0 || b == 0 { 0 } else { a.max(b) }
    }

    fn time_of_day(&self) -> i64 {
        let half_day = match self.both(Field::HourOfHalfDay, Field::AmPm) {
            0 if self.stamp(Field::HourOfDay) == 0 => {
                self.stamp(Field::HourOfHalfDay).max(self.stamp(Field::AmPm))
            }
            both => both,
        };
        let hours = if half_day > self.stamp(Field::HourOfDay) {
            self.get(Field::HourOfHalfDay).or(0) + 12 * self.get(Field::AmPm).or(0)
        } else {
            self.get(Field::HourOfDay).or(0)
        };
        ((hours * 60 + self.get(Field::Minute).or(0)) * 60 + self.get(Field::Second).or(0)) * 1000
            + self.get(Field::Millisecond).or(0)
    }

    fn day(&self) -> i64 {
        if self.stamp(Field::WeekYear) > self.stamp(Field::Year) {
            return self.day_of_week_year();
        }
        let year = self.get(Field::Year).or(EPOCH_YEAR);
        let year = match self.get(Field::Era).or(1) {
            0 => 1 - year,
            _ => year,
        };
        let basis = self.basis();
        calendar::choose(|calendar| self.day_in(calendar, year, basis))
    }

    /// Which parts tell the day.
    fn basis(&self) -> Basis {
        let day_of_week = Field::DayOfWeek;
        let mut found = [
            (self.stamp(Field::DayOfMonth), Basis::DayOfMonth),
            (self.both(Field::WeekOfMonth, day_of_week), Basis::WeekOfMonth),
            (
                self.both(Field::DayOfWeekInMonth, day_of_week),
                Basis::DayOfWeekInMonth,
            ),
            (self.stamp(Field::DayOfYear), Basis::DayOfYear),
            (self.both(Field::WeekOfYear, day_of_week), Basis::WeekOfYear),
        ];
        if found.iter().all(|(stamp, _)| *stamp == 0) {
            // No part is complete: a week without a day, or a weekday alone.
            found = [
                (0, Basis::DayOfMonth),
                (self.stamp(Field::WeekOfMonth), Basis::WeekOfMonth),
                (
                    self.stamp(Field::DayOfWeekInMonth).max(self.stamp(day_of_week)),
                    Basis::DayOfWeekInMonth,
                ),
                (0, Basis::DayOfYear),
                (self.stamp(Field::WeekOfYear), Basis::WeekOfYear),
            ];
        }
        let latest = found.iter().map(|(stamp, _)| *stamp).max().unwrap_or_default();
        let in_month = |basis: Basis| match basis {
            Basis::WeekOfMonth => self.stamp(Field::WeekOfMonth) >= self.stamp(Field::WeekOfYear),
            Basis::DayOfWeekInMonth => self.stamp(Field::DayOfWeekInMonth) >= self.stamp(Field::WeekOfYear),
            Basis::DayOfMonth | Basis::DayOfYear | Basis::WeekOfYear => true,
        };
        found
            .iter()
            .find(|(stamp, basis)| *stamp == latest && in_month(*basis))
            .map_or(Basis::DayOfMonth, |(_, basis)| *basis)
    }

    fn day_in(&self, calendar: Calendar, year: i64, basis: Basis) -> i64 {
        let month_start = calendar.month_start(year, self.get(Field::Month).or(1));
        let year_start = calendar.month_start(year, 1);
        let weekday = self.get(Field::DayOfWeek).or(SUNDAY);
        // The weekday may be out of range: then it is taken modulo 7 within the week that begins at `first`.
        let in_week = |first: i64, week: Field| {
            calendar::weekday_on_or_before(first + 6, weekday) + 7 * (self.get(week).or(1) - 1)
        };
        match basis {
            Basis::DayOfMonth => month_start + self.get(Field::DayOfMonth).or(1) - 1,
            Basis::DayOfYear => year_start + self.get(Field::DayOfYear).or(1) - 1,
            Basis::WeekOfMonth => in_week(calendar::first_week(month_start), Field::WeekOfMonth),
            Basis::WeekOfYear => in_week(calendar::first_week(year_start), Field::WeekOfYear),
            Basis::DayOfWeekInMonth => {
                let week = self.get(Field::DayOfWeekInMonth).or(1);
                let last = if week >= 0 {
                    month_start + 7 * week - 1
                } else {
                    let next_month = calendar.month_start(year, self.get(Field::Month).or(1) + 1);
                    next_month + 7 * (week + 1) - 1
                };
                calendar::weekday_on_or_before(last, weekday)
            }
        }
    }

    fn day_of_week_year(&self) -> i64 {
        let year_start = calendar::month_start(self.get(Field::WeekYear).or(EPOCH_YEAR), 1);
        calendar::first_week(year_start)
            + self.get(Field::DayOfWeek).or(SUNDAY)
            + 7 * (self.get(Field::WeekOfYear).or(1) - 1)
    }
}

/// The parts that tell the day within a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Basis {
    DayOfMonth,
    WeekOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    WeekOfYear,
}

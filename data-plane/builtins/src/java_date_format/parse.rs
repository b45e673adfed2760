//! Text as instants.

use super::calendar;
use super::fields::{Field, Fields};
use super::format::{DAYS, MONTHS, short};
use super::pattern::{Item, Part};
use super::zone::{self, strip_ignoring_case};
use towpath_connect::data::logical::MILLIS_PER_DAY;

pub(super) fn parse(items: &[Item], text: &str, century_start_ms: i64) -> Option<i64> {
    let mut parser = Parser {
        rest: text,
        fields: Fields::default(),
        century_start_ms,
        ambiguous_year: false,
    };
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Text(expected) => parser.rest = parser.rest.strip_prefix(expected.as_str())?,
            Item::Part(part, count) => {
                let touches_next = matches!(items.get(index + 1), Some(Item::Part(..)));
                parser.part(*part, *count, touches_next)?;
            }
        }
    }
    let instant = parser.fields.instant();
    if parser.ambiguous_year && instant < century_start_ms {
        parser.fields.add_to_year(100);
        return Some(parser.fields.instant());
    }
    Some(instant)
}

struct Parser<'a> {
    rest: &'a str,
    fields: Fields,
    century_start_ms: i64,
    /// The year has two digits and is the one in which the window of 100 years begins.
    ambiguous_year: bool,
}

impl<'a> Parser<'a> {
    fn part(&mut self, part: Part, count: usize, touches_next: bool) -> Option<()> {
        let blanks = self.rest.len() - self.rest.trim_start_matches([' ', '\t']).len();
        self.rest = self.rest.get(blanks..).filter(|rest| !rest.is_empty())?;
        // Digits of two parts that touch are divided by the numbers of letters; blanks count as digits.
        let max_digits = touches_next.then(|| count.saturating_sub(blanks));
        match part {
            Part::Era => self.name(Field::Era, &["BC", "AD"], 0),
            Part::Month if count > 2 => self.long_or_short_name(Field::Month, &MONTHS, 1),
            Part::DayName => self.long_or_short_name(Field::DayOfWeek, &DAYS, 0),
            Part::AmPm => self.name(Field::AmPm, &["AM", "PM"], 0),
            Part::ZoneName | Part::ZoneRfc822 => {
                let zone = zone::parse_general(self.rest)?;
                self.zone(zone)
            }
            Part::ZoneIso8601 => {
                let zone = zone::parse_iso8601(self.rest, count)?;
                self.zone(zone)
            }
            Part::Year => self.year(Field::Year, count, max_digits),
            Part::WeekYear => self.year(Field::WeekYear, count, max_digits),
            Part::Month => self.numeric(Field::Month, max_digits, |n| n),
            Part::WeekOfYear => self.numeric(Field::WeekOfYear, max_digits, |n| n),
            Part::WeekOfMonth => self.numeric(Field::WeekOfMonth, max_digits, |n| n),
            Part::DayOfYear => self.numeric(Field::DayOfYear, max_digits, |n| n),
            Part::DayOfMonth => self.numeric(Field::DayOfMonth, max_digits, |n| n),
            Part::DayOfWeekInMonth => self.numeric(Field::DayOfWeekInMonth, max_digits, |n| n),
            // Out of range it is read as if it began with Sunday.
            Part::DayNumber => {
                let day_of_week = |n| if (1..=7).contains(&n) { n % 7 } else { n - 1 };
                self.numeric(Field::DayOfWeek, max_digits, day_of_week)
            }
            Part::Hour0To23 => self.numeric(Field::HourOfDay, max_digits, |n| n),
            Part::Hour1To24 => self.numeric(Field::HourOfDay, max_digits, |n| if n == 24 { 0 } else { n }),
            Part::Hour0To11 => self.numeric(Field::HourOfHalfDay, max_digits, |n| n),
            Part::Hour1To12 => {
                self.numeric(Field::HourOfHalfDay, max_digits, |n| if n == 12 { 0 } else { n })
            }
            Part::Minute => self.numeric(Field::Minute, max_digits, |n| n),
            Part::Second => self.numeric(Field::Second, max_digits, |n| n),
            Part::Millisecond => self.numeric(Field::Millisecond, max_digits, |n| n),
        }
    }

    fn zone(&mut self, (offset, rest): (i64, &'a str)) -> Option<()> {
        self.rest = rest;
        self.fields.set(Field::ZoneOffset, offset);
        Some(())
    }

    fn numeric(&mut self, field: Field, max_digits: Option<usize>, value: fn(i64) -> i64) -> Option<()> {
        let number = self.number(max_digits)?;
        self.fields.set(field, value(number));
        Some(())
    }

    fn year(&mut self, field: Field, count: usize, max_digits: Option<usize>) -> Option<()> {
        let before = self.rest;
        let mut year = self.number(max_digits)?;
        let length = before.len() - self.rest.len();
        let two_digits = length == 2 && before.bytes().take(2).all(|byte| byte.is_ascii_digit());
        if count <= 2 && two_digits {
            let start = calendar::Date::of(self.century_start_ms.div_euclid(MILLIS_PER_DAY)).year;
            self.ambiguous_year = year == start % 100;
            year += start / 100 * 100 + if year < start % 100 { 100 } else { 0 };
        }
        self.fields.set(field, year);
        Some(())
    }

    /// A number, perhaps with a minus sign. When the digits are counted, the sign and blanks count too.
    fn number(&mut self, max_digits: Option<usize>) -> Option<i64> {
        let (within, _) = match max_digits {
            Some(count) => self.rest.split_at_checked(count)?,
            None => (self.rest, ""),
        };
        let unsigned = within.strip_prefix('-').unwrap_or(within);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let length = within.len() - unsigned.len() + digits;
        if digits == 0 {
            return None;
        }
        let (number, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(int(number))
    }

    fn name(&mut self, field: Field, names: &[&str], first: i64) -> Option<()> {
        let (index, rest) = find(self.rest, names, |name| name)?;
        self.rest = rest;
        self.fields.set(field, first + index);
        Some(())
    }

    fn long_or_short_name(&mut self, field: Field, names: &[&str], first: i64) -> Option<()> {
        let (index, rest) = find(self.rest, names, |name| name).or_else(|| find(self.rest, names, short))?;
        self.rest = rest;
        self.fields.set(field, first + index);
        Some(())
    }
}

fn find<'a>(text: &'a str, names: &[&str], form: fn(&str) -> &str) -> Option<(i64, &'a str)> {
    names
        .iter()
        .zip(0..)
        .find_map(|(name, index)| Some((index, strip_ignoring_case(text, form(name))?)))
}

/// The number as Java's `Number#intValue` has it: beyond 64 bits it is the greatest, within them its low 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "Java drops the high bits")]
fn int(text: &str) -> i64 {
    match text.parse::<i64>() {
        Ok(number) => i64::from(number as i32),
        Err(_) if text.starts_with('-') => i64::from(i32::MIN),
        Err(_) => i64::from(i32::MAX),
    }
}

//! Patterns: letters that stand for a part of a date, and text.

use super::PatternError;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Text(String),
    Part(Part, usize),
}

/// What a pattern letter stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Era,
    Year,
    WeekYear,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayName,
    DayNumber,
    AmPm,
    Hour0To23,
    Hour1To24,
    Hour0To11,
    Hour1To12,
    Minute,
    Second,
    Millisecond,
    ZoneName,
    ZoneRfc822,
    ZoneIso8601,
}

impl Part {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Self::Era,
            'y' => Self::Year,
            'Y' => Self::WeekYear,
            'M' | 'L' => Self::Month,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'D' => Self::DayOfYear,
            'd' => Self::DayOfMonth,
            'F' => Self::DayOfWeekInMonth,
            'E' => Self::DayName,
            'u' => Self::DayNumber,
            'a' => Self::AmPm,
            'H' => Self::Hour0To23,
            'k' => Self::Hour1To24,
            'K' => Self::Hour0To11,
            'h' => Self::Hour1To12,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Millisecond,
            'z' => Self::ZoneName,
            'Z' => Self::ZoneRfc822,
            'X' => Self::ZoneIso8601,
            _ => return None,
        })
    }
}

pub(super) fn compile(pattern: &str) -> Result<Vec<Item>, PatternError> {
    let mut items = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.next_if_eq(&'\'').is_some() {
                push_text(&mut items, '\'');
            } else {
                quoted(&mut items, &mut chars)?;
            }
        } else if c.is_ascii_alphabetic() {
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            items.push(Item::Part(part(c, count)?, count));
        } else {
            push_text(&mut items, c);
        }
    }
    Ok(items)
}

fn part(letter: char, count: usize) -> Result<Part, PatternError> {
    let part =
        Part::of(letter).ok_or_else(|| PatternError(format!("Illegal pattern character '{letter}'")))?;
    if part == Part::ZoneIso8601 && count > 3 {
        return Err(PatternError(format!("invalid ISO 8601 format: length={count}")));
    }
    Ok(part)
}

/// The text up to the closing quote; two quotes in it are one.
fn quoted(
    items: &mut Vec<Item>,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<(), PatternError> {
    loop {
        match chars.next() {
            Some('\'') if chars.next_if_eq(&'\'').is_some() => push_text(items, '\''),
            Some('\'') => return Ok(()),
            Some(c) => push_text(items, c),
            None => return Err(PatternError("Unterminated quote".to_owned())),
        }
    }
}

fn push_text(items: &mut Vec<Item>, c: char) {
    match items.last_mut() {
        Some(Item::Text(text)) => text.push(c),
        _ => items.push(Item::Text(c.to_string())),
    }
}

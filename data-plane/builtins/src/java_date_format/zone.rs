//! Time zones in text: offsets, and the names that are the same everywhere.

const MILLIS_PER_MINUTE: i64 = 60_000;

/// Abbreviations that Java knows in English, with their offsets in minutes.
const NAMES: [(&str, i64); 21] = [
    ("Coordinated Universal Time", 0),
    ("Greenwich Mean Time", 0),
    ("UTC", 0),
    ("UT", 0),
    ("WEST", 60),
    ("WET", 0),
    ("BST", 60),
    ("CEST", 120),
    ("CET", 60),
    ("EEST", 180),
    ("EET", 120),
    ("MSK", 180),
    ("JST", 540),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
];

/// A zone at the beginning of `text`: its offset in milliseconds and the rest.
type Zone<'a> = (i64, &'a str);

/// What the letters `z` and `Z` read: a name, `GMT+1:30` or `+0130`.
pub(super) fn parse_general(text: &str) -> Option<Zone<'_>> {
    if let Some((sign, rest)) = signed(text) {
        return numeric(rest, sign, Digits::HoursMinutes);
    }
    if let Some(rest) = strip_ignoring_case(text, "GMT") {
        return match signed(rest) {
            Some((sign, rest)) => numeric(rest, sign, Digits::HoursColonMinutes { short: true }),
            None => Some((0, rest)),
        };
    }
    NAMES
        .iter()
        .find_map(|(name, minutes)| Some((minutes * MILLIS_PER_MINUTE, strip_ignoring_case(text, name)?)))
}

/// What the letter `X` reads: `Z`, or an offset with as many parts as letters.
pub(super) fn parse_iso8601(text: &str, count: usize) -> Option<Zone<'_>> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let (sign, rest) = signed(text)?;
    let digits = match count {
        1 => Digits::Hours,
        2 => Digits::HoursMinutes,
        _ => Digits::HoursColonMinutes { short: false },
    };
    numeric(rest, sign, digits)
}

#[derive(Clone, Copy)]
enum Digits {
    Hours,
    HoursMinutes,
    HoursColonMinutes {
        /// One digit of hours is enough.
        short: bool,
    },
}

fn numeric(text: &str, sign: i64, digits: Digits) -> Option<Zone<'_>> {
    let short = matches!(digits, Digits::HoursColonMinutes { short: true });
    let (hours, rest) = match two_digits(text) {
        Some(found) => found,
        None if short => text.split_at_checked(1).and_then(number)?,
        None => return None,
    };
    let (minutes, rest) = match digits {
        Digits::Hours => (0, rest),
        Digits::HoursMinutes => two_digits(rest)?,
        Digits::HoursColonMinutes { .. } => two_digits(rest.strip_prefix(':')?)?,
    };
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 60 + minutes) * MILLIS_PER_MINUTE, rest))
}

fn two_digits(text: &str) -> Option<(i64, &str)> {
    text.split_at_checked(2).and_then(number)
}

fn number<'a>((digits, rest): (&str, &'a str)) -> Option<(i64, &'a str)> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| all_digits)?, rest))
}

fn signed(text: &str) -> Option<(i64, &str)> {
    text.strip_prefix('+')
        .map(|rest| (1, rest))
        .or_else(|| text.strip_prefix('-').map(|rest| (-1, rest)))
}

/// `text` without `prefix`, whatever the case.
pub(super) fn strip_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

//! The text that Java's `toString` gives for a value: what StringConverter and the file sink write.

use std::fmt::{self, Write};

use crate::data::{Struct, Value};

/// Appends `value.toString()` as Java has it. `byte[]` has no stable text in Java (an object identity); here it is
/// `[B@` and the length, so that equal records give equal text.
pub fn append(out: &mut String, value: &Value) {
    let written = match value {
        Value::Null => write!(out, "null"),
        Value::Int8(n) => write!(out, "{n}"),
        Value::Int16(n) => write!(out, "{n}"),
        Value::Int32(n) => write!(out, "{n}"),
        Value::Int64(n) => write!(out, "{n}"),
        Value::Float32(n) => append_float32(out, *n),
        Value::Float64(n) => append_float64(out, *n),
        Value::Boolean(b) => write!(out, "{b}"),
        Value::String(text) => write!(out, "{text}"),
        Value::Bytes(bytes) => write!(out, "[B@{:x}", bytes.len()),
        Value::Decimal(number) => write!(out, "{number}"),
        Value::Instant(millis) => write!(out, "{}", date(*millis)),
        Value::Array(elements) => {
            append_list(out, elements);
            Ok(())
        }
        Value::Map(map) => {
            append_entries(out, "{", map.iter());
            Ok(())
        }
        Value::Struct(inner) => {
            append_struct(out, inner);
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "writing to a string cannot go wrong");
}

/// [`append`] into a new string.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    append(&mut out, value);
    out
}

fn append_list(out: &mut String, elements: &[Value]) {
    out.push('[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        append(out, element);
    }
    out.push(']');
}

fn append_entries<'a>(out: &mut String, open: &str, entries: impl Iterator<Item = (&'a Value, &'a Value)>) {
    out.push_str(open);
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        append(out, key);
        out.push('=');
        append(out, value);
    }
    out.push('}');
}

fn append_struct(out: &mut String, value: &Struct) {
    out.push_str("Struct{");
    let mut first = true;
    for field in value.schema().fields() {
        let stored = &value.values()[field.index];
        if stored.is_null() {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        out.push_str(&field.name);
        out.push('=');
        append(out, stored);
    }
    out.push('}');
}

/// Java's `Double.toString`: shortest digits that read back, `1.0E10` outside `[1e-3, 1e7)`.
pub fn float64(value: f64) -> String {
    let mut out = String::new();
    let written = append_float64(&mut out, value);
    debug_assert!(written.is_ok(), "writing to a string cannot go wrong");
    out
}

/// Java's `Float.toString`.
pub fn float32(value: f32) -> String {
    let mut out = String::new();
    let written = append_float32(&mut out, value);
    debug_assert!(written.is_ok(), "writing to a string cannot go wrong");
    out
}

/// Appends [`float64`].
///
/// # Errors
/// Those of `out`.
pub fn append_float64(out: &mut impl Write, value: f64) -> fmt::Result {
    if !value.is_finite() {
        return out.write_str(non_finite(value.is_nan(), value > 0.0));
    }
    let mut digits = Scientific::default();
    write!(digits, "{value:e}")?;
    if digits.has_one_digit() {
        // Java writes at least two digits, and the nearest two need not end in 0.
        digits = Scientific::default();
        write!(digits, "{value:.1e}")?;
    }
    digits.append(out)
}

/// Appends [`float32`].
///
/// # Errors
/// Those of `out`.
pub fn append_float32(out: &mut impl Write, value: f32) -> fmt::Result {
    if !value.is_finite() {
        return out.write_str(non_finite(value.is_nan(), value > 0.0));
    }
    let mut digits = Scientific::default();
    write!(digits, "{value:e}")?;
    if digits.has_one_digit() {
        digits = Scientific::default();
        write!(digits, "{value:.1e}")?;
    }
    digits.append(out)
}

/// Java's `Double.parseDouble`, hexadecimal numbers left out: `1.5`, ` 1e3d`, `NaN`, `-Infinity`.
pub fn parse_float64(text: &str) -> Option<f64> {
    parse_float(text)
}

/// Java's `Float.parseFloat`; as [`parse_float64`].
pub fn parse_float32(text: &str) -> Option<f32> {
    parse_float(text)
}

fn parse_float<F: std::str::FromStr>(text: &str) -> Option<F> {
    let text = text.trim_matches(|c| c <= ' ');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return text.parse().ok();
    }
    let number = text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text);
    let is_number = |byte: u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    number.parse().ok().filter(|_| number.bytes().all(is_number))
}

fn non_finite(nan: bool, positive: bool) -> &'static str {
    match (nan, positive) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    }
}

/// A number as Rust writes it in scientific notation, `-1.2345e10`, kept off the heap.
#[derive(Default)]
struct Scientific {
    /// 17 digits, a point, two signs, `e` and an exponent of three digits are 24.
    bytes: [u8; 24],
    length: usize,
}

impl Write for Scientific {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Scientific {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    fn has_one_digit(&self) -> bool {
        !self.text().contains('.')
    }

    /// Writes the number in Java's notation.
    fn append(&self, out: &mut impl Write) -> fmt::Result {
        let (mantissa, exponent) = self.text().split_once('e').unwrap_or((self.text(), "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let (first, rest) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        if unsigned.len() < mantissa.len() {
            out.write_char('-')?;
        }
        if !(-3..7).contains(&exponent) {
            return write!(out, "{first}.{rest}E{exponent}");
        }
        // One zero stands for no digits at all; it is not one to be moved before the point.
        let rest = if rest == "0" { "" } else { rest };
        let Ok(moved) = usize::try_from(exponent) else {
            let zeros = usize::try_from(-exponent - 1).unwrap_or_default();
            return write!(out, "0.{:0<zeros$}{first}{rest}", "");
        };
        match rest.split_at_checked(moved) {
            Some((whole, "")) => write!(out, "{first}{whole}.0"),
            Some((whole, fraction)) => write!(out, "{first}{whole}.{fraction}"),
            None => write!(out, "{first}{rest:0<moved$}.0"),
        }
    }
}

/// Java's `Date.toString` in UTC: `Thu Jan 01 00:00:00 UTC 1970`.
fn date(millis: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = millis.div_euclid(1000);
    let days = seconds.div_euclid(86_400);
    let of_day = seconds.rem_euclid(86_400);
    let (year, month, day) = civil_from_days(days);
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or_default()];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default()];
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}")
}

/// Year, month and day of a number of days since 1970-01-01 in the proleptic Gregorian calendar.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day is the last of a year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;

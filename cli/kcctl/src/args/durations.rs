//! Durations as people write them.

use std::time::Duration;

#[derive(Debug, thiserror::Error)]
#[error("write a number with `ms`, `s` or `m`, for example `10s`; it must be more than zero")]
pub(crate) struct NoDuration;

/// `500ms`, `10s`, `2m`; a number alone is seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, NoDuration> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number: u64 = digits.parse().map_err(|_| NoDuration)?;
    let duration = match text.strip_prefix(digits).unwrap_or_default() {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => number
            .checked_mul(60)
            .map(Duration::from_secs)
            .ok_or(NoDuration)?,
        _ => return Err(NoDuration),
    };
    if duration.is_zero() {
        Err(NoDuration)
    } else {
        Ok(duration)
    }
}

/// The other way round, for messages.
pub(crate) fn show(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood_and_seconds_need_none() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("3", 3_000), ("2m", 120_000)] {
            assert_eq!(parse(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in [
            "",
            "s",
            "0",
            "0ms",
            "1.5s",
            "-1s",
            "10h",
            "99999999999999999999",
            "18446744073709551615m",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_is_shown_as_it_is_written() {
        assert_eq!(show(Duration::from_millis(1500)), "1500ms");
        assert_eq!(show(Duration::from_secs(90)), "90s");
    }
}

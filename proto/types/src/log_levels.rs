//! What a process logs.

use std::fmt;
use std::str::FromStr;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What is logged, as `TOWPATH_LOG` says it: a level for everything, `module=level` for some, or both, separated by commas.
/// In the syntax of tracing-subscriber's `EnvFilter`, but for a module without a level: alone it would be all that is
/// logged, which is what a mistyped level means there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevels(String);

/// A part that says nothing about what to log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` says nothing about what to log: use a level ({}) and, separated by commas, `module=level`, for example \
     `info,towpath_kafka=debug`", LEVELS.join(", ")
)]
pub struct LogLevelsError {
    part: String,
}

impl FromStr for LogLevels {
    type Err = LogLevelsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What stands in brackets has a syntax of its own, with commas too.
        let mut depth = 0_usize;
        let mut parts = text.split(|c| {
            match c {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        });
        let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
        let is_clear = |part: &str| is_level(part.rsplit_once('=').map_or(part, |(_module, level)| level));
        let has_space = |part: &str| part.contains(char::is_whitespace);
        match parts.find(|part| !is_clear(part) || has_space(part)) {
            Some(part) => Err(LogLevelsError {
                part: part.to_owned(),
            }),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for LogLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for LogLevels {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_modules_are_understood() {
        for text in [
            "info",
            "WARN",
            "off",
            "info,towpath_kafka=debug",
            "h2=off",
            "info,[unit{name=a,b=c}]=debug",
        ] {
            assert_eq!(text.parse::<LogLevels>().unwrap().as_ref(), text);
        }
    }

    #[test]
    fn what_says_nothing_is_named() {
        for (text, part) in [
            ("inof", "inof"),
            ("", ""),
            ("info,verbose", "verbose"),
            ("towpath=loud", "towpath=loud"),
            ("info,towpath=", "towpath="),
            ("info, towpath=debug", " towpath=debug"),
            ("[unit{name=a}]=debug,inof", "inof"),
            ("info,[unit]", "[unit]"),
        ] {
            let told = text.parse::<LogLevels>().unwrap_err().to_string();
            assert!(told.starts_with(&format!("`{part}` says nothing")), "{told}");
        }
    }
}

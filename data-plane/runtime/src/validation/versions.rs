//! Which versions of a plugin a configuration asks for: one version, a range in Maven's notation (`[4,5)`, `(,5]`,
//! `[1,2],[4,)`), or `latest`. There is one version of each class in a process, so this only accepts or refuses.

use std::cmp::Ordering;
use std::fmt;

use towpath_connect::{Plugin, PluginSet};

/// Why a version does not do. `Display` has Kafka Connect's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VersionError {
    /// The text is no range.
    #[error("{0}")]
    NotARange(String),
    /// The class is not there in such a version.
    #[error(
        "Plugin {class} not found that matches the version range {range}, available versions: [{available}]"
    )]
    NotInstalled {
        class: &'static str,
        range: String,
        available: String,
    },
}

/// Checks that a plugin has a version that is asked for. Of a class with several kinds each is listed.
pub(crate) fn check(plugins: &PluginSet, plugin: &Plugin, asked: &str) -> Result<(), VersionError> {
    let range = match VersionRange::parse(asked).map_err(VersionError::NotARange)? {
        Some(range) if !range.contains(plugin.version) => range,
        Some(_) | None => return Ok(()),
    };
    let available: Vec<&str> = plugins
        .list(false)
        .iter()
        .filter(|listed| listed.class == plugin.class)
        .map(|listed| listed.version)
        .collect();
    Err(VersionError::NotInstalled {
        class: plugin.class,
        range: range.to_string(),
        available: available.join(", "),
    })
}

/// One or several intervals, in ascending order.
#[derive(Clone, Debug)]
pub(crate) struct VersionRange(Vec<Interval>);

#[derive(Clone, Debug)]
struct Interval {
    low: Option<String>,
    high: Option<String>,
    includes_low: bool,
    includes_high: bool,
}

impl VersionRange {
    /// Reads a range; `None` for `latest`. A version on its own is the only one that will do.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = text.trim();
        if text == "latest" {
            return Ok(None);
        }
        if text.starts_with(['[', '(']) {
            intervals(text).map(|found| Some(Self(found)))
        } else {
            interval(&format!("[{text}]")).map(|found| Some(Self(vec![found])))
        }
    }

    pub(crate) fn contains(&self, version: &str) -> bool {
        self.0.iter().any(|interval| interval.contains(version))
    }
}

impl Interval {
    fn contains(&self, version: &str) -> bool {
        let above = self.low.as_ref().is_none_or(|low| match compare(version, low) {
            Ordering::Greater => true,
            Ordering::Equal => self.includes_low,
            Ordering::Less => false,
        });
        let below = self
            .high
            .as_ref()
            .is_none_or(|high| match compare(version, high) {
                Ordering::Less => true,
                Ordering::Equal => self.includes_high,
                Ordering::Greater => false,
            });
        above && below
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, interval) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let (open, close) = (
                if interval.includes_low { '[' } else { '(' },
                if interval.includes_high { ']' } else { ')' },
            );
            let (low, high) = (
                interval.low.as_deref().unwrap_or_default(),
                interval.high.as_deref().unwrap_or_default(),
            );
            write!(f, "{comma}{open}{low},{high}{close}")?;
        }
        Ok(())
    }
}

fn intervals(text: &str) -> Result<Vec<Interval>, String> {
    let mut found: Vec<Interval> = Vec::new();
    let mut rest = text;
    while rest.starts_with(['[', '(']) {
        let Some(end) = rest.find([')', ']']) else {
            return Err(format!("Unbounded range: {text}"));
        };
        let (head, tail) = rest.split_at(end + 1);
        let next = interval(head)?;
        let overlaps = found
            .last()
            .and_then(|last| last.high.as_ref())
            .is_some_and(|high| {
                next.low
                    .as_ref()
                    .is_none_or(|low| compare(low, high) == Ordering::Less)
            });
        if overlaps {
            return Err(format!("Ranges overlap: {text}"));
        }
        found.push(next);
        let tail = tail.trim();
        rest = tail.strip_prefix(',').map_or(tail, str::trim);
    }
    if rest.is_empty() {
        Ok(found)
    } else {
        Err(format!(
            "Only fully-qualified sets allowed in multiple set scenario: {text}"
        ))
    }
}

/// Reads one interval with its brackets.
fn interval(text: &str) -> Result<Interval, String> {
    let (includes_low, includes_high) = (text.starts_with('['), text.ends_with(']'));
    let inner = text
        .trim_start_matches(['[', '('])
        .trim_end_matches([']', ')'])
        .trim();
    let Some((low, high)) = inner.split_once(',') else {
        if !(includes_low && includes_high) {
            return Err(format!("Single version must be surrounded by []: {text}"));
        }
        return Ok(Interval {
            low: Some(inner.to_owned()),
            high: Some(inner.to_owned()),
            includes_low,
            includes_high,
        });
    };
    let bound = |version: &str| Some(version.trim().to_owned()).filter(|version| !version.is_empty());
    let (low, high) = (bound(low), bound(high));
    if let (Some(low), Some(high)) = (&low, &high) {
        let order = compare(high, low);
        if order == Ordering::Less || (order == Ordering::Equal && !(includes_low && includes_high)) {
            return Err(format!("Range defies version ordering: {text}"));
        }
    }
    Ok(Interval {
        low,
        high,
        includes_low,
        includes_high,
    })
}

/// Compares two versions as Maven does: part by part, numbers as numbers, `alpha` … `snapshot` before the release and
/// `sp` and other words after it; a missing part is 0.
fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (parts(one), parts(other));
    let release = Piece::Number(0);
    (0..one.len().max(other.len()))
        .map(|index| {
            let (one, other) = (
                one.get(index).unwrap_or(&release),
                other.get(index).unwrap_or(&release),
            );
            one.rank().cmp(&other.rank())
        })
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

#[derive(Debug)]
enum Piece {
    Number(u64),
    Word(String),
}

const BEFORE_THE_RELEASE: [&str; 5] = ["alpha", "beta", "milestone", "rc", "snapshot"];

impl Piece {
    /// Words of pre-releases, then the release itself (0), then `sp`, other words, and numbers.
    fn rank(&self) -> (usize, u64, &str) {
        let release = BEFORE_THE_RELEASE.len();
        match self {
            Self::Number(0) => (release, 0, ""),
            Self::Number(number) => (release + 3, *number, ""),
            Self::Word(word) => match BEFORE_THE_RELEASE.iter().position(|known| known == word) {
                Some(place) => (place, 0, ""),
                None if matches!(word.as_str(), "" | "ga" | "final" | "release") => (release, 0, ""),
                None if word == "sp" => (release + 1, 0, ""),
                None => (release + 2, 0, word),
            },
        }
    }
}

/// Splits at `.` and `-` and between digits and letters.
fn parts(version: &str) -> Vec<Piece> {
    let mut pieces: Vec<String> = vec![String::new()];
    let mut last = None;
    for c in version.to_lowercase().chars() {
        let kind = (c.is_ascii_digit(), matches!(c, '.' | '-'));
        if last.is_some_and(|last| last != kind) || kind.1 {
            pieces.push(String::new());
        }
        if !kind.1
            && let Some(piece) = pieces.last_mut()
        {
            piece.push(c);
        }
        last = Some(kind);
    }
    pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .map(|piece| match piece.parse() {
            Ok(number) => Piece::Number(number),
            Err(_) => Piece::Word(piece),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed_4_3_1(asked: &str) -> Result<bool, String> {
        VersionRange::parse(asked).map(|range| range.is_none_or(|range| range.contains("4.3.1")))
    }

    #[test]
    fn versions_and_ranges_decide_as_kafka_connect_does() {
        for (asked, expected) in [
            ("4.3.1", Ok(true)),
            (" 4.3.1 ", Ok(true)),
            ("latest", Ok(true)),
            ("[4,5)", Ok(true)),
            ("(,5]", Ok(true)),
            (",5", Ok(true)),
            ("[1,2],[4,5]", Ok(true)),
            ("[4.3.1]", Ok(true)),
            ("4.3.1.0", Ok(true)),
            ("9", Ok(false)),
            ("", Ok(false)),
            ("4.3", Ok(false)),
            ("4.3.1-x", Ok(false)),
            ("LATEST", Ok(false)),
            ("a b", Ok(false)),
            ("1,2", Ok(false)),
            ("(4.3.1,)", Ok(false)),
            ("[4.3.0,4.3.1)", Ok(false)),
            ("[4.3.1-SNAPSHOT,4.3.1)", Ok(false)),
            ("[4,", Err("Unbounded range: [4,")),
            ("[4,5", Err("Unbounded range: [4,5")),
            ("(4)", Err("Single version must be surrounded by []: (4)")),
            ("[5,4]", Err("Range defies version ordering: [5,4]")),
            ("[1,3],[2,4]", Err("Ranges overlap: [1,3],[2,4]")),
            (
                "[1,2]x",
                Err("Only fully-qualified sets allowed in multiple set scenario: [1,2]x"),
            ),
        ] {
            assert_eq!(
                installed_4_3_1(asked),
                expected.map_err(str::to_owned),
                "{asked:?}"
            );
        }
    }

    #[test]
    fn ranges_are_printed_as_in_messages() {
        for (asked, printed) in [
            ("9", "[9,9]"),
            ("", "[,]"),
            ("[4,5)", "[4,5)"),
            ("(,5]", "(,5]"),
            ("[1,2],(4,)", "[1,2],(4,)"),
        ] {
            let range = VersionRange::parse(asked).unwrap().unwrap();
            assert_eq!(range.to_string(), printed);
        }
    }

    #[test]
    fn versions_are_ordered_as_maven_orders_them() {
        let ascending = [
            "1-alpha",
            "1-beta-2",
            "1-rc1",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-xyz",
            "1.1",
            "1.2",
            "1.10",
            "2",
        ];
        for pair in ascending.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
        assert_eq!(compare("1.0.0", "1"), Ordering::Equal);
        assert_eq!(compare("1.0-final", "1"), Ordering::Equal);
    }
}

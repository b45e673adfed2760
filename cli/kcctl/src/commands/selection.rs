//! Which connectors are meant by names or patterns.

use fancy_regex::Regex;

use super::Session;
use crate::args::Selection;
use crate::failure::Failure;

/// The names, each once: as given, or of all connectors that a pattern matches as a whole.
pub(super) async fn names(session: &Session<'_>, selection: &Selection) -> Result<Vec<String>, Failure> {
    if !selection.patterns {
        return Ok(each_once(&selection.names));
    }
    let patterns = selection
        .names
        .iter()
        .map(|pattern| whole(pattern))
        .collect::<Result<Vec<_>, _>>()?;
    let mut names = session.cluster.names().await?;
    // A pattern that gives up on a name, because it would take too long, does not match it.
    names.retain(|name| {
        patterns
            .iter()
            .any(|pattern| pattern.is_match(name).unwrap_or(false))
    });
    names.sort();
    if names.is_empty() {
        session.printer.warning(&format!(
            "no connector matches `{}`",
            selection.names.join("`, `")
        ));
    }
    Ok(names)
}

pub(super) fn each_once(names: &[String]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.iter().filter(|name| seen.insert(*name)).cloned().collect()
}

fn whole(pattern: &str) -> Result<Regex, Failure> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).map_err(|source| Failure::Pattern {
        pattern: pattern.to_owned(),
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_has_to_match_the_whole_name() {
        let pattern = whole(r"match-\d-test|other").unwrap();
        assert!(pattern.is_match("match-1-test").unwrap());
        assert!(pattern.is_match("other").unwrap());
        assert!(!pattern.is_match("nomatch-1-test").unwrap());
        assert!(!pattern.is_match("others").unwrap());
        assert!(matches!(whole("("), Err(Failure::Pattern { .. })));
    }

    #[test]
    fn a_name_given_twice_counts_once_and_the_order_stays() {
        let names = ["b", "a", "b"].map(str::to_owned);
        assert_eq!(each_once(&names), ["b", "a"]);
    }
}

//! `describe plugin`.

use fancy_regex::Regex;
use serde_json::{Map, Value};

use super::Session;
use crate::args::DescribePluginArgs;
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::style::Style;
use crate::table::Pairs;
use crate::version::{Feature, Version, require};

const PLUGIN_KEYS: Feature = Feature::new("This command", Version::new(3, 2));

/// A key of a plugin, as the server describes it.
type Key = Map<String, Value>;

/// What is searched, and for what.
struct Search<'a> {
    pattern: &'a Regex,
    names: bool,
    documentation: bool,
}

pub(super) async fn describe(session: &Session<'_>, args: &DescribePluginArgs) -> Result<(), Failure> {
    require(session.cluster.as_ref(), PLUGIN_KEYS).await?;
    let mut keys = session.cluster.plugin_keys(&args.name).await?;
    let search = search(args);
    if let Some(search) = &search {
        keys.retain(|key| search.finds(key));
    }
    let format = args.output.output.unwrap_or_default();
    if format != Format::Table {
        output::print(session.printer, format, &keys);
        return Ok(());
    }
    session.printer.line("");
    for key in &keys {
        lines(key, search.as_ref(), session.printer.style())
            .iter()
            .for_each(|line| session.printer.line(line));
        session.printer.line("");
    }
    Ok(())
}

fn search(args: &DescribePluginArgs) -> Option<Search<'_>> {
    let both = args.search.as_ref().map(|pattern| Search {
        pattern,
        names: true,
        documentation: true,
    });
    let names = args.search_name.as_ref().map(|pattern| Search {
        pattern,
        names: true,
        documentation: false,
    });
    let documentation = args.search_description.as_ref().map(|pattern| Search {
        pattern,
        names: false,
        documentation: true,
    });
    both.or(names).or(documentation)
}

impl Search<'_> {
    fn finds(&self, key: &Key) -> bool {
        // A pattern that gives up on a text, because it would take too long, does not match it.
        let matches = |member| self.pattern.is_match(&text(key, member)).unwrap_or(false);
        (self.names && matches("name")) || (self.documentation && matches("documentation"))
    }

    fn mark(&self, text: &str, style: Style) -> String {
        self.pattern
            .replace_all(text, |found: &fancy_regex::Captures<'_>| style.found(&found[0]))
            .into_owned()
    }
}

fn lines(key: &Key, search: Option<&Search<'_>>, style: Style) -> Vec<String> {
    let marked = |member, searched: fn(&Search<'_>) -> bool| {
        let text = text(key, member);
        search
            .filter(|search| searched(search))
            .map_or_else(|| text.clone(), |search| search.mark(&text, style))
    };
    let mut pairs = Pairs::default();
    pairs
        .add("Name", marked("name", |search| search.names))
        .add("Type", text(key, "type"))
        .add("Required", text(key, "required"))
        .add("Default", text(key, "default_value"))
        .add(
            "Documentation",
            marked("documentation", |search| search.documentation),
        );
    pairs.lines(|name| style.heading(name))
}

fn text(key: &Key, member: &str) -> String {
    match key.get(member) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "null".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        let json = r#"{"name":"file","type":"STRING","required":false,"default_value":null,"documentation":"Where to"}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_a_search_found_is_marked_where_it_was_searched() {
        let pattern = Regex::new("(?i)WHERE|file").unwrap();
        let search = Search {
            pattern: &pattern,
            names: false,
            documentation: true,
        };
        assert!(search.finds(&key()));
        let lines = lines(&key(), Some(&search), Style::new(true));
        assert_eq!(lines[0], "\u{1b}[37;1mName\u{1b}[0m:           file");
        assert!(
            lines[4].ends_with("\u{1b}[107m\u{1b}[30m\u{1b}[1mWhere\u{1b}[0m to"),
            "{lines:?}"
        );
    }
}

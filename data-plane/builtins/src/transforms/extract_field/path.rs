//! Paths to nested fields: names with dots between them. A name that has dots itself stands in backticks; a backslash
//! before a backtick makes it an ordinary character where it would open or close a name.

use towpath_connect::{ConnectorError, Result};

/// The names of a path.
pub(super) fn parse(path: &str) -> Result<Vec<String>> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let (step, after) = match rest.strip_prefix('`') {
            Some(quoted) => {
                let position = path.len() - rest.len();
                split_quoted(quoted).ok_or_else(|| incomplete(path, position))?
            }
            None => match rest.split_once('.') {
                Some((step, after)) => (step.to_owned(), Some(after)),
                None => (rest.to_owned(), None),
            },
        };
        steps.push(
            step.strip_prefix("\\`")
                .map_or_else(|| step.clone(), |name| format!("`{name}")),
        );
        match after {
            Some(after) => rest = after,
            None => return Ok(steps),
        }
    }
}

/// The name up to a backtick that a dot or the end follows, and what comes after the dot.
fn split_quoted(text: &str) -> Option<(String, Option<&str>)> {
    let mut name = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let after = chars.as_str();
        if c == '`' && (after.is_empty() || after.starts_with('.')) {
            if let Some(before) = name.strip_suffix('\\') {
                name = format!("{before}`");
                continue;
            }
            return Some((name, after.strip_prefix('.')));
        }
        name.push(c);
    }
    None
}

fn incomplete(path: &str, position: usize) -> ConnectorError {
    ConnectorError::config(format!(
        "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position {position} \
         to escape it"
    ))
}

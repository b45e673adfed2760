//! What can become of a key, and applying the table of keys.

use std::time::Duration;

use towpath_runtime::validation::Client;

use super::draft::Draft;
use super::table::{ROWS, Row};

/// What becomes of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// The same thing under this name.
    Text(&'static str),
    /// The same thing, but librdkafka writes its values in lower case.
    Lower(&'static str),
    /// `true` or `false`.
    Flag(&'static str),
    /// A number. librdkafka takes these limits; a value beyond them becomes the limit, with a warning.
    Number(&'static str, i64, i64),
    /// A number that Towpath itself acts on.
    Ours(fn(&mut super::Ours, u64)),
    /// `true` or `false`, and Towpath itself acts on it.
    OursFlag(fn(&mut super::Ours, bool)),
    /// Depends on other keys too: see the module of this name.
    Elsewhere(#[expect(dead_code, reason = "for the reader of the table")] &'static str),
    /// Has no counterpart; what happens instead.
    Without(&'static str),
}

pub(super) fn apply(draft: &mut Draft<'_>) {
    for key in draft.keys() {
        match ROWS
            .iter()
            .find(|row| row.key == key && row.clients.contains(&draft.client))
        {
            Some(row) => apply_row(draft, row),
            None => unknown(draft, key),
        }
    }
}

fn unknown(draft: &mut Draft<'_>, key: &str) {
    let elsewhere = ROWS
        .iter()
        .find(|row| row.key == key)
        .and_then(|row| row.clients.first());
    let what_happens = match elsewhere {
        Some(Client::Producer) => "is a setting of producers and does nothing here",
        Some(Client::Consumer) => "is a setting of consumers and does nothing here",
        Some(Client::Admin) => "is a setting of admin clients and does nothing here",
        None => "is no setting of a Kafka client and does nothing",
    };
    draft.warn(key, what_happens);
}

fn apply_row(draft: &mut Draft<'_>, row: &Row) {
    let (key, value) = (row.key, draft.get(row.key).unwrap_or_default());
    match row.rule {
        // Empty is Java's way to write "not set".
        Rule::Text(_) | Rule::Lower(_) if value.is_empty() => {}
        Rule::Text(name) => draft.set(name, value),
        Rule::Lower(name) => draft.set(name, value.to_ascii_lowercase()),
        Rule::Flag(name) => {
            if let Some(flag) = flag(draft, key) {
                draft.set(name, flag.to_string());
            }
        }
        Rule::Number(name, least, most) => {
            if let Some(number) = clamped(draft, key, least, most) {
                draft.set(name, number.to_string());
            }
        }
        Rule::Ours(take) => {
            if let Some(number) = number(draft, key) {
                take(&mut draft.ours, u64::try_from(number).unwrap_or(0));
            }
        }
        Rule::OursFlag(take) => {
            if let Some(flag) = flag(draft, key) {
                take(&mut draft.ours, flag);
            }
        }
        Rule::Elsewhere(_) => {}
        Rule::Without(what_happens) => draft.warn(key, what_happens),
    }
}

/// The number that a key has, within limits. A number beyond them becomes the limit, with a warning.
pub(super) fn clamped(draft: &mut Draft<'_>, key: &str, least: i64, most: i64) -> Option<i64> {
    let number = number(draft, key)?;
    let within = number.clamp(least, most);
    if within != number {
        draft.warn(
            key,
            format!("{within} is used: librdkafka takes {least} to {most}"),
        );
    }
    Some(within)
}

/// The number that a key has; a problem if it has something else.
pub(super) fn number(draft: &mut Draft<'_>, key: &str) -> Option<i64> {
    let number = draft.get(key)?.parse().ok();
    if number.is_none() {
        draft.problem(key, "must be a whole number");
    }
    number
}

/// The flag that a key has; a problem if it has something else.
pub(super) fn flag(draft: &mut Draft<'_>, key: &str) -> Option<bool> {
    let flag = draft.get(key)?.to_ascii_lowercase().parse().ok();
    if flag.is_none() {
        draft.problem(key, "must be `true` or `false`");
    }
    flag
}

pub(super) fn millis(number: u64) -> Duration {
    Duration::from_millis(number)
}

//! Keeps secrets out of what validation says (invariant 8): values that came from a config provider are shown as they
//! were submitted, and a configuration that has to be printed whole is printed without passwords.

use towpath_connect::ConfigMap;

use super::infos::{ConfigInfos, ConfigValueInfo};
use super::java_hash::{copied, in_map_order};
use super::{Request, ValidationError};

const HIDDEN: &str = "[hidden]";

const INVALID_VALUE: &str = "Invalid value ";
const FOR_CONFIGURATION: &str = " for configuration ";

/// Shorter texts are not looked for elsewhere in a message: they are found in ordinary words.
const SHORTEST_SECRET: usize = 4;

/// A configuration is printed only when its connector is not known, and so neither are its keys of type PASSWORD.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "jaas",
    "private",
    "key.pem",
];

/// The configuration as Java prints a map.
pub(super) fn printed(config: &ConfigMap) -> String {
    let entries = in_map_order(config.iter().collect(), copied(config.len()), |(key, _)| key);
    let entries: Vec<String> = entries
        .into_iter()
        .map(|(key, value)| match value {
            Some(_) if is_secret(key) => format!("{key}={HIDDEN}"),
            Some(value) => format!("{key}={value}"),
            None => format!("{key}=null"),
        })
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Puts the submitted text in the place of each value that was resolved.
pub(super) fn hide_resolved(infos: &mut ConfigInfos, request: Request<'_>) {
    for value in infos
        .configs
        .iter_mut()
        .filter_map(|config| config.value.as_mut())
    {
        let (raw, resolved) = (request.raw.get(&value.name), request.resolved.get(&value.name));
        if let (Some(raw), Some(resolved)) = (raw, resolved)
            && raw != resolved
        {
            hide(value, raw, resolved);
        }
    }
}

/// The same for an override that cannot be read.
pub(super) fn hide_in_error(error: ValidationError, request: Request<'_>) -> ValidationError {
    match error {
        ValidationError::Override {
            key,
            full_key,
            problem,
            text,
        } => ValidationError::Override {
            text: request.raw.get(&full_key).map_or(text, str::to_owned),
            key,
            full_key,
            problem,
        },
        other => other,
    }
}

fn hide(info: &mut ConfigValueInfo, raw: &str, resolved: &str) {
    if let Some(value) = &mut info.value
        && value != HIDDEN
    {
        raw.clone_into(value);
    }
    for error in &mut info.errors {
        *error = with_submitted_text(error, raw, resolved.trim());
    }
}

/// Most messages begin with the value, in a form that depends on its type.
fn with_submitted_text(error: &str, raw: &str, resolved: &str) -> String {
    let shown = error
        .strip_prefix(INVALID_VALUE)
        .and_then(|rest| rest.split_once(FOR_CONFIGURATION));
    let error = match shown {
        Some((_, rest)) => format!("{INVALID_VALUE}{raw}{FOR_CONFIGURATION}{rest}"),
        None => error.to_owned(),
    };
    if resolved.len() < SHORTEST_SECRET {
        return error;
    }
    error.replace(resolved, raw)
}

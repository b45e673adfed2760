//! Checks of single values that are special to this connector.

use towpath_connect::config_def::{ConfigValue, invalid};

/// Addresses of search engines.
pub(super) fn urls(key: &str, value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::List(urls) = value else {
        return Ok(());
    };
    if urls.iter().all(String::is_empty) {
        return Err(invalid(key, value, "Empty list"));
    }
    let is_good = |url: &String| {
        url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    };
    if urls.iter().all(is_good) {
        return Ok(());
    }
    let shown = ConfigValue::List(urls.iter().map(|url| without_login(url)).collect());
    Err(invalid(
        key,
        &shown,
        "each URL must look like http://host:9200 or https://host:9200",
    ))
}

/// What is no URL cannot be taken apart as one, but a password in it must not be shown all the same.
fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://[hidden]@{rest}"),
        (None, Some((_, rest))) => format!("[hidden]@{rest}"),
        (_, None) => url.to_owned(),
    }
}

/// A part of the name of a data stream.
pub(super) fn dataset(key: &str, value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::String(name) = value else {
        return Ok(());
    };
    let bad = |problem: &str| Err(invalid(key, value, problem));
    if name.chars().count() > 100 {
        return bad("it may have at most 100 characters");
    }
    if name.chars().any(char::is_uppercase) {
        return bad("it must be lower-case");
    }
    if name.contains(['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':', '-']) {
        return bad("it may not hold any of \\ / * ? \" < > | space , # : -");
    }
    Ok(())
}

//! Media types: everything that is read or written is JSON.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

pub(crate) const JSON: &str = "application/json";

/// Whether the body is declared as JSON, or not declared at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declared {
    Json,
    Other,
    Nothing,
}

pub(crate) fn declared(headers: &HeaderMap) -> Declared {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Declared::Nothing;
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case(JSON) {
        Declared::Json
    } else {
        Declared::Other
    }
}

/// Whether the caller takes JSON: the most specific media range that matches decides.
pub(crate) fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let matching = ranges.filter_map(|range| Some((specificity(range)?, range)));
    matching
        .max_by_key(|(specificity, _)| *specificity)
        .is_some_and(|(_, range)| !has_zero_quality(range))
}

fn specificity(range: &str) -> Option<u8> {
    match range
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        JSON => Some(2),
        "application/*" => Some(1),
        "*/*" | "*" => Some(0),
        _ => None,
    }
}

fn has_zero_quality(range: &str) -> bool {
    let mut parameters = range
        .split(';')
        .skip(1)
        .filter_map(|parameter| parameter.trim().split_once('='));
    parameters.any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("q")
            && value.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn with(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn json_is_accepted_by_every_range_that_holds_it() {
        for value in [
            "application/json",
            "APPLICATION/JSON",
            "application/*",
            "*/*",
            "text/html, application/xhtml+xml, */*;q=0.8",
            "text/html;q=1, application/json;q=0.1",
            "application/json; charset=utf-8",
            "",
        ] {
            assert!(accepts_json(&with(ACCEPT, value)), "{value}");
        }
        assert!(accepts_json(&HeaderMap::new()));
        for value in [
            "text/html",
            "text/*",
            "application/xml",
            "application/json;q=0",
            "*/*, application/json;q=0.0",
        ] {
            assert!(!accepts_json(&with(ACCEPT, value)), "{value}");
        }
    }

    #[test]
    fn parameters_of_a_content_type_do_not_count() {
        assert_eq!(declared(&HeaderMap::new()), Declared::Nothing);
        for value in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON;x=y",
        ] {
            assert_eq!(declared(&with(CONTENT_TYPE, value)), Declared::Json, "{value}");
        }
        for value in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
        ] {
            assert_eq!(declared(&with(CONTENT_TYPE, value)), Declared::Other, "{value}");
        }
    }
}

//! The path of a request: split before it is decoded, so that a name may hold an encoded slash.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A path that stands for no text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the path of the request cannot be decoded: a segment must be UTF-8 text, percent-encoded, without %00"
)]
pub(crate) struct Undecodable;

/// The decoded segments. One slash at the end does not count; what follows a `;` in a segment is a matrix parameter,
/// which no operation has.
pub(crate) fn segments(raw: &str) -> Result<Vec<String>, Undecodable> {
    let raw = raw.strip_prefix('/').unwrap_or(raw);
    let raw = raw.strip_suffix('/').unwrap_or(raw);
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    raw.split('/').map(decode).collect()
}

fn decode(segment: &str) -> Result<String, Undecodable> {
    let (segment, _) = segment.split_once(';').unwrap_or((segment, ""));
    if !is_well_formed(segment.as_bytes()) {
        return Err(Undecodable);
    }
    let text = percent_decode_str(segment)
        .decode_utf8()
        .map_err(|_| Undecodable)?;
    if text.contains('\0') {
        return Err(Undecodable);
    }
    Ok(text.into_owned())
}

/// The decoder leaves a `%` alone that no two digits follow.
fn is_well_formed(segment: &[u8]) -> bool {
    let mut escapes = segment.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    escapes.all(|(at, _)| {
        let digits = segment.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// One segment for a `Location`.
pub(crate) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> Vec<String> {
        segments(raw).unwrap()
    }

    #[test]
    fn segments_are_split_first_and_decoded_then() {
        assert_eq!(of("/"), Vec::<String>::new());
        assert_eq!(
            of("/connectors/with%2Fslash/config"),
            ["connectors", "with/slash", "config"]
        );
        assert_eq!(of("/connectors/with%25percent"), ["connectors", "with%percent"]);
        assert_eq!(of("/connectors/%C3%BCn%C3%AFcode"), ["connectors", "ünïcode"]);
        assert_eq!(of("/connectors/%20lead"), ["connectors", " lead"], "not trimmed");
        assert_eq!(of("/connectors/a+b"), ["connectors", "a+b"], "a plus is a plus");
    }

    #[test]
    fn one_slash_at_the_end_does_not_count_and_an_empty_segment_stays() {
        assert_eq!(of("/connectors/"), ["connectors"]);
        assert_eq!(of("//connectors"), ["", "connectors"]);
        assert_eq!(of("/connectors//"), ["connectors", ""]);
    }

    #[test]
    fn matrix_parameters_are_cut_but_an_encoded_semicolon_is_part_of_the_name() {
        assert_eq!(of("/connectors;v=1/a;x/status"), ["connectors", "a", "status"]);
        assert_eq!(of("/connectors/a%3Bx"), ["connectors", "a;x"]);
    }

    #[test]
    fn what_stands_for_no_text_is_refused() {
        for raw in [
            "/connectors/%ZZ",
            "/connectors/%FF",
            "/connectors/%00",
            "/connectors/a%2",
            "/connectors/%",
        ] {
            assert_eq!(segments(raw), Err(Undecodable), "{raw}");
        }
    }

    #[test]
    fn a_name_is_found_again_at_its_encoded_path() {
        for name in [
            "a b",
            "with/slash",
            "with%percent",
            "ü",
            "q\"uote",
            "a;b",
            "a?b#c",
            "+&:[",
            "..",
            "a\\b",
        ] {
            assert_eq!(of(&format!("/{}", encode(name))), [name]);
        }
        assert_eq!(encode("with/slash \"ü%"), "with%2Fslash%20%22%C3%BC%25");
    }
}

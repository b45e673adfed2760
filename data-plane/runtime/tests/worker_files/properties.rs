//! Java's properties syntax. The expected values are what Java's own reader gives.

use proptest::prelude::*;
use towpath_connect::ConfigMap;
use towpath_runtime::properties::{PropertiesError, parse, parse_bytes};

fn entries(config: &ConfigMap) -> Vec<(&str, &str)> {
    config.iter().map(|(key, value)| (key, value.unwrap())).collect()
}

#[test]
fn keys_and_values_are_split_as_in_java() {
    for (text, expected) in [
        ("a=b", ("a", "b")),
        ("a = b ", ("a", "b ")),
        ("a:b", ("a", "b")),
        ("a b", ("a", "b")),
        ("a\tb", ("a", "b")),
        ("a\u{c}b", ("a", "b")),
        ("a", ("a", "")),
        ("  a  =  b", ("a", "b")),
        ("a==b", ("a", "=b")),
        ("a=:b", ("a", ":b")),
        ("a =: b", ("a", ": b")),
        ("k :  = v", ("k", "= v")),
        ("k =", ("k", "")),
        ("=v", ("", "v")),
        (":v", ("", "v")),
        ("a.b=c#d", ("a.b", "c#d")),
    ] {
        assert_eq!(entries(&parse(text).unwrap()), [expected], "{text:?}");
    }
}

#[test]
fn escapes_are_read_as_in_java() {
    for (text, expected) in [
        (r"a\ b=c", ("a b", "c")),
        (r"a\=b=c", ("a=b", "c")),
        (r"a\:b:c", ("a:b", "c")),
        (r"k=\u00fc\ud83d\ude00", ("k", "ü😀")),
        (r"\u0061=1", ("a", "1")),
        (r"k=\t\n\r\f\q\\", ("k", "\t\n\r\u{c}q\\")),
        (r"k=\U0041", ("k", "U0041")),
        (r"k=v\", ("k", "v")),
        (r"k=\", ("k", "")),
    ] {
        assert_eq!(entries(&parse(text).unwrap()), [expected], "{text:?}");
    }
}

#[test]
fn a_backslash_at_the_end_goes_on_in_the_next_line() {
    for (text, expected) in [
        ("k=a\\\n   b", vec![("k", "ab")]),
        ("k=a\\\r\n  b", vec![("k", "ab")]),
        ("k=a\\\\\nb=1", vec![("k", "a\\"), ("b", "1")]),
        ("k=a\\\n#b\nc=1", vec![("k", "a#b"), ("c", "1")]),
        ("a\\\n=b", vec![("a", "b")]),
        ("k=a\\\n\n b", vec![("k", "a"), ("b", "")]),
        ("k=a\\\n\\\nb", vec![("k", "ab")]),
        ("k=a\\\n  ", vec![("k", "a")]),
    ] {
        assert_eq!(entries(&parse(text).unwrap()), expected, "{text:?}");
    }
}

#[test]
fn comments_and_blank_lines_are_skipped() {
    for (text, expected) in [
        ("#c\\\nd=1", vec![("d", "1")]),
        ("# \\\nk=1", vec![("k", "1")]),
        ("!x=1\n y=2", vec![("y", "2")]),
        ("  #no", vec![]),
        ("", vec![]),
        ("\n\n", vec![]),
        ("a\r\nb=1\rc=2", vec![("a", ""), ("b", "1"), ("c", "2")]),
    ] {
        assert_eq!(entries(&parse(text).unwrap()), expected, "{text:?}");
    }
}

#[test]
fn the_last_value_of_a_key_counts() {
    assert_eq!(
        entries(&parse("a=1\nb=2\na=3").unwrap()),
        [("a", "3"), ("b", "2")]
    );
}

#[test]
fn half_an_escape_is_refused_with_its_line() {
    for text in ["a=1\nk=\\u12", "a=1\nk=\\u12g4", "a=1\n\\u=2"] {
        let error = parse(text).unwrap_err();
        assert_eq!(error, PropertiesError::Unicode { line: 2 });
        assert!(
            error.to_string().starts_with("Malformed \\uxxxx encoding"),
            "{error}"
        );
    }
}

#[test]
fn bytes_are_utf_8_or_else_latin_1() {
    assert_eq!(entries(&parse_bytes("k=ü".as_bytes()).unwrap()), [("k", "ü")]);
    assert_eq!(entries(&parse_bytes(b"k=\xfc").unwrap()), [("k", "ü")]);
}

/// Writes a text so that every syntax that could be in it is escaped.
fn escaped(text: &str) -> String {
    let unit = |unit: &u16| format!("\\u{unit:04x}");
    let units: Vec<u16> = text.encode_utf16().collect();
    units.iter().map(unit).collect()
}

proptest! {
    #[test]
    fn what_is_written_with_escapes_is_read_back(key in ".*", value in ".*") {
        let text = format!("# comment\n{} = {}\n", escaped(&key), escaped(&value));
        let read = parse(&text).unwrap();
        prop_assert_eq!(entries(&read), [(key.as_str(), value.as_str())]);
    }

    #[test]
    fn plain_words_need_no_escapes(key in "[a-z.]{1,20}", value in "[!-\\[\\]-~][ -\\[\\]-~]{0,40}") {
        prop_assume!(!value.starts_with(['=', ':']));
        let read = parse(&format!("{key}={value}")).unwrap();
        prop_assert_eq!(entries(&read), [(key.as_str(), value.as_str())]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Err(error) = parse_bytes(&bytes) {
            let is_of_an_escape = matches!(error, PropertiesError::Unicode { line } if line > 0);
            prop_assert!(is_of_an_escape);
        }
    }
}

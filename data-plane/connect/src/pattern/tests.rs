//! Java's regular expressions, against what Java answered.

use super::Pattern;

const VECTORS: &str = include_str!("../../testdata/java_patterns.tsv");

fn vectors(kind: &'static str) -> impl Iterator<Item = Vec<String>> {
    VECTORS
        .lines()
        .filter_map(move |line| line.strip_prefix(kind)?.strip_prefix('\t'))
        .map(|line| line.split('\t').map(unescaped).collect())
}

/// Control characters are escaped in the file.
fn unescaped(text: &str) -> String {
    let mut out = text
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\r", "\r");
    for code in (1..0x20).chain([0x7f]) {
        out = out.replace(&format!("\\u{code:04x}"), &char::from(code).to_string());
    }
    out
}

#[test]
fn whole_texts_match_as_in_java() {
    let mut wrong = Vec::new();
    for vector in vectors("M") {
        let got = Pattern::compile(&vector[0]).map(|pattern| pattern.is_full_match(&vector[1]).to_string());
        if got.as_ref() != Ok(&vector[2]) {
            wrong.push(format!("{vector:?}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn replacements_are_made_as_in_java() {
    for vector in vectors("R") {
        let got = match Pattern::compile(&vector[0])
            .unwrap()
            .replace_full_match(&vector[2], &vector[1])
        {
            Ok(Some(text)) => format!("= {text}"),
            Ok(None) => "no match".to_owned(),
            Err(problem) => format!("! {problem}"),
        };
        assert_eq!(got, vector[3], "{vector:?}");
    }
}

#[test]
fn bad_patterns_are_refused_in_javas_words() {
    let mut wrong = Vec::new();
    for vector in vectors("E") {
        let got = match Pattern::compile(&vector[0]) {
            Ok(_) => "ok".to_owned(),
            Err(problem) => problem.to_string(),
        };
        if got != vector[1] {
            wrong.push(format!("{:?}: {got:?}, Java: {:?}", vector[0], vector[1]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_java_has_and_the_engine_has_not_is_refused() {
    for pattern in [
        r"\1",
        r"(?<=a*)b",
        r"\X",
        r"\Ga",
        r"\b{g}a",
        r"(?U)\w",
        r"\p{InGreek}",
        r"\N{LATIN SMALL LETTER A}",
    ] {
        assert!(Pattern::compile(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn a_pattern_that_needs_too_many_steps_matches_nothing() {
    let pattern = Pattern::compile(r"(?:(a+)+\1)+b").unwrap();
    assert!(!pattern.is_full_match(&"a".repeat(60)));
}

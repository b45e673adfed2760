//! Dates as text and back, against what Java answered.

use super::DateFormat;

const VECTORS: &str = include_str!("../../testdata/java_date_format.tsv");
/// The clock for which the vectors hold.
const NOW_MS: i64 = 1_794_608_000_000;

/// The answers of `answer` to the vectors of a kind that differ from Java's.
fn differences(kind: &str, answer: impl Fn(&str, &str) -> String) -> Vec<String> {
    let vectors = VECTORS
        .lines()
        .filter_map(|line| line.strip_prefix(kind)?.strip_prefix('\t'));
    let mut seen = 0;
    let mut wrong = Vec::new();
    for vector in vectors {
        seen += 1;
        let mut columns = vector.split('\t');
        let pattern = columns.next().unwrap();
        let (input, expected) = match (columns.next(), columns.next()) {
            (Some(input), Some(expected)) => (input, expected),
            (Some(expected), None) => ("", expected),
            _ => panic!("a vector has two or three columns: {vector}"),
        };
        let got = answer(pattern, &input.replace("\\t", "\t"));
        if got != expected {
            wrong.push(format!("{pattern:?} of {input:?}: {got:?}, Java: {expected:?}"));
        }
    }
    assert!(seen > 0, "there are vectors of kind {kind}");
    wrong
}

#[test]
fn instants_are_formatted_as_java_does() {
    let wrong = differences("F", |pattern, millis| {
        DateFormat::at(pattern, NOW_MS)
            .unwrap()
            .format(millis.parse().unwrap())
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn text_is_parsed_as_java_does() {
    let wrong = differences("P", |pattern, text| {
        let parsed = DateFormat::at(pattern, NOW_MS).unwrap().parse(text);
        parsed.map_or_else(|| "null".to_owned(), |millis| millis.to_string())
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn bad_patterns_are_refused_in_javas_words() {
    let wrong = differences("E", |pattern, _| match DateFormat::new(pattern) {
        Ok(_) => "ok".to_owned(),
        Err(problem) => problem.to_string(),
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

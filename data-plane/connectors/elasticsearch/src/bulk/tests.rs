//! Taking bulks apart, and reading what became of their entries.

use towpath_connect::{ConnectRecord, SinkRecord, TimestampType, Value};

use super::*;
use crate::tracker::Tracker;

const ENTRY: Entry = Entry {
    action: Action::Index,
    is_versioned: false,
    ordered_id: None,
};

/// A bulk whose entries have these texts, at the offsets 0, 1, 2…
fn bulk(texts: &[&str], entry: Entry) -> Bulk {
    let record = ConnectRecord::of_value("t".into(), None, Value::Null);
    let partition = Tracker::default().partition(&SinkRecord::new(record, 0, 0, TimestampType::CreateTime));
    let mut bulk = Bulk::new();
    for (offset, text) in (0..).zip(texts) {
        let start = bulk.body.len();
        bulk.body.extend_from_slice(text.as_bytes());
        bulk.operations.push(Operation {
            entry,
            partition: Arc::clone(&partition),
            offset,
            text: start..bulk.body.len(),
        });
    }
    bulk
}

fn parts(bulk: &Bulk) -> Vec<(i64, &str)> {
    let text = |operation: &Operation| std::str::from_utf8(&bulk.body[operation.text.clone()]).unwrap();
    bulk.operations
        .iter()
        .map(|operation| (operation.offset, text(operation)))
        .collect()
}

#[test]
fn the_last_entry_can_be_split_off() {
    let mut first = bulk(&["aa\n", "b\n", "ccc\n"], ENTRY);
    let last = first.split_last().unwrap();
    assert_eq!(parts(&first), [(0, "aa\n"), (1, "b\n")]);
    assert_eq!(first.body, b"aa\nb\n");
    assert_eq!(parts(&last), [(2, "ccc\n")]);
    assert_eq!(last.body, b"ccc\n");
}

#[test]
fn a_bulk_can_be_split_in_halves_until_it_is_one_entry() {
    let mut first = bulk(&["a", "bb", "ccc"], ENTRY);
    let second = first.split_half().unwrap();
    assert_eq!((parts(&first), first.body.len()), (vec![(0, "a")], 1));
    assert_eq!(
        (parts(&second), second.body.len()),
        (vec![(1, "bb"), (2, "ccc")], 5)
    );
    assert!(first.split_half().is_none());
}

#[test]
fn what_is_kept_keeps_its_text() {
    let mut some = bulk(&["a", "bb", "ccc", "d"], ENTRY);
    some.retain(|number, _| number % 2 == 1);
    assert_eq!(parts(&some), [(1, "bb"), (3, "d")]);
    assert_eq!(some.body, b"bbd");
}

fn verdict_of(item: &str, entry: Entry) -> Verdict {
    let bulk = bulk(&["x"], entry);
    let body = format!("{{\"errors\":true,\"items\":[{item}]}}");
    let response = Response::parse(body.as_bytes(), 1).unwrap();
    response.verdicts(&bulk.operations).remove(0)
}

fn entry(action: Action, is_versioned: bool) -> Entry {
    Entry {
        action,
        is_versioned,
        ..ENTRY
    }
}

#[test]
fn an_error_of_the_server_is_no_fault_of_the_entry() {
    let closed = r#"{"index":{"status":500,"error":{"type":"node_closed_exception","reason":"secret"}}}"#;
    for (item, action, problem) in [
        (closed, Action::Index, "node_closed_exception"),
        (r#"{"delete":{"status":599}}"#, Action::Delete, "status 599"),
    ] {
        let expected = Verdict::Broken(problem.to_owned());
        assert_eq!(verdict_of(item, entry(action, false)), expected);
    }
}

#[test]
fn each_answer_for_an_entry_is_understood() {
    let conflict = |current: i64, ours: i64| {
        format!(
            r#"{{"index":{{"status":409,"error":{{"type":"version_conflict_engine_exception","reason":"[k]: version conflict, current version [{current}] is higher or equal to the one provided [{ours}]"}}}}}}"#
        )
    };
    let error = |status: u16, kind: &str| {
        format!(r#"{{"index":{{"status":{status},"error":{{"type":"{kind}","reason":"secret"}}}}}}"#)
    };
    let plain = entry(Action::Index, false);
    let versioned = entry(Action::Index, true);
    let cases = [
        (r#"{"index":{"status":201}}"#.to_owned(), plain, Verdict::Written),
        (
            r#"{"update":{"status":200}}"#.to_owned(),
            entry(Action::Update, false),
            Verdict::Written,
        ),
        (
            r#"{"delete":{"status":404}}"#.to_owned(),
            entry(Action::Delete, true),
            Verdict::Written,
        ),
        (
            r#"{"create":{"status":409}}"#.to_owned(),
            entry(Action::Create, false),
            Verdict::Superseded,
        ),
        (conflict(9, 5), versioned, Verdict::Conflict),
        (conflict(5, 5), versioned, Verdict::Superseded),
        (
            r#"{"update":{"status":409}}"#.to_owned(),
            entry(Action::Update, false),
            Verdict::Contended,
        ),
        (
            error(429, "es_rejected_execution_exception"),
            plain,
            Verdict::Busy,
        ),
        (
            error(503, "unavailable_shards_exception"),
            plain,
            Verdict::Unavailable,
        ),
        (
            error(403, "cluster_block_exception"),
            plain,
            Verdict::Refused("cluster_block_exception".to_owned()),
        ),
    ];
    for (item, entry, expected) in cases {
        assert_eq!(verdict_of(&item, entry), expected, "{item}");
    }
    for kind in [
        "strict_dynamic_mapping_exception",
        "mapper_parsing_exception",
        "illegal_argument_exception",
        "action_request_validation_exception",
        "document_parsing_exception",
    ] {
        assert_eq!(
            verdict_of(&error(400, kind), plain),
            Verdict::Malformed(kind.to_owned())
        );
    }
}

#[test]
fn what_is_said_of_a_malformed_document_names_the_field_and_no_value() {
    let item = r#"{"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n] of type [long] in document with id 'secret-key'. Preview of field's value: 'secret'"}}}"#;
    assert_eq!(
        verdict_of(item, ENTRY),
        Verdict::Malformed("mapper_parsing_exception: failed to parse field [n] of type [long]".to_owned())
    );
}

#[test]
fn an_answer_for_another_number_of_entries_is_no_answer() {
    let error = Response::parse(br#"{"items":[]}"#, 1).unwrap_err();
    assert!(error.to_string().contains("0 entries of a bulk of 1"), "{error}");
    assert!(Response::parse(b"<html>", 1).is_err());
}

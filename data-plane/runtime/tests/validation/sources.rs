//! What must hold for sources: connector-config.md section 4, each row of its tables, and the connector's own checks.

use serde_json::{Value, json};
use towpath_runtime::validation::{Mode, ValidationError, WorkerDefaults};

use crate::fixture::{Answer, check, odd, source, worker};

const WORKER: &str = "This worker does not have exactly-once source support enabled.";
const UNSUPPORTED: &str =
    "The connector does not support exactly-once semantics with the provided configuration.";
const UNEXPECTED: &str = "An unexpected error occurred during validation: no idea";
const NO_BOUNDARIES: &str = "The connector does not support connector-defined transaction boundaries with the given \
    configuration. Please reconfigure it to use a different transaction boundary definition.";

fn enabled() -> WorkerDefaults {
    WorkerDefaults {
        exactly_once_source: true,
        ..worker()
    }
}

fn odd_on(worker: &WorkerDefaults, mode: &str, more: Value) -> Answer {
    let mut config = more;
    config["name"] = json!("x");
    config["connector.class"] = json!("OddSource");
    config["mode"] = json!(mode);
    Answer(check(&config, worker).unwrap().infos)
}

#[test]
fn exactly_once_can_only_be_required_where_worker_and_connector_have_it() {
    let errors = |worker: &WorkerDefaults, mode: &str, level: &str| {
        odd_on(worker, mode, json!({"exactly.once.support": level}))
            .errors("exactly.once.support")
            .to_vec()
    };
    assert_eq!(errors(&worker(), "supported", "required"), [WORKER]);
    assert_eq!(
        errors(&worker(), "unsupported", "REQUIRED"),
        [WORKER, UNSUPPORTED]
    );
    assert!(errors(&enabled(), "supported", "required").is_empty());
    assert_eq!(errors(&enabled(), "unsupported", "required"), [UNSUPPORTED]);
    assert_eq!(errors(&enabled(), "throws", "required"), [UNEXPECTED]);
    let silent = errors(&enabled(), "good", "required");
    assert!(
        silent[0].starts_with(
            "The connector does not implement the API required for preflight validation of exactly-once source support."
        ) && silent[0].contains("\"requested\""),
        "{silent:?}"
    );
    assert!(errors(&worker(), "unsupported", "requested").is_empty());
}

#[test]
fn transaction_boundaries_of_the_connector_need_a_connector_that_defines_them() {
    let errors = |mode: &str, boundary: &str| {
        odd_on(&worker(), mode, json!({"transaction.boundary": boundary}))
            .errors("transaction.boundary")
            .to_vec()
    };
    assert!(errors("supported", "connector").is_empty());
    assert_eq!(errors("good", "CONNECTOR"), [NO_BOUNDARIES]);
    assert_eq!(errors("throws", "connector"), [UNEXPECTED]);
    assert!(errors("good", "interval").is_empty());
}

#[test]
fn a_standalone_worker_makes_no_promises_about_exactly_once() {
    let worker = WorkerDefaults {
        mode: Mode::Standalone,
        ..worker()
    };
    let answer = odd_on(
        &worker,
        "unsupported",
        json!({"exactly.once.support": "required", "transaction.boundary": "connector"}),
    );
    assert_eq!(answer.count(), 0);
}

#[test]
fn the_file_source_has_no_exactly_once_without_a_file() {
    let errors = |more: Value| source(more).errors("exactly.once.support").to_vec();
    assert_eq!(
        errors(json!({"exactly.once.support": "required"})),
        [WORKER, UNSUPPORTED]
    );
    assert_eq!(
        errors(json!({"exactly.once.support": "required", "file": "/data/in.txt"})),
        [WORKER]
    );
}

#[test]
fn a_level_that_cannot_be_read_is_not_asked_about() {
    assert_eq!(source(json!({"exactly.once.support": "x"})).count(), 1);
}

#[test]
fn intervals_and_offsets_topics_are_checked_when_set() {
    let key = "transaction.boundary.interval.ms";
    assert_eq!(
        source(json!({key: "-1"})).all_errors(),
        [(
            key,
            "Invalid value -1 for configuration transaction.boundary.interval.ms: Value must be at least 0"
        )]
    );
    assert_eq!(
        source(json!({key: "x"})).all_errors(),
        [(
            key,
            "Invalid value x for configuration transaction.boundary.interval.ms: Not a number of type LONG"
        )]
    );
    assert_eq!(source(json!({key: "0"})).count(), 0);
    assert_eq!(
        source(json!({"offsets.storage.topic": ""})).all_errors(),
        [(
            "offsets.storage.topic",
            "Invalid value  for configuration offsets.storage.topic: String must be non-empty"
        )]
    );
    assert_eq!(source(json!({"offsets.storage.topic": "mine"})).count(), 0);
}

#[test]
fn keys_of_topic_creation_groups_are_not_checked() {
    let answer = source(json!({
        "topic.creation.groups": "g, default", "topic.creation.default.replication.factor": "0",
        "topic.creation.default.partitions": "x", "topic.creation.g.include": "[",
    }));
    assert_eq!(answer.count(), 0);
    assert_eq!(answer.value("topic.creation.groups"), Some("g,default"));
}

#[test]
fn what_the_connector_finds_is_in_the_answer() {
    let answer = Answer(odd("refuse", json!({})).unwrap().infos);
    assert_eq!(answer.all_errors(), [("mode", "the system says no")]);
    assert_eq!(answer.count(), 1);

    let answer = Answer(odd("add", json!({})).unwrap().infos);
    assert_eq!(answer.names().first(), Some(&"found.by.the.connector"));
    assert!(answer.key("found.by.the.connector").definition.is_none());
    assert_eq!(answer.value("found.by.the.connector"), Some("5"));
    assert_eq!(answer.count(), 1);

    let answer = Answer(odd("forget", json!({})).unwrap().infos);
    assert!(answer.key("mode").value.is_none());
}

#[test]
fn a_connector_that_does_not_answer_in_time_is_given_up() {
    let error = odd("hang", json!({})).unwrap_err();
    assert!(matches!(error, ValidationError::TimedOut));
    assert_eq!(error.status(), 500);
    assert!(error.to_string().starts_with("Request timed out"));
}

#[test]
fn a_connector_that_panics_fails_only_its_validation() {
    let error = odd("panic", json!({})).unwrap_err();
    assert!(matches!(
        error,
        ValidationError::Panicked {
            class: "test.OddSource"
        }
    ));
    assert_eq!(odd("good", json!({})).unwrap().infos.error_count, 0);
}

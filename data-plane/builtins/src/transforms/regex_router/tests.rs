//! RegexRouter, row by row of the contract.

use towpath_connect::{Schema, Type, Value};

use super::*;

fn router(regex: &str, replacement: &str) -> RegexRouter {
    let config = [(REGEX, regex), (REPLACEMENT, replacement)].into_iter().collect();
    RegexRouter::new(&config).unwrap()
}

fn route(router: &mut RegexRouter, topic: &str) -> Result<String> {
    let mut record = ConnectRecord::of_value(topic.into(), Some(Schema::required(Type::String)), "v".into());
    record.partition = Some(4);
    let routed = router.apply(record.clone(), RecordOrigin::Source)?.unwrap();
    record.topic = Arc::clone(&routed.topic);
    assert_eq!(routed, record, "nothing but the topic changes");
    Ok(routed.topic.as_ref().to_owned())
}

#[test]
fn a_topic_that_matches_as_a_whole_is_replaced() {
    for (regex, replacement, topic, expected) in [
        (
            "article-events-(.*)",
            "article-events-v2-$1",
            "article-events-articles",
            "article-events-v2-articles",
        ),
        (
            "article-events",
            "x",
            "article-events-articles",
            "article-events-articles",
        ),
        ("(.*)", "$1$1", "ab", "abab"),
        ("(?<name>[^-]*)-.*", "${name}", "db-table", "db"),
        (".*", "a\\$b\\\\c", "t", "a$b\\c"),
        ("a(b)?", "x$1", "a", "x"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "$10$1", "abcdefghij", "ja"),
        ("(a)b", "$12", "ab", "a2"),
        ("", "x", "t", "t"),
        ("a|ab", "x", "ab", "x"),
        ("(?i)ORDERS", "o", "orders", "o"),
    ] {
        assert_eq!(
            route(&mut router(regex, replacement), topic).unwrap(),
            expected,
            "{regex} {topic}"
        );
    }
}

#[test]
fn topics_are_remembered_without_mixing_them_up() {
    let mut router = router("a-(.*)", "b-$1");
    for _ in 0..2 {
        for n in 0..LIMIT + 10 {
            assert_eq!(route(&mut router, &format!("a-{n}")).unwrap(), format!("b-{n}"));
            assert_eq!(route(&mut router, "other").unwrap(), "other");
        }
    }
}

#[test]
fn a_reference_to_a_group_that_is_not_there_fails_the_record() {
    for replacement in ["$1", "${x}", "a$", "a\\"] {
        assert!(
            route(&mut router("t", replacement), "t").is_err(),
            "{replacement}"
        );
        assert_eq!(
            route(&mut router("t", replacement), "u").unwrap(),
            "u",
            "{replacement}"
        );
    }
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    let error = RegexRouter::new(&[(REGEX, "["), (REPLACEMENT, "x")].into_iter().collect()).unwrap_err();
    assert_eq!(
        error.message(),
        "Invalid value [ for configuration regex: Invalid regex: Unclosed character class near index 0\n[\n^"
    );
    let error = RegexRouter::new(&ConfigMap::new()).unwrap_err();
    assert_eq!(
        error.message(),
        "Missing required configuration \"regex\" which has no default value.\n\
         Missing required configuration \"replacement\" which has no default value."
    );
}

#[test]
fn a_key_stays_as_it_is() {
    let mut record = ConnectRecord::of_value("t".into(), None, Value::Null);
    record.key = "k".into();
    let routed = router("t", "u")
        .apply(record, RecordOrigin::Sink { offset: 7 })
        .unwrap()
        .unwrap();
    assert_eq!((routed.topic.as_ref(), routed.key), ("u", "k".into()));
}

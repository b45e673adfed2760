//! Keys of transforms and predicates: the tables of connector-config.md section 2.

use serde_json::{Value, json};

use crate::fixture::{Answer, ROUTER, source};

const CAST: &str = "org.apache.kafka.connect.transforms.Cast$Value";
const NO_PREDICATE: &str = "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' \
                            defining a predicate to be negated.";

/// A source with a transform `a` of this class and these keys.
fn transform(class: &str, keys: &[(&str, Value)]) -> Answer {
    let mut more = json!({"transforms": "a", "transforms.a.type": class});
    for (key, value) in keys {
        more[format!("transforms.a.{key}")] = value.clone();
    }
    source(more)
}

fn router(keys: &[(&str, Value)]) -> Answer {
    let mut all = vec![("regex", json!("x")), ("replacement", json!("y"))];
    all.extend_from_slice(keys);
    transform(ROUTER, &all)
}

#[test]
fn a_transform_has_type_version_its_own_keys_and_the_implicit_ones() {
    let answer = router(&[]);
    assert_eq!(
        answer.described("transforms.a."),
        [
            "transforms.a.type | CLASS | required | HIGH | Transforms: a/0 | LONG | Transformation type for a",
            "transforms.a.plugin.version | STRING | =4.3.1 | HIGH | Transforms: a/1 | LONG | Transformation version for a",
            "transforms.a.regex | STRING | required | HIGH | Transforms: a/2 | NONE | regex",
            "transforms.a.replacement | STRING | required | HIGH | Transforms: a/3 | NONE | replacement",
            "transforms.a.negate | BOOLEAN | =false | MEDIUM | Transforms: a/4 | NONE | negate",
            "transforms.a.predicate | STRING | null | MEDIUM | Transforms: a/5 | NONE | predicate",
        ]
    );
    assert!(
        answer
            .recommended("transforms.a.type")
            .iter()
            .any(|class| class == CAST)
    );
    assert_eq!(answer.0.groups.last().unwrap(), "Transforms: a");
    assert_eq!(answer.value("transforms.a.type"), Some(ROUTER));
}

#[test]
fn a_predicate_has_type_version_and_its_own_keys() {
    let answer = source(json!({
        "predicates": "p", "predicates.p.type": "TopicNameMatches", "predicates.p.pattern": "x.*",
    }));
    assert_eq!(
        answer.described("predicates.p."),
        [
            "predicates.p.type | CLASS | required | HIGH | Predicates: p/0 | LONG | Predicate type for p",
            "predicates.p.plugin.version | STRING | =4.3.1 | HIGH | Predicates: p/1 | LONG | Predicate version for p",
            "predicates.p.pattern | STRING | required | MEDIUM | Predicates: p/2 | NONE | pattern",
        ]
    );
    assert_eq!(
        answer.value("predicates.p.type"),
        Some("org.apache.kafka.connect.transforms.predicates.TopicNameMatches")
    );
}

#[test]
fn implicit_keys_are_sorted_among_the_own_keys() {
    let answer = transform(CAST, &[("spec", json!("x:string"))]);
    let own = answer.names_with("transforms.a.").split_off(2);
    assert_eq!(
        own,
        [
            "transforms.a.spec",
            "transforms.a.negate",
            "transforms.a.predicate",
            "transforms.a.replace.null.with.default"
        ]
    );
}

#[test]
fn own_keys_are_sorted_by_group_place_default_importance_and_name() {
    let answer = transform("test.Grouped", &[("required", json!("r"))]);
    assert_eq!(
        answer.described("transforms.a.").split_off(2),
        [
            "transforms.a.required | STRING | required | MEDIUM | Transforms: a/2 | NONE | required",
            "transforms.a.b | STRING | null | HIGH | Transforms: a/3 | NONE | b",
            "transforms.a.negate | BOOLEAN | =false | MEDIUM | Transforms: a/4 | NONE | negate",
            // The transform's own key of that name is masked.
            "transforms.a.predicate | STRING | null | MEDIUM | Transforms: a/5 | NONE | predicate",
            "transforms.a.z | STRING | null | LOW | Transforms: a/6 | NONE | z",
            "transforms.a.first | STRING | =x | MEDIUM | Transforms: a: Second/7 | LONG | First",
            "transforms.a.n | INT | =1 | MEDIUM | Transforms: a: Second/8 | SHORT | N",
        ]
    );
    let dependents = &answer
        .key("transforms.a.b")
        .definition
        .as_ref()
        .unwrap()
        .dependents;
    assert_eq!(dependents[..], ["transforms.a.n"]);
    assert_eq!(
        answer.0.groups.iter().rev().take(2).collect::<Vec<_>>(),
        ["Transforms: a: Second", "Transforms: a"]
    );
}

#[test]
fn unreadable_texts_name_the_whole_key_and_failed_checks_the_plugins_own() {
    let answer = transform("test.Grouped", &[("n", json!("x"))]);
    assert_eq!(
        answer.errors("transforms.a.n"),
        [
            "Invalid value x for configuration transforms.a.n: Not a number of type INT",
            "Invalid value null for configuration n: Value must be non-null"
        ]
    );
    assert_eq!(
        answer.errors("transforms.a.required"),
        ["Missing required configuration \"transforms.a.required\" which has no default value."]
    );
    let answer =
        source(json!({"predicates": "p", "predicates.p.type": "HasHeaderKey", "predicates.p.name": ""}));
    assert_eq!(
        answer.errors("predicates.p.name"),
        ["Invalid value  for configuration name: String must be non-empty"]
    );
}

#[test]
fn problems_of_the_type_hide_the_own_keys() {
    let extract = "org.apache.kafka.connect.transforms.ExtractField";
    let abstract_class =
        format!("This class is abstract and cannot be created. Did you mean {extract}$Key, {extract}$Value?");
    let string = crate::fixture::STRING;
    let wrong_kind = format!("Class class {string} does not implement the Transformation interface");
    for (class, value, error) in [
        (
            Value::Null,
            None,
            "Null value can not be supplied as the configuration value.",
        ),
        (
            json!(""),
            None,
            "Invalid value  for configuration transforms.a.type: Class  could not be found.",
        ),
        (
            json!("nope.X"),
            None,
            "Invalid value nope.X for configuration transforms.a.type: Class nope.X could not be found.",
        ),
        (json!("StringConverter"), Some(string), wrong_kind.as_str()),
        (json!(extract), Some(extract), abstract_class.as_str()),
    ] {
        let answer =
            source(json!({"transforms": "a", "transforms.a.type": class, "transforms.a.regex": "["}));
        assert_eq!(answer.all_errors(), [("transforms.a.type", error)], "{class}");
        assert_eq!(answer.value("transforms.a.type"), value);
        assert_eq!(
            answer.names_with("transforms.a."),
            ["transforms.a.type", "transforms.a.plugin.version"]
        );
        let version = "transforms.a.plugin.version";
        assert_eq!(
            (
                answer.default(version),
                answer.value(version),
                answer.is_visible(version)
            ),
            (None, None, true)
        );
        assert!(answer.recommended(version).is_empty());
    }
    let answer = source(json!({"transforms": "a"}));
    assert_eq!(
        answer.all_errors(),
        [(
            "transforms.a.type",
            "Missing required configuration \"transforms.a.type\" which has no default value."
        )]
    );
}

#[test]
fn a_negation_needs_a_predicate() {
    let answer = router(&[("negate", json!("true"))]);
    assert_eq!(answer.all_errors(), [("transforms.a.type", NO_PREDICATE)]);
    assert!(answer.is_listed("transforms.a.regex"));
    assert_eq!(
        router(&[("negate", json!("true")), ("predicate", json!("undeclared"))]).count(),
        0
    );

    let answer = router(&[("negate", json!("x"))]);
    assert_eq!(
        answer.all_errors(),
        [
            ("transforms.a.type", NO_PREDICATE),
            (
                "transforms.a.negate",
                "Invalid value x for configuration transforms.a.negate: Expected value to be either true or false"
            ),
        ]
    );
}

#[test]
fn a_negation_without_a_predicate_comes_before_other_checks_of_the_type() {
    let errors = |class: Value, version: Value| {
        let mut more = json!({"transforms": "a", "transforms.a.type": class, "transforms.a.negate": "true"});
        if version.is_string() {
            more["transforms.a.plugin.version"] = version;
        }
        source(more).errors("transforms.a.type").to_vec()
    };
    assert_eq!(
        errors(json!("nope"), Value::Null),
        [
            "Invalid value nope for configuration transforms.a.type: Class nope could not be found.",
            NO_PREDICATE
        ]
    );
    assert_eq!(errors(json!("StringConverter"), Value::Null), [NO_PREDICATE]);
    assert_eq!(errors(json!(ROUTER), json!("9")), [NO_PREDICATE]);
}

#[test]
fn the_alias_of_an_empty_item_is_empty() {
    let answer = source(json!({"transforms": "a,,b"}));
    let types: Vec<_> = answer
        .all_errors()
        .iter()
        .map(|(key, _)| (*key).to_owned())
        .collect();
    assert_eq!(
        types,
        ["transforms.a.type", "transforms..type", "transforms.b.type"]
    );
    assert_eq!(
        answer.0.groups.split_at(7).1,
        ["Transforms: a", "Transforms: ", "Transforms: b"]
    );
}

#[test]
fn an_alias_given_twice_is_listed_once() {
    let answer = source(json!({
        "transforms": "a,a", "transforms.a.type": ROUTER, "transforms.a.regex": "x", "transforms.a.replacement": "y",
    }));
    assert_eq!(answer.count(), 1);
    assert_eq!(answer.names_with("transforms.a.").len(), 6);
}

#[test]
fn keys_of_undeclared_aliases_are_unknown_keys() {
    let answer = source(
        json!({"transforms": "a b", "transforms.a b.type": "nope", "transforms.zz.type": "nope", "predicates.q.type": "nope"}),
    );
    assert_eq!(answer.count(), 1);
    assert_eq!(answer.names_with("transforms.").len(), 2);
    assert!(answer.names_with("predicates.").is_empty());
}

#[test]
fn a_null_among_the_own_keys_is_an_error() {
    let answer = router(&[("predicate", Value::Null)]);
    assert_eq!(
        answer.all_errors(),
        [(
            "transforms.a.predicate",
            "Null value can not be supplied as the configuration value."
        )]
    );
}

#[test]
fn checks_of_single_keys_of_a_transform_run() {
    let answer = transform(
        CAST,
        &[("spec", json!("x:y")), ("replace.null.with.default", json!("q"))],
    );
    assert_eq!(answer.count(), 2);
    assert!(answer.errors("transforms.a.spec")[0].ends_with("Invalid type found in casting spec: y"));
    assert_eq!(
        answer.errors("transforms.a.replace.null.with.default"),
        [
            "Invalid value q for configuration transforms.a.replace.null.with.default: Expected value to be either true or false"
        ]
    );
}

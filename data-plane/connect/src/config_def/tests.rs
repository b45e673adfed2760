//! Definitions, parsing and checks, against the contract's vectors and Java's numbers.

use super::*;
use crate::config::Password;

const NUMBERS: &str = include_str!("../../testdata/java_numbers.tsv");

fn validate(key: ConfigKey, value: Option<&str>) -> (Option<String>, Vec<String>) {
    let name = key.name.clone();
    let mut config = ConfigMap::new();
    match value {
        Some(value) => config.insert(name, value),
        None => config.insert_null(name),
    }
    let result = ConfigDef::new().define(key).validate(&config).remove(0);
    (result.value.to_text(), result.errors)
}

fn check(key: ConfigKey, value: &str, expected_value: Option<&str>, expected_errors: &[&str]) {
    let name = key.name.clone();
    let (got, errors) = validate(key, Some(value));
    assert_eq!(
        (got.as_deref(), errors),
        (
            expected_value,
            expected_errors.iter().map(|&e| e.to_owned()).collect()
        ),
        "{name}={value:?}"
    );
}

fn tasks_max() -> ConfigKey {
    ConfigKey::int("tasks.max")
        .default("1")
        .valid(Validator::AtLeast(1))
}

#[test]
fn a_bad_number_is_checked_again_as_null() {
    let null = "Invalid value null for configuration tasks.max: Value must be non-null";
    for bad in ["abc", "5.0", "", " x ", "1 2", "2147483648"] {
        let number = format!("Invalid value {bad} for configuration tasks.max: Not a number of type INT");
        check(tasks_max(), bad, None, &[&number, null]);
    }
    assert_eq!(validate(tasks_max(), None), (None, vec![null.to_owned()]));
}

#[test]
fn numbers_are_checked_against_their_range() {
    check(
        tasks_max(),
        "0",
        Some("0"),
        &["Invalid value 0 for configuration tasks.max: Value must be at least 1"],
    );
    check(tasks_max(), " 5 ", Some("5"), &[]);
    check(tasks_max(), "+5", Some("5"), &[]);
    let between = || ConfigKey::long("n").valid(Validator::Between(1, 9));
    check(
        between(),
        "10",
        Some("10"),
        &["Invalid value 10 for configuration n: Value must be no more than 9"],
    );
    check(
        between(),
        "0",
        Some("0"),
        &["Invalid value 0 for configuration n: Value must be at least 1"],
    );
    check(between(), "9", Some("9"), &[]);
    check(
        ConfigKey::long("errors.retry.delay.max.ms"),
        "-1",
        Some("-1"),
        &[],
    );
}

#[test]
fn text_is_trimmed_and_checked() {
    let name = || ConfigKey::string("name").valid(Validator::NonEmptyStringWithoutControlChars);
    check(name(), "  x  ", Some("x"), &[]);
    check(
        name(),
        "",
        Some(""),
        &["Invalid value  for configuration name: String may not be empty"],
    );
    check(
        name(),
        "a\u{7}b\u{1b}c",
        Some("a\u{7}b\u{1b}c"),
        &[
            "Invalid value a\u{7}b\u{1b}c for configuration name: String may not contain control sequences but had the following ASCII chars: 7, 27",
        ],
    );
    assert_eq!(validate(name(), None), (None, Vec::new()));
    let non_empty = || ConfigKey::string("topic").valid(Validator::NonEmptyString);
    check(
        non_empty(),
        "",
        Some(""),
        &["Invalid value  for configuration topic: String must be non-empty"],
    );
    assert_eq!(validate(non_empty(), None), (None, Vec::new()));
    let non_null = || ConfigKey::string("k").valid(Validator::NonNull);
    let expected = "Invalid value null for configuration k: entry must be non null".to_owned();
    assert_eq!(validate(non_null(), None), (None, vec![expected]));
}

#[test]
fn choices_are_case_sensitive_unless_they_are_not() {
    let tolerance = || ConfigKey::string("errors.tolerance").valid(Validator::OneOf(&["none", "all"]));
    check(
        tolerance(),
        "ALL",
        Some("ALL"),
        &["Invalid value ALL for configuration errors.tolerance: String must be one of: none, all"],
    );
    check(tolerance(), "all", Some("all"), &[]);
    let expected = "Invalid value null for configuration errors.tolerance: String must be one of: none, all";
    assert_eq!(validate(tolerance(), None), (None, vec![expected.to_owned()]));
    let boundary = || {
        let choices = &["INTERVAL", "POLL", "CONNECTOR"];
        ConfigKey::string("transaction.boundary").valid(Validator::OneOfIgnoreCase(choices))
    };
    check(boundary(), "POLL", Some("POLL"), &[]);
    check(boundary(), "poll", Some("poll"), &[]);
    check(
        boundary(),
        "x",
        Some("x"),
        &[
            "Invalid value x for configuration transaction.boundary: String must be one of (case insensitive): INTERVAL, POLL, CONNECTOR",
        ],
    );
}

#[test]
fn booleans_are_true_or_false_in_any_case() {
    check(ConfigKey::boolean("b"), " TRUE ", Some("true"), &[]);
    check(ConfigKey::boolean("b"), "False", Some("false"), &[]);
    check(
        ConfigKey::boolean("b"),
        "yes",
        None,
        &["Invalid value yes for configuration b: Expected value to be either true or false"],
    );
}

#[test]
fn lists_are_split_at_commas_and_keep_empty_items() {
    check(ConfigKey::list("l"), " a , b ,,c ", Some("a,b,,c"), &[]);
    check(ConfigKey::list("l"), ",", Some(","), &[]);
    check(ConfigKey::list("l"), "  ", Some(""), &[]);
    assert_eq!(
        parse_value(ConfigType::List, ","),
        Ok(ConfigValue::List(vec![String::new(); 2]))
    );
    let some = || ConfigKey::list("l").valid(Validator::NonEmptyList);
    check(
        some(),
        "",
        Some(""),
        &["Invalid value [] for configuration l: Empty list"],
    );
}

#[test]
fn lists_of_unique_items_say_the_first_thing_that_is_wrong() {
    let key = || ConfigKey::list("l").valid(Validator::UniqueItems);
    let some = || ConfigKey::list("l").valid(Validator::SomeUniqueItems);
    check(key(), "", Some(""), &[]);
    check(
        some(),
        "",
        Some(""),
        &["Configuration 'l' must not be empty. Valid values include: any non-empty value"],
    );
    for key in [key, some] {
        check(key(), "a,b", Some("a,b"), &[]);
        check(
            key(),
            "a,a",
            Some("a,a"),
            &["Configuration 'l' values must not be duplicated."],
        );
        check(
            key(),
            ",",
            Some(","),
            &["Configuration 'l' values must not be duplicated."],
        );
        check(
            key(),
            "a,,b",
            Some("a,,b"),
            &["Configuration 'l' values must not be empty."],
        );
        let expected = "Configuration 'l' values must not be null.".to_owned();
        assert_eq!(validate(key(), None), (None, vec![expected]));
    }
}

#[test]
fn a_list_that_is_used_loses_what_it_repeats() {
    let def = ConfigDef::new()
        .define(ConfigKey::list("unique").valid(Validator::UniqueItems))
        .define(ConfigKey::list("any"));
    let config = [("unique", "a,b,a"), ("any", "a,b,a")].into_iter().collect();
    let parsed = def.parse(&config).unwrap();
    assert_eq!(parsed.list("unique"), ["a", "b"]);
    assert_eq!(parsed.list("any"), ["a", "b", "a"]);
}

#[test]
fn classes_and_secrets_are_kept_as_they_are() {
    check(
        ConfigKey::class("c"),
        "",
        None,
        &["Invalid value  for configuration c: Class  could not be found."],
    );
    check(ConfigKey::class("c"), " a.B ", Some("a.B"), &[]);
    check(ConfigKey::password("p"), "secret", Some("[hidden]"), &[]);
    let parsed = ConfigDef::new()
        .define(ConfigKey::password("p"))
        .parse(&[("p", " secret ")].into_iter().collect())
        .unwrap();
    assert_eq!(parsed.password("p").map(Password::expose), Some("secret"));
    assert!(!format!("{parsed:?}").contains("secret"));
}

#[test]
fn a_missing_key_has_its_default_or_is_an_error() {
    let def = ConfigDef::new()
        .define(ConfigKey::string("required").valid(Validator::NonEmptyString))
        .define(
            ConfigKey::int("default")
                .default(" 7 ")
                .valid(Validator::AtLeast(8)),
        )
        .define(ConfigKey::long("null").default_null());
    let results = def.validate(&ConfigMap::new());
    let errors: Vec<_> = results.iter().map(|result| result.errors.clone()).collect();
    let missing = "Missing required configuration \"required\" which has no default value.".to_owned();
    let least = "Invalid value 7 for configuration default: Value must be at least 8".to_owned();
    assert_eq!(errors, [vec![missing.clone()], vec![least.clone()], vec![]]);
    let error = def.parse(&ConfigMap::new()).unwrap_err();
    assert_eq!(error.message(), format!("{missing}\n{least}"));
    assert_eq!(error.kind(), crate::ErrorKind::Config);
}

#[test]
fn a_regular_expression_is_compiled() {
    let key = || ConfigKey::string("topics.regex").valid(Validator::Regex);
    check(key(), "a.*", Some("a.*"), &[]);
    check(
        key(),
        "[",
        Some("["),
        &[
            "Invalid value [ for configuration topics.regex: Invalid regex: Unclosed character class near index 0\n[\n^",
        ],
    );
    assert_eq!(validate(key(), None), (None, Vec::new()));
}

#[test]
fn numbers_are_read_as_in_java() {
    for line in NUMBERS.lines().filter(|line| line.starts_with("N\t")) {
        let columns: Vec<&str> = line.split('\t').collect();
        let kinds = [
            ConfigType::Int,
            ConfigType::Short,
            ConfigType::Long,
            ConfigType::Double,
        ];
        for (kind, expected) in kinds.into_iter().zip(&columns[2..]) {
            // Keys are trimmed before; Java's own parsers of whole numbers are not asked to.
            if columns[1].starts_with(' ') {
                continue;
            }
            let got = parse_value(kind, columns[1]).map(|value| value.to_text().unwrap());
            let bad = format!("Not a number of type {}", kind.name());
            let expected = if *expected == "bad" {
                Err(bad)
            } else {
                Ok((*expected).to_owned())
            };
            assert_eq!(got, expected, "{kind:?} {:?}", columns[1]);
        }
    }
}

#[test]
fn the_getters_give_what_was_parsed_or_something_neutral() {
    let def = ConfigDef::new()
        .define(ConfigKey::int("i"))
        .define(ConfigKey::short("s"))
        .define(ConfigKey::double("d"))
        .define(ConfigKey::boolean("b"))
        .define(ConfigKey::string("t").default_null());
    let config = [("i", "-3"), ("s", "4"), ("d", "1.5"), ("b", "true")]
        .into_iter()
        .collect();
    let parsed = def.parse(&config).unwrap();
    assert_eq!(
        (parsed.long("i"), parsed.count("i"), parsed.long("s")),
        (-3, 0, 4)
    );
    assert_eq!(parsed.duration_ms("s"), std::time::Duration::from_millis(4));
    assert_eq!((parsed.double("d"), parsed.boolean("b")), (1.5, true));
    assert_eq!((parsed.optional_string("t"), parsed.string("t")), (None, ""));
    assert_eq!((parsed.long("zz"), parsed.list("zz").len()), (0, 0));
}

#[test]
fn a_key_that_is_defined_again_replaces_the_first_in_its_place() {
    let def = ConfigDef::new()
        .define(ConfigKey::int("a"))
        .define(ConfigKey::int("b"))
        .define(ConfigKey::string("a"));
    let kinds: Vec<_> = def
        .keys()
        .iter()
        .map(|key| (key.name.as_str(), key.kind))
        .collect();
    assert_eq!(kinds, [("a", ConfigType::String), ("b", ConfigType::Int)]);
    assert!(def.key("b").is_some() && def.key("c").is_none());
}

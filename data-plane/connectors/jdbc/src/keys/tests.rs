//! The table of keys, and the checks on single values.

use towpath_connect::ConfigMap;
use towpath_connect::config_def::{ConfigType, Default};

use super::*;

fn errors(key: &str, value: &str) -> Vec<String> {
    let mut config = ConfigMap::new();
    config.insert(URL, "jdbc:sqlite:/a.db");
    config.insert(MODE, "bulk");
    config.insert(key, value);
    let results = definition(Flavour::Confluent).validate(&config);
    results
        .into_iter()
        .find(|result| result.name == key)
        .unwrap()
        .errors
}

#[test]
fn defaults_and_types_are_those_of_the_contract() {
    use ConfigType::{Boolean, Class, Int, List, Long, Password, String};
    let definition = definition(Flavour::Confluent);
    let text = |text: &str| Default::Text(text.to_owned());
    for (name, kind, default) in [
        (URL, String, text("")),
        (USER, String, Default::Null),
        (PASSWORD, Password, Default::Null),
        (ATTEMPTS, Int, text("3")),
        (BACKOFF, Long, text("10000")),
        (
            CREDENTIALS_PROVIDER,
            Class,
            text("io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider"),
        ),
        (WHITELIST, List, text("")),
        (BLACKLIST, List, text("")),
        (INCLUDE, List, text("")),
        (EXCLUDE, List, text("")),
        (CATALOG_PATTERN, String, Default::Null),
        (SCHEMA_PATTERN, String, Default::Null),
        (NUMERIC_PRECISION_MAPPING, Boolean, text("false")),
        (NUMERIC_MAPPING, String, Default::Null),
        (DIALECT, String, text("")),
        (CALENDAR, String, text("LEGACY")),
        (MODE, String, text("")),
        (INCREMENTING, String, text("")),
        (TIMESTAMP, List, text("")),
        (TIMESTAMP_MAPPING, List, text("")),
        (INCREMENTING_MAPPING, List, text("")),
        (TIMESTAMP_INITIAL, Long, Default::Null),
        (VALIDATE_NON_NULL, Boolean, text("true")),
        (QUERY, String, text("")),
        (QUERY_MASKED, Password, text("")),
        (QUOTE, String, text("ALWAYS")),
        (QUERY_SUFFIX, String, text("")),
        (ISOLATION, String, text("DEFAULT")),
        (RETRY_ATTEMPTS, Int, text("-1")),
        (TABLE_TYPES, List, text("TABLE")),
        (POLL_INTERVAL, Int, text("5000")),
        (BATCH_MAX_ROWS, Int, text("1000")),
        (MAX_BUFFER, Int, text("0")),
        (LINGER, Long, text("5000")),
        (TABLE_POLL_INTERVAL, Long, text("60000")),
        (STARTUP_LIMIT, Long, text("10000")),
        (TOPIC_PREFIX, String, text("")),
        (DELAY, Long, text("0")),
        (TIMEZONE, String, text("UTC")),
        (GRANULARITY, String, text("connect_logical")),
    ] {
        let key = definition
            .key(name)
            .unwrap_or_else(|| panic!("{name} is not defined"));
        assert_eq!((key.kind, &key.default), (kind, &default), "{name}");
    }
}

#[test]
fn the_fork_has_its_own_keys_and_defaults() {
    let definition = definition(Flavour::Aiven);
    for required in [URL, MODE, TOPIC_PREFIX] {
        assert_eq!(definition.key(required).unwrap().default, Default::Required);
    }
    for (name, default) in [
        (BATCH_MAX_ROWS, "100"),
        (AIVEN_QUOTE, "true"),
        (AIVEN_QUALIFY, "true"),
        (AIVEN_TIMESTAMP_INITIAL, "0"),
        (AIVEN_INCREMENTING_INITIAL, "-1"),
    ] {
        assert_eq!(
            definition.key(name).unwrap().default,
            Default::Text(default.to_owned())
        );
    }
    for missing in [
        INCLUDE,
        EXCLUDE,
        QUERY_SUFFIX,
        GRANULARITY,
        TIMESTAMP_MAPPING,
        QUOTE,
    ] {
        assert!(definition.key(missing).is_none(), "{missing}");
    }
}

#[test]
fn keys_are_shown_in_the_groups_that_users_know() {
    for flavour in [Flavour::Confluent, Flavour::Aiven] {
        for key in definition(flavour).keys().iter().filter(|key| !key.internal) {
            let group = key.group.as_deref();
            assert!(
                matches!(group, Some("Database" | "Mode" | "Connector")),
                "{}",
                key.name
            );
            assert!(
                !key.documentation.is_empty() && key.order_in_group > 0,
                "{}",
                key.name
            );
        }
    }
}

#[test]
fn values_that_cannot_work_are_refused() {
    for (key, value) in [
        (MODE, "sometimes"),
        (NUMERIC_MAPPING, "best"),
        (DIALECT, "OracleDatabaseDialect"),
        (DIALECT, "NoSuchDialect"),
        (TIMEZONE, "Mars/Olympus"),
        (TOPIC_PREFIX, "a b"),
        (QUOTE, "sometimes"),
        (ISOLATION, "NONE"),
        (GRANULARITY, "pico"),
        (CALENDAR, "MAYAN"),
        (BATCH_MAX_ROWS, "0"),
        (ATTEMPTS, "0"),
        (INCLUDE, "a(,b"),
        (TIMESTAMP_MAPPING, "no-colon"),
        (URL, "jdbc:oracle:thin:@h:1521/x"),
    ] {
        assert_eq!(errors(key, value).len(), 1, "{key}={value}");
    }
    assert_eq!(errors(TOPIC_PREFIX, &"x".repeat(250)).len(), 1);
}

#[test]
fn values_that_people_use_are_fine() {
    for (key, value) in [
        (MODE, ""),
        (MODE, "timestamp+incrementing"),
        (NUMERIC_MAPPING, "BEST_FIT"),
        (DIALECT, "MySqlDatabaseDialect"),
        (DIALECT, "GenericDatabaseDialect"),
        (TIMEZONE, "America/New_York"),
        (TIMEZONE, "EST"),
        (TOPIC_PREFIX, " article-events- "),
        (QUOTE, "never"),
        (CALENDAR, "proleptic_gregorian"),
        (INCLUDE, "news\\.art.*,shop.[a-z]+"),
        (TIMESTAMP_MAPPING, ".*\\.a:[c1|c2],.*b:[c3]"),
    ] {
        assert_eq!(errors(key, value), Vec::<String>::new(), "{key}={value}");
    }
}

#[test]
fn a_url_that_is_refused_is_not_repeated() {
    let errors = errors(URL, "jdbc:mysql://u:hush@h:99999/db?password=hush");
    assert_eq!(errors.len(), 1);
    assert!(!errors[0].contains("hush"), "{}", errors[0]);
}

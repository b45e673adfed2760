//! Configurations as people have them, and those that cannot work.

use super::*;

const URL: &str = "jdbc:mysql://db:3306/news?user=u&password=hush&useSSL=false";

fn config(entries: &[(&str, &str)]) -> ConfigMap {
    let mut config: ConfigMap = [("connection.url", URL), ("mode", "bulk"), ("topic.prefix", "p-")]
        .into_iter()
        .collect();
    for (key, value) in entries {
        config.insert(*key, *value);
    }
    config
}

fn settings(entries: &[(&str, &str)]) -> Settings {
    Settings::parse(Flavour::Confluent, &config(entries)).unwrap()
}

/// The keys that have a problem.
fn complaints(entries: &[(&str, &str)]) -> Vec<&'static str> {
    let config = config(entries);
    let parsed = keys::definition(Flavour::Confluent).parse(&config).unwrap();
    problems(&parsed, &config)
        .into_iter()
        .map(|(key, _)| key)
        .collect()
}

#[test]
fn the_smallest_configuration_is_enough() {
    let settings = settings(&[]);
    assert_eq!(settings.connection.user.as_deref(), Some("u"));
    assert_eq!(settings.connection.password.as_ref().unwrap().expose(), "hush");
    assert_eq!(settings.connection.attempts, 3);
    assert_eq!(settings.limits.batch_rows, 1000);
    assert_eq!(settings.limits.waiting_batches, 3);
    assert_eq!(settings.limits.query_attempts, None);
    assert!(settings.quote && settings.qualify && settings.query.is_none());
}

#[test]
fn keys_of_the_connection_win_over_the_url_and_others_are_for_the_client() {
    let settings = settings(&[
        ("connection.user", "app"),
        ("connection.password", "hush2"),
        ("connection.useSSL", "true"),
        ("connection.oracle.net.x", "hush3"),
    ]);
    let connection = &settings.connection;
    assert_eq!(connection.user.as_deref(), Some("app"));
    assert_eq!(connection.password.as_ref().unwrap().expose(), "hush2");
    assert_eq!(connection.properties.flag("useSSL"), Some(true));
    assert_eq!(crate::session::unknown_properties(connection), ["oracle.net.x"]);
    assert!(!format!("{settings:?}").contains("hush"));
}

#[test]
fn keys_that_exclude_each_other_are_refused() {
    let whitelist = ("table.whitelist", "a");
    let include = ("table.include.list", "a");
    assert_eq!(
        complaints(&[whitelist, ("table.blacklist", "b")]),
        ["table.blacklist"]
    );
    assert_eq!(complaints(&[whitelist, include]), ["table.whitelist"]);
    assert_eq!(complaints(&[("table.exclude.list", "a")]), ["table.exclude.list"]);
    assert_eq!(complaints(&[("query", "select 1"), whitelist]), ["query"]);
    assert_eq!(
        complaints(&[("query", "select 1"), ("query.masked", "select 2")]),
        ["query"]
    );
    assert_eq!(
        complaints(&[
            ("timestamp.column.name", "a"),
            ("timestamp.columns.mapping", "x:[a]")
        ]),
        ["timestamp.column.name"]
    );
    assert_eq!(
        complaints(&[
            ("incrementing.column.name", "a"),
            ("incrementing.column.mapping", "x:a")
        ]),
        ["incrementing.column.name"]
    );
}

#[test]
fn old_and_new_keys_that_do_not_contradict_each_other_work_together() {
    let entries = [
        ("table.include.list", "articles"),
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
    ];
    assert!(complaints(&entries).is_empty());
    assert!(complaints(&[("table.include.list", "a.*"), ("table.exclude.list", "ab")]).is_empty());
}

#[test]
fn what_a_mode_needs_is_asked_for() {
    assert_eq!(complaints(&[("mode", "")]), ["mode"]);
    assert_eq!(complaints(&[("mode", "timestamp")]), ["timestamp.column.name"]);
    assert_eq!(
        complaints(&[("mode", "timestamp+incrementing")]),
        ["timestamp.column.name"]
    );
    assert!(
        complaints(&[("mode", "incrementing")]).is_empty(),
        "the column can be found"
    );
    assert_eq!(
        complaints(&[("mode", "incrementing"), ("query", "SELECT * FROM t")]),
        ["incrementing.column.name"]
    );
    assert!(complaints(&[("mode", "timestamp"), ("timestamp.columns.mapping", ".*:[a]")]).is_empty());
}

#[test]
fn a_query_begins_with_select_and_has_a_topic() {
    for query in ["UPDATE t SET a = 1", "SELECTED", "(SELECT 1)", "; SELECT 1"] {
        assert_eq!(complaints(&[("query", query)]), ["query"], "{query}");
    }
    for query in ["select 1", "  SELECT\n* FROM t;", "SELECT(1)", "Select*from t"] {
        assert!(complaints(&[("query", query)]).is_empty(), "{query}");
    }
    assert_eq!(complaints(&[("query.masked", "delete from t")]), ["query.masked"]);
    assert_eq!(
        complaints(&[("query", "select 1"), ("topic.prefix", "")]),
        ["topic.prefix"]
    );
    let masked = settings(&[("query.masked", " select 'hush' ; ")]).query.unwrap();
    assert_eq!(masked.text, "select 'hush'");
    assert_eq!(format!("{masked:?}"), "[hidden]");
}

#[test]
fn what_the_database_cannot_do_is_refused() {
    assert_eq!(
        complaints(&[("dialect.name", "PostgreSqlDatabaseDialect")]),
        ["dialect.name"]
    );
    assert!(complaints(&[("dialect.name", "MySqlDatabaseDialect")]).is_empty());
    let isolation = |level| [("transaction.isolation.mode", level)];
    assert_eq!(
        complaints(&isolation("SQL_SERVER_SNAPSHOT")),
        ["transaction.isolation.mode"]
    );
    assert!(complaints(&isolation("READ_COMMITTED")).is_empty());
    let sqlite = ("connection.url", "jdbc:sqlite:/a.db");
    assert_eq!(
        complaints(&[sqlite, ("transaction.isolation.mode", "READ_COMMITTED")]),
        ["transaction.isolation.mode"]
    );
    let provider = ("jdbc.credentials.provider.class", "com.example.Vault");
    assert_eq!(complaints(&[provider]), ["jdbc.credentials.provider.class"]);
    assert_eq!(
        complaints(&[("connection.sslMode", "SOMETIMES")]),
        ["connection.url"]
    );
}

#[test]
fn numbers_and_times_are_read() {
    let settings = settings(&[
        ("numeric.precision.mapping", "true"),
        ("timestamp.initial", "-1"),
        ("query.retry.attempts", "4"),
        ("batch.max.rows", "100"),
        ("max.buffer.size", "250"),
        ("table.types", "table, view"),
    ]);
    assert_eq!(settings.mapping.numeric, NumericMapping::PrecisionOnly);
    assert_eq!(settings.progress.initial_timestamp, InitialTimestamp::Now);
    assert_eq!(settings.limits.query_attempts, Some(4));
    assert_eq!(settings.limits.waiting_batches, 1);
    assert_eq!(settings.selection.types, ["TABLE", "VIEW"]);
}

#[test]
fn the_fork_has_its_own_defaults() {
    let config = config(&[("incrementing.initial", "-100"), ("table.names.qualify", "false")]);
    let settings = Settings::parse(Flavour::Aiven, &config).unwrap();
    assert_eq!(settings.limits.batch_rows, 100);
    assert_eq!(settings.progress.initial_incrementing, -100);
    assert!(!settings.qualify && settings.quote && settings.unset_bad_fields);
    assert!(!settings.progress.conservative && !settings.mapping.precision_parameter);
}

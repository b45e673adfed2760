//! What several keys say together and cannot all mean. Checks on single keys are in their definitions; what only the
//! database can answer is in `validation.rs`.

use towpath_connect::{ConfigMap, ParsedConfig, Password};

use crate::database::Database;
use crate::keys::choices::{Choice, Isolation, Mode};
use crate::keys::{self};
use crate::settings;
use crate::url::JdbcUrl;

/// A key and what is wrong with its value.
pub(crate) type Problem = (&'static str, String);

/// All problems.
pub(crate) fn problems(parsed: &ParsedConfig, config: &ConfigMap) -> Vec<Problem> {
    let mut problems = Vec::new();
    filters(parsed, &mut problems);
    query(parsed, &mut problems);
    columns(parsed, &mut problems);
    if parsed.string(keys::MODE).is_empty() {
        problems.push((
            keys::MODE,
            "`mode` is not set; use `bulk`, `incrementing`, `timestamp` or `timestamp+incrementing`"
                .to_owned(),
        ));
    }
    let provider = parsed.string(keys::CREDENTIALS_PROVIDER);
    if !provider.is_empty() && !provider.ends_with(".DefaultJdbcCredentialsProvider") {
        problems.push((
            keys::CREDENTIALS_PROVIDER,
            format!(
                "`{provider}` is a Java class and cannot be loaded here; use `connection.user` and \
                 `connection.password`, with a config provider if the secret is kept elsewhere"
            ),
        ));
    }
    let url = JdbcUrl::parse(parsed.string(keys::URL));
    if let Err(error) = &url {
        problems.push((keys::URL, error.to_string()));
    }
    if let Ok(url) = url {
        database(parsed, url.database, &mut problems);
        if let Some(connection) = settings::connection(parsed, config)
            && let Err(error) = crate::session::check_properties(&connection)
        {
            problems.push((keys::URL, error.to_string()));
        }
    }
    problems
}

fn is_set(parsed: &ParsedConfig, key: &str) -> bool {
    let is_word = |text: &str| !text.is_empty();
    parsed.optional_string(key).is_some_and(is_word)
        || parsed.list(key).iter().any(|item| is_word(item))
        || parsed.password(key).map(Password::expose).is_some_and(is_word)
}

fn filters(parsed: &ParsedConfig, problems: &mut Vec<Problem>) {
    let is_set = |key| is_set(parsed, key);
    if is_set(keys::WHITELIST) && is_set(keys::BLACKLIST) {
        problems.push((
            keys::BLACKLIST,
            "`table.whitelist` and `table.blacklist` cannot both be set; use one of them".to_owned(),
        ));
    }
    for old in [keys::WHITELIST, keys::BLACKLIST] {
        for new in [keys::INCLUDE, keys::EXCLUDE] {
            if is_set(old) && is_set(new) {
                problems.push((
                    old,
                    format!("`{old}` and `{new}` cannot both be set; use the include and exclude lists only"),
                ));
            }
        }
    }
    if is_set(keys::EXCLUDE) && !is_set(keys::INCLUDE) {
        problems.push((
            keys::EXCLUDE,
            "`table.exclude.list` takes tables out of `table.include.list`, which is not set; use `.*` there for all \
             tables"
                .to_owned(),
        ));
    }
}

fn query(parsed: &ParsedConfig, problems: &mut Vec<Problem>) {
    let key = if is_set(parsed, keys::QUERY) {
        keys::QUERY
    } else {
        keys::QUERY_MASKED
    };
    if is_set(parsed, keys::QUERY) && is_set(parsed, keys::QUERY_MASKED) {
        problems.push((
            keys::QUERY,
            "`query` and `query.masked` cannot both be set; use one of them".to_owned(),
        ));
    }
    let Some(query) = settings::query(parsed) else {
        return;
    };
    for filter in [keys::WHITELIST, keys::BLACKLIST, keys::INCLUDE, keys::EXCLUDE] {
        if is_set(parsed, filter) {
            problems.push((
                key,
                format!("`{key}` and `{filter}` cannot both be set: the query says which tables it reads"),
            ));
        }
    }
    let first_word = query
        .text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next();
    if !first_word.is_some_and(|word| word.eq_ignore_ascii_case("SELECT")) {
        problems.push((key, format!("`{key}` must begin with `SELECT`")));
    }
    if parsed.string(keys::TOPIC_PREFIX).is_empty() {
        problems.push((
            keys::TOPIC_PREFIX,
            format!("`topic.prefix` is the name of the topic when `{key}` is set, so it must not be empty"),
        ));
    }
}

fn columns(parsed: &ParsedConfig, problems: &mut Vec<Problem>) {
    let is_set = |key| is_set(parsed, key);
    for (same, by_table) in [
        (keys::INCREMENTING, keys::INCREMENTING_MAPPING),
        (keys::TIMESTAMP, keys::TIMESTAMP_MAPPING),
    ] {
        if is_set(same) && is_set(by_table) {
            problems.push((
                same,
                format!("`{same}` and `{by_table}` cannot both be set; use one of them"),
            ));
        }
    }
    let has_query = settings::query(parsed).is_some();
    let mode = Mode::of(parsed.string(keys::MODE));
    let in_mode = parsed.string(keys::MODE);
    if mode.is_some_and(Mode::uses_incrementing) && has_query && !is_set(keys::INCREMENTING) {
        problems.push((
            keys::INCREMENTING,
            format!("`incrementing.column.name` must be set in mode `{in_mode}` with a query"),
        ));
    }
    let has_timestamp = is_set(keys::TIMESTAMP) || (is_set(keys::TIMESTAMP_MAPPING) && !has_query);
    if mode.is_some_and(Mode::uses_timestamp) && !has_timestamp {
        problems.push((
            keys::TIMESTAMP,
            format!("`timestamp.column.name` must be set in mode `{in_mode}`"),
        ));
    }
}

fn database(parsed: &ParsedConfig, database: Database, problems: &mut Vec<Problem>) {
    let dialect = parsed.string(keys::DIALECT);
    if !dialect.is_empty() && dialect != "GenericDatabaseDialect" && dialect != database.dialect() {
        problems.push((
            keys::DIALECT,
            format!(
                "`dialect.name` is `{dialect}`, but `connection.url` is for {database}; leave `dialect.name` out"
            ),
        ));
    }
    let isolation = Isolation::of(parsed.string(keys::ISOLATION)).unwrap_or(Isolation::Default);
    let is_known = match isolation {
        Isolation::SqlServerSnapshot => false,
        Isolation::ReadCommitted | Isolation::RepeatableRead => database != Database::Sqlite,
        Isolation::Default | Isolation::ReadUncommitted | Isolation::Serializable => true,
    };
    if !is_known {
        let level = parsed.string(keys::ISOLATION);
        problems.push((
            keys::ISOLATION,
            format!("{database} has no isolation level `{level}`; use `DEFAULT`"),
        ));
    }
}

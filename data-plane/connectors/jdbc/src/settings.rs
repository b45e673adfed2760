//! A configuration, read once into types that cannot be wrong. The differences between the flavours end here.

mod checks;
pub(crate) mod columns;

use std::time::Duration;

use towpath_connect::{ConfigMap, ConnectorError, ParsedConfig, Password, Result};

use crate::Flavour;
use crate::database::Database;
use crate::filter::TableFilter;
use crate::keys::choices::{Choice, Granularity, Isolation, Mode, NumericMapping};
use crate::keys::{self};
use crate::moment::{Calendar, Moment};
use crate::properties::Properties;
use crate::rows::temporal::Temporal;
use crate::types::TypeMapping;
use crate::url::JdbcUrl;
use crate::zone::{UTC, Zone};

pub(crate) use checks::problems;
use columns::ColumnChoice;

/// How to reach the database.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) url: JdbcUrl,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
    pub(crate) properties: Properties,
    pub(crate) isolation: Isolation,
    /// Attempts at the start of a connector or task.
    pub(crate) attempts: u32,
    /// Between two attempts at start, and the most between two later.
    pub(crate) backoff: Duration,
}

/// Which tables.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) filter: TableFilter,
    pub(crate) catalog_pattern: Option<String>,
    pub(crate) schema_pattern: Option<String>,
    /// In upper case.
    pub(crate) types: Vec<String>,
}

/// Where reading begins when no offset is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InitialTimestamp {
    At(Moment),
    /// The database's clock at the first start.
    Now,
}

/// A user's query.
#[derive(Clone)]
pub(crate) struct Query {
    /// Without a semicolon at its end.
    pub(crate) text: String,
    /// Whether it must not be shown, nor what the database says of it.
    pub(crate) is_masked: bool,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_masked { "[hidden]" } else { &self.text })
    }
}

/// How rows that are new are told from others.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) mode: Mode,
    pub(crate) incrementing: ColumnChoice,
    pub(crate) timestamp: ColumnChoice,
    pub(crate) initial_incrementing: i64,
    pub(crate) initial_timestamp: InitialTimestamp,
    pub(crate) delay: Duration,
    pub(crate) validate_non_null: bool,
    /// A record in mode timestamp carries a timestamp only once all rows that have it were read.
    pub(crate) conservative: bool,
}

/// Times and sizes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) poll_interval: Duration,
    pub(crate) linger: Duration,
    pub(crate) table_interval: Duration,
    pub(crate) startup: Duration,
    pub(crate) shutdown: Duration,
    pub(crate) batch_rows: usize,
    /// Batches that wait to be polled.
    pub(crate) waiting_batches: usize,
    /// Failed attempts of a query in a row before the task fails; `None`: no limit.
    pub(crate) query_attempts: Option<u32>,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) connection: Connection,
    pub(crate) selection: Selection,
    pub(crate) query: Option<Query>,
    pub(crate) query_suffix: String,
    pub(crate) quote: bool,
    /// Whether tables are read by their qualified names.
    pub(crate) qualify: bool,
    pub(crate) progress: Progress,
    pub(crate) mapping: TypeMapping,
    pub(crate) temporal: Temporal,
    /// Whether a value that cannot be converted becomes null instead of an error.
    pub(crate) unset_bad_fields: bool,
    pub(crate) limits: Limits,
    pub(crate) topic_prefix: String,
}

impl Settings {
    /// # Errors
    /// `Config` with every problem, one a line.
    pub(crate) fn parse(flavour: Flavour, config: &ConfigMap) -> Result<Self> {
        let parsed = keys::definition(flavour).parse(config)?;
        let problems = problems(&parsed, config);
        if !problems.is_empty() {
            let lines: Vec<String> = problems.into_iter().map(|(_, message)| message).collect();
            return Err(ConnectorError::config(lines.join("\n")));
        }
        let connection = connection(&parsed, config).ok_or_else(|| {
            ConnectorError::bug("the connection's settings were checked but cannot be read")
        })?;
        Ok(Self {
            connection,
            selection: selection(&parsed),
            query: query(&parsed),
            query_suffix: parsed.string(keys::QUERY_SUFFIX).to_owned(),
            quote: match flavour {
                Flavour::Confluent => !parsed.string(keys::QUOTE).eq_ignore_ascii_case("never"),
                Flavour::Aiven => parsed.boolean(keys::AIVEN_QUOTE),
            },
            qualify: flavour == Flavour::Confluent || parsed.boolean(keys::AIVEN_QUALIFY),
            progress: progress(flavour, &parsed),
            mapping: mapping(flavour, &parsed),
            temporal: temporal(&parsed),
            unset_bad_fields: flavour == Flavour::Aiven,
            limits: limits(&parsed),
            topic_prefix: parsed.string(keys::TOPIC_PREFIX).to_owned(),
        })
    }

    pub(crate) fn database(&self) -> Database {
        self.connection.url.database
    }
}

/// `None` when the URL cannot be read.
pub(crate) fn connection(parsed: &ParsedConfig, config: &ConfigMap) -> Option<Connection> {
    let url = JdbcUrl::parse(parsed.string(keys::URL)).ok()?;
    let mut properties = Properties::default();
    for (name, value) in &url.parameters {
        properties.set(name, value);
    }
    let own = [
        keys::URL,
        keys::USER,
        keys::PASSWORD,
        keys::ATTEMPTS,
        keys::BACKOFF,
    ];
    let keys_for_the_client = config.iter().filter(|(key, _)| !own.contains(key));
    for (key, value) in keys_for_the_client {
        if let (Some(name), Some(value)) = (key.strip_prefix(keys::CONNECTION_PREFIX), value) {
            properties.set(name, value);
        }
    }
    let user_in_url = properties.take("user").or_else(|| url.user.clone());
    let password_in_url = properties
        .take("password")
        .map(Password::new)
        .or_else(|| url.password.clone());
    let user = parsed.optional_string(keys::USER).map(str::to_owned);
    Some(Connection {
        user: user.or(user_in_url).filter(|user| !user.is_empty()),
        password: parsed.password(keys::PASSWORD).cloned().or(password_in_url),
        url,
        properties,
        isolation: Isolation::of(parsed.string(keys::ISOLATION)).unwrap_or(Isolation::Default),
        attempts: u32::try_from(parsed.long(keys::ATTEMPTS)).unwrap_or(1).max(1),
        backoff: parsed.duration_ms(keys::BACKOFF),
    })
}

pub(crate) fn selection(parsed: &ParsedConfig) -> Selection {
    let pattern = |key| {
        parsed
            .optional_string(key)
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
    };
    let lists = |old, new| parsed.list(old).iter().chain(parsed.list(new));
    Selection {
        filter: TableFilter::new(
            lists(keys::WHITELIST, keys::INCLUDE),
            lists(keys::BLACKLIST, keys::EXCLUDE),
        ),
        catalog_pattern: pattern(keys::CATALOG_PATTERN),
        schema_pattern: pattern(keys::SCHEMA_PATTERN),
        types: parsed
            .list(keys::TABLE_TYPES)
            .iter()
            .map(|kind| kind.to_ascii_uppercase())
            .collect(),
    }
}

/// The user's query, open or masked.
pub(crate) fn query(parsed: &ParsedConfig) -> Option<Query> {
    let open = parsed.string(keys::QUERY);
    let masked = parsed
        .password(keys::QUERY_MASKED)
        .map(Password::expose)
        .unwrap_or_default();
    let (text, is_masked) = if open.is_empty() {
        (masked, true)
    } else {
        (open, false)
    };
    let text = text.trim().trim_end_matches([';', ' ', '\t', '\r', '\n']);
    (!text.is_empty()).then(|| Query {
        text: text.to_owned(),
        is_masked,
    })
}

fn progress(flavour: Flavour, parsed: &ParsedConfig) -> Progress {
    let incrementing = Some(parsed.string(keys::INCREMENTING)).filter(|column| !column.is_empty());
    let timestamp = parsed
        .list(keys::TIMESTAMP)
        .iter()
        .filter(|column| !column.is_empty());
    let initial_timestamp = match flavour {
        Flavour::Confluent => parsed.optional_long(keys::TIMESTAMP_INITIAL).unwrap_or_default(),
        Flavour::Aiven => parsed.long(keys::AIVEN_TIMESTAMP_INITIAL),
    };
    Progress {
        mode: Mode::of(parsed.string(keys::MODE)).unwrap_or(Mode::Bulk),
        incrementing: choice(
            parsed,
            keys::INCREMENTING_MAPPING,
            incrementing.map(str::to_owned).into_iter(),
        ),
        timestamp: choice(parsed, keys::TIMESTAMP_MAPPING, timestamp.cloned()),
        initial_incrementing: match flavour {
            Flavour::Confluent => -1,
            Flavour::Aiven => parsed.long(keys::AIVEN_INCREMENTING_INITIAL),
        },
        initial_timestamp: match (flavour, initial_timestamp) {
            (Flavour::Confluent, -1) => InitialTimestamp::Now,
            (_, millis) => InitialTimestamp::At(Moment::from_millis(millis)),
        },
        delay: parsed.duration_ms(keys::DELAY),
        validate_non_null: parsed.boolean(keys::VALIDATE_NON_NULL),
        conservative: flavour == Flavour::Confluent,
    }
}

fn choice(parsed: &ParsedConfig, mapping: &'static str, same: impl Iterator<Item = String>) -> ColumnChoice {
    let entries: Vec<_> = parsed
        .list(mapping)
        .iter()
        .filter_map(|entry| columns::parse_entry(entry).ok())
        .collect();
    if entries.is_empty() {
        return ColumnChoice::Same(same.collect());
    }
    ColumnChoice::ByTable {
        key: mapping,
        entries,
    }
}

fn mapping(flavour: Flavour, parsed: &ParsedConfig) -> TypeMapping {
    let by_precision = parsed.boolean(keys::NUMERIC_PRECISION_MAPPING);
    let numeric = match parsed.optional_string(keys::NUMERIC_MAPPING) {
        Some(word) => NumericMapping::of(word).unwrap_or(NumericMapping::None),
        None if by_precision => NumericMapping::PrecisionOnly,
        None => NumericMapping::None,
    };
    TypeMapping {
        numeric,
        decimal_like_numeric: parsed.boolean(keys::NUMERIC_MAPPING_DECIMAL),
        granularity: Granularity::of(parsed.string(keys::GRANULARITY)).unwrap_or(Granularity::ConnectLogical),
        precision_parameter: flavour == Flavour::Confluent,
    }
}

fn temporal(parsed: &ParsedConfig) -> Temporal {
    Temporal {
        zone: Zone::parse(parsed.string(keys::TIMEZONE)).unwrap_or(UTC),
        calendar: Calendar::of(parsed.string(keys::CALENDAR)).unwrap_or(Calendar::Legacy),
        granularity: Granularity::of(parsed.string(keys::GRANULARITY)).unwrap_or(Granularity::ConnectLogical),
    }
}

fn limits(parsed: &ParsedConfig) -> Limits {
    const DEFAULT_BATCHES: usize = 4;
    let batch_rows = parsed.count(keys::BATCH_MAX_ROWS).max(1);
    let batches = match parsed.count(keys::MAX_BUFFER) {
        0 => DEFAULT_BATCHES,
        rows => rows / batch_rows,
    };
    let duration_or = |key, default: u64| match parsed.optional_long(key) {
        Some(_) => parsed.duration_ms(key),
        None => Duration::from_millis(default),
    };
    Limits {
        poll_interval: parsed.duration_ms(keys::POLL_INTERVAL),
        linger: duration_or(keys::LINGER, 5000),
        table_interval: parsed.duration_ms(keys::TABLE_POLL_INTERVAL),
        startup: duration_or(keys::STARTUP_LIMIT, 10_000),
        shutdown: duration_or(keys::SHUTDOWN_TIMEOUT, 10_000),
        batch_rows,
        // One more is being filled.
        waiting_batches: batches.saturating_sub(1).max(1),
        query_attempts: u32::try_from(parsed.optional_long(keys::RETRY_ATTEMPTS).unwrap_or(-1))
            .ok()
            .filter(|attempts| *attempts > 0),
    }
}

#[cfg(test)]
mod tests;

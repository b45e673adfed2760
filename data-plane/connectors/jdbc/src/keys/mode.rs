//! Keys of the group Mode: how rows that are new or changed are told from others.

use towpath_connect::Width;
use towpath_connect::config_def::{ConfigKey, Validator};

use super::*;

pub(super) fn keys(flavour: Flavour) -> Vec<ConfigKey> {
    let groups = [mode(flavour), columns(flavour), initial(flavour), query(flavour)];
    in_group("Mode", groups.concat())
}

fn mode(flavour: Flavour) -> Vec<ConfigKey> {
    let mode = ConfigKey::string(MODE)
        .high()
        .valid(Validator::OneOf(choices::MODES));
    let mode = match flavour {
        Flavour::Confluent => mode.default(""),
        Flavour::Aiven => mode,
    };
    vec![titled(
        mode.dependents(&[INCREMENTING, TIMESTAMP, VALIDATE_NON_NULL])
            .recommended(choices::words(choices::MODES.get(1..).unwrap_or_default())),
        Width::Medium,
        "Table Loading Mode",
        "What is read each time. `bulk`: everything. `incrementing`: rows whose number in a column that only \
             grows is larger than the last. `timestamp`: rows whose time of change is later than the last. \
             `timestamp+incrementing`: both, the surest way to see changed rows.",
    )]
}

fn columns(flavour: Flavour) -> Vec<ConfigKey> {
    let mut keys = vec![
        titled(
            ConfigKey::string(INCREMENTING).default(""),
            Width::Medium,
            "Incrementing Column Name",
            "The column that only grows. Empty means the table's auto-increment column. It must not be nullable.",
        ),
        titled(
            ConfigKey::list(TIMESTAMP).default(""),
            Width::Medium,
            "Timestamp Column Name",
            "The column with the time of the last change. Of several the first that is not null counts. At least \
             one must not be nullable.",
        ),
    ];
    if flavour == Flavour::Confluent {
        let mapping = |name: &str| {
            let check = Validator::Custom(validators::column_mapping);
            ConfigKey::list(name).default("").valid(check)
        };
        keys.push(titled(
            mapping(TIMESTAMP_MAPPING),
            Width::Long,
            "Timestamp columns mapping",
            "Timestamp columns by table: entries `REGEX:[COLUMN|COLUMN]`, of which exactly one must match the whole \
             name of each table. Instead of `timestamp.column.name`.",
        ));
        keys.push(titled(
            mapping(INCREMENTING_MAPPING),
            Width::Long,
            "Incrementing column mapping",
            "The incrementing column by table: entries `REGEX:COLUMN`, of which exactly one must match the whole name \
             of each table. Instead of `incrementing.column.name`.",
        ));
    }
    keys
}

fn initial(flavour: Flavour) -> Vec<ConfigKey> {
    let mut keys = match flavour {
        Flavour::Confluent => vec![titled(
            ConfigKey::long(TIMESTAMP_INITIAL).default_null().low(),
            Width::Medium,
            "Unix time value of initial timestamp",
            "Where to begin when no offset is stored: milliseconds since 1970; -1 means now; not set means at the \
             beginning.",
        )],
        Flavour::Aiven => vec![
            titled(
                ConfigKey::long(AIVEN_TIMESTAMP_INITIAL).default("0").low(),
                Width::Medium,
                "Unix time value of initial timestamp",
                "Where to begin when no offset is stored: milliseconds since 1970.",
            ),
            titled(
                ConfigKey::long(AIVEN_INCREMENTING_INITIAL).default("-1").low(),
                Width::Medium,
                "Initial incrementing value",
                "Where to begin when no offset is stored: rows with larger numbers are read.",
            ),
        ],
    };
    keys.push(titled(
        ConfigKey::boolean(VALIDATE_NON_NULL).default("true").low(),
        Width::Short,
        "Validate Non Null",
        "Whether the incrementing column, and at least one timestamp column, must be NOT NULL. A row with a null \
         there is never read.",
    ));
    keys
}

fn query(flavour: Flavour) -> Vec<ConfigKey> {
    let mut keys = vec![titled(
        ConfigKey::string(QUERY).default(""),
        Width::Long,
        "Query",
        "A SELECT whose rows are copied instead of tables. Conditions, joins and an order of its own are fine in \
         every mode. The topic is `topic.prefix`.",
    )];
    if flavour == Flavour::Aiven {
        keys.push(titled(
            ConfigKey::boolean(AIVEN_QUOTE).default("true"),
            Width::Short,
            "Quote Identifiers",
            "Whether names of tables and columns are quoted.",
        ));
        keys.push(titled(
            ConfigKey::boolean(AIVEN_QUALIFY).default("true").low(),
            Width::Short,
            "Table Names Qualify",
            "Whether tables are read by their name with schema or database. `false` leaves it to the session which \
             table is meant.",
        ));
        return keys;
    }
    keys.extend([
        titled(
            ConfigKey::password(QUERY_MASKED).default(""),
            Width::Long,
            "Query (masked)",
            "As `query`, but never shown. Cannot be set together with it.",
        ),
        titled(
            ConfigKey::string(QUOTE).default("ALWAYS").valid(Validator::OneOfIgnoreCase(&["always", "never"])),
            Width::Medium,
            "Quote Identifiers",
            "Whether names of tables and columns are quoted: `always` or `never`.",
        ),
        titled(
            ConfigKey::string(QUERY_SUFFIX).default("").low(),
            Width::Medium,
            "Query suffix",
            "Text to put at the very end of each query, for example `LIMIT 1000`.",
        ),
        titled(
            ConfigKey::string(ISOLATION).default("DEFAULT").valid(Validator::OneOf(choices::ISOLATIONS)).low(),
            Width::Medium,
            "Transaction Isolation Mode",
            "The isolation level of the connection's transactions; `DEFAULT` leaves the database's own.",
        ),
        titled(
            ConfigKey::int(RETRY_ATTEMPTS).default("-1").low(),
            Width::Short,
            "Query Retry Attempts",
            "How often a query that the database could not run for a passing reason is tried again before the task \
             fails; -1 means without a limit. A lost connection does not count.",
        ),
    ]);
    keys
}

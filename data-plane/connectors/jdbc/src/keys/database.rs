//! Keys of the group Database: how to connect, which tables, how numbers and dates are mapped.

use towpath_connect::Width;
use towpath_connect::config_def::{ConfigKey, Validator};

use super::*;

pub(super) fn keys(flavour: Flavour) -> Vec<ConfigKey> {
    let groups = [
        login(flavour),
        connection(flavour),
        filters(flavour),
        numbers(),
        dialect(flavour),
    ];
    in_group("Database", groups.concat())
}

fn login(flavour: Flavour) -> Vec<ConfigKey> {
    let url = ConfigKey::string(URL)
        .valid(Validator::Custom(validators::url))
        .high();
    let url = match flavour {
        Flavour::Confluent => url.default(""),
        Flavour::Aiven => url,
    };
    vec![
        titled(
            url.dependents(&[WHITELIST, BLACKLIST]),
            Width::Long,
            "JDBC URL",
            "Where the database is: `jdbc:mysql://HOST:PORT/DATABASE`, `jdbc:mariadb://…`, `jdbc:postgresql://…` or \
             `jdbc:sqlite:/PATH/FILE`. Several hosts, separated by commas, are tried in order. User, password and \
             driver properties may follow after a question mark.",
        ),
        titled(
            ConfigKey::string(USER).default_null().high(),
            Width::Long,
            "JDBC User",
            "The name to log in with.",
        ),
        titled(
            ConfigKey::password(PASSWORD).default_null().high(),
            Width::Short,
            "JDBC Password",
            "The password to log in with.",
        ),
    ]
}

fn connection(flavour: Flavour) -> Vec<ConfigKey> {
    let mut keys = vec![
        titled(
            ConfigKey::int(ATTEMPTS)
                .default("3")
                .valid(Validator::AtLeast(1))
                .low(),
            Width::Short,
            "JDBC connection attempts",
            "How often a connection is tried at a start of the connector or of a task before that start is given up. \
             A database that is away is waited for without a limit: the status says so, and the start is repeated.",
        ),
        titled(
            ConfigKey::long(BACKOFF).default("10000").low(),
            Width::Short,
            "JDBC connection backoff (ms)",
            "Milliseconds between two attempts to connect at start. Later, when a connection was lost, it is the longest \
             wait between two attempts, but no more than five seconds.",
        ),
    ];
    if flavour == Flavour::Confluent {
        keys.push(titled(
            ConfigKey::class(CREDENTIALS_PROVIDER)
                .default("io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider")
                .low(),
            Width::Long,
            "JDBC Credentials Provider Class",
            "A Java class that gives user and password. Only the default, which reads `connection.user` and \
             `connection.password`, works here; use a config provider to fetch secrets from elsewhere.",
        ));
    }
    keys
}

fn filters(flavour: Flavour) -> Vec<ConfigKey> {
    let list = |name: &str| ConfigKey::list(name).default("");
    let names = "An entry is the name of a table, a name with its schema or database, quoted or not, or a regular \
                 expression for the whole of it.";
    let mut keys = vec![
        titled(
            list(WHITELIST),
            Width::Long,
            "Table Whitelist",
            &format!(
                "The tables to copy; empty means all. {names} Cannot be set together with the other lists."
            ),
        ),
        titled(
            list(BLACKLIST),
            Width::Long,
            "Table Blacklist",
            &format!("The tables not to copy. {names} Cannot be set together with the other lists."),
        ),
    ];
    if flavour == Flavour::Confluent {
        keys.push(titled(
            list(INCLUDE).valid(Validator::Custom(validators::patterns)),
            Width::Long,
            "Table Include List",
            &format!("The tables to copy; empty means all. {names}"),
        ));
        keys.push(titled(
            list(EXCLUDE).valid(Validator::Custom(validators::patterns)),
            Width::Long,
            "Table Exclude List",
            &format!("Of the tables in `table.include.list`, those not to copy. {names}"),
        ));
    }
    keys.push(titled(
        ConfigKey::string(CATALOG_PATTERN).default_null(),
        Width::Short,
        "Catalog pattern",
        "The databases to look for tables in, as a pattern with `%` and `_`. Not set means the database of the URL, \
         or all when the URL has none. Only for MySQL and MariaDB.",
    ));
    keys.push(titled(
        ConfigKey::string(SCHEMA_PATTERN).default_null().high(),
        Width::Short,
        "Schema pattern",
        "The schemas to look for tables in, as a pattern with `%` and `_`. Not set means all. Only for PostgreSQL.",
    ));
    keys
}

fn numbers() -> Vec<ConfigKey> {
    vec![
        titled(
            ConfigKey::boolean(NUMERIC_PRECISION_MAPPING)
                .default("false")
                .low(),
            Width::Short,
            "Map Numeric Values By Precision (deprecated)",
            "Use `numeric.mapping` instead; `true` is its `precision_only`.",
        ),
        titled(
            ConfigKey::string(NUMERIC_MAPPING)
                .default_null()
                .valid(Validator::Custom(validators::numeric_mapping))
                .recommended(choices::words(validators::NUMERIC_MAPPINGS))
                .low(),
            Width::Short,
            "Map Numeric Values, Integral or Decimal, By Precision and Scale",
            "What becomes of NUMERIC columns. `none`: Decimal. `precision_only`: integers where there are no digits \
             after the point and at most 18 before it. `best_fit`: also FLOAT64 where there are digits after the \
             point. `best_fit_eager_double`: FLOAT64 even where that loses digits.",
        ),
        titled(
            ConfigKey::boolean(NUMERIC_MAPPING_DECIMAL).default("false").low(),
            Width::Short,
            "Map DECIMAL like NUMERIC",
            "Whether `numeric.mapping` is also for DECIMAL columns, which are Decimal otherwise. All decimal columns \
             of MySQL and MariaDB are DECIMAL.",
        ),
    ]
}

fn dialect(flavour: Flavour) -> Vec<ConfigKey> {
    let mut keys = vec![titled(
        ConfigKey::string(DIALECT)
            .default("")
            .valid(Validator::Custom(validators::dialect))
            .low(),
        Width::Long,
        "Database Dialect",
        "The dialect of SQL. It follows from the URL, so there is no need to set it.",
    )];
    if flavour == Flavour::Confluent {
        keys.push(titled(
            ConfigKey::string(CALENDAR)
                .default("LEGACY")
                .valid(Validator::OneOfIgnoreCase(choices::CALENDARS))
                .low(),
            Width::Short,
            "Date Calendar System",
            "The calendar of dates before 1582-10-15: `LEGACY` is Julian, `PROLEPTIC_GREGORIAN` counts as the \
             databases do.",
        ));
    }
    keys
}

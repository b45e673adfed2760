//! Keys of the group Connector: pace, sizes, topics, times; and what the connector writes for its tasks.

use towpath_connect::Width;
use towpath_connect::config_def::{ConfigKey, Validator};

use super::*;

pub(super) fn keys(flavour: Flavour) -> Vec<ConfigKey> {
    let groups = [pace(flavour), limits(flavour), output(flavour)];
    let mut keys = in_group("Connector", groups.concat());
    keys.extend(of_tasks());
    keys
}

fn pace(flavour: Flavour) -> Vec<ConfigKey> {
    let batch = match flavour {
        Flavour::Confluent => "1000",
        Flavour::Aiven => "100",
    };
    vec![
        titled(
            ConfigKey::list(TABLE_TYPES).default("TABLE").low(),
            Width::Medium,
            "Table Types",
            "Which kinds of tables are copied, for example `TABLE`, `VIEW`, `MATERIALIZED VIEW`, `PARTITIONED TABLE`.",
        ),
        titled(
            ConfigKey::int(POLL_INTERVAL).default("5000").high(),
            Width::Short,
            "Poll Interval (ms)",
            "Milliseconds from the end of one read of a table to the beginning of the next.",
        ),
        titled(
            ConfigKey::int(BATCH_MAX_ROWS)
                .default(batch)
                .valid(Validator::AtLeast(1))
                .low(),
            Width::Short,
            "Max Rows Per Batch",
            "The most rows that are handed over at once.",
        ),
        titled(
            ConfigKey::long(TABLE_POLL_INTERVAL).default("60000").low(),
            Width::Short,
            "Metadata Change Monitoring Interval (ms)",
            "Milliseconds between two looks for tables that came or went.",
        ),
    ]
}

fn limits(flavour: Flavour) -> Vec<ConfigKey> {
    if flavour == Flavour::Aiven {
        return Vec::new();
    }
    vec![
        titled(
            ConfigKey::int(MAX_BUFFER).default("0").low(),
            Width::Short,
            "Max Buffer Size",
            "The most rows that are read ahead of what was handed over; 0 means four batches.",
        ),
        titled(
            ConfigKey::long(LINGER).default("5000").low(),
            Width::Short,
            "Poll Linger (ms)",
            "The longest wait for rows, in milliseconds, before an empty batch is handed over.",
        ),
        ConfigKey::long(STARTUP_LIMIT)
            .default("10000")
            .low()
            .doc("How long the start waits for the first list of tables, in milliseconds.")
            .internal(),
    ]
}

fn output(flavour: Flavour) -> Vec<ConfigKey> {
    let prefix = ConfigKey::string(TOPIC_PREFIX)
        .high()
        .valid(Validator::Custom(validators::topic_prefix));
    let prefix = match flavour {
        Flavour::Confluent => prefix.default(""),
        Flavour::Aiven => prefix,
    };
    let mut keys = vec![
        titled(
            prefix,
            Width::Medium,
            "Topic Prefix",
            "What comes before the name of the table in the name of its topic. With a query it is the whole name.",
        ),
        titled(
            ConfigKey::long(DELAY).default("0").high(),
            Width::Medium,
            "Delay Interval (ms)",
            "How long a row with a timestamp is left alone, in milliseconds, so that transactions that began earlier \
             and end later are not missed.",
        ),
        titled(
            ConfigKey::string(TIMEZONE)
                .default("UTC")
                .valid(Validator::Custom(validators::timezone)),
            Width::Medium,
            "DB time zone",
            "The time zone that dates with times are in where the database stores none.",
        ),
    ];
    if flavour == Flavour::Confluent {
        keys.push(titled(
            ConfigKey::string(GRANULARITY)
                .default("connect_logical")
                .valid(Validator::OneOf(choices::GRANULARITIES))
                .recommended(choices::GRANULARITIES.iter().map(|&word| word.to_owned()).collect())
                .low(),
            Width::Medium,
            "Timestamp granularity for timestamp columns",
            "What timestamps become: `connect_logical` is Connect's Timestamp, to the millisecond; the others are \
             numbers or text, to the microsecond or nanosecond.",
        ));
    }
    keys
}

fn of_tasks() -> Vec<ConfigKey> {
    vec![
        ConfigKey::string(TABLES)
            .default("")
            .doc("The tables of this task.")
            .internal(),
        ConfigKey::boolean(TABLES_FETCHED)
            .default("false")
            .doc("Whether the tables are known yet.")
            .internal(),
        ConfigKey::long(SHUTDOWN_TIMEOUT)
            .default("10000")
            .low()
            .doc("How long the end of a read is waited for when the task stops, in milliseconds.")
            .internal(),
    ]
}

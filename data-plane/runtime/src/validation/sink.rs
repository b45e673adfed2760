//! What must hold between the keys of a sink: its topics, its dead letters, its consumer group.

use towpath_connect::config_def::{ConfigValue, KeyResult};
use towpath_connect::{ConfigMap, Pattern};

use super::WorkerDefaults;
use super::framework::{DLQ_TOPIC, TOPICS, TOPICS_REGEX};
use super::report::Report;

const GROUP_OVERRIDE: &str = "consumer.override.group.id";

/// The topic for dead letters, if one is set.
pub(super) fn dead_letter_topic(config: &ConfigMap) -> Option<&str> {
    set(config, DLQ_TOPIC).map(str::trim)
}

/// Adds what is wrong to the keys concerned.
pub(super) fn check(report: &mut Report, config: &ConfigMap, worker: &WorkerDefaults) {
    let (topics, regex) = (set(config, TOPICS), set(config, TOPICS_REGEX));
    let problem = match (topics, regex) {
        (Some(_), Some(_)) => {
            Some("topics and topics.regex are mutually exclusive options, but both are set.")
        }
        (None, None) => Some("Must configure one of topics or topics.regex"),
        (Some(_), None) | (None, Some(_)) => None,
    };
    if let Some(problem) = problem {
        report.add_error(TOPICS, problem);
        report.add_error(TOPICS_REGEX, problem);
    }
    if let Some(dead_letters) = dead_letter_topic(config) {
        check_dead_letters(report, dead_letters, topics, regex);
    }
    if let Some(group) = worker.group_id() {
        check_group(report, config, group);
    }
}

fn check_dead_letters(report: &mut Report, dead_letters: &str, topics: Option<&str>, regex: Option<&str>) {
    let mut consumed: Vec<&str> = Vec::new();
    for topic in topics.unwrap_or_default().split(',').map(str::trim) {
        if !topic.is_empty() && !consumed.contains(&topic) {
            consumed.push(topic);
        }
    }
    if consumed.contains(&dead_letters) {
        let list = consumed.join(", ");
        report.add_error(
            TOPICS,
            format!(
                "The DLQ topic '{dead_letters}' may not be included in the list of topics ('topics=[{list}]') consumed \
                 by the connector"
            ),
        );
    }
    // A pattern that cannot be compiled has its own message already.
    let pattern = regex.and_then(|regex| Pattern::compile(regex.trim()).ok());
    if let Some(pattern) = pattern.filter(|pattern| pattern.is_full_match(dead_letters)) {
        report.add_error(
            TOPICS_REGEX,
            format!(
                "The DLQ topic '{dead_letters}' may not be matched by the regex for the topics \
                 ('topics.regex={}') consumed by the connector",
                pattern.as_str()
            ),
        );
    }
}

/// The connector's consumer group must not be the group of the workers.
fn check_group(report: &mut Report, config: &ConfigMap, worker_group: &str) {
    if let Some(group) = config.get(GROUP_OVERRIDE) {
        // Kafka Connect lists the key here too, beside its place among the overrides.
        report.put_undefined(KeyResult {
            name: GROUP_OVERRIDE.to_owned(),
            value: ConfigValue::String(group.to_owned()),
            errors: Vec::new(),
        });
        if group == worker_group {
            let message =
                format!("Consumer group {group} conflicts with Connect worker group {worker_group}");
            report.add_error(GROUP_OVERRIDE, message);
        }
        return;
    }
    let name = config.get("name").unwrap_or_default();
    if format!("connect-{name}") == worker_group {
        let message = format!(
            "Consumer group for sink connector named {name} conflicts with Connect worker group {worker_group}"
        );
        report.add_error("name", message);
    }
}

fn set<'c>(config: &'c ConfigMap, key: &str) -> Option<&'c str> {
    config.get(key).filter(|text| !text.trim().is_empty())
}

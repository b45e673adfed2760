//! `worker.selector`: which workers may run a connector. Kafka Connect has no such key, so it is part of the answer only
//! when it is set.

use towpath_connect::config_def::{ConfigValue, Validator, invalid};
use towpath_connect::{ConfigKey, ConfigMap, Width};
use towpath_types::Selector;

use super::report::{Checked, Report, evaluate};

const WORKER_SELECTOR: &str = "worker.selector";

/// Takes the configuration as submitted: the control plane reads the key, and it resolves no references.
pub(super) fn check(report: &mut Report, raw: &ConfigMap) {
    if !raw.contains_key(WORKER_SELECTOR) {
        return;
    }
    let key = key();
    let found = Some(evaluate(&key, raw));
    report.put(Checked {
        key,
        found,
        visible: true,
    });
}

fn key() -> ConfigKey {
    ConfigKey::string(WORKER_SELECTOR)
        .default_null()
        .valid(Validator::Custom(selector))
        .low()
        .shown("Placement", 1, Width::Long, "Worker selector")
        .doc(
            "What the labels of a worker (`worker.labels`) have to be for it to run the connector and its tasks: zone=a, \
             zone!=a or zone in (a,b), all of them when there are commas between. If it is not set, any worker may.",
        )
}

fn selector(name: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(text) => match text.parse::<Selector>() {
            Ok(_) => Ok(()),
            Err(error) => Err(invalid(name, value, &error.to_string())),
        },
        _ => Ok(()),
    }
}

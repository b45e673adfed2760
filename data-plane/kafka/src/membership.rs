//! Which member of its group a sink task is.
//!
//! A worker that dies cannot leave its groups, and a group waits for a lost member until its session times out (45 s by
//! default) before anybody gets its partitions. So each task has a place of its own in the group, `group.instance.id`:
//! the task's next run takes the place over at once, without a rebalance, and a run that is still there is fenced.
//! A task that stops in good order leaves the group, as Kafka Connect's do: nobody waits for its place.

use towpath_runtime::clients::ClientOwner;

use crate::config::Settings;

const KEY: &str = "group.instance.id";
/// The limits of Kafka's Java client for these names, which are those of topics.
const MAX_LEN: usize = 249;

/// What becomes of the membership when the consumer is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnClose {
    Leave,
    /// Somebody has asked for static membership, and has it as from Kafka's Java client: the place is kept until the
    /// session times out. Or it is not our doing at all.
    AsConfigured,
}

/// Gives the consumer the task's place in its group, unless the settings name one.
pub(crate) fn name(settings: &mut Settings, owner: &ClientOwner) -> OnClose {
    // The newer protocol keeps a place from being taken over, so a name would only do harm there.
    let is_classic = settings
        .get("group.protocol")
        .is_none_or(|protocol| protocol == "classic");
    if !is_classic || settings.get(KEY).is_some() {
        return OnClose::AsConfigured;
    }
    settings.set(KEY, instance_id(owner));
    OnClose::Leave
}

/// Only the tasks of one connector have to differ, as a rule: each connector has its own group.
fn instance_id(owner: &ClientOwner) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    let task = format!("-{}", owner.task);
    let connector = owner.connector.chars();
    let connector = connector.map(|letter| if allowed(letter) { letter } else { '_' });
    connector.take(MAX_LEN - task.len()).chain(task.chars()).collect()
}

#[cfg(test)]
mod tests {
    use towpath_connect::ConfigMap;

    use super::*;

    fn owner(connector: &str, task: u32) -> ClientOwner {
        ClientOwner {
            connector: connector.into(),
            task,
            overrides: ConfigMap::new(),
        }
    }

    #[test]
    fn a_task_has_a_place_of_its_own() {
        let mut settings = Settings::default();
        assert_eq!(name(&mut settings, &owner("orders", 3)), OnClose::Leave);
        assert_eq!(settings.get(KEY), Some("orders-3"));
    }

    #[test]
    fn a_place_that_is_configured_is_kept() {
        let mut settings = Settings::default();
        settings.set(KEY, "mine");
        assert_eq!(name(&mut settings, &owner("orders", 3)), OnClose::AsConfigured);
        assert_eq!(settings.get(KEY), Some("mine"));
    }

    #[test]
    fn the_newer_protocol_has_no_places_to_take_over() {
        let mut settings = Settings::default();
        settings.set("group.protocol", "consumer");
        assert_eq!(name(&mut settings, &owner("orders", 3)), OnClose::AsConfigured);
        assert_eq!(settings.get(KEY), None);
    }

    #[test]
    fn every_connector_name_makes_one_that_kafka_takes() {
        assert_eq!(instance_id(&owner("a/b c%ü", 12)), "a_b_c__-12");
        let long = instance_id(&owner(&"x".repeat(400), 1234));
        assert_eq!(long.len(), MAX_LEN);
        assert!(long.ends_with("x-1234"));
    }
}

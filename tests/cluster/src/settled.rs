//! Whether everything is as it is wanted, without anybody's help: each connector and task in the state that its target asks
//! for, on the one worker that the API names and nowhere else.

use std::collections::BTreeSet;
use std::time::Duration;

use towpath_testkit::{TimedOut, wait_until};
use towpath_wire::v1;

use crate::broker::Broker;
use crate::clients::{Api, Grpc};
use crate::plan::{Place, WORKERS};
use crate::shell::ShellError;
use crate::watch::Watch;

/// Time for everything to run again: groups and transactions of members that were killed have to run out.
const SETTLE: Duration = Duration::from_secs(60);
/// Time for everything to be gone.
const GONE: Duration = Duration::from_secs(60);

/// Units, each with the worker it is on.
type Units = BTreeSet<(String, Place)>;

/// Waits until all is as it is wanted, as every node sees it.
///
/// # Errors
/// When that takes too long: what is not.
pub async fn wait(api: &Api, watch: &Watch) -> Result<(), TimedOut> {
    let look = || async {
        for node in &api.grpc {
            let connectors = node.list().await.map_err(|status| status.to_string())?;
            watch.look();
            is_settled(&connectors, &watch.running())?;
        }
        Ok::<(), String>(())
    };
    wait_until("everything to run as it is wanted", SETTLE, look).await
}

/// Deletes everything and waits until nothing runs.
///
/// # Errors
/// When that takes too long: what is still there.
pub async fn delete_all(api: &Api, watch: &Watch) -> Result<(), TimedOut> {
    let node: &Grpc = &api.grpc[0];
    let look = || async {
        let connectors = node.list().await.map_err(|status| status.to_string())?;
        for connector in &connectors {
            node.delete(&connector.name)
                .await
                .map_err(|status| status.to_string())?;
        }
        watch.look();
        let running = watch.running();
        if connectors.is_empty() && running.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "{} connectors, and these units run: {running:?}",
                connectors.len()
            ))
        }
    };
    wait_until("nothing to run", GONE, look).await
}

/// Waits until no consumer group of a connector has a member.
///
/// # Errors
/// When that takes too long: the groups that have.
pub async fn wait_for_empty_groups(broker: &Broker) -> Result<(), TimedOut> {
    let look = || async {
        let groups = broker.tool(&["ConsumerGroupCommand", "--list", "--state"]).await;
        let with_members = members(&groups.map_err(|error: ShellError| error.to_string())?);
        if with_members.is_empty() {
            Ok(())
        } else {
            Err(with_members)
        }
    };
    wait_until("the groups of deleted sinks to be empty", GONE, look).await
}

/// Of Kafka's list of groups, the lines of groups of connectors that are not empty.
fn members(groups: &str) -> String {
    let of_connectors = groups.lines().filter(|line| line.starts_with("connect-"));
    let with_members = of_connectors.filter(|line| !line.contains("Empty") && !line.contains("Dead"));
    with_members.collect::<Vec<_>>().join("; ")
}

fn is_settled(connectors: &[v1::ListedConnector], running: &Units) -> Result<(), String> {
    let mut wanted = Units::new();
    // An instance may be there while its connector is stopped. What is paused logs that it runs when it is resumed.
    let mut allowed = Units::new();
    for listed in connectors {
        let name = &listed.name;
        let (Some(info), Some(status)) = (&listed.connector, &listed.status) else {
            return Err(format!("{name} has no status"));
        };
        let target = info.target_state();
        let instance = unit(name, status.connector.as_ref(), target)?;
        if target == v1::TargetState::Stopped {
            allowed.insert(instance);
            if !status.tasks.is_empty() {
                return Err(format!("{name} is stopped and has tasks: {:?}", status.tasks));
            }
            continue;
        }
        let is_paused = target == v1::TargetState::Paused;
        let found = if is_paused { &mut allowed } else { &mut wanted };
        found.insert(instance);
        // One that was stopped and is paused now gets its tasks when it is resumed, as in Kafka Connect.
        if status.tasks.is_empty() && !is_paused {
            return Err(format!("{name} has no task"));
        }
        for task in &status.tasks {
            found.insert(unit(
                &format!("{name}-{}", task.id),
                task.status.as_ref(),
                target,
            )?);
        }
    }
    let too_few: Vec<_> = wanted.difference(running).collect();
    let too_many: Vec<_> = running
        .difference(&wanted)
        .filter(|unit| !allowed.contains(*unit))
        .collect();
    if too_few.is_empty() && too_many.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "by the workers' logs, {too_few:?} do not run and {too_many:?} should not"
        ))
    }
}

/// Where the unit is, if it is in the state that is wanted.
fn unit(
    name: &str,
    status: Option<&v1::UnitStatus>,
    target: v1::TargetState,
) -> Result<(String, Place), String> {
    let status = status.ok_or_else(|| format!("{name} has no status"))?;
    let wanted = match target {
        v1::TargetState::Paused => v1::UnitState::Paused,
        v1::TargetState::Stopped => v1::UnitState::Stopped,
        v1::TargetState::Running | v1::TargetState::Unspecified => v1::UnitState::Running,
    };
    if status.state() != wanted {
        let trace = status.trace.as_deref().unwrap_or_default();
        return Err(format!(
            "{name} is {} on {}, but {} is wanted; {trace}",
            status.state().as_str_name(),
            status.worker_id,
            wanted.as_str_name()
        ));
    }
    let place = (0..WORKERS)
        .map(Place::Worker)
        .find(|place| status.worker_id == format!("{place}:8083"));
    let place = place.ok_or_else(|| format!("{name} is on nobody: `{}`", status.worker_id))?;
    Ok((name.to_owned(), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: v1::UnitState) -> v1::UnitStatus {
        v1::UnitStatus {
            state: state.into(),
            worker_id: "worker-1:8083".to_owned(),
            ..v1::UnitStatus::default()
        }
    }

    fn listed(target: v1::TargetState, state: v1::UnitState, tasks: &[v1::UnitState]) -> v1::ListedConnector {
        let tasks = (0..).zip(tasks).map(|(id, state)| v1::TaskStatus {
            id,
            status: Some(status(*state)),
        });
        v1::ListedConnector {
            name: "a".to_owned(),
            connector: Some(v1::Connector {
                target_state: target.into(),
                ..v1::Connector::default()
            }),
            status: Some(v1::ConnectorStatus {
                connector: Some(status(state)),
                tasks: tasks.collect(),
                ..v1::ConnectorStatus::default()
            }),
        }
    }

    fn on(units: &[(&str, usize)]) -> Units {
        units
            .iter()
            .map(|(unit, worker)| ((*unit).to_owned(), Place::Worker(*worker)))
            .collect()
    }

    #[test]
    fn what_runs_is_what_is_wanted() {
        let running = [v1::UnitState::Running];
        let connector = [listed(v1::TargetState::Running, v1::UnitState::Running, &running)];
        assert_eq!(is_settled(&connector, &on(&[("a", 0), ("a-0", 0)])), Ok(()));
        assert!(
            is_settled(&connector, &on(&[("a", 0)])).is_err(),
            "the task does not run"
        );
        let twice = on(&[("a", 0), ("a-0", 0), ("a-0", 1)]);
        assert!(
            is_settled(&connector, &twice).is_err(),
            "the task runs elsewhere too"
        );
        assert!(
            is_settled(&[], &on(&[("a-0", 0)])).is_err(),
            "a deleted task runs"
        );
    }

    #[test]
    fn a_state_that_is_not_wanted_is_told() {
        let failed = listed(v1::TargetState::Running, v1::UnitState::Failed, &[]);
        let told = is_settled(&[failed], &Units::new()).unwrap_err();
        assert!(
            told.starts_with("a is UNIT_STATE_FAILED on worker-1:8083"),
            "{told}"
        );
    }

    #[test]
    fn a_stopped_connector_has_no_task() {
        let stopped =
            |tasks: &[v1::UnitState]| listed(v1::TargetState::Stopped, v1::UnitState::Stopped, tasks);
        assert_eq!(is_settled(&[stopped(&[])], &on(&[("a", 0)])), Ok(()));
        assert_eq!(is_settled(&[stopped(&[])], &Units::new()), Ok(()));
        assert!(is_settled(&[stopped(&[])], &on(&[("a-0", 0)])).is_err());
        assert!(is_settled(&[stopped(&[v1::UnitState::Running])], &Units::new()).is_err());
    }

    #[test]
    fn only_a_paused_connector_may_have_no_task_and_an_instance() {
        let paused = listed(v1::TargetState::Paused, v1::UnitState::Paused, &[]);
        assert_eq!(is_settled(&[paused], &on(&[("a", 0)])), Ok(()));
        // It moved when it was paused, so it has never run where it is.
        let moved = listed(
            v1::TargetState::Paused,
            v1::UnitState::Paused,
            &[v1::UnitState::Paused],
        );
        assert_eq!(is_settled(std::slice::from_ref(&moved), &Units::new()), Ok(()));
        assert!(is_settled(&[moved], &on(&[("a-0", 0), ("a-0", 1)])).is_err());
        let running = listed(v1::TargetState::Running, v1::UnitState::Running, &[]);
        assert!(is_settled(&[running], &on(&[("a", 0)])).is_err());
    }

    #[test]
    fn a_group_with_members_is_told() {
        let groups = "GROUP STATE\nconnect-a Empty\nconnect-b Stable\nconsole-consumer-1 Stable\n";
        assert_eq!(members(groups), "connect-b Stable");
    }
}

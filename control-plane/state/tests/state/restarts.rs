//! Restarts, and what failed.

use towpath_state::{Command, Detail, Refusal, RestartFilter, RestartScope, UnitReport};
use towpath_types::{TaskNumber, UnitState};

use crate::cluster::{Cluster, instance, name, report, task};

fn restart(connector: &str, scope: RestartScope, filter: RestartFilter) -> Command {
    Command::RestartUnits {
        name: name(connector),
        scope,
        filter,
    }
}

fn fail(cluster: &mut Cluster, unit: towpath_types::UnitId, trace: &str) {
    let worker = cluster.owner(&unit).unwrap().to_owned();
    let epoch = cluster.epoch(&unit);
    let failed = UnitReport {
        trace: Some(trace.to_owned()),
        ..report(unit, epoch, UnitState::Failed)
    };
    cluster.report(&worker, vec![failed]).unwrap();
}

#[test]
fn a_restart_covers_what_was_asked_for() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let all = vec![instance("orders"), task("orders", 0), task("orders", 1)];
    let cases = [
        (RestartScope::Connector, vec![instance("orders")]),
        (RestartScope::ConnectorAndTasks, all.clone()),
        (RestartScope::Task(TaskNumber(1)), vec![task("orders", 1)]),
    ];
    for (scope, expected) in cases {
        let before: Vec<_> = all.iter().map(|unit| cluster.epoch(unit)).collect();
        let detail = cluster.must(restart("orders", scope, RestartFilter::All));
        assert_eq!(detail, Detail::Restarting(expected.clone()));
        for (unit, before) in all.iter().zip(before) {
            assert_eq!(cluster.epoch(unit) > before, expected.contains(unit), "{unit}");
            let restarting = cluster.unit_state(unit) == Some(UnitState::Restarting);
            assert_eq!(restarting, expected.contains(unit), "{unit}");
        }
        cluster.settle();
    }
}

#[test]
fn a_restart_of_the_failed_leaves_the_others_alone_and_keeps_the_trace_until_the_report() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    fail(&mut cluster, task("orders", 1), "it broke");
    let detail = cluster.must(restart(
        "orders",
        RestartScope::ConnectorAndTasks,
        RestartFilter::OnlyFailed,
    ));
    assert_eq!(detail, Detail::Restarting(vec![task("orders", 1)]));
    let status = cluster
        .state
        .task_status("orders", TaskNumber(1))
        .unwrap()
        .clone();
    assert_eq!(
        (status.state, status.trace.as_deref()),
        (UnitState::Restarting, Some("it broke"))
    );
    cluster.settle();
    let status = cluster.state.task_status("orders", TaskNumber(1)).unwrap();
    assert_eq!(
        (status.state, status.trace.as_deref()),
        (UnitState::Running, None)
    );
}

#[test]
fn a_restart_of_what_does_not_exist_is_refused() {
    let mut cluster = Cluster::with_workers(1);
    let refusal = cluster.refusal(restart("orders", RestartScope::Connector, RestartFilter::All));
    assert_eq!(
        refusal,
        Refusal::ConnectorNotFound {
            connector: name("orders")
        }
    );
    cluster.running("orders", 1);
    let refusal = cluster.refusal(restart(
        "orders",
        RestartScope::Task(TaskNumber(1)),
        RestartFilter::All,
    ));
    assert_eq!(
        refusal,
        Refusal::TaskNotFound {
            unit: task("orders", 1)
        }
    );
}

#[test]
fn a_long_trace_is_cut_at_a_character() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    fail(
        &mut cluster,
        task("orders", 0),
        &format!("a{}", "ü".repeat(towpath_state::MAX_TRACE_BYTES)),
    );
    let status = cluster.state.task_status("orders", TaskNumber(0)).unwrap();
    assert_eq!(
        status.trace.as_ref().unwrap().len(),
        towpath_state::MAX_TRACE_BYTES - 1
    );
}

//! What users do: create, edit, pause, stop, restart, delete.

use towpath_state::{Command, Detail, Expect, Refusal, RestartFilter, RestartScope};
use towpath_types::{TargetState, TaskNumber, UnitState};

use crate::cluster::{Cluster, config, instance, name, task};

fn restart(connector: &str, scope: RestartScope, filter: RestartFilter) -> Command {
    Command::RestartUnits {
        name: name(connector),
        scope,
        filter,
    }
}

#[test]
fn a_connector_is_created_once() {
    let mut cluster = Cluster::with_workers(1);
    let expect = Expect::MustNotExist;
    let created = cluster.put_expecting("orders", &[("b", "1"), ("a", "2")], expect, TargetState::Running);
    assert_eq!(created.unwrap().detail, Detail::Created);
    let again = cluster.put_expecting("orders", &[], expect, TargetState::Running);
    assert_eq!(
        again.unwrap_err(),
        Refusal::AlreadyExists {
            connector: name("orders")
        }
    );
    let info = cluster.state.connector_info("orders").unwrap();
    assert_eq!(
        info.config.keys().collect::<Vec<_>>(),
        ["b", "a", "connector.class"],
        "the order is kept"
    );
    assert_eq!((info.task_count, info.target), (0, TargetState::Running));
}

#[test]
fn an_edit_of_what_is_gone_or_has_changed_is_refused() {
    let mut cluster = Cluster::with_workers(1);
    let missing = cluster.put_expecting("orders", &[], Expect::MustExist, TargetState::Running);
    assert_eq!(
        missing.unwrap_err(),
        Refusal::ConnectorNotFound {
            connector: name("orders")
        }
    );
    cluster.put("orders", &[]).unwrap();
    let read = cluster.state.connector_info("orders").unwrap().config_revision;
    cluster.put("orders", &[("a", "1")]).unwrap();
    let current = cluster.state.connector_info("orders").unwrap().config_revision;
    let outcome = cluster.put_expecting(
        "orders",
        &[("a", "2")],
        Expect::ConfigRevision(read),
        TargetState::Running,
    );
    assert_eq!(
        outcome.unwrap_err(),
        Refusal::RevisionConflict {
            connector: name("orders"),
            current
        }
    );
    let outcome = cluster.put_expecting(
        "orders",
        &[("a", "2")],
        Expect::ConfigRevision(current),
        TargetState::Running,
    );
    assert_eq!(outcome.unwrap().detail, Detail::Updated);
}

#[test]
fn there_is_no_status_until_the_instance_has_reported() {
    let mut cluster = Cluster::with_workers(1);
    cluster.put("orders", &[]).unwrap();
    cluster.reconcile();
    assert!(cluster.state.status("orders").is_none());
    cluster.settle();
    let status = cluster.state.status("orders").unwrap();
    assert_eq!(status.connector.state, UnitState::Running);
    assert_eq!(&*status.connector.worker_id, "w1:8083");
    assert_eq!(status.connector.version.as_deref(), Some("1.0"));
    assert_eq!(status.tasks.len(), 1);
    assert_eq!(
        cluster.state.task_status("orders", TaskNumber(0)).unwrap().state,
        UnitState::Running
    );
    assert!(cluster.state.task_status("orders", TaskNumber(1)).is_none());
}

#[test]
fn an_edit_restarts_the_instance_and_its_new_task_configurations_restart_the_tasks() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let (before, task_before) = (
        cluster.epoch(&instance("orders")),
        cluster.epoch(&task("orders", 0)),
    );
    cluster.put("orders", &[("tasks.max", "2"), ("x", "1")]).unwrap();
    assert!(cluster.epoch(&instance("orders")) > before);
    assert_eq!(
        cluster.unit_state(&instance("orders")),
        Some(UnitState::Restarting)
    );
    assert_eq!(
        cluster.epoch(&task("orders", 0)),
        task_before,
        "tasks wait for their configurations"
    );
    cluster.settle();
    assert!(
        cluster.epoch(&task("orders", 0)) > task_before,
        "the same task maps, but of another configuration"
    );
}

#[test]
fn an_equal_configuration_restarts_the_instance_but_no_task() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let (before, task_before) = (
        cluster.epoch(&instance("orders")),
        cluster.epoch(&task("orders", 0)),
    );
    cluster.put("orders", &[("tasks.max", "1")]).unwrap();
    cluster.settle();
    assert!(cluster.epoch(&instance("orders")) > before);
    assert_eq!(cluster.epoch(&task("orders", 0)), task_before);
}

#[test]
fn tasks_are_replaced_when_their_count_or_any_configuration_differs() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let zero = config(&[("task", "0")]);
    let one = config(&[("task", "1")]);
    let put = cluster
        .put_tasks("orders", vec![zero.clone(), one.clone()])
        .unwrap();
    assert_eq!(put.detail, Detail::TasksUnchanged);
    let put = cluster.put_tasks("orders", vec![one.clone(), zero]).unwrap();
    assert_eq!(put.detail, Detail::TasksReplaced);
    cluster.settle();
    let put = cluster.put_tasks("orders", vec![one]).unwrap();
    assert_eq!(put.detail, Detail::TasksReplaced);
    assert_eq!(
        cluster.state.status("orders").unwrap().tasks.len(),
        1,
        "the status of a removed task is gone"
    );
    let leaving: Vec<_> = cluster.state.leaving().map(|(unit, _)| unit.clone()).collect();
    assert_eq!(leaving, [task("orders", 1)], "until its worker has confirmed");
}

#[test]
fn a_stopped_connector_has_no_tasks_and_gets_them_back_when_resumed() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    cluster.target("orders", TargetState::Stopped);
    assert_eq!(cluster.state.connector_info("orders").unwrap().task_count, 0);
    assert!(cluster.state.status("orders").unwrap().tasks.is_empty());
    cluster.settle();
    assert_eq!(cluster.unit_state(&instance("orders")), Some(UnitState::Stopped));
    let refused = cluster.put_tasks("orders", vec![config(&[])]).unwrap_err();
    assert_eq!(
        refused,
        Refusal::NotRunning {
            connector: name("orders"),
            target: TargetState::Stopped
        }
    );
    cluster.target("orders", TargetState::Running);
    cluster.settle();
    assert_eq!(cluster.state.status("orders").unwrap().tasks.len(), 2);
}

#[test]
fn a_paused_connector_keeps_its_tasks_and_their_runs() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let epochs = [
        cluster.epoch(&instance("orders")),
        cluster.epoch(&task("orders", 0)),
    ];
    cluster.target("orders", TargetState::Paused);
    cluster.settle();
    assert_eq!(cluster.unit_state(&task("orders", 1)), Some(UnitState::Paused));
    assert_eq!(
        [
            cluster.epoch(&instance("orders")),
            cluster.epoch(&task("orders", 0))
        ],
        epochs
    );
}

#[test]
fn a_connector_created_paused_has_no_tasks_until_it_is_resumed() {
    let mut cluster = Cluster::with_workers(1);
    cluster
        .put_expecting("orders", &[], Expect::MustNotExist, TargetState::Paused)
        .unwrap();
    cluster.settle();
    assert_eq!(cluster.unit_state(&instance("orders")), Some(UnitState::Paused));
    assert_eq!(cluster.state.connector_info("orders").unwrap().task_count, 0);
    assert!(cluster.put_tasks("orders", vec![config(&[])]).is_err());
    cluster.target("orders", TargetState::Running);
    cluster.settle();
    assert_eq!(cluster.state.connector_info("orders").unwrap().task_count, 1);
}

#[test]
fn an_edit_keeps_the_target_state() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    cluster.target("orders", TargetState::Stopped);
    cluster.put("orders", &[("x", "1")]).unwrap();
    assert_eq!(
        cluster.state.connector_info("orders").unwrap().target,
        TargetState::Stopped
    );
}

#[test]
fn commands_that_ask_for_what_is_leave_the_revision_alone() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let before = cluster.state.revision();
    cluster.target("orders", TargetState::Running);
    cluster.must(restart(
        "orders",
        RestartScope::ConnectorAndTasks,
        RestartFilter::OnlyFailed,
    ));
    cluster.must(Command::ResetTopics {
        connector: name("unknown"),
    });
    assert_eq!(cluster.state.revision(), before);
}

#[test]
fn deleting_takes_everything_but_the_offsets() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let refusal = cluster.refusal(Command::DeleteConnector { name: name("other") });
    assert_eq!(
        refusal,
        Refusal::ConnectorNotFound {
            connector: name("other")
        }
    );
    cluster.must(Command::DeleteConnector { name: name("orders") });
    assert!(cluster.state.connector_info("orders").is_none());
    assert!(cluster.state.status("orders").is_none());
    assert!(cluster.state.task_configs("orders").is_none());
    assert_eq!(cluster.state.desired_units(&"w1".into()), []);
    assert_eq!(cluster.state.releases(&"w1".into()).len(), 2);
    cluster.settle();
    assert_eq!(cluster.state.leaving().len(), 0);
}

#[test]
fn a_connector_created_anew_waits_until_the_old_runs_have_ended() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 1);
    let old_owner = cluster.owner(&instance("orders")).unwrap().to_owned();
    let old_epoch = cluster.epoch(&instance("orders"));
    cluster.must(Command::DeleteConnector { name: name("orders") });
    cluster.put("orders", &[]).unwrap();
    cluster.reconcile();
    assert_eq!(
        cluster.owner(&instance("orders")),
        None,
        "the old run has not been confirmed to be over"
    );
    assert!(cluster.state.status("orders").is_none());
    cluster.obey(&old_owner.as_str().into());
    cluster.reconcile();
    assert!(cluster.owner(&instance("orders")).is_some());
    assert!(
        cluster.epoch(&instance("orders")) > old_epoch,
        "epochs never go back"
    );
}

#[test]
fn desired_units_carry_what_a_worker_needs() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let desired = cluster.state.desired_units(&"w1".into());
    assert_eq!(desired.len(), 2);
    assert_eq!(
        (&desired[0].unit, &desired[0].task_config),
        (&instance("orders"), &None)
    );
    assert_eq!(desired[1].unit, task("orders", 0));
    assert_eq!(desired[1].config.get("tasks.max"), Some("1"));
    assert_eq!(desired[1].task_config.as_ref().unwrap().get("task"), Some("0"));
    let revision = cluster.state.assignment_revision(&"w1".into());
    cluster.put("other", &[]).unwrap();
    assert_eq!(
        cluster.state.assignment_revision(&"w1".into()),
        revision,
        "nothing changed for this worker"
    );
    cluster.reconcile();
    assert!(cluster.state.assignment_revision(&"w1".into()) > revision);
}

#[test]
fn setting_a_log_level_again_keeps_the_time_of_the_change() {
    let mut cluster = Cluster::default();
    let set = |level: &str, at_ms| Command::SetLoggerLevel {
        logger: "towpath".to_owned(),
        level: level.parse().unwrap(),
        at_ms,
    };
    cluster.must(set("debug", 1));
    cluster.must(set("DEBUG", 2));
    assert_eq!(cluster.state.loggers()["towpath"].last_modified_ms, 1);
    cluster.must(set("warn", 3));
    assert_eq!(cluster.state.loggers()["towpath"].last_modified_ms, 3);
}

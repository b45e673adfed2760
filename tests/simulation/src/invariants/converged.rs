//! Once nothing goes wrong any more: each wanted unit runs on exactly one live worker that has its plugin, in the run
//! that is wanted, and says so; nothing else runs; counts are even; nothing is left to plan.

use std::collections::{BTreeMap, BTreeSet};

use towpath_state::{ClusterState, Connector, LiveWorkers, Unit, plan};
use towpath_types::{ConnectorName, TargetState, UnitId, UnitState, WorkerId};

use super::Check;
use crate::worker::{Phase, Worker};

pub(crate) fn converged(state: &ClusterState, workers: &[Worker]) -> Check {
    let live: LiveWorkers = workers.iter().map(|worker| WorkerId::new(&worker.id)).collect();
    if let Some(worker) = workers
        .iter()
        .find(|worker| !state.workers().contains_key(&WorkerId::new(&worker.id)))
    {
        return Err(format!("{} is not registered", worker.id));
    }
    if let Some((unit, worker)) = state.leaving().next() {
        return Err(format!("{worker} has not let go of {unit}"));
    }
    let commands = plan(state, &live);
    if !commands.is_empty() {
        return Err(format!("there is something left to plan: {commands:?}"));
    }
    let mut wanted = BTreeMap::new();
    for name in state.list() {
        let connector = state.connector(name.as_str()).expect("it is listed");
        tasks_are_current(name, connector)?;
        for (id, unit) in units_of(name, connector) {
            if let Some(worker) = runs_where_it_should(state, connector, &id, unit)? {
                wanted.insert(id, (worker, unit.epoch));
            }
        }
    }
    nothing_else_runs(workers, &wanted)?;
    counts_are_even(state)
}

fn units_of<'a>(
    name: &'a ConnectorName,
    connector: &'a Connector,
) -> impl Iterator<Item = (UnitId, &'a Unit)> {
    let instance = (UnitId::Connector(name.clone()), &connector.unit);
    let tasks = (0..).zip(&connector.tasks);
    std::iter::once(instance).chain(tasks.map(|(number, task)| (UnitId::task(name, number), &task.unit)))
}

fn tasks_are_current(name: &ConnectorName, connector: &Connector) -> Check {
    let instance_failed = connector
        .unit
        .status
        .as_ref()
        .is_some_and(|status| status.state == UnitState::Failed);
    if connector.target != TargetState::Running || connector.unit.holder.is_none() || instance_failed {
        return Ok(());
    }
    let asked = connector.config.get("tasks.max").unwrap_or("1");
    if connector.tasks.len().to_string() == asked
        && connector.tasks_made_from == Some(connector.config_revision)
    {
        return Ok(());
    }
    Err(format!(
        "{name} has {} tasks made from revision {:?}, but {asked} are asked for in revision {}",
        connector.tasks.len(),
        connector.tasks_made_from,
        connector.config_revision
    ))
}

/// Where it is to run; nowhere if no worker can.
fn runs_where_it_should(
    state: &ClusterState,
    connector: &Connector,
    id: &UnitId,
    unit: &Unit,
) -> Result<Option<WorkerId>, String> {
    let can_run = |worker: &WorkerId| {
        let worker = &state.workers()[worker];
        worker.connector_plugin(connector.class()).is_some()
    };
    let Some(holder) = &unit.holder else {
        let takers = state
            .workers()
            .iter()
            .filter(|(id, worker)| !worker.draining && can_run(id));
        return match takers.count() {
            0 => Ok(None),
            _ => Err(format!("{id} is on no worker")),
        };
    };
    is_drained(state, &holder.worker, id, can_run)?;
    if !can_run(&holder.worker) {
        // Nobody else can either, or the plan would not be empty.
        return Ok(Some(holder.worker.clone()));
    }
    let expected = match connector.target {
        TargetState::Running => UnitState::Running,
        TargetState::Paused => UnitState::Paused,
        TargetState::Stopped => UnitState::Stopped,
    };
    match unit.status.as_ref().map(|status| status.state) {
        Some(state) if state == expected || state == UnitState::Failed => Ok(Some(holder.worker.clone())),
        other => Err(format!("{id} is {other:?}, but should be {expected:?}")),
    }
}

/// A worker that drains keeps only what nobody else can take.
fn is_drained(
    state: &ClusterState,
    holder: &WorkerId,
    unit: &UnitId,
    can_run: impl Fn(&WorkerId) -> bool,
) -> Check {
    let mut others = state.workers().iter().filter(|(_, worker)| !worker.draining);
    if state.workers()[holder].draining && others.any(|(id, _)| can_run(id)) {
        return Err(format!("{holder} drains, but still has {unit}"));
    }
    Ok(())
}

fn nothing_else_runs(
    workers: &[Worker],
    wanted: &BTreeMap<UnitId, (WorkerId, towpath_types::Epoch)>,
) -> Check {
    let mut seen = BTreeSet::new();
    for worker in workers {
        for (unit, run) in worker.process.iter().flat_map(|process| &process.runs) {
            let is_wanted = wanted
                .get(unit)
                .is_some_and(|(owner, epoch)| owner.as_str() == worker.id && *epoch == run.epoch);
            let is_there = matches!(run.phase, Phase::Running | Phase::Failed);
            if !is_wanted || !is_there {
                return Err(format!(
                    "{} has {unit} as {run:?}, wanted is {:?}",
                    worker.id,
                    wanted.get(unit)
                ));
            }
            seen.insert(unit);
        }
    }
    match wanted.keys().find(|unit| !seen.contains(unit)) {
        Some(unit) => Err(format!("{unit} does not run")),
        None => Ok(()),
    }
}

/// Judged among workers that can run everything that is there.
fn counts_are_even(state: &ClusterState) -> Check {
    let connectors: Vec<&Connector> = state
        .list()
        .filter_map(|name| state.connector(name.as_str()))
        .collect();
    let able: Vec<&WorkerId> = state
        .workers()
        .iter()
        .filter(|(_, worker)| {
            let has_all = connectors
                .iter()
                .all(|connector| worker.connector_plugin(connector.class()).is_some());
            !worker.draining && has_all
        })
        .map(|(id, _)| id)
        .collect();
    for is_task in [false, true] {
        let count = |worker: &&&WorkerId| {
            let units = state.desired_units(worker).into_iter();
            units
                .filter(|unit| unit.unit.task_number().is_some() == is_task)
                .count()
        };
        let counts: Vec<usize> = able.iter().map(|worker| count(&worker)).collect();
        if let (Some(least), Some(most)) = (counts.iter().min(), counts.iter().max())
            && most - least > 1
        {
            return Err(format!("the counts {counts:?} of {able:?} are not even"));
        }
    }
    Ok(())
}

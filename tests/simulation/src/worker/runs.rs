//! The units of a worker: what is wanted, what runs, and making the one equal to the other.

use std::collections::BTreeMap;

use rand::Rng;
use towpath_types::{Epoch, UnitId};
use towpath_wire::convert::required_unit;
use towpath_wire::v1;

use super::{Act, FLUSH_MS, MAX_STOP_MS, Process, RECORD_MS, STOP_AFTER_LEASE_MS};
use crate::agenda::Millis;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting {
        until: Millis,
    },
    /// A source task asks where to go on.
    Reading,
    Running,
    Failed,
    Stopping {
        until: Millis,
    },
}

/// One run of a unit.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) epoch: Epoch,
    pub(crate) phase: Phase,
    pub(crate) is_source: bool,
    target: v1::TargetState,
    config: v1::Config,
    revision: u64,
    /// The last record that was read, and the last that was offered for a commit.
    position: u64,
    offered: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    units: BTreeMap<UnitId, v1::DesiredUnit>,
    releases: BTreeMap<UnitId, Epoch>,
}

impl Wanted {
    pub(super) fn of(assignment: v1::Assignment) -> Self {
        let units = assignment.units.into_iter();
        let releases = assignment.releases.into_iter();
        let id = |unit| required_unit(unit).expect("the control plane names units");
        Self {
            units: units.map(|unit| (id(unit.unit.clone()), unit)).collect(),
            releases: releases
                .map(|release| (id(release.unit), Epoch(release.epoch)))
                .collect(),
        }
    }
}

impl Run {
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping { .. })
    }

    /// Nothing but the lease keeps a second one away.
    pub(crate) fn is_unfenced(&self, unit: &UnitId) -> bool {
        self.is_source && unit.task_number().is_some()
    }

    pub(super) fn due(&self) -> Option<Millis> {
        match self.phase {
            Phase::Starting { until } | Phase::Stopping { until } => Some(until),
            Phase::Reading | Phase::Running | Phase::Failed => None,
        }
    }

    fn state(&self) -> v1::UnitState {
        match self.target {
            v1::TargetState::Paused => v1::UnitState::Paused,
            v1::TargetState::Stopped => v1::UnitState::Stopped,
            v1::TargetState::Running | v1::TargetState::Unspecified => v1::UnitState::Running,
        }
    }
}

impl Process {
    pub(super) fn make_equal(&mut self, now: Millis) {
        if self.is_leaving {
            self.stop_where(now, |_, _| true);
            if self.departure_is_noted {
                self.give_back();
            }
            return;
        }
        let wanted = std::mem::take(&mut self.wanted);
        let lease_ends_it = self.sources_must_end();
        self.stop_where(now, |unit, run| {
            let desired = wanted.units.get(unit);
            let is_wanted = desired.is_some_and(|desired| desired.epoch == run.epoch.get());
            !is_wanted || lease_ends_it && run.is_unfenced(unit)
        });
        for (unit, desired) in &wanted.units {
            match self.runs.get(unit) {
                None => self.start(unit, desired, now),
                Some(run) if !run.is_stopping() => self.set_target(unit, desired.target_state()),
                Some(_) => {}
            }
        }
        let looks_anew = std::mem::take(&mut self.looks_anew);
        for (unit, epoch) in wanted.releases.iter().filter(|_| looks_anew) {
            if !self.runs.contains_key(unit) {
                self.outbox.ended(unit, *epoch);
            }
        }
        self.wanted = wanted;
    }

    /// Each unit that is wanted here and does not run any more, once.
    fn give_back(&mut self) {
        let wanted = self.wanted.units.iter();
        let runs = wanted.map(|(unit, desired)| (unit.clone(), Epoch(desired.epoch)));
        let releases = self.wanted.releases.clone();
        for (unit, epoch) in runs.chain(releases).collect::<Vec<_>>() {
            if !self.runs.contains_key(&unit) && self.given_back.insert((unit.clone(), epoch)) {
                self.outbox.ended(&unit, epoch);
            }
        }
    }

    fn stop_where(&mut self, now: Millis, is_over: impl Fn(&UnitId, &Run) -> bool) {
        let lease_ends_it = self.sources_must_end();
        let patience = if lease_ends_it {
            STOP_AFTER_LEASE_MS
        } else {
            MAX_STOP_MS
        };
        for (unit, run) in &mut self.runs {
            match run.phase {
                // A lease that runs out meanwhile leaves less time.
                Phase::Stopping { until } => {
                    if lease_ends_it && run.is_unfenced(unit) {
                        let until = until.min(now + self.clock.takes(patience));
                        run.phase = Phase::Stopping { until };
                    }
                }
                Phase::Starting { .. } | Phase::Reading | Phase::Running | Phase::Failed => {
                    if is_over(unit, run) {
                        let until = now + self.clock.takes(self.rng.random_range(0..=patience));
                        run.phase = Phase::Stopping { until };
                        if run.is_unfenced(unit) && run.position > run.offered {
                            run.offered = run.position;
                            self.outbox
                                .commits
                                .insert(unit.clone(), (run.epoch, run.position));
                        }
                    }
                }
            }
        }
    }

    fn start(&mut self, unit: &UnitId, desired: &v1::DesiredUnit, now: Millis) {
        let is_source = desired.kind() == v1::ConnectorKind::Source;
        if self.sources_must_end() && is_source && unit.task_number().is_some() {
            return;
        }
        self.outbox.begins(unit);
        let until = now + self.clock.takes(self.rng.random_range(0..=80));
        let run = Run {
            epoch: Epoch(desired.epoch),
            phase: Phase::Starting { until },
            is_source,
            target: desired.target_state(),
            config: desired.connector_config.clone().unwrap_or_default(),
            revision: desired.connector_revision,
            position: 0,
            offered: 0,
        };
        self.runs.insert(unit.clone(), run);
    }

    fn set_target(&mut self, unit: &UnitId, target: v1::TargetState) {
        let Some(run) = self.runs.get_mut(unit) else {
            return;
        };
        if std::mem::replace(&mut run.target, target) != target && run.phase == Phase::Running {
            self.announce(unit);
        }
    }

    /// Says what it is now, and a connector that runs also says its tasks.
    fn announce(&mut self, unit: &UnitId) {
        let run = &self.runs[unit];
        self.outbox.report(unit, run.epoch, run.state());
        if unit.task_number().is_some() || run.target != v1::TargetState::Running {
            return;
        }
        let tasks = run.config.entries.iter().find(|entry| entry.key == "tasks.max");
        let count: usize = tasks
            .and_then(|entry| entry.value.as_deref()?.parse().ok())
            .unwrap_or(1);
        let configs = (0..count).map(|number| v1::Config {
            entries: vec![v1::ConfigEntry {
                key: "number".to_owned(),
                value: Some(number.to_string()),
            }],
        });
        let configs = v1::TaskConfigs {
            connector: Some(unit.into()),
            epoch: run.epoch.get(),
            configs: configs.collect(),
            connector_revision: run.revision,
        };
        self.outbox.publish(unit, configs);
    }

    /// Runs start, end, read records and offer what they have read.
    pub(super) fn progress(&mut self, now: Millis) {
        let due: Vec<UnitId> = self
            .runs
            .iter()
            .filter(|(_, run)| run.due().is_some_and(|due| due <= now))
            .map(|(unit, _)| unit.clone())
            .collect();
        for unit in due {
            self.pass(&unit);
        }
        if self.next_record <= now {
            self.next_record = now + self.clock.takes(RECORD_MS);
            for run in self.runs.values_mut() {
                if run.phase == Phase::Running && run.target == v1::TargetState::Running {
                    run.position += 1;
                }
            }
        }
        if self.next_flush <= now {
            self.next_flush = now + self.clock.takes(FLUSH_MS);
            for (unit, run) in &mut self.runs {
                if run.phase == Phase::Running && run.is_unfenced(unit) && run.position > run.offered {
                    run.offered = run.position;
                    self.outbox
                        .commits
                        .insert(unit.clone(), (run.epoch, run.position));
                }
            }
        }
    }

    fn pass(&mut self, unit: &UnitId) {
        let fails = self.tasks_may_fail && self.rng.random_bool(0.03);
        let run = self.runs.get_mut(unit).expect("the caller found it");
        match run.phase {
            Phase::Stopping { .. } => {
                self.runs.remove(unit);
                self.looks_anew = true;
                self.outbox.forget(unit);
            }
            Phase::Starting { .. } if fails => {
                run.phase = Phase::Failed;
                let epoch = run.epoch;
                self.outbox.report(unit, epoch, v1::UnitState::Failed);
            }
            Phase::Starting { .. } if run.is_unfenced(unit) => {
                run.phase = Phase::Reading;
                self.outbox.reads.insert(unit.clone());
            }
            Phase::Starting { .. } => {
                run.phase = Phase::Running;
                self.announce(unit);
            }
            Phase::Reading | Phase::Running | Phase::Failed => {}
        }
    }

    /// A task goes on where the offsets say.
    pub(super) fn go_on(&mut self, unit: &UnitId, epoch: Epoch, offset: u64) {
        let Some(run) = self.runs.get_mut(unit) else {
            return;
        };
        if run.epoch != epoch || run.phase != Phase::Reading {
            return;
        }
        run.phase = Phase::Running;
        run.position = offset;
        run.offered = offset;
        let unit = unit.clone();
        self.acts.push(Act::Began {
            unit: unit.clone(),
            epoch,
            offset,
        });
        self.announce(&unit);
    }

    /// A commit did not count: what it held is offered again.
    pub(super) fn offer_again(&mut self, unit: &UnitId, epoch: Epoch) {
        if let Some(run) = self.runs.get_mut(unit)
            && run.epoch == epoch
        {
            run.offered = 0;
        }
    }

    /// A task that asked in vain asks again.
    pub(super) fn read_again(&mut self, unit: &UnitId, epoch: Epoch) {
        let is_reading = self
            .runs
            .get(unit)
            .is_some_and(|run| run.epoch == epoch && run.phase == Phase::Reading);
        if is_reading {
            self.outbox.reads.insert(unit.clone());
        }
    }
}

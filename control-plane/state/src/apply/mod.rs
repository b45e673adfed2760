//! The only way to change the state: one command at a time, in the order of the log. A handler refuses before it
//! changes anything.

mod connectors;
mod offsets;
mod tasks;
mod units;
mod workers;

pub(crate) use units::mark_unassigned;

use crate::{Applied, ClusterState, Command, Detail, LoggerLevel, LoggerSetting, Outcome, Refusal};

/// What a handler did.
struct Effect {
    changed: Changed,
    detail: Detail,
}

#[derive(Clone, Copy)]
enum Changed {
    Nothing,
    /// Offsets, topics, states, loggers.
    Facts,
    /// Who should run what.
    Layout,
}

impl Effect {
    const NOTHING: Self = Self {
        changed: Changed::Nothing,
        detail: Detail::Done,
    };
    const FACTS: Self = Self {
        changed: Changed::Facts,
        detail: Detail::Done,
    };
    const LAYOUT: Self = Self {
        changed: Changed::Layout,
        detail: Detail::Done,
    };

    fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}

type Handled = Result<Effect, Refusal>;

impl ClusterState {
    /// Gives the same outcome and the same state on every node (invariant 6).
    pub fn apply(&mut self, command: &Command) -> Outcome {
        let effect = self.handle(command)?;
        let (next, _) = self.next();
        match effect.changed {
            Changed::Nothing => {}
            Changed::Facts => self.tables.revision = next,
            Changed::Layout => {
                self.tables.revision = next;
                self.index.layout = next;
            }
        }
        Ok(Applied {
            revision: self.tables.revision,
            detail: effect.detail,
        })
    }

    fn handle(&mut self, command: &Command) -> Handled {
        match command {
            Command::PutConnector {
                name,
                config,
                kind,
                expect,
                initial_state,
            } => {
                let submitted = connectors::Submitted {
                    config,
                    kind: *kind,
                    initial_state: *initial_state,
                };
                self.put_connector(name, &submitted, *expect)
            }
            Command::DeleteConnector { name } => self.delete_connector(name),
            Command::SetTargetState { name, target } => self.set_target_state(name, *target),
            Command::RestartUnits { name, scope, filter } => self.restart_units(name, *scope, *filter),
            Command::RegisterWorker(registration) => self.register_worker(registration),
            // The reason is for whoever reads the log.
            Command::RemoveWorker { from, reason } => self.remove_worker(from, *reason),
            Command::SetDraining {
                worker,
                draining,
                process,
            } => self.set_draining(worker, process.as_ref(), *draining),
            Command::AssignUnits { assignments } => Ok(self.assign_units(assignments)),
            Command::UnassignUnits { revocations } => Ok(self.unassign_units(revocations)),
            Command::ReportUnitStates { from, reports } => self.report_unit_states(from, reports),
            Command::PutTaskConfigs {
                from,
                connector,
                epoch,
                configs,
            } => self.put_task_configs(from, connector, *epoch, configs),
            Command::CommitOffsets { from, commits } => self.commit_offsets(from, commits),
            Command::AlterOffsets {
                connector,
                changes,
                in_kafka,
            } => self.alter_offsets(connector, changes, in_kafka),
            Command::ResetOffsets { connector, in_kafka } => self.reset_offsets(connector, in_kafka),
            Command::RecordTopics { from, topics } => self.record_topics(from, topics),
            Command::ResetTopics { connector } => Ok(self.reset_topics(connector)),
            Command::SetLoggerLevel { logger, level, at_ms } => {
                Ok(self.set_logger_level(logger, *level, *at_ms))
            }
        }
    }

    fn set_logger_level(&mut self, logger: &str, level: LoggerLevel, at_ms: u64) -> Effect {
        // Setting the level that is set already is no change, and keeps the time of the last one (rest-api.md 10).
        if self
            .tables
            .loggers
            .get(logger)
            .is_some_and(|setting| setting.level == level)
        {
            return Effect::NOTHING;
        }
        self.tables.loggers.insert(
            logger.to_owned(),
            LoggerSetting {
                level,
                last_modified_ms: at_ms,
            },
        );
        Effect::FACTS
    }
}

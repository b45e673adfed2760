//! The replicated state of the control plane, and the rules by which it changes. Pure: no clock, no input or output,
//! no randomness, ordered maps only, so that every node that applies the same log holds the same state (invariant 6).
//!
//! # How it is used
//!
//! ```text
//! propose(Command) ──log──▶ ClusterState::apply ──▶ Outcome = Result<Applied, Refusal>
//! plan(&state, &LiveWorkers) ──▶ Vec<Command>       what is missing so that every unit runs where it should
//! state.desired_units(worker), state.releases(worker)   the whole set that is sent to a worker
//! state.{connector_info, status, task_status, list, topics, offsets, task_configs, …}   what the API shows
//! ```
//!
//! # Units, epochs, and who holds what
//!
//! A unit is a connector instance or a task. At most one worker *holds* a unit ([`Holder`]). A worker that must let go
//! (planned move, stop, delete, fewer tasks) moves into the list of the *leaving* and is told so by
//! [`ClusterState::releases`]; until it reports the unit `UNASSIGNED`, or is removed, nobody else gets the unit
//! (invariant 5). The [`Epoch`](towpath_types::Epoch) of a unit is the revision of the change that asked for its
//! current run: assigning, restarting and editing raise it, pausing does not.
//!
//! # What a worker's session has to do
//!
//! 1. `RegisterWorker` with a fresh session and `held`: every unit it still runs, with the epoch of that run. Units it
//!    names keep running, the others start anew. `replaces` is the session that was there when the worker last showed
//!    that it uses this connection: a registration that is written later than a newer one is refused, or what it says
//!    would pass for the truth. Then it reports the states of what it runs once.
//! 2. Run exactly `desired_units`: another epoch means stop the old run (its last offset commit is still accepted),
//!    then start; a unit that is not in the set is stopped.
//! 3. For each of `releases`: stop the unit if it runs, then report `UNASSIGNED` with the epoch of the release, even if
//!    nothing was running. Repeat until the release is gone from the set.
//! 4. A report of `UNASSIGNED` for a desired unit at its current epoch gives it back: it goes to any worker.
//!
//! `ConfigDef`s of plugins are not replicated: they come with every registration and stay with the session.

#![deny(clippy::wildcard_enum_match_arm)]

mod apply;
mod backup;
mod command;
mod index;
mod kafka_offsets;
mod model;
mod offsets;
mod outcome;
mod persisted;
mod plan;
mod query;
mod state;

pub use backup::{BACKUP_VERSION, BackupError};
pub use command::{
    Assignment, Command, Expect, HeldUnit, OffsetChange, OffsetCommit, Registration, RemovalReason, Replaces,
    Reporter, RestartFilter, RestartScope, Revocation, TaskTopics, UnitReport,
};
pub use kafka_offsets::KafkaOffsets;
pub use model::{
    Connector, Holder, Leaving, LoggerLevel, LoggerSetting, Plugin, Task, Unit, UnitStatus, Worker,
};
pub use offsets::{JsonTextError, SourceOffset, SourceOffsets, SourcePartition};
pub use outcome::{Applied, Detail, Outcome, Refusal, Stale};
pub use persisted::{DecodeError, FORMAT_VERSION, FormatVersion, Versioned};
pub use plan::{LiveWorkers, MAX_MOVES_IN_FLIGHT, MAX_UNITS_PER_COMMAND, Obstacle, plan};
pub use query::{ConnectorInfo, ConnectorStatus, DesiredUnit, FenceOrder, Release};
pub use state::ClusterState;

/// The longest error trace that is kept of a unit; the rest is cut off.
pub const MAX_TRACE_BYTES: usize = 32 * 1024;

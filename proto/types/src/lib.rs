//! Names, ids and states that every part of Towpath shares: parsed once at the edge, then impossible to get wrong.
//! Not for behaviour: nothing here reads a clock, a file or a socket.

mod config;
mod ids;
mod labels;
mod log_levels;
mod name;
mod states;

pub use config::ConnectorConfig;
pub use ids::{Epoch, NodeId, ProcessId, Revision, SessionId, TaskNumber, UnitId, WorkerId};
pub use labels::{LabelError, Labels, Requirement, Selector, SelectorError, parse_labels};
pub use log_levels::{LogLevels, LogLevelsError};
pub use name::{ConnectorName, NameError};
pub use states::{ConnectorKind, PluginKind, TargetState, UnitState, UnknownWord};

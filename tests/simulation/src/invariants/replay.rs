//! Invariant 6: the state is a function of the log, also when a snapshot was written and read in the middle.

use towpath_state::{ClusterState, Command, Outcome};

use super::Check;

/// Commands between two snapshots.
const SNAPSHOT_EVERY: u32 = 40;

#[derive(Debug, Default)]
pub(crate) struct Replay {
    state: ClusterState,
    since_snapshot: u32,
}

impl Replay {
    pub(crate) fn written(&mut self, command: &Command, outcome: &Outcome) -> Check {
        self.since_snapshot += 1;
        if self.since_snapshot >= SNAPSHOT_EVERY {
            self.since_snapshot = 0;
            let bytes = self.state.encode();
            self.state = ClusterState::decode(&bytes)
                .map_err(|error| format!("a snapshot cannot be read: {error}"))?;
        }
        let again = self.state.apply(command);
        if again == *outcome {
            return Ok(());
        }
        Err(format!(
            "{command:?} led to {outcome:?}, and to {again:?} when it was replayed"
        ))
    }

    pub(crate) fn same_as(&self, node: usize, state: &ClusterState) -> Check {
        if self.state == *state {
            return Ok(());
        }
        Err(format!("node {node} holds another state than the replayed log"))
    }
}

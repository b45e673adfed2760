//! What openraft's errors mean to callers.

use std::error::Error;
use std::time::Duration;

use openraft::error::{CheckIsLeaderError, ClientWriteError, Fatal, ForwardToLeader, RaftError};
use towpath_types::NodeId;

use crate::types::Member;
use crate::{Leader, StoreError};

#[derive(Debug, Clone)]
pub(crate) struct Answers {
    pub(crate) node: NodeId,
    pub(crate) patience: Duration,
}

impl Answers {
    pub(crate) fn of_write(&self, error: RaftError<u64, ClientWriteError<u64, Member>>) -> StoreError {
        match error {
            RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => self.not_leader(forward),
            RaftError::APIError(ClientWriteError::ChangeMembershipError(error)) => StoreError::Membership {
                reason: chain(&error),
            },
            RaftError::Fatal(fatal) => self.stopped(&fatal),
        }
    }

    pub(crate) fn of_read(&self, error: RaftError<u64, CheckIsLeaderError<u64, Member>>) -> StoreError {
        match error {
            RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward)) => self.not_leader(forward),
            RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_)) => self.no_quorum(),
            RaftError::Fatal(fatal) => self.stopped(&fatal),
        }
    }

    pub(crate) fn no_quorum(&self) -> StoreError {
        StoreError::NoQuorum {
            waited_ms: u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn not_leader(&self, forward: ForwardToLeader<u64, Member>) -> StoreError {
        let leader = forward.leader_id.zip(forward.leader_node);
        StoreError::NotLeader {
            node: self.node,
            leader: leader.map(|(node, member)| Leader {
                node: NodeId(node),
                api_address: member.api_address,
            }),
        }
    }

    pub(crate) fn stopped(&self, error: &dyn Error) -> StoreError {
        StoreError::Stopped {
            node: self.node,
            reason: chain(error),
        }
    }

    pub(crate) fn shut_down(&self) -> StoreError {
        StoreError::Stopped {
            node: self.node,
            reason: "it was shut down".to_owned(),
        }
    }
}

/// What stopped a node by itself; `None` for an ordinary shutdown.
pub(crate) fn failure(fatal: &Fatal<u64>) -> Option<String> {
    match fatal {
        Fatal::Stopped => None,
        Fatal::StorageError(_) | Fatal::Panicked => Some(chain(fatal)),
    }
}

/// For a reason that outlives its error. openraft's errors repeat their cause, ours do not.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

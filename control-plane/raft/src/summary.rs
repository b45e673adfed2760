//! What openraft says of itself, in the words of [`StoreMetrics`].

use std::sync::Arc;
use std::time::Duration;

use openraft::{RaftMetrics, ServerState};
use tokio::sync::watch;
use tokio::time::Instant;
use towpath_types::NodeId;

use crate::answer::failure;
use crate::lead::Lead;
use crate::types::Member;
use crate::{Leader, Role, StoreMetrics};

/// Runs as one task of a store until openraft ends, which `shutdown` makes it do.
pub(crate) async fn publish(
    mut source: watch::Receiver<RaftMetrics<u64, Member>>,
    published: watch::Sender<StoreMetrics>,
    (deaf_after, lead): (Duration, Arc<Lead>),
) {
    // What is read in a round was written after the round before had begun.
    let mut before = None;
    loop {
        let begun = Instant::now();
        let now = {
            let metrics = source.borrow_and_update();
            if let Some(before) = before.replace(begun) {
                lead.note(&metrics, before);
            }
            summary(&metrics, deaf_after)
        };
        if let Some(reason) = &now.failure {
            tracing::error!(node = %now.node, reason, "the node stops, because it cannot keep its log");
        }
        published.send_if_modified(|known| std::mem::replace(known, now.clone()) != now);
        if source.changed().await.is_err() {
            published.send_modify(|metrics| metrics.role = Role::Stopped);
            return;
        }
    }
}

/// A leader that hears from no majority any more calls itself one until somebody tells it better, and others may have
/// elected another meanwhile. It must not renew leases then: the new leader gives the same workers' units away.
pub(crate) fn summary(metrics: &RaftMetrics<u64, Member>, deaf_after: Duration) -> StoreMetrics {
    let failure = metrics.running_state.as_ref().err().and_then(failure);
    let silence = metrics.millis_since_quorum_ack.map(Duration::from_millis);
    let hears_majority = silence.is_some_and(|silence| silence <= deaf_after);
    let role = match metrics.state {
        _ if metrics.running_state.is_err() => Role::Stopped,
        ServerState::Leader if !hears_majority => Role::Candidate,
        ServerState::Leader => Role::Leader,
        ServerState::Follower => Role::Follower,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Shutdown => Role::Stopped,
    };
    let members = metrics.membership_config.membership();
    let is_itself = |leader: &u64| *leader == metrics.id;
    let leader = metrics
        .current_leader
        .filter(|leader| role != Role::Stopped && (role == Role::Leader || !is_itself(leader)));
    StoreMetrics {
        node: NodeId(metrics.id),
        role,
        leader: leader.and_then(|node| {
            let member = members.get_node(&node)?;
            Some(Leader {
                node: NodeId(node),
                api_address: member.api_address.clone(),
            })
        }),
        term: metrics.current_term,
        last_log_index: metrics.last_log_index,
        applied_index: metrics.last_applied.map(|log_id| log_id.index),
        snapshot_index: metrics.snapshot.map(|log_id| log_id.index),
        purged_index: metrics.purged.map(|log_id| log_id.index),
        failure,
    }
}

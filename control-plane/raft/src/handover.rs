//! A leader that stops asks the follower that has most of the log to lead, instead of leaving the others to find out by
//! their time-outs that it is gone.
//!
//! openraft has no word for it, and followers grant no vote so long as they have heard the leader lately. So the leader,
//! which takes no more proposals, has the others promise the next term to its heir, itself last; a promise for a later term
//! ends the one to the present leader. Then the heir stands for election, and only that counts: it needs the votes of a
//! majority, and gets none from a node with more of the log than it has. If the heir is lost meanwhile, the others elect
//! after their time-outs as ever.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use openraft::error::Fatal;
use openraft::storage::Snapshot;
use openraft::{RaftMetrics, ServerState};
use serde::{Deserialize, Serialize};
use towpath_types::NodeId;

use crate::Timing;
use crate::peers::Peer;
use crate::register::Register;
use crate::types::{Member, Raft, SnapshotMeta, Vote};

/// The next term, and who is to lead in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandOver {
    pub(crate) vote: Vote,
}

type Metrics = RaftMetrics<u64, Member>;

/// Whether this node leads and there is another one that could.
pub(crate) fn is_possible(raft: &Raft) -> bool {
    let metrics = raft.metrics().borrow().clone();
    metrics.state == ServerState::Leader && furthest(&metrics).is_some()
}

/// Ends when another node leads, or when it is not worth waiting for any longer. To be called when no proposal is under
/// way: the heir must have all of the log.
pub(crate) async fn hand_over(raft: &Raft, node: NodeId, register: &Arc<Register>, timing: &Timing) {
    let Some(heir) = heir(raft, timing.silence).await else {
        return;
    };
    let metrics = raft.metrics().borrow().clone();
    let message = HandOver {
        vote: Vote::new(metrics.current_term + 1, heir),
    };
    let members = metrics.membership_config.membership();
    let peer = |id: u64| Some(Peer::new(id, members.get_node(&id)?, register.clone()));
    let voters: BTreeSet<u64> = members.voter_ids().collect();
    let others = voters.into_iter().filter(|id| ![node.get(), heir].contains(id));
    let told = others.filter_map(peer).map(async |peer| {
        // One that cannot be reached has no vote to give either.
        if let Err(error) = peer.hand_over(&message, timing.heartbeat).await {
            tracing::debug!(%node, %error, "a node was not told of the hand-over");
        }
    });
    join_all(told).await;
    if let Err(error) = release(raft, &message).await {
        tracing::warn!(%node, %error, "the lead cannot be handed over");
        return;
    }
    let asked = match peer(heir) {
        Some(peer) => peer.hand_over(&message, timing.heartbeat).await,
        None => return,
    };
    if let Err(error) = asked {
        tracing::warn!(%node, heir, %error, "the node that should lead next cannot be reached: the others will elect");
        return;
    }
    let is_led = |metrics: &Metrics| metrics.current_leader.is_some_and(|leader| leader != node.get());
    let waited = raft
        .wait(Some(2 * timing.silence))
        .metrics(is_led, "another leader")
        .await;
    match waited {
        Ok(metrics) => tracing::info!(%node, leader = metrics.current_leader, "another node leads now"),
        Err(error) => tracing::warn!(%node, %error, "no other node leads yet"),
    }
}

/// The follower that has all of the log, or the one that has most of it if none gets there in time; `None` if there is
/// nobody who could lead, or this node does not lead itself.
async fn heir(raft: &Raft, patience: Duration) -> Option<u64> {
    let is_settled = |metrics: &Metrics| {
        metrics.state != ServerState::Leader
            || furthest(metrics).is_none_or(|(matched, _)| matched >= metrics.last_log_index)
    };
    // Too late is no reason not to try: openraft lets nobody lead who lacks something committed.
    let settled = raft
        .wait(Some(patience))
        .metrics(is_settled, "a follower with all of the log")
        .await;
    let metrics = settled.unwrap_or_else(|_| raft.metrics().borrow().clone());
    if metrics.state != ServerState::Leader {
        return None;
    }
    furthest(&metrics).map(|(_, id)| id)
}

/// How far the voter is that has most of the log, apart from this node.
fn furthest(metrics: &Metrics) -> Option<(Option<u64>, u64)> {
    let voters: BTreeSet<u64> = metrics.membership_config.voter_ids().collect();
    let followers = metrics.replication.iter().flatten();
    let followers = followers.filter(|(id, _)| **id != metrics.id && voters.contains(id));
    followers
        .map(|(id, matched)| (matched.map(|log_id| log_id.index), *id))
        .max()
}

/// What a node does that is told of a hand-over.
pub(crate) async fn obey(raft: &Raft, node: u64, message: &HandOver) -> Result<(), Fatal<u64>> {
    // A message that was long under way starts no election.
    let current_term = raft.metrics().borrow().current_term;
    let asked_term = message.vote.leader_id().term;
    if current_term >= asked_term {
        tracing::debug!(node, current_term, asked_term, "a hand-over came too late");
        return Ok(());
    }
    if message.vote.leader_id().node_id == node {
        tracing::info!(node, "the leader stops and asks this node to lead");
        return raft.trigger().elect().await;
    }
    release(raft, message).await
}

/// Ends this node's promise to the leader that it follows, or its own lead. A snapshot of nothing does that: it is older than
/// whatever is here, so nothing is installed, and what counts of it is the vote.
async fn release(raft: &Raft, message: &HandOver) -> Result<(), Fatal<u64>> {
    let nothing = Snapshot {
        meta: SnapshotMeta::default(),
        snapshot: Box::default(),
    };
    raft.install_full_snapshot(message.vote, nothing).await.map(drop)
}

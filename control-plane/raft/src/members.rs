//! Who belongs to the group: reading it, and changing it one node at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use openraft::ChangeMembers;
use openraft::error::{ChangeMembershipError, ClientWriteError, RaftError};
use towpath_types::NodeId;

use crate::answer::Answers;
use crate::peers::Peer;
use crate::register::Register;
use crate::types::{Member, Raft};
use crate::{GroupMember, StoreError};

/// How long a new node may take to get the state and the log. It keeps what it has got, so asking again goes on.
const CATCH_UP: Duration = Duration::from_secs(60);

/// How long a member may take to say that it is there, or that it is not the one that it was.
const GREETING: Duration = Duration::from_secs(1);

pub(crate) fn list(raft: &Raft) -> Vec<GroupMember> {
    let metrics = raft.metrics().borrow().clone();
    let membership = metrics.membership_config.membership();
    let voters: BTreeSet<u64> = membership.voter_ids().collect();
    let described = membership.nodes().map(|(id, member)| GroupMember {
        node: NodeId(*id),
        member: member.clone(),
        has_vote: voters.contains(id),
        is_leader: metrics.current_leader == Some(*id),
    });
    described.collect()
}

/// First as a learner, so that an empty node with a vote does not hold the group up.
pub(crate) async fn add(
    raft: &Raft,
    register: &Arc<Register>,
    answers: &Answers,
    node: NodeId,
    member: Member,
) -> Result<(), StoreError> {
    if let Some(known) = list(raft).into_iter().find(|known| known.node == node) {
        if known.member != member {
            return Err(StoreError::Membership {
                reason: format!(
                    "node {node} is a member already, at {} and {}: remove it first, or use another number",
                    known.member.peer_address, known.member.api_address
                ),
            });
        }
        // It asks because it is empty: perhaps it was not before.
        let peer = Peer::new(node.get(), &member, register.clone());
        if let Some(reason) = peer.objection(GREETING).await {
            return Err(StoreError::Membership { reason });
        }
        if known.has_vote {
            return Ok(());
        }
    } else if let Err(error) = register.forget(node.get()).await {
        return Err(answers.stopped(&error));
    }
    let caught_up = tokio::time::timeout(CATCH_UP, raft.add_learner(node.get(), member.clone(), true));
    match caught_up.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(refused(answers, error)),
        Err(_) => {
            return Err(StoreError::Membership {
                reason: format!(
                    "node {node} at {} has not caught up within {} s: see that it runs and can be reached, then ask again",
                    member.peer_address,
                    CATCH_UP.as_secs()
                ),
            });
        }
    }
    change(raft, answers, ChangeMembers::AddVoterIds([node.get()].into())).await
}

pub(crate) async fn remove(
    raft: &Raft,
    register: &Arc<Register>,
    answers: &Answers,
    node: NodeId,
) -> Result<(), StoreError> {
    let members = list(raft);
    let Some(leaving) = members.iter().find(|known| known.node == node) else {
        return Ok(());
    };
    let voters = members.iter().filter(|member| member.has_vote).count();
    if leaving.has_vote && voters == 1 {
        return Err(StoreError::Membership {
            reason: format!("node {node} is the last one with a vote: add another before"),
        });
    }
    let leads = members
        .iter()
        .any(|known| known.is_leader && known.node.get() == register.node());
    // Anybody else only says who leads.
    if leaving.has_vote && leads {
        let remaining = members
            .iter()
            .filter(|known| known.has_vote && known.node != node);
        check_majority(register, node, &remaining.collect::<Vec<_>>()).await?;
    }
    let id = BTreeSet::from([node.get()]);
    if leaving.has_vote {
        change(raft, answers, ChangeMembers::RemoveVoters(id)).await
    } else {
        change(raft, answers, ChangeMembers::RemoveNodes(id)).await
    }
}

/// A group that cannot decide anything cannot take anybody in again either.
async fn check_majority(
    register: &Arc<Register>,
    leaving: NodeId,
    remaining: &[&GroupMember],
) -> Result<(), StoreError> {
    let silent = join_all(remaining.iter().map(async |known| {
        let node = known.node.get();
        let is_there = node == register.node()
            || Peer::new(node, &known.member, register.clone())
                .is_there(GREETING)
                .await;
        (!is_there).then(|| node.to_string())
    }));
    let silent: Vec<String> = silent.await.into_iter().flatten().collect();
    if (remaining.len() - silent.len()) * 2 > remaining.len() {
        return Ok(());
    }
    Err(StoreError::Membership {
        reason: format!(
            "without node {leaving} there would be {} with a vote, of which node {} does not answer, and the others are no \
             majority: start what does not answer again, or take it out first",
            remaining.len(),
            silent.join(" and node ")
        ),
    })
}

async fn change(
    raft: &Raft,
    answers: &Answers,
    changes: ChangeMembers<u64, Member>,
) -> Result<(), StoreError> {
    let changed = tokio::time::timeout(answers.patience, raft.change_membership(changes, false));
    match changed.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refused(answers, error)),
        Err(_) => Err(answers.no_quorum()),
    }
}

fn refused(answers: &Answers, error: RaftError<u64, ClientWriteError<u64, Member>>) -> StoreError {
    if let RaftError::APIError(ClientWriteError::ChangeMembershipError(ChangeMembershipError::InProgress(
        _,
    ))) = &error
    {
        return StoreError::Membership {
            reason: "another change of the members is under way: wait for it, then ask again".to_owned(),
        };
    }
    answers.of_write(error)
}

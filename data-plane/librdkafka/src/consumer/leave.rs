//! Leaving a group for good.
//!
//! With `group.instance.id` librdkafka leaves nothing when it is closed: that is what static membership is for. It does
//! leave when it is unsubscribed, which is the only way to tell it to.

use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka_sys as sys;

use super::{BatchConsumer, GroupError, Pending, blocking};
use crate::ending::drop_here;
use crate::error::ConsumerError;
use crate::native;

/// How often is looked whether it has left; there is no event of that.
const LOOK: Duration = Duration::from_millis(5);

/// What a consumer knows of its place in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    /// It has asked for none.
    None,
    /// It has asked for one, and the group may have it already: only the answer tells the member's id.
    Joining,
    /// It has asked for one, and something is in the way.
    HeldUp,
    Member,
    /// Another member has its place, or it is beyond repair.
    Fenced,
}

impl Membership {
    pub(super) fn after(self, error: &GroupError) -> Self {
        match self {
            _ if error.fatal => Self::Fenced,
            Self::Joining => Self::HeldUp,
            other => other,
        }
    }
}

impl BatchConsumer {
    /// Leaves the group, also as a static member; [`Self::close`] comes after it. Revocations on the way are confirmed:
    /// commit before. One that is about to join joins first, since a place that it was given unseen would be kept until
    /// its session times out; that takes what the group waits for its first members.
    pub async fn leave(&mut self, deadline: Duration) {
        if tokio::time::timeout(deadline, self.give_up_place())
            .await
            .is_err()
        {
            tracing::warn!(
                elapsed_ms = deadline.as_millis(),
                "the consumer did not leave its group in time; the group waits for it until its session times out"
            );
        }
    }

    async fn give_up_place(&mut self) {
        self.confirm_pending();
        while self.membership == Membership::Joining {
            self.confirm_events().await;
        }
        if self.membership != Membership::Member {
            return;
        }
        self.inner.unsubscribe();
        // Forgotten when the request to leave is sent. Closing waits for the answer.
        while self.membership == Membership::Member && !self.member_id().await.is_ok_and(|id| id.is_empty()) {
            self.confirm_events().await;
        }
    }

    /// Ends the consumer, which leaves the group unless it is a static member: [`Self::leave`] is for that. Revocations on
    /// the way are confirmed: commit before. What has not ended by the deadline ends in the background.
    pub async fn close(mut self, deadline: Duration) {
        self.confirm_pending();
        let closed = async {
            if self.inner.close_queue().is_err() {
                return;
            }
            while !self.inner.closed() {
                while self.poll_event().is_some() {
                    self.confirm_pending();
                }
                if self.inner.closed() {
                    return;
                }
                self.ready().await;
            }
        };
        if tokio::time::timeout(deadline, closed).await.is_err() {
            tracing::warn!(
                elapsed_ms = deadline.as_millis(),
                "the consumer did not leave its group in time"
            );
            return;
        }
        // Joins librdkafka's threads, so not on a thread of the runtime. A panic in there is nothing to act on here.
        let _closed = tokio::task::spawn_blocking(move || drop_here(self)).await;
    }

    /// Confirms what has come, or waits for something, or for the time to look again.
    async fn confirm_events(&mut self) {
        let mut any = false;
        while self.poll_event().is_some() {
            self.confirm_pending();
            any = true;
        }
        if !any {
            let _either = tokio::time::timeout(LOOK, self.ready()).await;
        }
    }

    /// A rebalance that was handed out and is not confirmed keeps everything else waiting.
    fn confirm_pending(&mut self) {
        let confirmed = match &self.pending {
            // Where they would be read does not matter, as nobody does.
            Some(Pending::Assign(partitions)) => self.assign(&vec![Offset::End; partitions.len()]),
            Some(Pending::Revoke(_) | Pending::Supersede(_)) => self.release(),
            None => Ok(()),
        };
        if let Err(error) = confirmed {
            tracing::debug!(%error, "a rebalance while leaving was not confirmed");
        }
    }

    /// Empty for one that has not joined or has left. Asks librdkafka's own thread.
    async fn member_id(&self) -> Result<String, ConsumerError> {
        let inner = std::sync::Arc::clone(&self.inner);
        blocking(move || {
            let client = inner.client().native_ptr();
            // SAFETY: the client is alive.
            let id = unsafe { sys::rd_kafka_memberid(client) };
            if id.is_null() {
                return String::new();
            }
            // SAFETY: a C string, which is ours until it is given back below.
            let text = unsafe { native::text(id) }.into_owned();
            // SAFETY: it was allocated by this client and is not used any more.
            unsafe { sys::rd_kafka_mem_free(client, id.cast()) };
            text
        })
        .await
    }
}

//! Leaving a group for good.
//!
//! With `group.instance.id` librdkafka leaves nothing when it is closed: that is what static membership is for. It does
//! leave when it is unsubscribed, which is the only way to tell it to.

use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka_sys as sys;

use super::{BatchConsumer, blocking};
use crate::error::ConsumerError;
use crate::native;

/// How often is looked whether it has left; there is no event of that.
const LOOK: Duration = Duration::from_millis(5);

impl BatchConsumer {
    /// Leaves the group, also as a static member; [`Self::close`] comes after it. Revocations on the way are confirmed:
    /// commit before. A member that has never had an assignment, or that was fenced, has nothing to leave.
    pub async fn leave(&mut self, deadline: Duration) {
        if !self.has_joined || self.is_fenced {
            return;
        }
        self.confirm_pending();
        self.inner.unsubscribe();
        let left = async {
            loop {
                while let Some(event) = self.poll_event() {
                    self.confirm_on_close(&event);
                }
                // Forgotten when the request to leave is sent. Closing waits for the answer.
                if self.is_fenced || self.member_id().await.is_ok_and(|id| id.is_empty()) {
                    return;
                }
                // An event, or time to look again.
                let _either = tokio::time::timeout(LOOK, self.ready()).await;
            }
        };
        if tokio::time::timeout(deadline, left).await.is_err() {
            tracing::warn!(
                elapsed_ms = deadline.as_millis(),
                "the consumer did not leave its group in time; the group waits for it until its session times out"
            );
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

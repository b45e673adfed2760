//! Whether a group reads all that it is there for.
//!
//! A member that takes its place over gets what the place had, and none of the members looks at the topics anew if it was
//! the leader's: the broker does not tell the new one that it is the leader now (it does Java's, with a newer version of the
//! request than librdkafka's). What was created, or taken out of the configuration, since the last rebalance would never be
//! noticed. So such a member asks the group, and joins it again if something is amiss; the broker then has the leader share
//! everything out.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::time::Instant;
use towpath_connect::error::Chain;
use towpath_librdkafka::{BatchConsumer, ConsumerError, Coverage, TopicPartition};

use crate::trouble::is_permanent;

/// When the group is asked for the first time: first come the records.
const SOON: Duration = Duration::from_secs(1);
/// When it is asked again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What has to be asked, and when.
pub(crate) struct GroupCheck {
    state: State,
}

enum State {
    /// There was no assignment yet.
    Joining,
    /// To be asked then.
    Due(Instant),
    Asking(BoxFuture<'static, Result<Coverage, ConsumerError>>),
    /// All is read, or the group cannot be asked.
    Done,
}

impl GroupCheck {
    /// Members without a place of their own take over nothing.
    pub(crate) fn new(has_place: bool) -> Self {
        let state = if has_place { State::Joining } else { State::Done };
        Self { state }
    }

    /// The first assignment may be one that was taken over.
    pub(crate) fn assigned(&mut self) {
        if matches!(self.state, State::Joining) {
            self.state = State::Due(Instant::now() + SOON);
        }
    }

    pub(crate) fn is_under_way(&self) -> bool {
        matches!(self.state, State::Due(_) | State::Asking(_))
    }

    /// Waits for the time to ask and for the answer. Says whether the group has to be joined again. Dropping the future loses
    /// nothing.
    pub(crate) async fn must_rejoin(
        &mut self,
        consumer: &BatchConsumer,
        topics: &[String],
        own: &[TopicPartition],
    ) -> bool {
        loop {
            match &mut self.state {
                State::Joining | State::Done => std::future::pending().await,
                State::Due(at) => {
                    tokio::time::sleep_until(*at).await;
                    let asked = consumer.coverage(topics.to_vec(), own.to_vec(), TIMEOUT);
                    self.state = State::Asking(Box::pin(asked));
                }
                State::Asking(answer) => {
                    let answer = answer.await;
                    return self.judge(answer, topics, own);
                }
            }
        }
    }

    fn judge(
        &mut self,
        answer: Result<Coverage, ConsumerError>,
        topics: &[String],
        own: &[TopicPartition],
    ) -> bool {
        self.state = State::Due(Instant::now() + AGAIN);
        match answer {
            Ok(Coverage::Rebalancing) => false,
            Ok(Coverage::Unread(unread)) => {
                let is_unwanted =
                    |entry: &&TopicPartition| !topics.iter().any(|topic| **topic == *entry.topic);
                let unwanted = own.iter().filter(is_unwanted).count();
                if unread.is_empty() && unwanted == 0 {
                    self.state = State::Done;
                    return false;
                }
                tracing::info!(
                    unread = unread.len(),
                    unwanted,
                    "the group does not read what it is there for since this task took its place in it over; joining again"
                );
                true
            }
            Err(ConsumerError::Coverage { source })
                if source.rdkafka_error_code().is_some_and(is_permanent) =>
            {
                tracing::debug!(error = %source, "the group cannot be asked what it reads");
                self.state = State::Done;
                false
            }
            Err(error) => {
                tracing::debug!(error = %Chain(&error), "the group did not say what it reads; asking again");
                false
            }
        }
    }
}

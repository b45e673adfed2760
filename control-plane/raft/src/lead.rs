//! Whether a node that leads still does: by when a majority said so last, not by what openraft made of it when it looked.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use openraft::{RaftMetrics, ServerState};
use tokio::time::Instant;

use crate::types::Member;

#[derive(Debug)]
pub(crate) struct Lead {
    silence: Duration,
    /// No later than when the last answer of a majority was asked for; `None` when another leads. A std mutex: never held
    /// across an await.
    answered: Mutex<Option<Instant>>,
}

impl Lead {
    pub(crate) fn new(silence: Duration) -> Self {
        Self {
            silence,
            answered: Mutex::new(None),
        }
    }

    /// `before` is a moment before openraft wrote these metrics. They only say how long ago the majority had answered then,
    /// and this process may have been stopped since.
    pub(crate) fn note(&self, metrics: &RaftMetrics<u64, Member>, before: Instant) {
        let leads = metrics.state == ServerState::Leader && metrics.running_state.is_ok();
        let silent = metrics.millis_since_quorum_ack.filter(|_| leads);
        // Whole milliseconds, rounded down there.
        let answered = silent.and_then(|millis| before.checked_sub(Duration::from_millis(millis + 1)));
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = answered;
    }

    /// Another node is elected no sooner than the followers stop listening to this one, and gives every worker a whole lease
    /// from then on.
    pub(crate) fn is_certain(&self) -> bool {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|answered| answered.elapsed() <= self.silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_millis(800);

    fn metrics(state: ServerState, silent: Option<u64>) -> RaftMetrics<u64, Member> {
        let mut metrics = RaftMetrics::new_initial(1);
        metrics.state = state;
        metrics.millis_since_quorum_ack = silent;
        metrics
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_from_when_it_was_asked_for_however_late_it_is_looked_at() {
        let lead = Lead::new(SILENCE);
        assert!(!lead.is_certain());
        let before = Instant::now();
        lead.note(&metrics(ServerState::Leader, Some(99)), before);
        assert!(lead.is_certain());
        // What SIGSTOP does: nothing is noted any more, and time goes on.
        tokio::time::advance(Duration::from_millis(700)).await;
        assert!(lead.is_certain());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!lead.is_certain());
        // The same metrics, looked at only now, say nothing of now.
        lead.note(&metrics(ServerState::Leader, Some(99)), before);
        assert!(!lead.is_certain());
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_no_majority_has_answered_or_that_follows_is_no_leader() {
        let lead = Lead::new(SILENCE);
        tokio::time::advance(Duration::from_secs(60)).await;
        let now = Instant::now();
        for (state, silent) in [
            (ServerState::Leader, None),
            (ServerState::Leader, Some(801)),
            (ServerState::Follower, Some(1)),
        ] {
            lead.note(&metrics(ServerState::Leader, Some(1)), now);
            assert!(lead.is_certain());
            lead.note(&metrics(state, silent), now);
            assert!(!lead.is_certain(), "{state:?} {silent:?}");
        }
    }
}

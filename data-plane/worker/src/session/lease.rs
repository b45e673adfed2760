//! Until when the lease holds, by this worker's own clock.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Lease {
    duration: Duration,
    /// When the newest message was sent that the control plane has answered: the leader counts from when it came.
    answered: Instant,
    /// Whether this session has said what is wanted. Until then only what an earlier one said is known, and a unit that
    /// stopped with the last lease may be somebody else's by now.
    is_assigned: bool,
}

impl Lease {
    /// `sent`: when the registration was.
    pub(super) fn new(duration: Duration, sent: Instant) -> Self {
        Self {
            duration,
            answered: sent,
            is_assigned: false,
        }
    }

    pub(super) fn duration(&self) -> Duration {
        self.duration
    }

    /// A message that was sent then has been answered.
    pub(super) fn answered(&mut self, sent: Instant) {
        self.answered = sent;
    }

    pub(super) fn assigned(&mut self) {
        self.is_assigned = true;
    }

    /// `None`: no longer than the last session has said.
    pub(super) fn until(&self) -> Option<Instant> {
        self.is_assigned.then(|| self.answered + self.duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_session_gives_no_lease_before_it_has_said_what_is_wanted() {
        let begin = Instant::now();
        let mut lease = Lease::new(3 * SECOND, begin);
        assert_eq!(lease.until(), None);
        lease.answered(begin + SECOND);
        assert_eq!(
            lease.until(),
            None,
            "an answered heartbeat says nothing about units"
        );
        lease.assigned();
        assert_eq!(lease.until(), Some(begin + 4 * SECOND));
    }

    #[test]
    fn a_lease_counts_from_when_the_answered_message_was_sent() {
        let begin = Instant::now();
        let mut lease = Lease::new(3 * SECOND, begin);
        lease.assigned();
        assert_eq!(lease.until(), Some(begin + 3 * SECOND));
        lease.answered(begin + 2 * SECOND);
        assert_eq!(lease.until(), Some(begin + 5 * SECOND));
    }
}

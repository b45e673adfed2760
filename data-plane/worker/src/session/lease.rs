//! Until when the lease holds, by this worker's own clock.

use std::time::Duration;

use tokio::time::Instant;

/// What is left of a lease is this part of it: units that nothing else fences are gone before the leader, which waits a
/// sixth of the lease on top, gives them to another worker. The rest of that sixth is for clocks that differ.
const GRACE: u32 = 15;

/// What the rest of the worker is to know of the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) until: Instant,
    /// How long what has to end with the lease may take for that.
    pub(crate) grace: Duration,
}

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
    pub(super) fn term(&self) -> Option<Term> {
        self.is_assigned.then(|| Term {
            until: self.answered + self.duration,
            grace: self.duration / GRACE,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn until(lease: &Lease) -> Option<Instant> {
        lease.term().map(|term| term.until)
    }

    #[test]
    fn a_session_gives_no_lease_before_it_has_said_what_is_wanted() {
        let begin = Instant::now();
        let mut lease = Lease::new(3 * SECOND, begin);
        assert_eq!(until(&lease), None);
        lease.answered(begin + SECOND);
        assert_eq!(
            until(&lease),
            None,
            "an answered heartbeat says nothing about units"
        );
        lease.assigned();
        assert_eq!(until(&lease), Some(begin + 4 * SECOND));
    }

    #[test]
    fn a_lease_counts_from_when_the_answered_message_was_sent() {
        let begin = Instant::now();
        let mut lease = Lease::new(3 * SECOND, begin);
        lease.assigned();
        assert_eq!(until(&lease), Some(begin + 3 * SECOND));
        lease.answered(begin + 2 * SECOND);
        assert_eq!(until(&lease), Some(begin + 5 * SECOND));
    }
}

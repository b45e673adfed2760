//! When a request is tried again: what kind of failure it was, how long to wait, and when to give up.

use std::time::Duration;

use rand::Rng;
use tokio::time::Instant;

/// The first wait after the search engine could not be reached.
const FIRST_LOST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait while it cannot be reached: it is asked at least this often whether it is back.
const LONGEST_LOST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait after it answered, unless the first is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// While it starts up a search engine answers that it is not available. Longer than this is no start any more.
const STARTS_WITHIN: Duration = Duration::from_secs(300);

/// Why something is to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It could not be reached, or the connection broke. It is waited for.
    Lost,
    /// It answered that it, or a part of it, is not available at the moment.
    Unavailable,
    /// It answered that it has too much to do, or that something went wrong inside.
    Busy,
}

/// The tries of one thing.
#[derive(Debug)]
pub(crate) struct Retries {
    max: u32,
    backoff: Duration,
    lost: u32,
    answered: u32,
    unavailable_since: Option<Instant>,
}

impl Retries {
    pub(crate) fn new(max: u32, backoff: Duration) -> Self {
        Self {
            max,
            backoff,
            lost: 0,
            answered: 0,
            unavailable_since: None,
        }
    }

    /// Something went through, so what failed before counts no more.
    pub(crate) fn progressed(&mut self) {
        *self = Self::new(self.max, self.backoff);
    }

    /// How long to wait before the next try. `None`: no more tries.
    pub(crate) fn next_wait(&mut self, trouble: Trouble) -> Option<Duration> {
        if trouble == Trouble::Lost {
            // It begins anew when it is back.
            (self.answered, self.unavailable_since) = (0, None);
            self.lost = self.lost.saturating_add(1);
            return Some(full_jitter(FIRST_LOST_WAIT, self.lost, LONGEST_LOST_WAIT));
        }
        self.lost = 0;
        self.answered = self.answered.saturating_add(1);
        let waits_for_start = trouble == Trouble::Unavailable
            && self.unavailable_since.get_or_insert_with(Instant::now).elapsed() < STARTS_WITHIN;
        if waits_for_start {
            let first = self.backoff.max(FIRST_LOST_WAIT);
            return Some(full_jitter(first, self.answered, LONGEST_LOST_WAIT.max(first)));
        }
        let longest = LONGEST_WAIT.max(self.backoff);
        (self.answered <= self.max).then(|| full_jitter(self.backoff, self.answered, longest))
    }
}

/// Anything from nothing to the doubled wait, so that many tasks do not come back at once.
fn full_jitter(first: Duration, attempt: u32, longest: Duration) -> Duration {
    let step = first.saturating_mul(1 << (attempt - 1).min(20)).min(longest);
    step.mul_f64(rand::rng().random_range(0.0..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Duration = Duration::from_millis(100);

    #[test]
    fn answers_are_retried_as_often_as_allowed_with_growing_waits() {
        let mut retries = Retries::new(3, BACKOFF);
        for attempt in 0..3 {
            let wait = retries.next_wait(Trouble::Busy).unwrap();
            assert!(wait <= BACKOFF * (1 << attempt), "{wait:?}");
        }
        assert_eq!(retries.next_wait(Trouble::Busy), None);
    }

    #[test]
    fn a_lost_search_engine_is_waited_for_and_then_the_count_begins_anew() {
        let mut retries = Retries::new(1, BACKOFF);
        assert!(retries.next_wait(Trouble::Busy).is_some());
        for _ in 0..1000 {
            assert!(retries.next_wait(Trouble::Lost).unwrap() <= LONGEST_LOST_WAIT);
        }
        assert!(retries.next_wait(Trouble::Busy).is_some());
        assert_eq!(retries.next_wait(Trouble::Busy), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_search_engine_that_starts_is_waited_for_but_not_for_ever() {
        let mut retries = Retries::new(0, BACKOFF);
        for _ in 0..100 {
            assert!(retries.next_wait(Trouble::Unavailable).is_some());
        }
        tokio::time::advance(STARTS_WITHIN).await;
        assert_eq!(retries.next_wait(Trouble::Unavailable), None);
    }

    #[test]
    fn progress_gives_all_tries_back() {
        let mut retries = Retries::new(1, BACKOFF);
        assert!(retries.next_wait(Trouble::Busy).is_some());
        retries.progressed();
        assert!(retries.next_wait(Trouble::Busy).is_some());
    }
}

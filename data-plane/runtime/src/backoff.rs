//! Waiting between attempts: exponential with jitter, capped.

use std::time::Duration;

use rand::Rng;

/// A growing wait. `reset` after a success.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    attempt: u32,
}

impl Backoff {
    /// Waits of about `first`, doubling up to `max`.
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self {
            first,
            max,
            attempt: 0,
        }
    }

    /// The next wait: between half and the whole of the doubled step, so that many do not come back at once.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.first.saturating_mul(1 << self.attempt.min(16)).min(self.max);
        self.attempt = self.attempt.saturating_add(1);
        step.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    /// How many waits were given since the last reset.
    pub fn attempts(&self) -> u32 {
        self.attempt
    }

    /// Back to the first step.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_start_over_after_a_reset() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next_wait()).collect();
        assert!(
            waits[0] >= Duration::from_millis(50) && waits[0] <= Duration::from_millis(100),
            "{:?}",
            waits[0]
        );
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(1)));
        assert!(waits[39] >= Duration::from_millis(500));
        backoff.reset();
        assert!(backoff.next_wait() <= Duration::from_millis(100));
    }
}

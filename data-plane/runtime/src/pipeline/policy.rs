//! The `errors.*` keys of a connector.

use std::time::Duration;

use rand::Rng;
use towpath_connect::ConfigMap;

use crate::errors::Tolerance;

/// First wait before a record is tried again, as in Kafka Connect.
const FIRST_RETRY: Duration = Duration::from_millis(300);
/// Default of `errors.retry.delay.max.ms`.
const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(60);

/// What to do about records that cannot be processed.
#[derive(Clone, Copy, Debug)]
pub struct ErrorPolicy {
    /// `errors.tolerance`.
    pub tolerance: Tolerance,
    /// `errors.retry.timeout`: zero for none, `None` for ever.
    pub retry_timeout: Option<Duration>,
    /// `errors.retry.delay.max.ms`.
    pub retry_delay_max: Duration,
    /// `errors.log.enable`.
    pub log: bool,
}

impl ErrorPolicy {
    /// Reads the keys of a validated configuration.
    pub fn of(config: &ConfigMap) -> Self {
        let number = |key: &str| config.get(key).and_then(|text| text.trim().parse::<i64>().ok());
        let retry_timeout = match number("errors.retry.timeout").unwrap_or(0) {
            -1 => None,
            millis => Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0))),
        };
        let retry_delay_max = match number("errors.retry.delay.max.ms") {
            None => DEFAULT_MAX_DELAY,
            Some(millis) => Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
        };
        let tolerance = match config.get("errors.tolerance").map(str::trim) {
            Some("all") => Tolerance::All,
            _ => Tolerance::None,
        };
        let log = config
            .get("errors.log.enable")
            .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        Self {
            tolerance,
            retry_timeout,
            retry_delay_max,
            log,
        }
    }

    /// Whether records are tried again at all, so that they have to be kept until they are through.
    pub fn retries(&self) -> bool {
        self.retry_timeout != Some(Duration::ZERO)
    }

    /// The wait before the `attempt`-th retry (from 1), `None` when the time is over. `elapsed` counts from the first
    /// attempt.
    pub fn next_retry(&self, attempt: u32, elapsed: Duration) -> Option<Duration> {
        let left = match self.retry_timeout {
            None => Duration::MAX,
            Some(timeout) => timeout.checked_sub(elapsed).filter(|left| !left.is_zero())?,
        };
        let step = FIRST_RETRY.saturating_mul(1 << attempt.saturating_sub(1).min(20));
        let wait = if step > self.retry_delay_max {
            self.retry_delay_max.mul_f64(rand::rng().random_range(0.0..1.0))
        } else {
            step
        };
        Some(wait.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(entries: &[(&str, &str)]) -> ErrorPolicy {
        ErrorPolicy::of(&entries.iter().copied().collect())
    }

    #[test]
    fn nothing_set_means_no_tolerance_and_no_retry() {
        let policy = policy(&[]);
        assert_eq!(
            (policy.tolerance, policy.retries(), policy.log),
            (Tolerance::None, false, false)
        );
        assert_eq!(policy.next_retry(1, Duration::ZERO), None);
    }

    #[test]
    fn retries_wait_as_in_kafka_connect() {
        let policy = policy(&[
            ("errors.retry.timeout", "6000"),
            ("errors.retry.delay.max.ms", "5000"),
        ]);
        let mut elapsed = Duration::ZERO;
        let mut waits = Vec::new();
        for attempt in 1.. {
            let Some(wait) = policy.next_retry(attempt, elapsed) else {
                break;
            };
            waits.push(wait.as_millis());
            elapsed += wait;
        }
        assert_eq!(waits[..4], [300, 600, 1200, 2400]);
        assert_eq!(
            waits.iter().sum::<u128>(),
            6000,
            "never past the deadline: {waits:?}"
        );
    }

    #[test]
    fn minus_one_retries_for_ever() {
        let policy = policy(&[
            ("errors.retry.timeout", "-1"),
            ("errors.retry.delay.max.ms", "1000"),
        ]);
        assert!(
            policy
                .next_retry(1000, Duration::from_secs(100_000))
                .is_some_and(|wait| wait.as_secs() <= 1)
        );
    }
}

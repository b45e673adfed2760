//! How long a request is waited for, and when it is made again.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::ApiError;

/// A cluster that moves tasks around refuses requests for a while.
const RETRY_EVERY: Duration = Duration::from_millis(100);
const RETRY_FOR: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Patience {
    url: String,
    timeout: Duration,
}

impl Patience {
    pub(super) fn new(url: String, timeout: Duration) -> Self {
        Self { url, timeout }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Makes an attempt, and further ones as long as the cluster rebalances.
    pub(super) async fn run<T>(&self, attempt: impl AsyncFn() -> Result<T, ApiError>) -> Result<T, ApiError> {
        let start = Instant::now();
        loop {
            let Ok(result) = timeout_at(start + self.timeout, attempt()).await else {
                return Err(ApiError::TimedOut {
                    url: self.url.clone(),
                    after: self.timeout,
                });
            };
            match result {
                Err(error)
                    if error.is_passing() && start.elapsed() + RETRY_EVERY < RETRY_FOR.min(self.timeout) =>
                {
                    sleep(RETRY_EVERY).await;
                }
                result => return result,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn patience(seconds: u64) -> Patience {
        Patience::new("http://localhost:8083".into(), Duration::from_secs(seconds))
    }

    fn rebalance() -> ApiError {
        ApiError::refused(
            409,
            "Cannot complete request because of a conflicting operation (e.g. worker rebalance)",
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_rebalance_is_waited_for_thirty_seconds_and_no_longer() {
        let attempts = Cell::new(0);
        let result = patience(90)
            .run(async || -> Result<(), ApiError> {
                attempts.set(attempts.get() + 1);
                Err(rebalance())
            })
            .await;
        assert!(matches!(result, Err(ApiError::Refused { status: 409, .. })));
        assert_eq!(attempts.get(), 300, "one each 100 ms");
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_after_the_rebalance_counts() {
        let attempts = Cell::new(0);
        let attempt = async || {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 4 {
                Err(rebalance())
            } else {
                Ok(attempts.get())
            }
        };
        assert_eq!(patience(90).run(attempt).await.unwrap(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_an_answer_ends_with_the_timeout() {
        let result = patience(2)
            .run(async || std::future::pending::<Result<(), ApiError>>().await)
            .await;
        assert_eq!(
            result.unwrap_err().to_string(),
            "http://localhost:8083 did not answer within 2s"
        );
    }
}

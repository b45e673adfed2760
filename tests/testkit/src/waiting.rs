//! Waiting for a state with a deadline. Never for time: a test that sleeps is slow when all is well and wrong when the
//! machine is busy.

use std::fmt::{Debug, Display};
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// Often enough that nobody waits for the poll, seldom enough that polling a server costs it nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The state did not come. Says what was waited for and what was there instead.
#[derive(Debug, thiserror::Error)]
#[error("waited {deadline:?} for {what}, in vain; last seen: {last_seen}")]
pub struct TimedOut {
    pub what: String,
    pub deadline: Duration,
    pub last_seen: String,
}

/// One look at a state: the value that was waited for, or what was seen instead. A `bool`, an `Option` and a `Result`
/// are looks; an error is a state that may pass, such as a server that does not answer yet.
pub trait Look {
    type Value;

    /// The value, or a description of what was seen instead.
    fn outcome(self) -> Result<Self::Value, String>;
}

impl Look for bool {
    type Value = ();

    fn outcome(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("false".to_owned()) }
    }
}

impl<T> Look for Option<T> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".to_owned())
    }
}

impl<T, E: Display> Look for Result<T, E> {
    type Value = T;

    fn outcome(self) -> Result<T, String> {
        self.map_err(|seen| seen.to_string())
    }
}

/// Looks again and again until the state is there, and returns its value. `what` completes "waited 10s for …". A look
/// that hangs ends with the deadline too.
pub async fn wait_until<L, F, Fut>(what: &str, deadline: Duration, mut look: F) -> Result<L::Value, TimedOut>
where
    L: Look,
    F: FnMut() -> Fut,
    Fut: Future<Output = L>,
{
    let end = Instant::now() + deadline;
    let mut last_seen = "no answer".to_owned();
    while let Ok(seen) = timeout_at(end, look()).await {
        match seen.outcome() {
            Ok(value) => return Ok(value),
            Err(seen) => last_seen = seen,
        }
        if Instant::now() + POLL_INTERVAL > end {
            break;
        }
        sleep(POLL_INTERVAL).await;
    }
    Err(TimedOut {
        what: what.to_owned(),
        deadline,
        last_seen,
    })
}

/// Looks until the state equals `expected`.
pub async fn wait_until_eq<T, F, Fut>(
    what: &str,
    deadline: Duration,
    expected: T,
    mut look: F,
) -> Result<(), TimedOut>
where
    T: PartialEq + Debug,
    F: FnMut() -> Fut,
    Fut: Future<Output = T>,
{
    let what = format!("{what} to be {expected:?}");
    let expected = &expected;
    wait_until(&what, deadline, || {
        let looked = look();
        async move {
            let seen = looked.await;
            if seen == *expected {
                Ok(())
            } else {
                Err(format!("{seen:?}"))
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn the_value_is_returned_as_soon_as_it_is_there() {
        let looks = Cell::new(0);
        let value = wait_until("the third look", DEADLINE, || async {
            looks.set(looks.get() + 1);
            (looks.get() == 3).then_some("there")
        });
        assert_eq!(value.await.unwrap(), "there");
        assert_eq!(looks.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_error_names_the_state_and_what_was_there_instead() {
        let error = wait_until_eq("the count", DEADLINE, 10, || async { 9 })
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "waited 10s for the count to be 10, in vain; last seen: 9"
        );

        let error = wait_until("an answer", DEADLINE, || async {
            Err::<(), _>("connection refused")
        })
        .await;
        assert_eq!(error.unwrap_err().last_seen, "connection refused");
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_hangs_ends_with_the_deadline() {
        let error = wait_until("an answer", DEADLINE, pending::<bool>)
            .await
            .unwrap_err();
        assert_eq!(error.last_seen, "no answer");
    }
}

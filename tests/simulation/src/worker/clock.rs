//! A monotonic clock that is not quite right.

use crate::agenda::Millis;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// Local milliseconds that pass in a second.
    rate: u64,
    /// While the process is stopped.
    pub(crate) is_frozen: bool,
    /// When it last went on after it had been stopped.
    pub(crate) thawed: Option<Millis>,
}

impl Clock {
    pub(crate) fn new(rate: u64) -> Self {
        Self {
            rate,
            is_frozen: false,
            thawed: None,
        }
    }

    /// How long a time by this clock takes in truth.
    pub(crate) fn takes(&self, local: Millis) -> Millis {
        (local * 1_000).div_ceil(self.rate)
    }
}

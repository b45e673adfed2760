//! How much of one lane is with librdkafka at a time.
//!
//! An idempotent producer has one batch of a partition under way: librdkafka's limit of five requests counts messages. Once
//! the oldest of those that wait behind it has waited for the linger time, librdkafka's thread spins until the answer comes,
//! for a third of the cost of producing. So no more waits than is sent within the linger time, as long as brokers keep up:
//! enough for a batch to be whole when the one before is answered.

use rdkafka::ClientConfig;

/// librdkafka's defaults, as are those of Java's linger time.
const BATCH_RECORDS: usize = 10_000;
const BATCH_BYTES: usize = 1_000_000;
const LINGER_MS: usize = 5;

/// A bound on what is handed over and has no report yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    records: usize,
    /// Of keys and values.
    bytes: usize,
}

impl Window {
    /// A batch under way and half of one that gathers, of the usual size at least: smaller ones are sent faster. A longer
    /// linger time leaves time for more.
    pub(super) fn of(config: &ClientConfig) -> Self {
        let number = |key, default| {
            // `linger.ms` may have a fraction.
            let whole = config.get(key).and_then(|text| text.split('.').next());
            whole.and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let times = number("linger.ms", LINGER_MS).div_ceil(LINGER_MS).max(1);
        let window = |batch: usize| (batch + batch / 2).saturating_mul(times);
        Self {
            records: window(number("batch.num.messages", BATCH_RECORDS).max(BATCH_RECORDS)),
            bytes: window(
                number("batch.size", BATCH_BYTES)
                    .max(number("message.max.bytes", BATCH_BYTES))
                    .max(BATCH_BYTES),
            ),
        }
    }

    pub(super) fn has_room(self, records: usize, bytes: usize) -> bool {
        records < self.records && bytes <= self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(settings: &[(&str, &str)]) -> Window {
        let mut config = ClientConfig::new();
        for (key, value) in settings {
            config.set(*key, *value);
        }
        Window::of(&config)
    }

    #[test]
    fn it_is_a_batch_and_a_half() {
        assert_eq!(
            window(&[]),
            Window {
                records: 15_000,
                bytes: 1_500_000
            }
        );
        let large = window(&[("batch.size", "4000000"), ("batch.num.messages", "20000")]);
        assert_eq!(
            large,
            Window {
                records: 30_000,
                bytes: 6_000_000
            }
        );
    }

    #[test]
    fn small_batches_do_not_make_it_smaller() {
        assert_eq!(window(&[("batch.size", "16384")]), window(&[]));
        assert_eq!(window(&[("linger.ms", "0")]), window(&[]));
    }

    #[test]
    fn the_largest_record_fits_beside_another() {
        let window = window(&[("message.max.bytes", "10000000")]);
        assert!(window.has_room(1, 15_000_000));
    }

    #[test]
    fn it_grows_with_the_linger_time() {
        assert_eq!(
            window(&[("linger.ms", "100")]),
            Window {
                records: 300_000,
                bytes: 30_000_000
            }
        );
        assert_eq!(window(&[("linger.ms", "0.5")]), window(&[]));
    }

    #[test]
    fn what_just_fits_has_room() {
        let window = window(&[]);
        assert!(window.has_room(14_999, 1_500_000));
        assert!(!window.has_room(15_000, 0));
        assert!(!window.has_room(0, 1_500_001));
    }
}

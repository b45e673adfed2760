//! What is logged.

use tracing_subscriber::EnvFilter;

/// This module complains, as of an error, when a consumer is dropped that was closed before. All of ours are.
const UNTRUE: &str = "rdkafka::consumer::base_consumer=off";

/// Leaves out what is known to be untrue.
pub fn truthful(filter: EnvFilter) -> EnvFilter {
    filter.add_directive(UNTRUE.parse().expect("a directive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_untrue_is_left_out() {
        let filter = truthful(EnvFilter::new("debug"));
        assert_eq!(filter.to_string(), "rdkafka::consumer::base_consumer=off,debug");
    }
}

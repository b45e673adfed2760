//! What is logged.

use towpath_types::LogLevels;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// This module complains, as of an error, when a consumer is dropped that was closed before. All of ours are.
const UNTRUE: &str = "rdkafka::consumer::base_consumer=off";

/// What passes of these levels, but for what is known to be untrue.
///
/// # Errors
/// When something in brackets is not understood.
pub fn log_filter(levels: &LogLevels) -> Result<EnvFilter, ParseError> {
    let filter = EnvFilter::try_new(levels)?;
    Ok(filter.add_directive(UNTRUE.parse().expect("a directive")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_untrue_is_left_out() {
        let filter = log_filter(&"debug".parse().unwrap()).unwrap();
        assert_eq!(filter.to_string(), "rdkafka::consumer::base_consumer=off,debug");
    }

    #[test]
    fn what_is_in_brackets_has_to_be_understood() {
        assert!(log_filter(&"info,[unit]=debug".parse().unwrap()).is_ok());
        assert!(log_filter(&"info,[unit=debug".parse().unwrap()).is_err());
    }
}

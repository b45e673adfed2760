//! The `trace` of a FAILED unit: the chain of causes in the form of a Java stack trace, since clients look for the
//! exception's class name on its first line.

use std::error::Error as StdError;
use std::fmt::Write;

use towpath_connect::{ConnectorError, ErrorKind};

/// Causes beyond this many are left out.
const MAX_CAUSES: usize = 32;

/// The trace of an error.
pub fn of(error: &ConnectorError) -> String {
    let mut out = format!("{}: {}", error.kind().java_class(), error.message());
    let mut next = error.source();
    for _ in 0..MAX_CAUSES {
        let Some(cause) = next else { break };
        let class = cause
            .downcast_ref::<ConnectorError>()
            .map_or(ErrorKind::External, ConnectorError::kind);
        // Writing to a string cannot go wrong.
        let _ok = write!(out, "\nCaused by: {}: {cause}", class.java_class());
        next = cause.source();
    }
    out.push('\n');
    out
}

/// The trace of a panic: a bug of ours, said so.
pub fn of_panic(unit: &str, payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    of(&ConnectorError::bug(format!(
        "{unit} panicked, which is a bug in Towpath or in the plugin: {text}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_begins_with_the_class_and_lists_the_causes() {
        let cause = ConnectorError::data("Invalid type for INT32: class java.lang.String");
        let error = ConnectorError::external("Tolerance exceeded in error handler").with_source(cause);
        assert_eq!(
            of(&error),
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n\
             Caused by: org.apache.kafka.connect.errors.DataException: Invalid type for INT32: class java.lang.String\n"
        );
    }

    #[test]
    fn a_panic_is_shown_as_a_bug_with_its_message() {
        let trace = of_panic("task orders-0", &"boom");
        assert!(
            trace.starts_with("java.lang.IllegalStateException: task orders-0 panicked"),
            "{trace}"
        );
        assert!(trace.contains("boom"));
    }
}

//! What a source must promise before it may be created with `exactly.once.support=required` or
//! `transaction.boundary=connector`.

use towpath_connect::config_def::ConfigValue;
use towpath_connect::{ConfigMap, ConnectorError, ExactlyOnceSupport, SourceConnector};

use super::WorkerDefaults;
use super::framework::{EXACTLY_ONCE, TRANSACTION_BOUNDARY};
use super::report::Report;

/// Adds what speaks against it. Standalone workers have no exactly-once sources and ignore these keys.
pub(super) fn check(
    report: &mut Report,
    connector: &dyn SourceConnector,
    config: &ConfigMap,
    worker: &WorkerDefaults,
) {
    if !worker.is_distributed() {
        return;
    }
    if asks(report, EXACTLY_ONCE, "required") {
        if !worker.exactly_once_source {
            report.add_error(
                EXACTLY_ONCE,
                "This worker does not have exactly-once source support enabled.",
            );
        }
        let problem = match connector.exactly_once_support(config) {
            Ok(Some(ExactlyOnceSupport::Supported)) => None,
            Ok(Some(ExactlyOnceSupport::Unsupported)) => Some(
                "The connector does not support exactly-once semantics with the provided configuration.".to_owned(),
            ),
            Ok(None) => Some(
                "The connector does not implement the API required for preflight validation of exactly-once source \
                 support. If its documentation says that it delivers exactly once, set this property to \
                 \"requested\", which skips this check."
                    .to_owned(),
            ),
            Err(error) => Some(unexpected(&error)),
        };
        if let Some(problem) = problem {
            report.add_error(EXACTLY_ONCE, problem);
        }
    }
    if asks(report, TRANSACTION_BOUNDARY, "connector") {
        let problem = match connector.can_define_transaction_boundaries(config) {
            Ok(true) => return,
            Ok(false) => "The connector does not support connector-defined transaction boundaries with the given \
                          configuration. Please reconfigure it to use a different transaction boundary definition."
                .to_owned(),
            Err(error) => unexpected(&error),
        };
        report.add_error(TRANSACTION_BOUNDARY, problem);
    }
}

fn asks(report: &mut Report, key: &str, wanted: &str) -> bool {
    report.found(key).is_some_and(|result| {
        result.errors.is_empty()
            && matches!(&result.value, ConfigValue::String(text) if text.eq_ignore_ascii_case(wanted))
    })
}

fn unexpected(error: &ConnectorError) -> String {
    format!("An unexpected error occurred during validation: {error}")
}

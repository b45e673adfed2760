//! What is logged.

use towpath_types::LogLevels;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// This module complains, as of an error, when a consumer is dropped that was closed before. All of ours are.
const UNTRUE: &str = "rdkafka::consumer::base_consumer=off";

/// Libraries that print what may be secret, and the most of each that is safe: below it there are statements of
/// `query.masked` with their parameters, addresses with passwords of proxies, and entries of the control plane's log.
/// hyper, h2 and tonic are not among them: they leave out what headers and bodies hold.
const SECRETIVE: &[(&str, LevelFilter)] = &[
    ("tokio_postgres", LevelFilter::WARN),
    ("mysql_async", LevelFilter::WARN),
    ("reqwest", LevelFilter::INFO),
    ("openraft", LevelFilter::INFO),
];

/// What passes of these levels, but for what is known to be untrue, and for what may be secret: that cannot be asked for.
///
/// For the whole subscriber, not for a layer of it: such a filter loses the line after one where somebody only asks
/// whether something would be logged (tokio-rs/tracing issue 2519), as is done for each Kafka client that is made.
///
/// # Errors
/// When something in brackets is not understood.
pub fn log_filter(levels: &LogLevels) -> Result<impl Layer<Registry> + Send + Sync + use<>, ParseError> {
    let limits = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(SECRETIVE.iter().copied());
    Ok(limits.and_then(wanted(levels)?))
}

fn wanted(levels: &LogLevels) -> Result<EnvFilter, ParseError> {
    let filter = EnvFilter::try_new(levels)?;
    Ok(filter.add_directive(UNTRUE.parse().expect("a directive")))
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::callsite::{Callsite, Identifier};
    use tracing::field::FieldSet;
    use tracing::metadata::Kind;
    use tracing::subscriber::Interest;
    use tracing::{Level, Metadata};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What is logged, as text.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What these levels let pass of what is said.
    fn logged_of(levels: &str, say: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let filter = log_filter(&levels.parse().unwrap()).unwrap();
        let subscriber = tracing_subscriber::registry().with(filter).with(layer);
        tracing::subscriber::with_default(subscriber, say);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    /// What these levels let pass of what a library says of a secret.
    fn logged(levels: &str) -> String {
        logged_of(levels, || {
            let span = tracing::info_span!(target: "mysql_async", "prepare", sql = "SELECT 'hush'");
            let _inside = span.enter();
            tracing::debug!(target: "tokio_postgres::prepare", "preparing query s0: SELECT 'hush'");
            tracing::info!(target: "tokio_postgres::connection", "NOTICE: hush");
            tracing::trace!(target: "reqwest::connect", "proxy http://u:hush@h");
            tracing::debug!(target: "openraft::core", "append hush");
            tracing::warn!(target: "tokio_postgres::connection", "told");
            tracing::trace!(target: "towpath_worker", "traced");
        })
    }

    /// A question of `log`, which rdkafka asks when a client is configured: of a place that is known to nobody else.
    struct Question;

    static METADATA: Metadata<'static> = Metadata::new(
        "question",
        "librdkafka",
        Level::DEBUG,
        None,
        None,
        None,
        FieldSet::new(&[], Identifier(&Question)),
        Kind::EVENT,
    );

    impl Callsite for Question {
        fn set_interest(&self, _: Interest) {}
        fn metadata(&self) -> &Metadata<'_> {
            &METADATA
        }
    }

    #[test]
    fn what_is_said_after_a_mere_question_is_not_lost() {
        let logged = logged_of("info", || {
            tracing::info!("first");
            tracing::dispatcher::get_default(|log| log.enabled(&METADATA));
            let _unit = tracing::info_span!("unit", unit = "orders-0").entered();
            tracing::info!("second");
        });
        assert!(
            logged.contains("first") && logged.contains("unit=\"orders-0\"") && logged.contains("second"),
            "{logged}"
        );
    }

    #[test]
    fn what_may_be_secret_is_not_logged_whatever_is_asked_for() {
        for levels in [
            "trace",
            "trace,tokio_postgres=trace,mysql_async=trace,reqwest=trace,openraft=trace",
            "trace,tokio_postgres::prepare=debug,reqwest::connect=trace,openraft::core=debug",
            "trace,tokio_postgres[{message}]=trace,[prepare]=trace",
        ] {
            let logged = logged(levels);
            assert!(!logged.contains("hush"), "{levels}: {logged}");
            assert!(
                logged.contains("told") && logged.contains("traced"),
                "{levels}: {logged}"
            );
        }
    }

    #[test]
    fn levels_are_as_they_were_asked_for() {
        assert_eq!(logged("off"), "");
        let logged = logged("error,towpath_worker=trace");
        assert!(logged.contains("traced") && !logged.contains("told"), "{logged}");
    }

    #[test]
    fn what_is_untrue_is_left_out() {
        let filter = wanted(&"debug".parse().unwrap()).unwrap();
        assert_eq!(filter.to_string(), "rdkafka::consumer::base_consumer=off,debug");
    }

    #[test]
    fn what_is_in_brackets_has_to_be_understood() {
        assert!(log_filter(&"info,[unit]=debug".parse().unwrap()).is_ok());
        assert!(log_filter(&"info,[unit=debug".parse().unwrap()).is_err());
    }
}

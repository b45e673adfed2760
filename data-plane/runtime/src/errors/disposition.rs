//! The one place that decides what an error leads to.

use towpath_connect::ErrorKind;

/// Where in the life of a record an error came up. Names as in dead-letter headers and log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as in Kafka Connect's `Stage`")]
pub enum Stage {
    TaskPoll,
    TaskPut,
    Transformation,
    KeyConverter,
    ValueConverter,
    HeaderConverter,
    KafkaProduce,
    KafkaConsume,
}

impl Stage {
    /// The upper-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TaskPoll => "TASK_POLL",
            Self::TaskPut => "TASK_PUT",
            Self::Transformation => "TRANSFORMATION",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::KafkaProduce => "KAFKA_PRODUCE",
            Self::KafkaConsume => "KAFKA_CONSUME",
        }
    }
}

/// `errors.tolerance`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the two values of the key")]
pub enum Tolerance {
    #[default]
    None,
    All,
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The same again after a back-off.
    Retry,
    /// The record is dropped, counted and reported.
    Skip,
    /// The task becomes FAILED.
    Fail,
}

/// What an error of this kind at this stage leads to.
///
/// Polls, puts and sends are repeated as long as it takes; the stages in between for `errors.retry.timeout`, after
/// which the caller skips the record.
pub fn decide(stage: Stage, kind: ErrorKind, tolerance: Tolerance) -> Disposition {
    match (kind, stage) {
        (ErrorKind::Retriable, _) => Disposition::Retry,
        // A bug of ours or a wrong configuration is not the record's fault: skipping would lose all of them.
        (ErrorKind::Bug | ErrorKind::Config, _) => Disposition::Fail,
        (ErrorKind::Data | ErrorKind::External, Stage::TaskPoll | Stage::TaskPut | Stage::KafkaConsume) => {
            Disposition::Fail
        }
        (
            ErrorKind::Data | ErrorKind::External,
            Stage::Transformation
            | Stage::KeyConverter
            | Stage::ValueConverter
            | Stage::HeaderConverter
            | Stage::KafkaProduce,
        ) => match tolerance {
            Tolerance::None => Disposition::Fail,
            Tolerance::All => Disposition::Skip,
        },
    }
}

/// Whether a unit whose `start` ended in an error of this kind begins again: what it needs is away for the moment.
pub fn begins_again(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Retriable => true,
        ErrorKind::Config | ErrorKind::Data | ErrorKind::External | ErrorKind::Bug => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_lets_a_start_be_tried_again() {
        assert!(begins_again(ErrorKind::Retriable));
        for kind in [
            ErrorKind::Config,
            ErrorKind::Data,
            ErrorKind::External,
            ErrorKind::Bug,
        ] {
            assert!(!begins_again(kind), "{kind:?}");
        }
    }

    #[test]
    fn a_bad_record_fails_the_task_unless_it_is_tolerated() {
        for stage in [
            Stage::Transformation,
            Stage::KeyConverter,
            Stage::ValueConverter,
            Stage::KafkaProduce,
        ] {
            assert_eq!(decide(stage, ErrorKind::Data, Tolerance::None), Disposition::Fail);
            assert_eq!(decide(stage, ErrorKind::Data, Tolerance::All), Disposition::Skip);
        }
    }

    #[test]
    fn no_tolerance_hides_a_bug_or_a_wrong_configuration() {
        for kind in [ErrorKind::Bug, ErrorKind::Config] {
            assert_eq!(
                decide(Stage::Transformation, kind, Tolerance::All),
                Disposition::Fail
            );
        }
    }

    #[test]
    fn an_error_of_poll_or_put_is_never_skipped() {
        for stage in [Stage::TaskPoll, Stage::TaskPut] {
            assert_eq!(
                decide(stage, ErrorKind::External, Tolerance::All),
                Disposition::Fail
            );
            assert_eq!(
                decide(stage, ErrorKind::Retriable, Tolerance::None),
                Disposition::Retry
            );
        }
    }
}

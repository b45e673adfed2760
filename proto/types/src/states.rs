//! States and kinds, with the words that stand for them in JSON and in Kafka Connect's REST answers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A word that names none of the values that were possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{word}`: must be one of {expected}")]
pub struct UnknownWord {
    pub what: &'static str,
    pub word: String,
    pub expected: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal,
     { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        /// In any case, as the REST API takes it.
        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|v| v.as_str().eq_ignore_ascii_case(word)).ok_or_else(|| {
                    UnknownWord { what: $what, word: word.to_owned(), expected: $expected }
                })
            }
        }
    };
}

words! {
    /// What a user wants of a connector and its tasks.
    TargetState, "target state", "RUNNING, PAUSED, STOPPED", {
        Running = "RUNNING",
        Paused = "PAUSED",
        Stopped = "STOPPED",
    }
}

words! {
    /// What a unit was last known to do.
    UnitState, "unit state", "UNASSIGNED, RUNNING, PAUSED, FAILED, RESTARTING, STOPPED", {
        Unassigned = "UNASSIGNED",
        Running = "RUNNING",
        Paused = "PAUSED",
        Failed = "FAILED",
        Restarting = "RESTARTING",
        /// Connector instances only.
        Stopped = "STOPPED",
    }
}

words! {
    /// Which way records flow; unknown as long as no worker has said what the class is.
    ConnectorKind, "connector kind", "source, sink, unknown", {
        Source = "source",
        Sink = "sink",
        Unknown = "unknown",
    }
}

words! {
    /// The kinds of plugins, in the order in which the REST API lists them.
    PluginKind, "plugin kind", "sink, source, transformation, predicate, converter, header_converter", {
        Sink = "sink",
        Source = "source",
        Transformation = "transformation",
        Predicate = "predicate",
        Converter = "converter",
        HeaderConverter = "header_converter",
    }
}

impl PluginKind {
    pub const fn is_connector(self) -> bool {
        matches!(self, Self::Source | Self::Sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_travel_in_upper_case_and_kinds_in_lower_case() {
        assert_eq!(
            serde_json::to_string(&UnitState::Restarting).unwrap(),
            r#""RESTARTING""#
        );
        assert_eq!(serde_json::to_string(&ConnectorKind::Sink).unwrap(), r#""sink""#);
        assert_eq!(
            serde_json::to_string(&PluginKind::HeaderConverter).unwrap(),
            r#""header_converter""#
        );
    }

    #[test]
    fn a_state_is_read_in_any_case_and_an_unknown_one_is_named() {
        assert_eq!("stopped".parse(), Ok(TargetState::Stopped));
        let error = "stoped".parse::<TargetState>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown target state `stoped`: must be one of RUNNING, PAUSED, STOPPED"
        );
    }

    #[test]
    fn every_value_is_read_back_from_its_own_word() {
        for state in UnitState::ALL {
            assert_eq!(state.as_str().parse(), Ok(*state));
        }
        for kind in PluginKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
    }
}

//! How a command can fail, what is said about it, and the exit code.

use crate::api::{ApiError, WorkerUnit};
use crate::apply::DocumentError;
use crate::contexts::ContextsError;
use crate::target::TargetError;
use crate::version::Version;

/// Names in a hint; more are counted.
const SHOWN_NAMES: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    /// The command was understood, but did not work.
    Failure = 1,
    /// The command cannot be understood, or its files cannot.
    Usage = 2,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Contexts(#[from] ContextsError),
    #[error(transparent)]
    Documents(#[from] DocumentError),
    #[error("The provided client configuration is not valid!")]
    ClientConfig(#[source] crate::properties::PropertiesError),
    #[error("the properties file `{}` cannot be read", .path.display())]
    PropertiesFile {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("Couldn't change context; create a context named {0} first")]
    NoContextToUse(String),
    #[error("Set another context before removing the current context.")]
    CurrentContext,
    #[error("Couldn't remove context; There was no context named '{0}'")]
    NoContextToRemove(String),
    #[error("To delete a connector, use 'delete connector' instead of 'delete'")]
    DeleteWithoutNoun,
    #[error("Missing required arguments: please enter at least one parameter to set or remove")]
    NothingToPatch,
    #[error(
        "It is not possible to use -n when multiple files are given. Please provide the connector names in the \
         connector configuration files."
    )]
    OneNameForMany,
    #[error("Connector name must be specified either via --name or in the given file")]
    NoName { origin: String },
    #[error("the pattern `{pattern}` cannot be used")]
    Pattern {
        pattern: String,
        #[source]
        source: Box<fancy_regex::Error>,
    },
    #[error("{what} requires at least Kafka Connect {needed}. Current version: {current}")]
    TooOld {
        what: &'static str,
        needed: Version,
        current: Version,
        hint: Option<&'static str>,
    },
    #[error("Connector {name} not found. The following connector(s) are available:")]
    ConnectorNotFound { name: String, available: String },
    #[error("Specified class isn't a valid connector type. The following connector type(s) are available:")]
    UnknownClass { available: String },
    /// What it was about, and what was and was not done besides.
    #[error("connector \"{name}\" was not {past}")]
    NotDone {
        name: String,
        past: &'static str,
        progress: Option<Progress>,
        #[source]
        source: Box<Failure>,
    },
    /// `left` is a line for each unit that is still there.
    #[error("worker \"{name}\" is not empty: {} cannot leave or did not leave in time", .left.len())]
    NotDrained { name: String, left: Vec<String> },
    /// A client has no data directory to restore into.
    #[error("`{}` was not restored: that is done by a node of a new control plane, at its first start", .file.display())]
    RestoredElsewhere { file: std::path::PathBuf },
    #[error("the backup cannot be written to `{}`", .file.display())]
    BackupFile {
        file: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("standard output cannot be written")]
    Output(#[source] std::io::Error),
    /// All that there is to say has been printed.
    #[error("the command did not succeed")]
    Reported,
}

/// Of several connectors, those that were done when one failed, and those that were not.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) done: Vec<String>,
    pub(crate) left: Vec<String>,
}

impl Failure {
    /// Of several connectors that were gone through in order, the one at `index` failed.
    pub(crate) fn not_done(names: &[String], index: usize, past: &'static str, source: Self) -> Self {
        let (done, left) = names.split_at(index.min(names.len()));
        let progress = (names.len() > 1).then(|| Progress {
            done: done.to_vec(),
            left: left.to_vec(),
        });
        Self::NotDone {
            name: left.first().cloned().unwrap_or_default(),
            past,
            progress,
            source: Box::new(source),
        }
    }

    pub(crate) fn not_drained(name: &str, left: &[WorkerUnit]) -> Self {
        let line = |unit: &WorkerUnit| {
            let reason = unit.obstacle.as_deref().unwrap_or(&unit.state);
            format!("  {}: {reason}", unit.name())
        };
        Self::NotDrained {
            name: name.to_owned(),
            left: left.iter().map(line).collect(),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Documents(_)
            | Self::DeleteWithoutNoun
            | Self::RestoredElsewhere { .. }
            | Self::NothingToPatch
            | Self::OneNameForMany => Exit::Usage,
            Self::Target(TargetError::Url { .. }) | Self::Pattern { .. } => Exit::Usage,
            _ => Exit::Failure,
        }
    }

    /// The message with all its causes.
    pub(crate) fn message(&self) -> String {
        let mut text = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        text
    }

    /// What stands below the message: what could have been meant, and what was and was not done besides.
    pub(crate) fn details(&self) -> Vec<String> {
        match self {
            Self::ConnectorNotFound { available, .. } | Self::UnknownClass { available } => {
                vec![available.clone()]
            }
            Self::NotDrained { left, .. } => shortened(left),
            Self::NotDone {
                source,
                progress,
                past,
                ..
            } => {
                let mut details = source.details();
                details.extend(progress.as_ref().map(|progress| progress.sentence(past)));
                details
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Api(error) => error.hint(),
            Self::Target(error) => error.hint().map(str::to_owned),
            Self::Contexts(error) => error.hint().map(str::to_owned),
            Self::ClientConfig(_) => Some("write `-o KEY=VALUE,KEY=VALUE`".into()),
            Self::NotDrained { name, .. } => Some(format!(
                "what is left goes on running there, and moves when somebody can take it; `kcctl worker undrain {name}` \
                 takes the drain back"
            )),
            Self::TooOld { hint, .. } => hint.map(str::to_owned),
            Self::RestoredElsewhere { file } => Some(format!(
                "`towpath-control-plane --restore {} --data-dir FOLDER` begins a new group with it, in an empty folder",
                file.display()
            )),
            Self::NoName { origin } => Some(format!(
                "{origin} holds a configuration alone; write {{\"name\": …, \"config\": …}}, or say `--name NAME`"
            )),
            Self::NotDone { source, .. } => source.hint().or_else(|| match source.as_ref() {
                Self::Api(error) if error.is_not_found() => {
                    Some("`kcctl get connectors` lists those that there are".into())
                }
                _ => None,
            }),
            _ => None,
        }
    }
}

impl Progress {
    fn sentence(&self, past: &str) -> String {
        let one = |names: &[String], word: &str| match names.len() {
            0 => format!("nothing was {word}"),
            count => format!("{word}: {count} ({})", listed(names)),
        };
        format!(
            "{}; {}",
            one(&self.done, past),
            one(&self.left, &format!("not {past}"))
        )
    }
}

fn shortened(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = lines.iter().take(SHOWN_NAMES).cloned().collect();
    if lines.len() > SHOWN_NAMES {
        shown.push(format!("  and {} more", lines.len() - SHOWN_NAMES));
    }
    shown
}

fn listed(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(SHOWN_NAMES)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("c{number}")).collect()
    }

    #[test]
    fn progress_names_a_few_and_counts_the_rest() {
        let progress = Progress {
            done: names(2),
            left: names(12),
        };
        assert_eq!(
            progress.sentence("applied"),
            "applied: 2 (c0, c1); not applied: 12 (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more)"
        );
        let progress = Progress {
            done: vec![],
            left: names(1),
        };
        assert_eq!(
            progress.sentence("deleted"),
            "nothing was deleted; not deleted: 1 (c0)"
        );
    }

    #[test]
    fn a_message_is_followed_by_its_causes() {
        let source = Box::new(Failure::Api(ApiError::refused(404, "Unknown connector orders")));
        let failure = Failure::NotDone {
            name: "orders".into(),
            past: "paused",
            progress: None,
            source,
        };
        assert_eq!(
            failure.message(),
            "connector \"orders\" was not paused: Unknown connector orders"
        );
        assert_eq!(
            failure.hint().unwrap(),
            "`kcctl get connectors` lists those that there are"
        );
    }
}

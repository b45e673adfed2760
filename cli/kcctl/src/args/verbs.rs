//! What follows each verb.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use fancy_regex::Regex;

use super::OutputArgs;
use super::offsets::PatchOffsetsArgs;
use super::workers::DescribeWorkerArgs;

/// Which connectors a command is about.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Names of connectors
    #[arg(value_name = "CONNECTOR NAME", required = true)]
    pub(crate) names: Vec<String>,
    /// Take the names as regular expressions, each for the whole name of a connector
    #[arg(short = 'e', long = "reg-exp")]
    pub(crate) patterns: bool,
}

/// What follows `pause`, `resume` and `stop`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorNoun {
    /// Acts on the given connectors
    #[command(alias = "connectors")]
    Connector {
        #[command(flatten)]
        selection: Selection,
        #[command(flatten)]
        output: OutputArgs,
    },
}

/// What follows `delete`: a noun; names without one are taken in to say what is missing.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    override_usage = "kcctl delete connector [OPTIONS] <CONNECTOR NAME>..."
)]
pub(crate) struct DeleteArgs {
    #[command(subcommand)]
    pub(crate) noun: Option<ConnectorNoun>,
    #[arg(hide = true)]
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Makes or replaces a context
    SetContext(SetContextArgs),
    /// Lists the contexts
    GetContexts(OutputArgs),
    /// Shows the current context
    CurrentContext(OutputArgs),
    /// Makes a context the current one
    UseContext { name: String },
    /// Removes a context
    RemoveContext { name: String },
}

/// `--cluster` is the global option.
#[derive(Debug, Args)]
pub(crate) struct SetContextArgs {
    /// Name of the context
    pub(crate) name: String,
    /// Kafka brokers, host:port with commas between
    #[arg(long, default_value = "localhost:9092", value_name = "BROKERS")]
    pub(crate) bootstrap_servers: String,
    /// Topic of the source offsets
    #[arg(long, value_name = "TOPIC")]
    pub(crate) offset_topic: Option<String>,
    /// User for basic authentication
    #[arg(long)]
    pub(crate) username: Option<String>,
    /// Password for basic authentication
    #[arg(long)]
    pub(crate) password: Option<String>,
    /// Settings for Kafka clients, KEY=VALUE with commas between
    #[arg(short = 'o', long = "client-config", value_name = "SETTINGS")]
    pub(crate) client_config: Vec<String>,
    /// A properties file with settings for Kafka clients
    #[arg(short = 'f', long = "client-config-file", value_name = "FILE")]
    pub(crate) client_config_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GetCommand {
    /// Lists the connectors with their states
    #[command(alias = "connector")]
    Connectors(OutputArgs),
    /// Lists the plugins of the workers
    #[command(alias = "plugin")]
    Plugins(PluginsArgs),
    /// Shows the committed offsets of connectors
    #[command(alias = "offset")]
    Offsets(OffsetsArgs),
    /// Lists the workers with their states, labels and numbers of units (Towpath only)
    #[command(alias = "worker")]
    Workers(OutputArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PluginsArgs {
    /// Only these types
    #[arg(short, long, value_delimiter = ',', ignore_case = true, value_name = "TYPES")]
    pub(crate) types: Vec<PluginType>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum PluginType {
    Source,
    Sink,
    Transformation,
    Converter,
    HeaderConverter,
    Predicate,
}

impl PluginType {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
            Self::Transformation => "transformation",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
            Self::Predicate => "predicate",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct OffsetsArgs {
    /// Names of connectors
    #[arg(value_name = "CONNECTOR NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DescribeCommand {
    /// Shows state, configuration, tasks and topics of connectors
    #[command(alias = "connectors")]
    Connector(DescribeConnectorArgs),
    /// Shows the configuration keys of a plugin
    #[command(alias = "plugins")]
    Plugin(Box<DescribePluginArgs>),
    /// Shows workers and what runs on them (Towpath only)
    #[command(alias = "workers")]
    Worker(DescribeWorkerArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DescribeConnectorArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Show the configurations of the tasks too
    #[arg(long)]
    pub(crate) tasks_config: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DescribePluginArgs {
    /// Class or short name of the plugin
    #[arg(value_name = "PLUGIN NAME")]
    pub(crate) name: String,
    /// Only keys whose name or documentation matches a regular expression
    #[arg(long, value_name = "REGEX", value_parser = Regex::from_str, conflicts_with_all = ["search_name", "search_description"])]
    pub(crate) search: Option<Regex>,
    /// Only keys whose name matches a regular expression; (?i) in front ignores case
    #[arg(long, value_name = "REGEX", value_parser = Regex::from_str, conflicts_with = "search_description")]
    pub(crate) search_name: Option<Regex>,
    /// Only keys whose documentation matches a regular expression
    #[arg(long, value_name = "REGEX", value_parser = Regex::from_str)]
    pub(crate) search_description: Option<Regex>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Files (JSON or YAML, one or more documents each), directories of such files, or `-` for standard input
    #[arg(short, long = "file", required = true, num_args = 1.., value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Name of the connector, when the file does not say it
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Only validate the configurations
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatchCommand {
    /// Changes single settings of connectors
    #[command(alias = "connectors")]
    Connector(PatchArgs),
    /// Changes offsets of a stopped connector
    #[command(alias = "offset")]
    Offsets(PatchOffsetsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PatchArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Set a key
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) set: Vec<(String, String)>,
    /// Remove a key
    #[arg(short, long, value_name = "KEY")]
    pub(crate) remove: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, thiserror::Error)]
#[error("write it as KEY=VALUE")]
struct NoKeyAndValue;

fn key_and_value(text: &str) -> Result<(String, String), NoKeyAndValue> {
    let (key, value) = text
        .split_once('=')
        .filter(|(key, _)| !key.is_empty())
        .ok_or(NoKeyAndValue)?;
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
pub(crate) enum RestartCommand {
    /// Restarts connectors, and their tasks if asked
    #[command(alias = "connectors")]
    Connector(RestartArgs),
    /// Restarts single tasks
    #[command(alias = "tasks")]
    Task(RestartTaskArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Restart tasks too
    #[arg(short, long, ignore_case = true)]
    pub(crate) tasks: Option<Tasks>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Which tasks are restarted together with their connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tasks {
    All,
    Failed,
}

#[derive(Debug, Args)]
pub(crate) struct RestartTaskArgs {
    /// Tasks, as my-connector/0
    #[arg(value_name = "NAME/ID", required = true)]
    pub(crate) tasks: Vec<TaskId>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// A task as `connector/number`; the name of a connector may hold slashes too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskId {
    pub(crate) connector: String,
    pub(crate) number: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("Invalid connector/task name, expecting format 'connector-name/task-id'")]
pub(crate) struct NoTaskId;

impl FromStr for TaskId {
    type Err = NoTaskId;

    fn from_str(text: &str) -> Result<Self, NoTaskId> {
        let (connector, number) = text.rsplit_once('/').ok_or(NoTaskId)?;
        let number = number.parse().map_err(|_| NoTaskId)?;
        Ok(Self {
            connector: connector.to_owned(),
            number,
        })
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.connector, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_slash_separates_connector_and_task() {
        let task: TaskId = "a/b/3".parse().unwrap();
        assert_eq!(
            task,
            TaskId {
                connector: "a/b".into(),
                number: 3
            }
        );
        assert_eq!(task.to_string(), "a/b/3");
        assert!("orders".parse::<TaskId>().is_err());
        assert!("orders/x".parse::<TaskId>().is_err());
    }

    #[test]
    fn the_first_equals_sign_separates_key_and_value() {
        assert_eq!(key_and_value("a=b=c").unwrap(), ("a".into(), "b=c".into()));
        assert_eq!(key_and_value("a=").unwrap(), ("a".into(), String::new()));
        assert!(key_and_value("=b").is_err());
        assert!(key_and_value("a").is_err());
    }
}

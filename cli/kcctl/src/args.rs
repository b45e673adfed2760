//! The command line: what can be said. What is done about it is in `commands`.

mod durations;
mod members;
mod offsets;
mod verbs;
mod workers;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub(crate) use durations::show as show_duration;
pub(crate) use verbs::{
    ApplyArgs, ConfigCommand, ConnectorNoun, DeleteArgs, DescribeCommand, DescribeConnectorArgs,
    DescribePluginArgs, GetCommand, OffsetsArgs, PatchArgs, PatchCommand, PluginType, PluginsArgs,
    RestartArgs, RestartCommand, RestartTaskArgs, Selection, SetContextArgs, Tasks,
};

pub(crate) use members::{AddArgs, MembersCommand};
pub(crate) use offsets::{PatchOffsetsArgs, ResetCommand, ResetOffsetsArgs};
pub(crate) use workers::{DescribeWorkerArgs, DrainArgs, WorkerCommand};

use crate::output::Format;

/// A command-line client for Kafka Connect and Towpath.
#[derive(Debug, Parser)]
#[command(
    name = "kcctl",
    version,
    arg_required_else_help = true,
    subcommand_required = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The context to use instead of the current one
    #[arg(long, global = true, env = "KCCTL_CONTEXT", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// The cluster to use instead of a context's: http(s)://HOST:PORT (REST) or grpc://HOST:PORT
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) cluster: Option<String>,
    /// How long a request may take, retries included: 500ms, 10s, 2m
    #[arg(long, global = true, value_name = "DURATION", default_value = "90s", value_parser = durations::parse)]
    pub(crate) timeout: Duration,
    /// Print only what was asked for, and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// The file with the contexts [default: ~/.kcctl]
    #[arg(long, global = true, env = "KCCTL_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArgs {
    /// Output format
    #[arg(
        short,
        long,
        visible_alias = "output-format",
        value_name = "FORMAT",
        ignore_case = true
    )]
    pub(crate) output: Option<Format>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows which cluster this is and its versions
    Info(OutputArgs),
    /// Sets or shows the contexts of this client
    #[command(subcommand, arg_required_else_help = true)]
    Config(ConfigCommand),
    /// Lists connectors, plugins, offsets or workers
    #[command(subcommand, arg_required_else_help = true)]
    Get(GetCommand),
    /// Shows connectors, a plugin or workers in detail
    #[command(subcommand, arg_required_else_help = true)]
    Describe(DescribeCommand),
    /// Creates or updates connectors from files or standard input
    Apply(ApplyArgs),
    /// Changes single settings or offsets of connectors
    #[command(subcommand, arg_required_else_help = true)]
    Patch(PatchCommand),
    /// Removes the offsets of connectors
    #[command(subcommand, arg_required_else_help = true)]
    Reset(ResetCommand),
    /// Restarts connectors or tasks
    #[command(subcommand, arg_required_else_help = true)]
    Restart(RestartCommand),
    /// Pauses connectors
    #[command(subcommand, arg_required_else_help = true)]
    Pause(ConnectorNoun),
    /// Resumes paused or stopped connectors
    #[command(subcommand, arg_required_else_help = true)]
    Resume(ConnectorNoun),
    /// Stops connectors, but does not delete them
    #[command(subcommand, arg_required_else_help = true)]
    Stop(ConnectorNoun),
    /// Deletes connectors
    Delete(DeleteArgs),
    /// Empties a worker, or lets it take units again (Towpath only)
    #[command(subcommand, arg_required_else_help = true)]
    Worker(WorkerCommand),
    /// Shows and changes the nodes of the control plane, and saves its state (Towpath only)
    #[command(subcommand, arg_required_else_help = true)]
    Cluster(MembersCommand),
    /// Prints a completion script for a shell, to be sourced
    Completion { shell: crate::completion::Shell },
    /// Names of connectors on one line, for completion scripts
    #[command(hide = true)]
    ConnectorNameCompletions,
    /// Names of tasks on one line, for completion scripts
    #[command(hide = true)]
    TaskNameCompletions,
    /// Names of workers on one line, for completion scripts
    #[command(hide = true)]
    WorkerNameCompletions,
    /// Names of contexts on one line, for completion scripts
    #[command(hide = true)]
    ContextNameCompletions,
    /// Classes of plugins on one line, for completion scripts
    #[command(hide = true)]
    PluginNameCompletions,
}

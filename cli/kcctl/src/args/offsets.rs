//! What is said about offsets that are changed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum ResetCommand {
    /// Removes all offsets of stopped connectors: they begin anew when they are resumed
    #[command(alias = "offset")]
    Offsets(ResetOffsetsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ResetOffsetsArgs {
    /// Names of connectors
    #[arg(value_name = "CONNECTOR NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PatchOffsetsArgs {
    /// Name of the connector
    #[arg(value_name = "CONNECTOR NAME")]
    pub(crate) name: String,
    /// A JSON file in the form that `kcctl get offsets` prints, or `-` for standard input; an offset of null removes it
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

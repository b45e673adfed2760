//! What is said about the nodes of the control plane and their state.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::OutputArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum MembersCommand {
    /// Lists the nodes
    #[command(alias = "list")]
    Members(OutputArgs),
    /// Takes a node into the group, and waits until it has caught up
    ///
    /// The node has to run and to be in no group yet: started with `--join`, it asks by itself and this is not needed.
    Add(AddArgs),
    /// Takes a node out of the group, dead or alive
    ///
    /// It is refused if too many of those that remain do not answer: a group without a majority can take nobody in again. A node
    /// that has lost its data is taken out when another one, with an empty data directory and a new number, has joined.
    Remove {
        /// Number of the node
        #[arg(value_name = "NODE")]
        node: u64,
    },
    /// Saves the state of the whole cluster to a file, from which a new control plane can begin
    ///
    /// Connectors, their states, source offsets and logger levels are in it; configurations as they were submitted, with the
    /// secrets in them. It is restored at the first start of a node with an empty data directory:
    /// `towpath-control-plane --restore FILE`, and of several nodes at that of the one with the lowest number.
    Backup {
        /// The file; one that is there is replaced
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Says how a new control plane begins with a backup: a node does that at its first start, not this client
    Restore {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Number of the node
    #[arg(value_name = "NODE")]
    pub(crate) node: u64,
    /// Where the other nodes reach it, host:port
    #[arg(value_name = "PEER ADDRESS")]
    pub(crate) peer_address: String,
    /// Where clients and workers reach it, host:port
    #[arg(value_name = "GRPC ADDRESS")]
    pub(crate) api_address: String,
}

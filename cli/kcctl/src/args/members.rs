//! What is said about the nodes of the control plane.

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
    Remove {
        /// Number of the node
        #[arg(value_name = "NODE")]
        node: u64,
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

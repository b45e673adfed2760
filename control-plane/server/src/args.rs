//! Where the settings come from: flags first, then the environment, then a file, then what is built in.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use serde::Deserialize;
use towpath_server::{
    Config, DEFAULT_DRAIN_DEADLINE, DEFAULT_GRPC_ADDRESS, DEFAULT_LEASE, DEFAULT_PEER_ADDRESS,
    DEFAULT_REST_ADDRESS, Group, MemberError, Storage, parse_members,
};
use towpath_types::{LogLevels, LogLevelsError, NodeId};

const DEFAULT_DATA_DIR: &str = "towpath-data";
/// The consensus library tells more than its users ask for.
const DEFAULT_LOG: &str = "info,openraft=warn";
const ONLY_NODE: u64 = 1;

/// A node of Towpath's control plane: keeps connectors, assigns their tasks to workers, serves the REST API of Kafka
/// Connect and the gRPC API of kcctl.
#[derive(Debug, Parser)]
#[command(name = "towpath-control-plane", version)]
pub(crate) struct Args {
    /// A JSON file with settings, named as the flags: {"rest_address": "0.0.0.0:8083"}
    #[arg(long, env = "TOWPATH_CONFIG")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Default, clap::Args, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where the REST API listens, host:port [default: 127.0.0.1:8083]
    #[arg(long, env = "TOWPATH_REST_ADDRESS")]
    rest_address: Option<String>,
    /// Where clients and workers connect, host:port [default: 127.0.0.1:7083]
    #[arg(long, env = "TOWPATH_GRPC_ADDRESS")]
    grpc_address: Option<String>,
    /// Where the other nodes of the control plane connect, host:port [default: 127.0.0.1:7084]
    #[arg(long, env = "TOWPATH_PEER_ADDRESS")]
    peer_address: Option<String>,
    /// The directory of the replicated log; made if it is not there [default: towpath-data]
    #[arg(long, env = "TOWPATH_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// The number of this node [default: 1]
    #[arg(long, env = "TOWPATH_NODE_ID")]
    node_id: Option<u64>,
    /// The nodes that begin a group together, this one among them, the same list on each: NUMBER=HOST:PEER_PORT/GRPC_PORT
    /// with commas between. Counts only at the first start
    #[arg(long, env = "TOWPATH_INITIAL_MEMBERS", conflicts_with = "join")]
    initial_members: Option<String>,
    /// A node of a group to join at the first start, host:port of its gRPC port
    #[arg(long, env = "TOWPATH_JOIN")]
    join: Option<String>,
    /// A file of `kcctl cluster backup`: this node begins a new group with the state in it. Its data directory must be
    /// empty, so this is for its first start only. With --initial-members it is given to the node with the lowest number
    /// of them and to no other, and the others begin empty. Workers of the old group are forgotten, and what they still
    /// run is stopped when they register
    #[arg(long, env = "TOWPATH_RESTORE", conflicts_with = "join")]
    restore: Option<PathBuf>,
    /// The host by which others reach this node, if it listens on all [default: the host of --peer-address]
    #[arg(long, env = "TOWPATH_ADVERTISED_HOST")]
    advertised_host: Option<String>,
    /// How long a worker may be silent before its tasks go elsewhere; the same on every node [default: 3000]
    #[arg(long, env = "TOWPATH_LEASE_MS")]
    lease_ms: Option<u64>,
    /// How long requests in progress may take after SIGTERM [default: 10000]
    #[arg(long, env = "TOWPATH_DRAIN_DEADLINE_MS")]
    drain_deadline_ms: Option<u64>,
    /// What is logged: a level, or levels by module [default: info,openraft=warn]
    #[arg(long, env = "TOWPATH_LOG")]
    log: Option<String>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("the configuration file `{}` cannot be read", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the configuration file `{}` is not a JSON object with known settings", .path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("`log` (also `--log` and `TOWPATH_LOG`) cannot be used")]
    Log(#[from] LogLevelsError),
    #[error("`initial_members` cannot be used")]
    Members(#[from] MemberError),
}

#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) config: Config,
    pub(crate) log: LogLevels,
}

impl Args {
    pub(crate) fn choose(self) -> Result<Chosen, SettingsError> {
        let file = self.config.map(read).transpose()?.unwrap_or_default();
        self.settings.or(file).complete()
    }
}

fn read(path: PathBuf) -> Result<Settings, SettingsError> {
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(source) => return Err(SettingsError::Read { path, source }),
    };
    serde_json::from_slice(&text).map_err(|source| SettingsError::Parse { path, source })
}

impl Settings {
    fn or(self, other: Self) -> Self {
        Self {
            rest_address: self.rest_address.or(other.rest_address),
            grpc_address: self.grpc_address.or(other.grpc_address),
            peer_address: self.peer_address.or(other.peer_address),
            data_dir: self.data_dir.or(other.data_dir),
            node_id: self.node_id.or(other.node_id),
            initial_members: self.initial_members.or(other.initial_members),
            join: self.join.or(other.join),
            restore: self.restore.or(other.restore),
            advertised_host: self.advertised_host.or(other.advertised_host),
            lease_ms: self.lease_ms.or(other.lease_ms),
            drain_deadline_ms: self.drain_deadline_ms.or(other.drain_deadline_ms),
            log: self.log.or(other.log),
        }
    }

    fn complete(self) -> Result<Chosen, SettingsError> {
        let members = self.initial_members.as_deref().map(parse_members).transpose()?;
        let group = match (self.restore, members, self.join) {
            (Some(backup), members, _) => Group::Restored {
                backup,
                members: members.unwrap_or_default(),
            },
            (None, Some(members), _) => Group::Of(members),
            (None, None, Some(via)) => Group::Join(via),
            (None, None, None) => Group::Alone,
        };
        let or = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
        let storage = Storage::Disk {
            data_dir: self.data_dir.unwrap_or_else(|| DEFAULT_DATA_DIR.into()),
            node: NodeId(self.node_id.unwrap_or(ONLY_NODE)),
            peer_address: or(self.peer_address, DEFAULT_PEER_ADDRESS),
            advertised_host: self.advertised_host,
            group,
        };
        let config = Config {
            rest_address: or(self.rest_address, DEFAULT_REST_ADDRESS),
            grpc_address: or(self.grpc_address, DEFAULT_GRPC_ADDRESS),
            storage,
            lease: self.lease_ms.map_or(DEFAULT_LEASE, Duration::from_millis),
            drain_deadline: self
                .drain_deadline_ms
                .map_or(DEFAULT_DRAIN_DEADLINE, Duration::from_millis),
        };
        Ok(Chosen {
            config,
            log: or(self.log, DEFAULT_LOG).parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_beats_the_file_and_the_file_beats_the_default() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            r#"{"rest_address":"0.0.0.0:1","grpc_address":"0.0.0.0:2"}"#,
        )
        .unwrap();
        let path = file.path().to_str().unwrap();
        let args = Args::parse_from(["x", "--config", path, "--rest-address", "0.0.0.0:9"]);
        let Chosen { config, log } = args.choose().unwrap();
        assert_eq!(
            (
                config.rest_address.as_str(),
                config.grpc_address.as_str(),
                log.as_ref()
            ),
            ("0.0.0.0:9", "0.0.0.0:2", DEFAULT_LOG)
        );
        assert_eq!(config.lease, DEFAULT_LEASE);
    }

    #[test]
    fn a_misspelt_setting_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"rest_adress":"0.0.0.0:1"}"#).unwrap();
        let args = Args::parse_from(["x", "--config", file.path().to_str().unwrap()]);
        assert!(matches!(args.choose(), Err(SettingsError::Parse { .. })));
    }

    #[test]
    fn a_backup_is_restored_for_one_node_or_for_several_but_not_by_one_that_joins() {
        let group = |arguments: &[&str]| {
            let args = Args::try_parse_from([&["x", "--restore", "b"][..], arguments].concat());
            args.ok().map(|args| match args.choose().unwrap().config.storage {
                Storage::Disk { group, .. } => group,
                other => panic!("{other:?}"),
            })
        };
        let restored = |members: &str| Group::Restored {
            backup: "b".into(),
            members: parse_members(members).unwrap(),
        };
        assert_eq!(group(&[]), Some(restored("")));
        let members = "1=10.0.0.1:7084/7083,2=10.0.0.2:7084/7083";
        assert_eq!(group(&["--initial-members", members]), Some(restored(members)));
        assert_eq!(group(&["--join", "10.0.0.1:7083"]), None);
    }
}

//! How a node is set up.

use std::path::PathBuf;
use std::time::Duration;

use openraft::SnapshotPolicy;
use towpath_types::NodeId;

use crate::types::Member;

#[derive(Debug, Clone)]
pub struct RaftConfig {
    pub node: NodeId,
    pub member: Member,
    /// Belongs to this node alone.
    pub dir: PathBuf,
    pub timing: Timing,
    pub log: LogLimits,
}

impl RaftConfig {
    pub fn new(node: NodeId, member: Member, dir: impl Into<PathBuf>) -> Self {
        Self {
            node,
            member,
            dir: dir.into(),
            timing: Timing::default(),
            log: LogLimits::default(),
        }
    }
}

/// A leader that is killed is replaced after an election timeout and one round of votes: in about a second.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Also how long one message to another node may take, its `fdatasync` included.
    pub heartbeat: Duration,
    /// Each node waits for a random time between the two before it stands for election. Several heartbeats, so that one
    /// that is late starts nothing.
    pub election_min: Duration,
    pub election_max: Duration,
    /// For one part of a snapshot; the last one includes installing it.
    pub snapshot_part: Duration,
    /// How long a proposal or a linearizable read may wait for a majority.
    pub quorum: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(200),
            election_min: Duration::from_millis(600),
            election_max: Duration::from_millis(1_000),
            snapshot_part: Duration::from_secs(10),
            quorum: Duration::from_secs(10),
        }
    }
}

#[derive(Debug, Clone)]
pub struct LogLimits {
    /// So many entries after the last snapshot, the next one is written. An entry takes less than a kilobyte as a rule
    /// and is read in microseconds, so a restart stays fast.
    pub snapshot_every: u64,
    /// Entries that are kept although a snapshot includes them, for followers that are a little behind.
    pub keep: u64,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self {
            snapshot_every: 5_000,
            keep: 1_000,
        }
    }
}

/// A part of a snapshot on its way to another node.
const SNAPSHOT_PART_BYTES: u64 = 1024 * 1024;

/// Entries in one message to a follower; their size is limited where they are read.
const ENTRIES_PER_MESSAGE: u64 = 300;

impl RaftConfig {
    pub(crate) fn to_openraft(&self) -> Result<openraft::Config, Box<openraft::ConfigError>> {
        let Timing {
            heartbeat,
            election_min,
            election_max,
            snapshot_part,
            quorum: _,
        } = &self.timing;
        let config = openraft::Config {
            cluster_name: "towpath".to_owned(),
            heartbeat_interval: millis(*heartbeat),
            election_timeout_min: millis(*election_min),
            election_timeout_max: millis(*election_max),
            install_snapshot_timeout: millis(*snapshot_part),
            max_payload_entries: ENTRIES_PER_MESSAGE,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.log.snapshot_every),
            max_in_snapshot_log_to_keep: self.log.keep,
            snapshot_max_chunk_size: SNAPSHOT_PART_BYTES,
            // Beyond this a follower gets a snapshot; below, the entries are still there.
            replication_lag_threshold: self.log.snapshot_every + self.log.keep,
            ..openraft::Config::default()
        };
        config.validate().map_err(Box::new)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

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

/// A leader that is killed is replaced in about a second: when it has been silent for long enough, by one round of votes.
#[derive(Debug, Clone)]
pub struct Timing {
    /// Also how long one message to another node may take, its `fdatasync` included.
    pub heartbeat: Duration,
    /// How long a leader may be silent before another is elected; one that no majority has answered for so long is none.
    /// Several heartbeats, so that one that is late starts nothing.
    pub silence: Duration,
    /// For one part of a snapshot; the last one includes installing it.
    pub snapshot_part: Duration,
    /// How long a proposal or a linearizable read may wait for a majority.
    pub quorum: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(200),
            silence: Duration::from_millis(800),
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
            silence,
            snapshot_part,
            quorum: _,
        } = &self.timing;
        let config = openraft::Config {
            cluster_name: "towpath".to_owned(),
            heartbeat_interval: millis(*heartbeat),
            // Who stands, and when, is not decided by openraft's timers. What it takes from here is how long a node that
            // has heard from a leader votes for nobody else, which must be over when the silence is.
            enable_elect: false,
            election_timeout_min: millis(*silence / 2),
            election_timeout_max: millis(*silence * 3 / 4),
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

//! Commands, and waiting for a state.

use std::path::Path;
use std::time::{Duration, Instant};

use towpath_raft::{ClusterStore, Member, RaftConfig, RaftStore, Reads as _};
use towpath_state::{Command, Expect};
use towpath_types::{ConnectorConfig, ConnectorKind, ConnectorName, NodeId, TargetState};

/// Machines that run tests are slow at times.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(10);

/// What the nodes say is shown with a test that fails. To be called before the first of them starts.
pub(crate) fn show_logs() {
    let filter = tracing_subscriber::EnvFilter::new("info,towpath_raft=debug");
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_test_writer();
    // Another test of this process may have been the first.
    drop(logs.try_init());
}

pub(crate) fn config(dir: &Path) -> RaftConfig {
    RaftConfig::new(NodeId(1), Member::default(), dir)
}

pub(crate) async fn open(dir: &Path) -> RaftStore {
    RaftStore::open_single(config(dir)).await.unwrap()
}

pub(crate) fn put(name: &str, value: &str) -> Command {
    let config: ConnectorConfig = [("connector.class", "FileSource"), ("value", value)]
        .into_iter()
        .collect();
    Command::PutConnector {
        name: ConnectorName::new(name).unwrap(),
        config: config.into(),
        kind: ConnectorKind::Source,
        expect: Expect::Any,
        initial_state: TargetState::Running,
    }
}

pub(crate) async fn must_put(store: &dyn ClusterStore, name: &str, value: &str) {
    store.propose(put(name, value)).await.unwrap().unwrap();
}

pub(crate) fn value(store: &dyn ClusterStore, name: &str) -> Option<String> {
    store.read_local(|state| state.connector(name)?.config.get("value").map(str::to_owned))
}

pub(crate) async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(POLL).await;
    }
}

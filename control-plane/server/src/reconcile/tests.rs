//! The loop over the store in memory, with a clock that the tests move.

use std::collections::BTreeMap;

use tokio::task::JoinSet;
use towpath_raft::MemoryStore;
use towpath_state::{Registration, Replaces};
use towpath_types::{SessionId, WorkerId};

use super::*;
use crate::sessions::Lease;

const LEASE: Lease = Lease {
    duration: Duration::from_secs(3),
    margin: Duration::from_millis(500),
};

struct Loop {
    store: Arc<MemoryStore>,
    directory: Arc<Directory>,
    _task: JoinSet<()>,
}

/// With one registered worker that was never heard of since.
async fn with_silent_worker() -> Loop {
    let store = Arc::new(MemoryStore::default());
    let registration = Registration {
        worker: WorkerId::new("w"),
        session: SessionId::new("s"),
        resumes: None,
        process: None,
        replaces: Replaces::default(),
        address: "w".to_owned(),
        version: String::new(),
        labels: BTreeMap::new(),
        plugins: Vec::new(),
        held: Vec::new(),
    };
    store
        .propose(Command::RegisterWorker(registration))
        .await
        .unwrap()
        .unwrap();
    let directory = Arc::new(Directory::new(LEASE));
    let reconciler = Reconciler::new(Arc::clone(&store) as _, Arc::clone(&directory));
    let mut task = JoinSet::new();
    task.spawn(reconciler.run(CancellationToken::new()));
    tokio::task::yield_now().await;
    Loop {
        store,
        directory,
        _task: task,
    }
}

impl Loop {
    fn knows_the_worker(&self) -> bool {
        self.store.read_local(|state| !state.workers().is_empty())
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_come_back_is_removed_after_one_lease() {
    let running = with_silent_worker().await;
    tokio::time::sleep(Duration::from_millis(3_400)).await;
    assert!(running.knows_the_worker());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!running.knows_the_worker());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_held_up_blames_nobody() {
    let running = with_silent_worker().await;
    // All timers are late at once, as after SIGSTOP and SIGCONT.
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(running.knows_the_worker(), "it gets a new lease");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!running.knows_the_worker(), "and no more than one");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_removed_by_a_node_that_does_not_lead() {
    let running = with_silent_worker().await;
    let node = towpath_types::NodeId(1);
    running
        .store
        .set_trouble(Some(StoreError::NotLeader { node, leader: None }));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(running.knows_the_worker());
    running.store.set_trouble(None);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(running.knows_the_worker(), "leading again begins with a lease");
    assert!(running.directory.live_workers() == LiveWorkers::default());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!running.knows_the_worker());
}

//! A node that creates connectors as fast as it can and says which were acknowledged, one number a line. For tests that
//! kill it: `writer DIR FIRST` goes on until it is killed or its disk fails; then it says why and ends with 3.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::task::JoinSet;
use towpath_raft::{ClusterStore as _, Member, RaftConfig, RaftStore, StoreError};
use towpath_state::{Command, Expect};
use towpath_types::{ConnectorConfig, ConnectorKind, ConnectorName, NodeId, TargetState};

/// So many proposals at a time, so that some share an entry.
const WRITERS: u64 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, dir, first] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    let Ok(first) = first.parse::<u64>() else {
        return ExitCode::from(2);
    };
    match write(dir, first).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            say(&format!("stopped: {reason}"));
            ExitCode::from(3)
        }
    }
}

async fn write(dir: &str, first: u64) -> Result<(), String> {
    let mut config = RaftConfig::new(NodeId(1), Member::default(), dir);
    config.log.snapshot_every = 100;
    config.log.keep = 10;
    let store = RaftStore::open_single(config)
        .await
        .map_err(|error| format!("{error:?}"))?;
    let store = Arc::new(store);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let mut number = first + writer;
            loop {
                create(&store, number).await?;
                say(&number.to_string());
                number += WRITERS;
            }
        });
    }
    let ended: Result<Result<(), StoreError>, _> = writers.join_next().await.expect("there are writers");
    ended
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())
}

async fn create(store: &RaftStore, number: u64) -> Result<(), StoreError> {
    let config: ConnectorConfig = [
        ("connector.class", "FileSource".to_owned()),
        ("padding", "x".repeat(2_000)),
    ]
    .into_iter()
    .collect();
    let command = Command::PutConnector {
        name: ConnectorName::new(format!("connector-{number}")).expect("the name is not empty"),
        config: config.into(),
        kind: ConnectorKind::Source,
        expect: Expect::Any,
        initial_state: TargetState::Running,
    };
    store.propose(command).await.map(drop)
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The reader may be gone; then there is nobody to tell.
    drop(
        out.write_all(format!("{line}\n").as_bytes())
            .and_then(|()| out.flush()),
    );
}

//! Nodes of other versions.

use std::path::Path;

use flate2::read::GzDecoder;
use tempfile::TempDir;
use tonic::Code;
use towpath_raft::{ClusterStore as _, RaftConfig, Reads as _};
use towpath_wire::v1::PeerRequest;
use towpath_wire::v1::raft_peers_client::RaftPeersClient;

use crate::group::Group;
use crate::support::{must_put, open};

/// A data directory of version 1, written by the example of this crate until it was killed: a snapshot, and a log after it.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/data-v1");
/// So many connectors had been acknowledged.
const ACKNOWLEDGED: usize = 311;

fn unpacked() -> TempDir {
    let (golden, dir) = (Path::new(DATA), TempDir::new().unwrap());
    for name in ["conf", "durable"] {
        std::fs::copy(golden.join(name), dir.path().join(name)).unwrap();
    }
    std::fs::create_dir(dir.path().join("blobs")).unwrap();
    let packed = std::fs::File::open(golden.join("db.gz")).unwrap();
    let mut db = std::fs::File::create(dir.path().join("db")).unwrap();
    std::io::copy(&mut GzDecoder::new(packed), &mut db).unwrap();
    dir
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_of_version_1_is_read_and_written_on() {
    let dir = unpacked();
    let store = open(dir.path()).await;
    assert!(
        store.metrics().borrow().snapshot_index.is_some(),
        "there is a snapshot in it"
    );
    let count = store.read(|state| state.list().len()).await.unwrap();
    assert!(count >= ACKNOWLEDGED, "{count}");
    must_put(&store, "of-this-version", "1").await;
    store.shutdown().await;
    drop(store);
    let store = open(dir.path()).await;
    assert_eq!(store.read(|state| state.list().len()).await, Ok(count + 1));
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_a_newer_format_are_refused_with_what_to_do() {
    let group = Group::of_one().await;
    let address = format!("http://{}", group.peer_address(1));
    let mut newer = RaftPeersClient::connect(address).await.unwrap();
    let message = PeerRequest {
        format_version: 2,
        target: 1,
        body: b"whatever it is".to_vec(),
        ..PeerRequest::default()
    };
    for refused in [
        newer.append_entries(message.clone()).await.unwrap_err(),
        newer.vote(message.clone()).await.unwrap_err(),
        newer.install_snapshot(message.clone()).await.unwrap_err(),
        newer.hand_over(message.clone()).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(
            refused.message(),
            "messages of format 2 are not understood here, only 1: the versions of the control plane's nodes are too far \
             apart, upgrade the older ones, one minor version at a time"
        );
    }
    must_put(group.store(1), "orders", "1").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_can_be_stopped_though_the_others_do_not_know_what_a_hand_over_is() {
    let older = |id: u64| -> &'static [&'static str] { if id == 1 { &[] } else { &["/HandOver"] } };
    let mut group = Group::of_mixed(3, |_: &mut RaftConfig| {}, older).await;
    let first = group.leader().await;
    assert_eq!(first, 1, "the one that formed the group");
    must_put(group.store(first), "orders", "1").await;
    group.everywhere("orders", "1").await;
    group.store(first).hand_over().await;
    group.kill(first).await;
    // By their time-outs, as before there were hand-overs.
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    group.stop().await;
}

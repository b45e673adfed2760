//! The recorded answers of the Java runtime, asked from our own processes on a real broker.

use std::time::Duration;

use towpath_testkit::replay::{Replay, recorded, report, served};
use towpath_testkit::{Service, Services, wait_until};

use crate::cluster::Cluster;

const PATIENCE: Duration = Duration::from_secs(30);
/// About a connector of MirrorMaker, which is no part of this worker.
const MIRROR_MAKER: u32 = 18;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_gives_every_recorded_answer() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    std::fs::write(cluster.file("in.txt"), "one\ntwo\nthree\n").unwrap();
    let recorded = recorded().unwrap();
    let mut lines = served(&recorded);
    assert_eq!(lines.len(), 210, "of 222: 12 about loggers");
    lines.retain(|line| line.n != MIRROR_MAKER);
    // The worker is there before it has asked Kafka; the recorded one was not.
    let knows_kafka = || async { cluster.rest.get("/").await["kafka_cluster_id"].is_string() };
    wait_until("the id of the Kafka cluster", PATIENCE, knows_kafka)
        .await
        .unwrap();
    let replay = Replay::new(cluster.rest.base.clone(), cluster.folder.path());
    let differences = replay.run(lines).await;
    assert!(differences.is_empty(), "{}", report(&differences));
}

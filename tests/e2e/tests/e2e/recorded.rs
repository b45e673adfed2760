//! The recorded answers of the Java runtime, asked from our own processes on a real broker.

use towpath_testkit::replay::{Replay, recorded, report, served};
use towpath_testkit::{Service, Services};

use crate::cluster::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_worker_gives_every_recorded_answer() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    std::fs::write(cluster.file("in.txt"), "one\ntwo\nthree\n").unwrap();
    let recorded = recorded().unwrap();
    let lines = served(&recorded);
    assert_eq!(
        lines.len(),
        182,
        "of 222: 28 about altering offsets, 12 about loggers"
    );
    let replay = Replay::new(cluster.rest.base.clone(), cluster.folder.path());
    let differences = replay.run(lines).await;
    assert!(differences.is_empty(), "{}", report(&differences));
}

//! The recorded answers of Kafka Connect. Validation results come from the script; the end-to-end tests replay the same
//! lines with a real worker.

use std::path::Path;

use towpath_testkit::replay::{Replay, report, served};

use crate::cluster::Cluster;
use crate::script;

#[tokio::test]
async fn every_recorded_answer_that_this_server_gives_is_as_recorded_or_better() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let mut lines = served(script::recorded());
    lines.retain(|line| !line.is_about_changed_offsets());
    assert_eq!(
        lines.len(),
        182,
        "of 222: 28 about changed offsets, 12 about loggers"
    );
    let replay = Replay::new(cluster.url(""), Path::new("/data"));
    let differences = replay.run(lines).await;
    assert!(differences.is_empty(), "{}", report(&differences));
    cluster.stop().await;
}

//! The recorded answers of Kafka Connect. Validation results come from the script; the end-to-end tests replay the same
//! lines with a real worker.

use std::path::Path;

use towpath_testkit::replay::{Line, Replay, report};

use crate::cluster::Cluster;
use crate::script;

/// Altering offsets and log levels is not part of this server yet.
fn is_served(line: &&Line) -> bool {
    let (_, path) = line.request.split_once(' ').unwrap();
    let alters_offsets = path.ends_with("/offsets") && !line.request.starts_with("GET");
    // What was altered is read back.
    let reads_altered = [164, 173, 183, 191, 193].contains(&line.n);
    !(alters_offsets || reads_altered || path.starts_with("/admin/"))
}

#[tokio::test]
async fn every_recorded_answer_that_this_server_gives_is_as_recorded_or_better() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let lines: Vec<&Line> = script::recorded().iter().filter(is_served).collect();
    assert_eq!(
        lines.len(),
        182,
        "of 222: 28 about altering offsets, 12 about loggers"
    );
    let replay = Replay::new(cluster.url(""), Path::new("/data"));
    let differences = replay.run(lines).await;
    assert!(differences.is_empty(), "{}", report(&differences));
    cluster.stop().await;
}

//! Workers whose file turns exactly-once sources on and off.

use towpath_testkit::{Service, Services};

use super::{committed, lines, source, unique, wait_position};
use crate::cluster::Cluster;

/// More for each configuration that a worker is started with.
const STEP: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_source_goes_on_where_it_was_whichever_way_its_worker_is_configured_next() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique("eos-switch");
    let topic = format!("{name}-offsets");
    let place = ("disabled", topic.as_str());
    let mut cluster = Cluster::start_exactly_once_with(services.kafka_bootstrap(), place, &[]).await;
    let input = cluster.file("in.txt");
    let mut count = STEP;
    std::fs::write(&input, lines(0..count)).unwrap();
    cluster.rest.create(&name, source(&input, &name)).await;
    wait_position(&cluster, &name, lines(0..count).len()).await;
    for support in [
        "preparing",
        "enabled",
        "disabled",
        "enabled",
        "preparing",
        "enabled",
    ] {
        // The last run committed all that it had read, and then it is killed.
        cluster.set_exactly_once(support, &topic);
        cluster.kill_worker(0);
        cluster.rest.wait_running(&name, 1).await;
        count += STEP;
        std::fs::write(&input, lines(0..count)).unwrap();
        wait_position(&cluster, &name, lines(0..count).len()).await;
    }
    let seen = committed(&services, &name, count).await;
    assert!(
        seen.iter().copied().eq(0..count),
        "{} lines: {seen:?}",
        seen.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_had_committed_to_kafka_is_not_read_again_by_an_at_least_once_source() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique("eos-back");
    let topic = format!("{name}-offsets");
    let mut cluster = Cluster::start_exactly_once(services.kafka_bootstrap(), &topic).await;
    let input = cluster.file("in.txt");
    std::fs::write(&input, lines(0..super::LINES)).unwrap();
    cluster.rest.create(&name, source(&input, &name)).await;
    wait_position(&cluster, &name, lines(0..super::LINES).len() / 10).await;
    // In the middle of its work: the control plane knows less than Kafka, and a transaction is open.
    cluster.set_exactly_once("disabled", &topic);
    cluster.kill_worker(0);
    wait_position(&cluster, &name, lines(0..super::LINES).len()).await;
    let seen = committed(&services, &name, super::LINES).await;
    assert!(
        seen.iter().copied().eq(0..super::LINES),
        "{} lines: {seen:?}",
        seen.len()
    );
}

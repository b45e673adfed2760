//! Sources that go over from the Java runtime and back: each goes on where the other has left off, by offsets in Kafka.

use reqwest::Method;
use serde_json::{Value, json};
use towpath_testkit::{Service, Services, wait_until};

use super::{PATIENCE, committed, lines, source, stop, unique, wait_position};
use crate::cluster::Cluster;
use crate::rest::Rest;

/// Where the Java runtime of tests/services keeps its offsets.
const JAVAS: &str = "java-connect-offsets";

#[tokio::test(flavor = "multi_thread")]
async fn a_source_goes_over_from_the_java_runtime_and_back_without_a_duplicate() {
    there_and_back("eos-java", JAVAS, json!({})).await;
}

/// The two workers share nothing but the connector's own topic.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_an_offsets_topic_of_its_own_goes_over_with_it() {
    let own = json!({ "offsets.storage.topic": unique("eos-java-own-offsets") });
    there_and_back("eos-java-own", &unique("eos-java-own-worker"), own).await;
}

async fn there_and_back(name: &str, offsets_topic: &str, more: Value) {
    let services = Services::require(&[Service::Kafka, Service::Connect])
        .await
        .unwrap();
    let java = Rest::new(services.connect_url().to_owned());
    let cluster = Cluster::start_exactly_once(services.kafka_bootstrap(), offsets_topic).await;
    let name = unique(name);
    let path = format!("/connectors/{name}");
    let input = cluster.file("in.txt");
    let mut config = source(&input, &name);
    // Java's source keeps back what it has read beyond a batch until the file grows.
    config["batch.size"] = json!("2000");
    crate::news::merge(&mut config, more);
    std::fs::write(&input, lines(0..100)).unwrap();
    java.create(&name, config.clone()).await;
    let all = || async { committed(&services, &name, 100).await.len() == 100 };
    wait_until("the lines of the Java runtime", PATIENCE, all)
        .await
        .unwrap();
    // The last offset is written when the connector is stopped.
    stop(&java, &name).await;

    std::fs::write(&input, lines(0..200)).unwrap();
    cluster.rest.create(&name, config).await;
    wait_position(&cluster, &name, lines(0..200).len()).await;
    stop(&cluster.rest, &name).await;

    std::fs::write(&input, lines(0..300)).unwrap();
    let (status, _) = java.call(Method::PUT, &format!("{path}/resume"), None).await;
    assert_eq!(status, 202);
    let all = || async { committed(&services, &name, 300).await.len() >= 300 };
    wait_until("the last lines", PATIENCE, all).await.unwrap();
    let seen = committed(&services, &name, 300).await;
    assert!(seen.iter().copied().eq(0..300), "{} lines: {seen:?}", seen.len());
    let (status, _) = java.call(Method::DELETE, &path, None).await;
    assert_eq!(status, 204);
}

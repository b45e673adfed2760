//! Tasks over tables and workers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use towpath_testkit::{Service, Services, wait_until};

use crate::cluster::Cluster;
use crate::news::{News, merge};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn three_tables_make_three_tasks_that_are_spread_over_two_workers() {
    let services = Services::require(&[Service::Kafka, Service::MariaDb])
        .await
        .unwrap();
    let news = News::create(&services, "news_spread", 5).await;
    for table in ["authors", "comments"] {
        news.create_table(&services, table).await;
        news.insert(&services, table, 1, 5).await;
    }
    let cluster = Cluster::start(services.kafka_bootstrap(), 2).await;
    let mut config = news.source("spread-");
    merge(
        &mut config,
        json!({ "table.include.list": ".*", "tasks.max": "3", "catalog.pattern": "news_spread" }),
    );
    config.as_object_mut().unwrap().remove("incrementing.column.name");
    merge(&mut config, json!({ "incrementing.column.mapping": ".*:id" }));
    cluster.rest.create("spread", config).await;
    cluster.rest.wait_running("spread", 3).await;

    let tasks = cluster.rest.get("/connectors/spread/tasks").await;
    let tables: BTreeSet<String> = tasks
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["config"]["tables"].to_string())
        .collect();
    assert_eq!(tables.len(), 3, "one table each: {tasks}");
    let spread = || async { workers(&cluster.rest.get("/connectors/spread/status").await).len() == 2 };
    wait_until("the tasks to be on both workers", PATIENCE, spread)
        .await
        .unwrap();
    let all_topics = || async {
        let topics = cluster.rest.get("/connectors/spread/topics").await;
        topics["spread"]["topics"]
            .as_array()
            .is_some_and(|topics| topics.len() == 3)
    };
    wait_until("records of all three tables", PATIENCE, all_topics)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tasks_of_a_worker_that_is_stopped_go_elsewhere_without_waiting_for_its_lease() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    // Ten minutes: much longer than this test waits.
    let mut cluster = Cluster::start_with(services.kafka_bootstrap(), 2, &["--lease-ms=600000"]).await;
    let sink = json!({
        "connector.class": "FileStreamSink", "topics": "leaving", "tasks.max": "2", "file": cluster.file("out.txt"),
    });
    cluster.rest.create("leaving", sink).await;
    cluster.rest.wait_running("leaving", 2).await;
    let spread = || async { workers(&cluster.rest.get("/connectors/leaving/status").await).len() == 2 };
    wait_until("the tasks to be on both workers", PATIENCE, spread)
        .await
        .unwrap();

    cluster.stop_worker(1).await;

    let stayed = BTreeSet::from([r#""worker-0:8083""#.to_owned()]);
    let moved = || async { workers(&cluster.rest.get("/connectors/leaving/status").await) == stayed };
    wait_until("the tasks to be on the worker that stayed", PATIENCE, moved)
        .await
        .unwrap();
    cluster.rest.wait_running("leaving", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_brokers_registers_and_stops() {
    let mut cluster = Cluster::start("127.0.0.1:1", 1).await;
    cluster.stop_worker(0).await;
}

fn workers(status: &Value) -> BTreeSet<String> {
    status["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["worker_id"].to_string())
        .collect()
}

//! Everything is killed in turn, under load; in the end every row is there and nobody had to help.

use std::time::Duration;

use serde_json::json;
use towpath_testkit::{Service, Services, wait_until_eq};

use crate::cluster::Cluster;
use crate::news::{Index, News, merge, search, with_transforms};

/// After a fault everything has to be there within this.
const RECOVERY: Duration = Duration::from_secs(180);
/// Rows added while something is down.
const STEP: u32 = 2_000;
/// So many lines of the worker's log are shown when something does not arrive.
const LOG_END: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_under_load_every_row_arrives() {
    // Servers of its own: others would be disturbed.
    let services = Services::private(&[Service::Kafka, Service::MariaDb, Service::OpenSearch])
        .await
        .unwrap();
    let news = News::create(&services, "news", STEP).await;
    let mut cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let source = with_transforms(news.source("article-events-"), "article-events-");
    cluster.rest.create("article-source", source).await;
    let topics =
        json!({ "topics": "article-events-v2-articles", "consumer.override.session.timeout.ms": "6000" });
    cluster
        .rest
        .create("article-search", search(&services, &topics))
        .await;
    let index = Index::new(&services, "article-events-v2-articles");
    let mut rows = STEP;

    // SIGKILL of our own processes in the middle of a load.
    rows = load(&news, &services, rows).await;
    cluster.kill_worker(0);
    arrived(&cluster, &index, rows, "the worker was killed").await;
    rows = load(&news, &services, rows).await;
    cluster.kill_control_plane().await;
    arrived(&cluster, &index, rows, "the control plane was killed").await;

    // The servers in turn.
    rows = load(&news, &services, rows).await;
    services.kill(Service::MariaDb).await.unwrap();
    services.start(Service::MariaDb).await.unwrap();
    arrived(&cluster, &index, rows, "MariaDB was killed").await;
    for service in [Service::Kafka, Service::OpenSearch] {
        rows = load(&news, &services, rows).await;
        services.restart(service).await.unwrap();
        arrived(&cluster, &index, rows, &format!("{service:?} was restarted")).await;
    }
    assert_eq!(index.distinct_ids().await, u64::from(rows));
    cluster.rest.wait_running("article-source", 1).await;
    cluster.rest.wait_running("article-search", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_comes_while_the_database_is_away_waits_for_it_and_says_so() {
    let services = Services::private(&[Service::Kafka, Service::MariaDb])
        .await
        .unwrap();
    let news = News::create(&services, "news", 10).await;
    let mut cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let mut source = news.source("article-events-");
    merge(
        &mut source,
        json!({ "connection.attempts": "2", "connection.backoff.ms": "100" }),
    );
    cluster.rest.create("article-source", source).await;
    cluster.rest.wait_running("article-source", 1).await;

    services.kill(Service::MariaDb).await.unwrap();
    cluster.kill_worker(0);
    let waiting = Some(("RESTARTING".to_owned(), vec!["RESTARTING".to_owned()]));
    wait_until_eq("states without the database", RECOVERY, waiting, || {
        cluster.rest.states("article-source")
    })
    .await
    .unwrap();
    let traces = cluster.rest.traces("article-source").await;
    assert_eq!(
        traces.matches("after 2 of 2 attempts to connect").count(),
        2,
        "{traces}"
    );

    services.start(Service::MariaDb).await.unwrap();
    cluster.rest.wait_running("article-source", 1).await;
    assert_eq!(cluster.rest.traces("article-source").await.trim(), "");
}

async fn load(news: &News, services: &Services, rows: u32) -> u32 {
    news.insert(services, "articles", rows + 1, rows + STEP).await;
    rows + STEP
}

async fn arrived(cluster: &Cluster, index: &Index, rows: u32, after: &str) {
    let what = format!("rows in the index after {after}");
    let waited = wait_until_eq(&what, RECOVERY, u64::from(rows), || index.distinct_ids_settled()).await;
    if let Err(error) = waited {
        let mut told = error.to_string();
        for connector in ["article-source", "article-search"] {
            for what in ["status", "offsets"] {
                let path = format!("/connectors/{connector}/{what}");
                told.push_str(&format!("\n{}", cluster.rest.get(&path).await));
            }
        }
        let log = cluster.workers[0].output().unwrap();
        let end: Vec<&str> = log.lines().rev().take(LOG_END).collect();
        panic!("{told}\nthe worker, newest first:\n{}", end.join("\n"));
    }
}

//! The JDBC source, with a task for each table.

use serde_json::{Value, json};
use towpath_testkit::{Service, Services, wait_until};

use super::{PATIENCE, STRING, committed, unique};
use crate::cluster::Cluster;
use crate::news::{News, merge};

const TABLES: [&str; 3] = ["articles", "authors", "comments"];
/// Of each table, at the beginning and again with each step.
const ROWS: u32 = 1_000;
/// Between two looks for rows: many transactions, to be killed in.
const BATCH_ROWS: &str = "5";

/// Three tables whose ids are copied into topics.
struct Copy {
    services: Services,
    news: News,
    cluster: Cluster,
    name: String,
    rows: u32,
}

impl Copy {
    async fn begin(name: &str, tasks: u32) -> Self {
        let services = Services::require(&[Service::Kafka, Service::MariaDb])
            .await
            .unwrap();
        let database = name.replace('-', "_");
        let name = unique(name);
        let news = News::create(&services, &database, ROWS).await;
        for table in &TABLES[1..] {
            news.create_table(&services, table).await;
            news.insert(&services, table, 1, ROWS).await;
        }
        let cluster =
            Cluster::start_exactly_once(services.kafka_bootstrap(), &format!("{name}-offsets")).await;
        let copy = Self {
            services,
            news,
            cluster,
            name,
            rows: ROWS,
        };
        copy.cluster.rest.create(&copy.name, copy.config(tasks)).await;
        copy
    }

    fn config(&self, tasks: u32) -> Value {
        let mut config = self.news.source(&format!("{}-", self.name));
        let more = json!({
            "table.include.list": TABLES.join(","), "catalog.pattern": self.news.database, "tasks.max": tasks.to_string(), "batch.max.rows": BATCH_ROWS,
            "exactly.once.support": "required", "poll.interval.ms": "20",
            "transforms": "id", "transforms.id.type": "org.apache.kafka.connect.transforms.ExtractField$Value",
            "transforms.id.field": "id", "value.converter": STRING, "key.converter": STRING,
        });
        merge(&mut config, more);
        config
    }

    async fn more_rows(&mut self) {
        for table in TABLES {
            self.news
                .insert(&self.services, table, self.rows + 1, self.rows + ROWS)
                .await;
        }
        self.rows += ROWS;
    }

    /// The ids that the API shows, of all tables together.
    async fn progress(&self) -> u64 {
        let shown = self
            .cluster
            .rest
            .get(&format!("/connectors/{}/offsets", self.name))
            .await;
        let entries = shown["offsets"].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .filter_map(|entry| entry["offset"]["incrementing"].as_u64())
            .sum()
    }

    async fn wait_progress(&self, at_least: u64) {
        let reached = || async { self.progress().await >= at_least };
        let waited = wait_until("the source to come on", PATIENCE, reached).await;
        if let Err(error) = waited {
            panic!("{error}; {}", self.cluster.rest.traces(&self.name).await);
        }
    }

    /// Waits until all rows are copied; each is there once, in order.
    async fn finish(&self) {
        self.wait_progress(u64::from(self.rows) * TABLES.len() as u64)
            .await;
        for table in TABLES {
            let topic = format!("{}-{table}", self.name);
            let expected = 1..=self.rows as usize;
            let seen = committed(&self.services, &topic, self.rows as usize).await;
            assert!(
                seen.iter().copied().eq(expected),
                "{table}: {} rows: {seen:?}",
                seen.len()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_arrives_exactly_once_though_the_worker_is_killed_under_load() {
    let mut copy = Copy::begin("eos-rows", 3).await;
    let mut reached = 0;
    for _kill in 0..3 {
        copy.wait_progress(reached + 1).await;
        copy.cluster.kill_worker(0);
        reached = copy.progress().await;
        copy.more_rows().await;
    }
    copy.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_go_from_three_tasks_to_one_and_back_are_copied_exactly_once() {
    let mut copy = Copy::begin("eos-tasks", 3).await;
    for tasks in [1, 3, 2, 3] {
        copy.wait_progress(1).await;
        let (name, config) = (copy.name.clone(), copy.config(tasks));
        let path = format!("/connectors/{name}/config");
        // In the middle of the copying.
        let (status, answer) = copy
            .cluster
            .rest
            .call(reqwest::Method::PUT, &path, Some(&config))
            .await;
        assert_eq!(status, 200, "{answer}");
        let count = usize::try_from(tasks).unwrap();
        copy.cluster.rest.wait_running(&name, count).await;
        copy.more_rows().await;
    }
    copy.finish().await;
}

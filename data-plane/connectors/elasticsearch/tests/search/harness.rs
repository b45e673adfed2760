//! A sink task with the loop of the runtime around it, and a look at what the search engine holds.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use towpath_connect::{
    ConfigMap, ConnectRecord, ConnectorError, ErrorKind, Map, PluginFactory, Result, SinkConnector,
    SinkRecord, SinkTask, SinkTaskContext, TimestampType, TopicPartition, TopicPartitionOffsets, Value,
};
use towpath_testkit::{Service, Services};

pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

/// Tests that use the shared server at once. More would only wait for each other and for its disk.
static TURNS: Semaphore = Semaphore::const_new(4);

/// A search engine that all tests share, and an index of the test's own.
pub(crate) struct Search {
    pub(crate) url: String,
    pub(crate) index: String,
    http: reqwest::Client,
    _turn: Option<SemaphorePermit<'static>>,
}

impl Search {
    pub(crate) async fn shared(test: &str) -> Self {
        let turn = TURNS.acquire().await.unwrap();
        let services = Services::require(&[Service::OpenSearch]).await.unwrap();
        Self {
            _turn: Some(turn),
            ..Self::at(services.opensearch_url(), test)
        }
    }

    pub(crate) fn at(url: &str, test: &str) -> Self {
        Self {
            url: url.to_owned(),
            // The server may be older than this run.
            index: format!("{test}-{:08x}", rand::random::<u32>()),
            http: reqwest::Client::new(),
            _turn: None,
        }
    }

    /// A configuration that writes to the index, with `more` keys.
    pub(crate) fn config(&self, more: &[(&str, &str)]) -> ConfigMap {
        let mut config: ConfigMap = [
            ("connection.url", self.url.as_str()),
            ("topics", self.index.as_str()),
            ("schema.ignore", "true"),
            // Whether the machine is busy is not what is tested.
            ("connection.timeout.ms", "10000"),
            ("read.timeout.ms", "30000"),
        ]
        .into_iter()
        .collect();
        for &(key, value) in more {
            config.insert(key, value);
        }
        config
    }

    pub(crate) async fn request(&self, method: &str, path: &str, body: Option<Json>) -> Json {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap().json().await.unwrap_or_default()
    }

    pub(crate) async fn get(&self, path: &str) -> Json {
        self.request("GET", path, None).await
    }

    /// The source of a document.
    pub(crate) async fn document(&self, id: &str) -> Json {
        self.get(&format!("/{}/_doc/{id}", self.index)).await["_source"].clone()
    }

    /// How many documents there are.
    pub(crate) async fn count(&self) -> u64 {
        self.get(&format!("/{}/_refresh", self.index)).await;
        self.get(&format!("/{}/_count", self.index)).await["count"]
            .as_u64()
            .unwrap_or_default()
    }

    /// The ids of all documents, sorted.
    pub(crate) async fn ids(&self) -> Vec<String> {
        self.get(&format!("/{}/_refresh", self.index)).await;
        let mut ids = Vec::new();
        let mut after = json!(null);
        loop {
            let mut query = json!({ "size": 5000, "_source": false, "sort": [{ "_id": "asc" }] });
            if !after.is_null() {
                query["search_after"] = json!([after]);
            }
            let page = self
                .request("POST", &format!("/{}/_search", self.index), Some(query))
                .await;
            let hits = page["hits"]["hits"].as_array().cloned().unwrap_or_default();
            let Some(last) = hits.last() else { return ids };
            after = last["_id"].clone();
            ids.extend(hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_owned()));
        }
    }

    /// Lets the index refuse every write with 429, as a full disk does.
    pub(crate) async fn block(&self, blocked: bool) {
        let value = if blocked { json!(true) } else { json!(null) };
        let settings = json!({ "index.blocks.read_only_allow_delete": value });
        let answer = self
            .request("PUT", &format!("/{}/_settings", self.index), Some(settings))
            .await;
        assert_eq!(answer["acknowledged"], json!(true), "{answer}");
    }
}

pub(crate) fn connector(class: &str) -> Box<dyn SinkConnector> {
    let plugins = towpath_elasticsearch::plugins();
    let plugin = plugins
        .iter()
        .find(|plugin| plugin.class == class || plugin.aliases.contains(&class))
        .unwrap();
    let PluginFactory::Sink(new) = plugin.factory else {
        panic!("{class} is a sink")
    };
    new()
}

pub(crate) const CONFLUENT: &str = "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector";
pub(crate) const AIVEN: &str = "io.aiven.kafka.connect.opensearch.OpensearchSinkConnector";

/// A task and what it was given.
pub(crate) struct Sink {
    pub(crate) task: Box<dyn SinkTask>,
    context: SinkTaskContext,
    pub(crate) delivered: TopicPartitionOffsets,
    /// How often a batch had to come again.
    pub(crate) retries: usize,
}

impl Sink {
    pub(crate) async fn start(config: &ConfigMap) -> Self {
        Self::of_class(CONFLUENT, config).await
    }

    pub(crate) async fn of_class(class: &str, config: &ConfigMap) -> Self {
        let mut task = connector(class).new_task();
        let context = SinkTaskContext::new("search", 0);
        task.start(context.clone(), config).await.unwrap();
        Self {
            task,
            context,
            delivered: TopicPartitionOffsets::new(),
            retries: 0,
        }
    }

    /// Puts until the batch is taken, as the runtime does.
    pub(crate) async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let end = tokio::time::Instant::now() + DEADLINE;
        loop {
            match self.task.put(records).await {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::Retriable => {
                    assert!(
                        tokio::time::Instant::now() < end,
                        "the batch was never taken: {error}"
                    );
                    self.retries += 1;
                    let wait = self
                        .context
                        .take_requests()
                        .timeout
                        .unwrap_or(Duration::from_millis(200));
                    tokio::time::sleep(wait).await;
                }
                Err(error) => return Err(error),
            }
        }
        for record in records {
            self.delivered.insert(place(record), record.original_offset() + 1);
        }
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> TopicPartitionOffsets {
        self.task.pre_commit(&self.delivered).await.unwrap()
    }

    /// Commits until this partition is written up to `next`, whatever becomes of others.
    pub(crate) async fn commits(&mut self, place: &TopicPartition, next: i64) {
        let end = tokio::time::Instant::now() + DEADLINE;
        while self.commit().await[place] != next {
            assert!(
                tokio::time::Instant::now() < end,
                "{place:?} was not written up to {next}"
            );
        }
    }

    /// Commits until everything that was delivered is written.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        let end = tokio::time::Instant::now() + DEADLINE;
        while self.commit().await != self.delivered {
            self.task.put(&[]).await?;
            assert!(tokio::time::Instant::now() < end, "not everything was written");
        }
        self.task.put(&[]).await
    }

    /// Puts, and waits for the error of the write.
    pub(crate) async fn put_fails(&mut self, records: &[SinkRecord]) -> ConnectorError {
        if let Err(error) = self.put(records).await {
            return error;
        }
        self.finish().await.expect_err("the write should fail the task")
    }
}

pub(crate) fn place(record: &SinkRecord) -> TopicPartition {
    TopicPartition {
        topic: record.original_topic().clone(),
        partition: record.original_partition(),
    }
}

/// A record without schemas.
pub(crate) fn record(topic: &str, offset: i64, key: Value, value: Value) -> SinkRecord {
    let mut record = ConnectRecord::of_value(topic.into(), None, value);
    record.key = key;
    record.timestamp = Some(1_700_000_000_000 + offset);
    SinkRecord::new(record, 0, offset, TimestampType::CreateTime)
}

pub(crate) fn object(entries: &[(&str, Value)]) -> Value {
    let map: Map = entries
        .iter()
        .map(|(key, value)| (Value::from(*key), value.clone()))
        .collect();
    Value::Map(map)
}

/// Records `{"n":offset}` with keys of their own.
pub(crate) fn numbered(topic: &str, offsets: std::ops::Range<i64>) -> Vec<SinkRecord> {
    let one = |n: i64| {
        record(
            topic,
            n,
            Value::string(format!("k{n}")),
            object(&[("n", Value::Int64(n))]),
        )
    };
    offsets.map(one).collect()
}

//! The news database and the two documents of the scenario.

use serde_json::{Value, json};
use towpath_testkit::{Service, Services};

/// A database of its own for each test, named as in the scenario where the name matters.
pub(crate) struct News {
    pub(crate) database: String,
    url: String,
}

impl News {
    /// `articles` with this many rows.
    pub(crate) async fn create(services: &Services, database: &str, rows: u32) -> Self {
        let mariadb = services.mariadb();
        let (host, port) = (&mariadb.host, mariadb.port);
        let news = Self {
            database: database.to_owned(),
            url: format!("jdbc:mysql://{host}:{port}/{database}"),
        };
        news.sql(
            services,
            &format!("DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database}"),
        )
        .await;
        news.create_table(services, "articles").await;
        news.insert(services, "articles", 1, rows).await;
        news
    }

    pub(crate) async fn create_table(&self, services: &Services, table: &str) {
        let sql = format!(
            "CREATE TABLE {}.{table} (
               id INT NOT NULL PRIMARY KEY, internal_id VARCHAR(20) NOT NULL, title TEXT NOT NULL,
               price DECIMAL(10,2), published DATETIME, note VARCHAR(50)
             ) CHARACTER SET utf8mb4",
            self.database
        );
        self.sql(services, &sql).await;
    }

    /// Rows with the ids `from` to `to`: emoji and quotes in the text, every third price and every fifth note null.
    pub(crate) async fn insert(&self, services: &Services, table: &str, from: u32, to: u32) {
        let sql = format!(
            "USE {}; INSERT INTO {table}
             SELECT seq, CONCAT('secret-', seq), CONCAT('Article \"', seq, '\" it''s 😀'),
                    IF(seq % 3 = 0, NULL, seq / 4), '2026-11-22 10:11:12', IF(seq % 5 = 0, NULL, 'note')
             FROM seq_{from}_to_{to}",
            self.database
        );
        self.sql(services, &sql).await;
    }

    pub(crate) async fn sql(&self, services: &Services, sql: &str) {
        services
            .tool(Service::MariaDb, &["-e", sql])
            .await
            .expect("the statement is fine");
    }

    /// The source document of the scenario, with the topics of this test.
    pub(crate) fn source(&self, prefix: &str) -> Value {
        json!({
            "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
            "connection.url": self.url,
            "connection.user": "app",
            "connection.password": "secret",
            "table.include.list": "articles",
            "mode": "incrementing",
            "incrementing.column.name": "id",
            "topic.prefix": prefix,
            "poll.interval.ms": "200",
        })
    }
}

/// Adds the transforms of the scenario.
pub(crate) fn with_transforms(mut config: Value, prefix: &str) -> Value {
    let transforms = json!({
        "transforms": "dropField,routeByStatus",
        "transforms.dropField.type": "org.apache.kafka.connect.transforms.ReplaceField$Value",
        "transforms.dropField.exclude": "internal_id",
        "transforms.routeByStatus.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.routeByStatus.regex": format!("{prefix}(.*)"),
        "transforms.routeByStatus.replacement": format!("{prefix}v2-$1"),
    });
    merge(&mut config, transforms);
    config
}

/// The search document of the scenario.
pub(crate) fn search(services: &Services, topics: &Value) -> Value {
    let mut config = json!({
        "connector.class": "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
        "connection.url": services.opensearch_url(),
        "key.ignore": "true",
        "tasks.max": "1",
    });
    merge(&mut config, topics.clone());
    config
}

pub(crate) fn merge(config: &mut Value, more: Value) {
    let (Value::Object(config), Value::Object(more)) = (config, more) else {
        panic!("both are objects")
    };
    config.extend(more);
}

/// The search engine's own API.
pub(crate) struct Index {
    url: String,
}

impl Index {
    pub(crate) fn new(services: &Services, name: &str) -> Self {
        Self {
            url: format!("{}/{name}", services.opensearch_url()),
        }
    }

    /// Documents that can be searched; 0 while there is no index or no engine.
    pub(crate) async fn count(&self) -> u64 {
        let _refreshed = reqwest::Client::new()
            .post(format!("{}/_refresh", self.url))
            .send()
            .await;
        let Ok(answer) = reqwest::get(format!("{}/_count", self.url)).await else {
            return 0;
        };
        answer
            .json::<Value>()
            .await
            .ok()
            .and_then(|body| body["count"].as_u64())
            .unwrap_or(0)
    }

    /// How many different ids the documents have. Counted one by one: the engine's own count of distinct values is an
    /// estimate.
    pub(crate) async fn distinct_ids(&self) -> u64 {
        let query = json!({ "size": 0, "aggs": { "ids": { "terms": { "field": "id", "size": 60_000 } } } });
        let answer = self.search(&query).await;
        let buckets = answer["aggregations"]["ids"]["buckets"]
            .as_array()
            .map_or(0, Vec::len);
        u64::try_from(buckets).unwrap_or(u64::MAX)
    }

    /// [`Index::distinct_ids`] when documents can be searched, 0 while there is no engine.
    pub(crate) async fn distinct_ids_settled(&self) -> u64 {
        if self.count().await == 0 {
            0
        } else {
            self.distinct_ids().await
        }
    }

    pub(crate) async fn search(&self, query: &Value) -> Value {
        let request = reqwest::Client::new()
            .post(format!("{}/_search", self.url))
            .json(query);
        request
            .send()
            .await
            .expect("the search engine answers")
            .json()
            .await
            .expect("an answer in JSON")
    }
}

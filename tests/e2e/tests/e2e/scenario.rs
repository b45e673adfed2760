//! The scenario of the README: a MariaDB table into Kafka into a search engine by two JSON documents.

use std::time::Duration;

use serde_json::json;
use towpath_testkit::{Service, Services, wait_until, wait_until_eq};

use crate::cluster::Cluster;
use crate::news::{Index, News, merge, search, with_transforms};

/// Ten thousand rows take seconds; a busy machine may take longer.
const LOAD: Duration = Duration::from_secs(120);
const SERVERS: [Service; 3] = [Service::Kafka, Service::MariaDb, Service::OpenSearch];

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_table_become_documents_of_a_search_engine() {
    let services = Services::require(&SERVERS).await.unwrap();
    let news = News::create(&services, "news", 10_000).await;
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let rest = &cluster.rest;
    let prefix = "article-events-";

    let mut source = with_transforms(news.source(prefix), prefix);
    merge(
        &mut source,
        json!({ "table.include.list": "articles,late_.*", "table.poll.interval.ms": "500" }),
    );
    rest.create("article-source", source.clone()).await;
    // A pattern is matched anew as often as the consumer's metadata ages; 5 seconds by default.
    let topics =
        json!({ "topics.regex": "article-events-v2-.*", "consumer.override.metadata.max.age.ms": "1000" });
    rest.create("article-search", search(&services, &topics)).await;
    rest.wait_running("article-source", 1).await;
    rest.wait_running("article-search", 1).await;

    let index = Index::new(&services, "article-events-v2-articles");
    wait_until_eq("documents", LOAD, 10_000, || index.count())
        .await
        .unwrap();
    assert_eq!(index.distinct_ids().await, 10_000);
    documents_are_as_the_transforms_made_them(&index).await;

    // Rows inserted later, and a table created later.
    news.insert(&services, "articles", 10_001, 10_050).await;
    wait_until_eq("documents with those inserted later", LOAD, 10_050, || {
        index.count()
    })
    .await
    .unwrap();
    news.create_table(&services, "late_articles").await;
    news.insert(&services, "late_articles", 1, 30).await;
    let late = Index::new(&services, "article-events-v2-late_articles");
    wait_until_eq("documents of the late table", LOAD, 30, || late.count())
        .await
        .unwrap();

    merge(&mut source, json!({ "name": "article-source" }));
    assert_eq!(
        rest.get("/connectors/article-source/config").await,
        source,
        "exactly what was put in"
    );
    status_and_offsets_have_the_shape_of_the_contract(&cluster).await;
    console_consumer_reads_the_topic(&services).await;
    assert!(!cluster.logs().contains("secret"), "the password is in a log");
}

async fn documents_are_as_the_transforms_made_them(index: &Index) {
    let with_internal_id = index
        .search(&json!({ "query": { "exists": { "field": "internal_id" } } }))
        .await;
    assert_eq!(
        with_internal_id["hits"]["total"]["value"], 0,
        "the transform drops internal_id"
    );
    let one = index.search(&json!({ "query": { "term": { "id": 8 } } })).await;
    let document = &one["hits"]["hits"][0]["_source"];
    assert_eq!(document["title"], "Article \"8\" it's 😀");
    assert_eq!(document["price"], 2.0, "a DECIMAL is a number");
    assert_eq!(
        document["published"], 1_795_342_272_000_i64,
        "a DATETIME is milliseconds"
    );
    let nulls = index.search(&json!({ "query": { "term": { "id": 15 } } })).await;
    let nulls = &nulls["hits"]["hits"][0]["_source"];
    assert!(nulls["price"].is_null() && nulls["note"].is_null(), "{nulls}");
}

async fn status_and_offsets_have_the_shape_of_the_contract(cluster: &Cluster) {
    let status = cluster.rest.get("/connectors/article-source/status").await;
    assert_eq!(status["name"], "article-source");
    assert_eq!(status["type"], "source");
    assert_eq!(status["connector"]["state"], "RUNNING");
    assert_eq!(status["connector"]["worker_id"], "worker-0:8083");
    assert_eq!(status["tasks"][0]["id"], 0);
    assert!(
        status["tasks"][0]["version"].is_string() && status["tasks"][0].get("trace").is_none(),
        "{status}"
    );
    let offsets = cluster.rest.get("/connectors/article-source/offsets").await;
    let partition = json!({ "protocol": "1", "table": "news.articles" });
    let mut all = offsets["offsets"].as_array().unwrap().iter();
    assert!(all.any(|entry| entry["partition"] == partition), "{offsets}");
}

/// Apache Kafka's own consumer.
async fn console_consumer_reads_the_topic(services: &Services) {
    let topic = "article-events-v2-articles";
    let arguments = [
        "ConsoleConsumer",
        "--topic",
        topic,
        "--from-beginning",
        "--max-messages",
        "5",
        "--timeout-ms",
        "30000",
    ];
    let consumed = services.tool(Service::Kafka, &arguments).await.unwrap();
    assert!(
        consumed
            .lines()
            .filter(|line| line.contains("\"payload\""))
            .count()
            >= 5,
        "{consumed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_matches_whole_names_only_and_every_way_to_name_a_table_works() {
    let services = Services::require(&[Service::Kafka, Service::MariaDb])
        .await
        .unwrap();
    let news = News::create(&services, "news_names", 20).await;
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let names = [
        ("bare-list", "table.include.list", "articles"),
        ("qualified-list", "table.include.list", "news_names.articles"),
        ("pattern-list", "table.include.list", "news_names\\.art.*"),
        ("bare-whitelist", "table.whitelist", "articles"),
        ("qualified-whitelist", "table.whitelist", "news_names.articles"),
    ];
    for (name, key, value) in names {
        let prefix = format!("{name}-");
        let mut config = news.source(&prefix);
        config.as_object_mut().unwrap().remove("table.include.list");
        merge(
            &mut config,
            json!({
                key: value,
                "transforms": "route",
                "transforms.route.type": "RegexRouter",
                "transforms.route.regex": name,
                "transforms.route.replacement": "never",
            }),
        );
        if key == "table.include.list" {
            let config = config.as_object_mut().unwrap();
            config.remove("incrementing.column.name");
            config.insert("incrementing.column.mapping".into(), json!(".*:id"));
        }
        cluster.rest.create(name, config).await;
        let path = format!("/connectors/{name}/topics");
        let topics = || async { cluster.rest.get(&path).await[name]["topics"].clone() };
        let used = wait_until_eq("the topic", LOAD, json!([format!("{name}-articles")]), topics).await;
        if let Err(error) = used {
            panic!("{name}: {error}; {}", cluster.rest.traces(name).await);
        }
    }
    let excluded = json!({ "table.include.list": ".*", "table.exclude.list": "news_names.articles" });
    let mut config = news.source("excluded-");
    config.as_object_mut().unwrap().remove("incrementing.column.name");
    merge(&mut config, excluded);
    merge(
        &mut config,
        json!({ "incrementing.column.mapping": ".*:id", "catalog.pattern": "news_names" }),
    );
    cluster.rest.create("excluded", config).await;
    cluster.rest.wait_running("excluded", 1).await;
    let topics = cluster.rest.get("/connectors/excluded/topics").await;
    assert_eq!(
        topics["excluded"]["topics"],
        json!([]),
        "the only table is excluded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_is_deleted_and_created_again_goes_on_where_it_was() {
    let services = Services::require(&[Service::Kafka, Service::MariaDb])
        .await
        .unwrap();
    let news = News::create(&services, "news_again", 50).await;
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let config = news.source("again-");
    cluster.rest.create("again", config.clone()).await;
    let at_50 = || async {
        let offsets = cluster.rest.get("/connectors/again/offsets").await;
        offsets["offsets"][0]["offset"]["incrementing"] == 50
    };
    wait_until("the offset of the last row", LOAD, at_50)
        .await
        .unwrap();
    let (status, _) = cluster
        .rest
        .call(reqwest::Method::DELETE, "/connectors/again", None)
        .await;
    assert_eq!(status, 204);
    news.insert(&services, "articles", 51, 60).await;
    cluster.rest.create("again", config).await;
    let at_60 = || async {
        let offsets = cluster.rest.get("/connectors/again/offsets").await;
        offsets["offsets"][0]["offset"]["incrementing"] == 60
    };
    wait_until("the offset of the new last row", LOAD, at_60)
        .await
        .unwrap();
    let offsets = services
        .tool(Service::Kafka, &["GetOffsetShell", "--topic", "again-articles"])
        .await
        .unwrap();
    assert!(
        offsets.contains("again-articles:0:60"),
        "each row once: {offsets}"
    );
}

//! Which tables are found, how they are dealt out to tasks, and that the list is watched.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use towpath_connect::ConfigMap;
use towpath_testkit::{wait_until, wait_until_eq};

use crate::databases::{MariaDb, Postgres, Sqlite};
use crate::pipeline::{CONFLUENT, DEADLINE, Pipeline, config, ids};

/// What each task is given.
async fn dealt_out(config: &ConfigMap, most: usize) -> Vec<String> {
    let mut pipeline = Pipeline::start_connector(CONFLUENT, config, &Arc::default())
        .await
        .unwrap();
    let tasks = pipeline.connector.task_configs(most).await.unwrap();
    pipeline.stop().await;
    tasks
        .iter()
        .map(|task| task.get("tables").unwrap().to_owned())
        .collect()
}

async fn news() -> MariaDb {
    let db = MariaDb::create().await;
    for table in ["articles", "authors", "tags"] {
        db.run(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY AUTO_INCREMENT)"
        ))
        .await;
    }
    db.run("CREATE VIEW recent AS SELECT * FROM articles").await;
    db
}

#[tokio::test]
async fn every_kind_of_entry_works_in_every_list() {
    let db = news().await;
    let name = &db.name;
    let quoted = |tables: &[&str]| {
        let names: Vec<String> = tables.iter().map(|table| format!("`{name}`.`{table}`")).collect();
        vec![names.join(",")]
    };
    for entry in [
        "articles".to_owned(),
        format!("{name}.articles"),
        format!("`{name}`.`articles`"),
        "art.*".to_owned(),
        format!("{name}\\.art.*"),
    ] {
        for list in ["table.whitelist", "table.include.list"] {
            let found = dealt_out(&config(&db.url(), &[(list, &entry)]), 1).await;
            assert_eq!(found, quoted(&["articles"]), "{list}={entry}");
        }
        let found = dealt_out(&config(&db.url(), &[("table.blacklist", &entry)]), 1).await;
        assert_eq!(found, quoted(&["authors", "tags"]), "table.blacklist={entry}");
        let lists = [("table.include.list", ".*"), ("table.exclude.list", &entry)];
        assert_eq!(
            dealt_out(&config(&db.url(), &lists), 1).await,
            quoted(&["authors", "tags"])
        );
    }
    let all = dealt_out(&config(&db.url(), &[]), 1).await;
    assert_eq!(all, quoted(&["articles", "authors", "tags"]));
    let with_views = dealt_out(&config(&db.url(), &[("table.types", "TABLE,view")]), 1).await;
    assert_eq!(with_views, quoted(&["articles", "authors", "tags", "recent"]));
}

#[tokio::test]
async fn a_table_of_another_database_is_found_by_its_qualified_name_or_a_pattern_for_databases() {
    let (db, other) = (news().await, MariaDb::create().await);
    other.run("CREATE TABLE orders (id INT)").await;
    let entry = format!("articles,{}.orders", other.name);
    let mut expected = [
        format!("`{}`.`articles`", db.name),
        format!("`{}`.`orders`", other.name),
    ];
    expected.sort();
    assert_eq!(
        dealt_out(&config(&db.url(), &[("table.whitelist", &entry)]), 1).await,
        [expected.join(",")]
    );
    let pattern = [("catalog.pattern", other.name.as_str())];
    assert_eq!(
        dealt_out(&config(&db.url(), &pattern), 1).await,
        [format!("`{}`.`orders`", other.name)]
    );
}

#[tokio::test]
async fn tables_are_dealt_out_in_even_groups() {
    let db = news().await;
    let tables = |group: &[&str]| {
        let names: Vec<String> = group
            .iter()
            .map(|table| format!("`{}`.`{table}`", db.name))
            .collect();
        names.join(",")
    };
    let config = config(
        &db.url(),
        &[("mode", "incrementing"), ("incrementing.column.name", "id")],
    );
    assert_eq!(
        dealt_out(&config, 2).await,
        [tables(&["articles", "authors"]), tables(&["tags"])]
    );
    assert_eq!(dealt_out(&config, 3).await.len(), 3);
    assert_eq!(dealt_out(&config, 10).await.len(), 3);

    for table in ["articles", "authors", "tags"] {
        db.run(&format!("INSERT INTO {table} VALUES (1), (2)")).await;
    }
    let mut pipeline = Pipeline::start_connector(CONFLUENT, &config, &Arc::default())
        .await
        .unwrap();
    pipeline.start_tasks(3).await.unwrap();
    assert_eq!(pipeline.tasks.len(), 3);
    let mut topics: Vec<String> = pipeline
        .take(6)
        .await
        .iter()
        .map(|r| r.record.topic.to_string())
        .collect();
    topics.sort();
    topics.dedup();
    assert_eq!(topics, ["t-articles", "t-authors", "t-tags"]);
    pipeline.stop().await;
}

#[tokio::test]
async fn a_table_that_does_not_exist_yet_is_waited_for() {
    let db = MariaDb::create().await;
    let entries = [
        ("mode", "incrementing"),
        ("table.whitelist", "articles"),
        ("table.poll.interval.ms", "50"),
    ];
    let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
    assert_eq!(pipeline.tasks.len(), 1, "one task that idles");
    assert!(pipeline.idle().await.is_empty());
    assert_eq!(pipeline.events.reconfigurations.load(Ordering::SeqCst), 0);
    db.run("CREATE TABLE articles (id INT PRIMARY KEY AUTO_INCREMENT)")
        .await;
    db.run("INSERT INTO articles VALUES (1), (2)").await;
    let events = Arc::clone(&pipeline.events);
    let asked = || async { events.reconfigurations.load(Ordering::SeqCst) > 0 };
    wait_until("the new table to be seen", DEADLINE, asked)
        .await
        .unwrap();
    pipeline.start_tasks(1).await.unwrap();
    assert_eq!(ids(&pipeline.take(2).await), [1, 2]);

    db.run("CREATE TABLE others (id INT)").await;
    db.run("DROP TABLE articles").await;
    let gone = || async { events.reconfigurations.load(Ordering::SeqCst) };
    wait_until_eq("the number of changes", DEADLINE, 2, gone)
        .await
        .unwrap();
    let tasks = pipeline.connector.task_configs(1).await.unwrap();
    assert_eq!((tasks.len(), tasks[0].get("tables")), (1, Some("")));
    pipeline.stop().await;
}

#[tokio::test]
async fn two_tables_of_one_name_are_refused_at_start_and_when_the_second_appears() {
    let db = Postgres::create().await;
    db.run("CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.t (id INT); CREATE TABLE b.u (id INT)")
        .await;
    let config_with = |entries| config(&db.url(), entries);
    let found = dealt_out(&config_with(&[("schema.pattern", "a")]), 1).await;
    assert_eq!(found, ["\"a\".\"t\""]);
    let watched = config_with(&[("table.poll.interval.ms", "50")]);
    let pipeline = Pipeline::start_connector(CONFLUENT, &watched, &Arc::default())
        .await
        .unwrap();
    db.run("CREATE TABLE b.t (id INT)").await;
    let events = Arc::clone(&pipeline.events);
    let raised = || async { events.errors.lock().unwrap().first().cloned() };
    let error = wait_until("the connector to fail", DEADLINE, raised)
        .await
        .unwrap();
    assert!(error.contains("\"a.t\" and \"b.t\""), "{error}");
    pipeline.stop().await;

    let started = Pipeline::start_connector(CONFLUENT, &watched, &Arc::default()).await;
    let error = started.err().unwrap();
    assert!(
        towpath_connect::error::Chain(&error)
            .to_string()
            .contains("schema.pattern")
    );
    let found = dealt_out(&config_with(&[("table.whitelist", "a.t,b.u")]), 2).await;
    assert_eq!(found, ["\"a\".\"t\"", "\"b\".\"u\""]);
}

#[tokio::test]
async fn a_table_without_columns_in_the_mapping_is_refused_at_start() {
    let db = news().await;
    let mapping = "timestamp.columns.mapping";
    let entries = [
        ("mode", "timestamp"),
        ("table.include.list", "articles,tags"),
        (mapping, ".*articles:[at]"),
    ];
    let started = Pipeline::start_connector(CONFLUENT, &config(&db.url(), &entries), &Arc::default()).await;
    let text = towpath_connect::error::Chain(&started.err().unwrap()).to_string();
    assert!(text.contains(mapping) && text.contains(".tags\""), "{text}");
}

#[tokio::test]
async fn kinds_of_tables_of_postgres_are_told_apart() {
    let db = Postgres::create().await;
    db.run(
        "CREATE TABLE plain (id INT); CREATE TABLE parts (id INT) PARTITION BY RANGE (id); \
         CREATE VIEW v AS SELECT 1 AS id; CREATE MATERIALIZED VIEW m AS SELECT 1 AS id; CREATE TEMP TABLE x (id INT)",
    )
    .await;
    for (types, expected) in [
        ("TABLE", vec!["plain"]),
        ("VIEW", vec!["v"]),
        ("MATERIALIZED VIEW,PARTITIONED TABLE", vec!["m", "parts"]),
    ] {
        let quoted: Vec<String> = expected
            .iter()
            .map(|name| format!("\"public\".\"{name}\""))
            .collect();
        let found = dealt_out(&config(&db.url(), &[("table.types", types)]), 1).await;
        assert_eq!(found, [quoted.join(",")], "{types}");
    }
}

#[tokio::test]
async fn tables_of_sqlite_have_no_schema() {
    let db = Sqlite::create();
    db.run("CREATE TABLE \"odd,`name\" (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO \"odd,`name\" VALUES (7)");
    db.run("CREATE VIEW v AS SELECT 1 AS id");
    let found = dealt_out(&config(&db.url(), &[]), 1).await;
    assert_eq!(found, ["`odd,``name`"]);
    let mut pipeline = Pipeline::start(&config(&db.url(), &[("mode", "incrementing")])).await;
    let records = pipeline.take(1).await;
    assert_eq!(
        (ids(&records), &*records[0].record.topic),
        (vec![7], "t-odd,`name")
    );
    pipeline.stop().await;
}

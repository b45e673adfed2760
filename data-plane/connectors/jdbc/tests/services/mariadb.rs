//! Modes, offsets and queries on MariaDB.

use std::sync::Arc;

use towpath_connect::{Schema, Value};

use crate::databases::MariaDb;
use crate::pipeline::{AIVEN, Offsets, Pipeline, carried, config, field, ids, shape, value};

async fn articles(rows: u32) -> MariaDb {
    let db = MariaDb::create().await;
    db.run(
        "CREATE TABLE articles (id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(50), \
         updated DATETIME(6) NOT NULL DEFAULT '2024-01-01 00:00:00')",
    )
    .await;
    if rows > 0 {
        let insert = "INSERT INTO articles (title, updated)";
        db.run(&format!(
            "{insert} SELECT CONCAT('n', seq), '2024-01-01' + INTERVAL seq SECOND FROM seq_1_to_{rows}"
        ))
        .await;
    }
    db
}

const INCREMENTING: [(&str, &str); 2] = [("mode", "incrementing"), ("incrementing.column.name", "id")];

#[tokio::test]
async fn bulk_reads_the_whole_table_again_and_again() {
    let db = articles(3).await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &[])).await;
    let records = pipeline.take(3).await;
    assert_eq!(ids(&records), [1, 2, 3]);
    assert_eq!(&*records[0].record.topic, "t-articles");
    assert_eq!(value(&records[0]).schema().name(), Some("articles"));
    assert!(records[0].source_offset.is_none());
    let partition = serde_json::to_string(records[0].source_partition.as_deref().unwrap()).unwrap();
    assert_eq!(partition, r#"{"table":"articles"}"#);
    assert_eq!(ids(&pipeline.take(3).await), [1, 2, 3]);
    pipeline.stop().await;
}

#[tokio::test]
async fn incrementing_goes_on_after_the_last_id_also_after_a_restart() {
    let db = articles(2500).await;
    let config = config(&db.url(), &INCREMENTING);
    let offsets: Arc<Offsets> = Arc::default();
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    let expected: Vec<i64> = (1..=2500).collect();
    assert_eq!(ids(&pipeline.take(2500).await), expected);
    db.run("INSERT INTO articles (id, title) VALUES (2501, 'new')")
        .await;
    assert_eq!(ids(&pipeline.take(1).await), [2501]);
    assert!(pipeline.idle().await.is_empty());
    pipeline.stop().await;
    let partition = format!(r#"{{"protocol":"1","table":"{}.articles"}}"#, db.name);
    assert_eq!(
        offsets.as_json(),
        [format!(r#"{partition} {{"incrementing":2501}}"#)]
    );

    db.run("INSERT INTO articles (id, title) VALUES (2502, 'while away')")
        .await;
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    assert_eq!(ids(&pipeline.take(1).await), [2502]);
    pipeline.stop().await;
}

#[tokio::test]
async fn the_auto_increment_column_is_found_and_old_offsets_are_read() {
    let db = articles(5).await;
    let offsets: Arc<Offsets> = Arc::default();
    let map = |json: &str| serde_json::from_str(json).unwrap();
    offsets.store(&map(r#"{"table":"articles"}"#), &map(r#"{"incrementing":3}"#));
    let mut pipeline = Pipeline::resume(&config(&db.url(), &[("mode", "incrementing")]), &offsets).await;
    assert_eq!(ids(&pipeline.take(2).await), [4, 5]);
    pipeline.stop().await;
}

#[tokio::test]
async fn timestamp_reads_changed_rows_and_loses_none_of_one_time() {
    let db = articles(0).await;
    db.run(
        "INSERT INTO articles (title, updated) VALUES ('a', '2024-01-01 00:00:01.000001'), \
         ('b', '2024-01-01 00:00:01.000001'), ('c', '2024-01-01 00:00:01.000002')",
    )
    .await;
    let config = config(
        &db.url(),
        &[("mode", "timestamp"), ("timestamp.column.name", "updated")],
    );
    let offsets: Arc<Offsets> = Arc::default();
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    let records = pipeline.take(3).await;
    let at = |nanos| format!(r#"{{"timestamp_nanos":{nanos},"timestamp":1704067201000}}"#);
    assert_eq!(carried(&records), ["{}".to_owned(), at(1000), at(2000)]);
    db.run("UPDATE articles SET updated = '2024-01-01 00:00:02' WHERE id = 1")
        .await;
    assert_eq!(ids(&pipeline.take(1).await), [1]);
    assert!(pipeline.idle().await.is_empty());
    pipeline.stop().await;

    // As if only the first of two records of one time had been acknowledged.
    let partition = records[0].source_partition.as_deref().unwrap();
    offsets.store(partition, records[0].source_offset.as_ref().unwrap());
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    assert_eq!(ids(&pipeline.take(3).await), [2, 3, 1]);
    pipeline.stop().await;
}

#[tokio::test]
async fn timestamp_with_incrementing_tells_rows_of_one_time_apart() {
    let db = articles(0).await;
    db.run(
        "INSERT INTO articles (title, updated) VALUES ('a', '2024-01-01 00:00:01'), ('b', '2024-01-01 00:00:01'), \
         ('c', '2024-01-01 00:00:02')",
    )
    .await;
    let config = config(
        &db.url(),
        &[
            ("mode", "timestamp+incrementing"),
            ("timestamp.column.name", "updated"),
            ("incrementing.column.name", "id"),
            ("batch.max.rows", "1"),
        ],
    );
    let offsets: Arc<Offsets> = Arc::default();
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    let records = pipeline.take(3).await;
    assert_eq!(
        carried(&records)[..2],
        [
            r#"{"timestamp_nanos":0,"incrementing":1,"timestamp":1704067201000}"#,
            r#"{"timestamp_nanos":0,"incrementing":2,"timestamp":1704067201000}"#
        ]
    );
    pipeline.stop().await;
    let first = &records[0];
    offsets.store(
        first.source_partition.as_deref().unwrap(),
        first.source_offset.as_ref().unwrap(),
    );
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    assert_eq!(ids(&pipeline.take(2).await), [2, 3]);
    pipeline.stop().await;
}

#[tokio::test]
async fn rows_of_the_future_and_of_the_delay_are_left_for_later() {
    let db = articles(0).await;
    db.run(
        "INSERT INTO articles (title, updated) VALUES ('old', '2024-01-01'), ('young', NOW() - INTERVAL 60 SECOND), \
         ('future', NOW() + INTERVAL 1 DAY)",
    )
    .await;
    let timestamp = [("mode", "timestamp"), ("timestamp.column.name", "updated")];
    let mut pipeline = Pipeline::start(&config(&db.url(), &timestamp)).await;
    assert_eq!(ids(&pipeline.take(2).await), [1, 2]);
    assert!(pipeline.idle().await.is_empty());
    pipeline.stop().await;
    let delayed = [
        timestamp[0],
        timestamp[1],
        ("timestamp.delay.interval.ms", "3600000"),
    ];
    let mut pipeline = Pipeline::start(&config(&db.url(), &delayed)).await;
    assert_eq!(ids(&pipeline.take(1).await), [1]);
    assert!(pipeline.idle().await.is_empty());
    pipeline.stop().await;
}

#[tokio::test]
async fn reading_begins_where_the_configuration_says() {
    let db = articles(10).await;
    let with = |initial| {
        let mode = [("mode", "timestamp"), ("timestamp.column.name", "updated")];
        config(&db.url(), &[mode[0], mode[1], ("timestamp.initial", initial)])
    };
    let mut pipeline = Pipeline::start(&with("1704067207000")).await;
    assert_eq!(ids(&pipeline.take(3).await), [8, 9, 10]);
    pipeline.stop().await;
    let mut pipeline = Pipeline::start(&with("-1")).await;
    assert!(pipeline.idle().await.is_empty());
    db.run("INSERT INTO articles (id, updated) VALUES (11, NOW(6))")
        .await;
    assert_eq!(ids(&pipeline.take(1).await), [11]);
    pipeline.stop().await;
}

#[tokio::test]
async fn a_wall_clock_is_read_and_compared_in_the_zone_of_the_database() {
    let db = articles(1).await;
    let config = config(
        &db.url(),
        &[
            ("mode", "timestamp"),
            ("timestamp.column.name", "updated"),
            ("db.timezone", "America/New_York"),
        ],
    );
    let offsets: Arc<Offsets> = Arc::default();
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    let records = pipeline.take(1).await;
    let five_hours = 5 * 3_600_000;
    assert_eq!(
        field(&records[0], "updated"),
        &Value::Instant(1_704_067_201_000 + five_hours)
    );
    assert!(pipeline.idle().await.is_empty());
    pipeline.stop().await;
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    db.run("INSERT INTO articles (id, updated) VALUES (2, '2024-01-01 00:00:02')")
        .await;
    assert_eq!(ids(&pipeline.take(1).await), [2]);
    pipeline.stop().await;
}

#[tokio::test]
async fn the_first_timestamp_column_with_a_value_counts() {
    let db = MariaDb::create().await;
    db.run("CREATE TABLE t (id INT, created DATETIME NOT NULL, updated DATETIME)")
        .await;
    db.run("INSERT INTO t VALUES (1, '2024-01-01', '2024-01-05'), (2, '2024-01-02', NULL)")
        .await;
    let columns = ("timestamp.column.name", "updated,created");
    let mut pipeline = Pipeline::start(&config(&db.url(), &[("mode", "timestamp"), columns])).await;
    assert_eq!(ids(&pipeline.take(2).await), [2, 1]);
    pipeline.stop().await;
}

#[tokio::test]
async fn a_query_may_have_conditions_and_joins_in_every_mode() {
    let db = articles(10).await;
    db.run("CREATE TABLE tags (article_id INT, tag VARCHAR(10))")
        .await;
    db.run("INSERT INTO tags SELECT seq, 'even' FROM seq_2_to_10_step_2")
        .await;
    let query = "SELECT a.id, a.title, g.tag FROM articles a JOIN tags g ON g.article_id = a.id \
                 WHERE a.id > 2 ORDER BY a.title -- the end";
    let entries = [
        ("query", query),
        ("topic.prefix", "joined"),
        INCREMENTING[0],
        INCREMENTING[1],
    ];
    let offsets: Arc<Offsets> = Arc::default();
    let mut pipeline = Pipeline::resume(&config(&db.url(), &entries), &offsets).await;
    let records = pipeline.take(4).await;
    assert_eq!(ids(&records), [4, 6, 8, 10]);
    assert_eq!(&*records[0].record.topic, "joined");
    assert_eq!(value(&records[0]).schema().name(), None);
    assert_eq!(field(&records[0], "tag"), &Value::from("even"));
    assert_eq!(offsets.as_json(), [r#"{"query":"query"} {"incrementing":10}"#]);
    pipeline.stop().await;

    let bulk = [
        ("query.masked", "SELECT title AS id FROM articles WHERE id = 1"),
        ("topic.prefix", "q"),
    ];
    let mut pipeline = Pipeline::start(&config(&db.url(), &bulk)).await;
    assert_eq!(field(&pipeline.take(1).await[0], "id"), &Value::from("n1"));
    pipeline.stop().await;
}

#[tokio::test]
async fn a_changed_table_is_seen_at_the_next_read_and_an_unchanged_one_keeps_its_schema() {
    let db = articles(1).await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &INCREMENTING)).await;
    let first = pipeline.take(1).await;
    db.run("INSERT INTO articles (title) VALUES ('b')").await;
    let second = pipeline.take(1).await;
    assert!(Arc::ptr_eq(value(&first[0]).schema(), value(&second[0]).schema()));
    db.run("ALTER TABLE articles ADD COLUMN author VARCHAR(20) NOT NULL DEFAULT 'me', DROP COLUMN title")
        .await;
    db.run("INSERT INTO articles (author) VALUES ('you')").await;
    let third = pipeline.take(1).await;
    assert_eq!(field(&third[0], "author"), &Value::from("you"));
    assert_eq!(shape(&third[0], "author"), "STRING");
    assert!(value(&third[0]).schema().field("title").is_none());
    assert!(!Schema::same(
        value(&first[0]).schema(),
        value(&third[0]).schema()
    ));
    pipeline.stop().await;
}

#[tokio::test]
async fn statements_do_not_pile_up_on_the_server() {
    let db = MariaDb::create().await;
    for n in 0..50 {
        db.run(&format!(
            "CREATE TABLE t{n} (id INT PRIMARY KEY AUTO_INCREMENT); INSERT INTO t{n} VALUES (1)"
        ))
        .await;
    }
    let mut pipeline = Pipeline::start(&config(&db.url(), &[("poll.interval.ms", "0")])).await;
    pipeline.take_at_least(1500).await;
    let open = "SELECT SUM(variable_value) FROM information_schema.global_status \
                WHERE variable_name = 'PREPARED_STMT_COUNT'";
    let open = db.number(open).await.unwrap();
    assert!(open < 1000, "{open} statements are open");
    pipeline.stop().await;
}

#[tokio::test]
async fn a_table_that_is_gone_and_a_column_that_is_not_there_fail_the_task_by_name() {
    let db = articles(1).await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &INCREMENTING)).await;
    pipeline.take(1).await;
    db.run("DROP TABLE articles").await;
    let error = pipeline.failure().await;
    let text = towpath_connect::error::Chain(&error).to_string();
    assert!(text.contains(&format!("{}.articles", db.name)), "{text}");
    pipeline.stop().await;

    let db = articles(1).await;
    let wrong = [("mode", "incrementing"), ("incrementing.column.name", "number")];
    let mut pipeline = Pipeline::start(&config(&db.url(), &wrong)).await;
    let error = pipeline.failure().await;
    let text = towpath_connect::error::Chain(&error).to_string();
    assert!(
        text.contains("no column \"number\"; it has id, title, updated"),
        "{text}"
    );
    pipeline.stop().await;
}

#[tokio::test]
async fn the_fork_begins_where_its_keys_say() {
    let db = MariaDb::create().await;
    db.run("CREATE TABLE t (id INT NOT NULL)").await;
    db.run("INSERT INTO t VALUES (-5), (0), (3)").await;
    let own = [
        ("mode", "incrementing"),
        ("incrementing.column.name", "id"),
        ("incrementing.initial", "-10"),
        ("sql.quote.identifiers", "false"),
        ("table.names.qualify", "false"),
    ];
    let mut pipeline = Pipeline::resume_class(AIVEN, &config(&db.url(), &own), &Arc::default()).await;
    assert_eq!(ids(&pipeline.take(3).await), [-5, 0, 3]);
    pipeline.stop().await;
}

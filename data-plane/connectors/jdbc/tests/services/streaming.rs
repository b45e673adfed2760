//! Large results: they come in order and in batches, a reader that is not polled holds up the server instead of filling
//! memory, and stopping in the middle does not wait for the rest.

use std::sync::Arc;
use std::time::Duration;

use towpath_testkit::wait_until;

use crate::databases::{MariaDb, Postgres, Sqlite};
use crate::pipeline::{DEADLINE, Pipeline, config, field};

const ROWS: usize = 1_000_000;
const BATCH: usize = 2000;

/// A million rows of some 200 bytes.
fn query(source: &str) -> String {
    format!("SELECT n AS id, {source}")
}

fn entries(query: &str) -> [(&'static str, String); 4] {
    [
        ("query", query.to_owned()),
        ("topic.prefix", "large".to_owned()),
        ("batch.max.rows", BATCH.to_string()),
        ("poll.interval.ms", "3600000".to_owned()),
    ]
}

async fn start(url: &str, query: &str) -> Pipeline {
    let entries = entries(query);
    let entries: Vec<(&str, &str)> = entries
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    Pipeline::start(&config(url, &entries)).await
}

/// Every row, in order, in batches of at most the configured size; all with one schema.
async fn read_all(pipeline: &mut Pipeline) {
    let mut next = 1i64;
    let mut schema = None;
    pipeline
        .poll_until("all rows", |records| {
            assert!(records.len() <= BATCH, "a batch of {}", records.len());
            for record in &records {
                assert_eq!(field(record, "id").as_integer(), Some(next));
                next += 1;
                let its_schema = record.record.value_schema.as_ref().unwrap();
                assert!(Arc::ptr_eq(
                    schema.get_or_insert_with(|| Arc::clone(its_schema)),
                    its_schema
                ));
            }
            let seen = usize::try_from(next - 1).unwrap();
            if seen == ROWS {
                Ok(())
            } else {
                Err(format!("{seen} rows"))
            }
        })
        .await;
}

#[tokio::test]
async fn a_million_rows_of_mariadb_are_streamed() {
    let db = MariaDb::create().await;
    let query = query(&format!(
        "REPEAT('x', 200) AS text FROM (SELECT seq AS n FROM seq_1_to_{ROWS}) s"
    ));
    let mut pipeline = start(&db.url(), &query).await;
    // Nobody polls yet: the server must come to wait for us.
    let blocked = || async {
        db.number(&format!(
            "SELECT id FROM information_schema.processlist WHERE db = '{}' AND state = 'Writing to net'",
            db.name
        ))
        .await
    };
    let connection = wait_until("the server to wait", DEADLINE, blocked).await.unwrap();
    assert_eq!(db.reading_connection("REPEAT").await, Some(connection));
    read_all(&mut pipeline).await;
    pipeline.stop().await;
}

#[tokio::test]
async fn a_million_rows_of_postgres_are_streamed() {
    let db = Postgres::create().await;
    let query = query(&format!(
        "repeat('x', 200) AS text FROM generate_series(1, {ROWS}) n"
    ));
    let mut pipeline = start(&db.url(), &query).await;
    let blocked = || async {
        db.text(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'ClientWrite' \
             AND query LIKE '%generate_series%'",
        )
        .await
    };
    wait_until("the server to wait", DEADLINE, blocked).await.unwrap();
    read_all(&mut pipeline).await;
    pipeline.stop().await;
}

#[tokio::test]
async fn a_million_rows_of_sqlite_are_streamed() {
    let db = Sqlite::create();
    let query = query(&format!(
        "replace(hex(zeroblob(100)), '00', 'xx') AS text FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL \
         SELECT n + 1 FROM c WHERE n < {ROWS}) SELECT n FROM c)"
    ));
    let mut pipeline = start(&db.url(), &query).await;
    read_all(&mut pipeline).await;
    pipeline.stop().await;
}

#[tokio::test]
async fn stopping_in_the_middle_of_a_read_frees_the_servers() {
    let mariadb = MariaDb::create().await;
    let endless = "REPEAT('x', 200) AS text FROM (SELECT seq AS n FROM seq_1_to_1000000000) s";
    let mut of_mariadb = start(&mariadb.url(), &query(endless)).await;
    let postgres = Postgres::create().await;
    let endless = "repeat('x', 200) AS text FROM (SELECT generate_series(1, 1000000000) AS n) s";
    let mut of_postgres = start(&postgres.url(), &query(endless)).await;
    let sqlite = Sqlite::create();
    let endless =
        "'x' AS text FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c)";
    let mut of_sqlite = start(&sqlite.url(), &query(endless)).await;
    for pipeline in [&mut of_mariadb, &mut of_postgres, &mut of_sqlite] {
        pipeline
            .poll_until("the first rows", |records| {
                if records.is_empty() {
                    Err("none".to_owned())
                } else {
                    Ok(())
                }
            })
            .await;
    }
    for pipeline in [of_mariadb, of_postgres, of_sqlite] {
        tokio::time::timeout(Duration::from_secs(30), pipeline.stop())
            .await
            .expect("a stop does not read to the end");
    }
    let nobody_reads = || async { mariadb.reading_connection("REPEAT").await.is_none() };
    wait_until("MariaDB to be left alone", DEADLINE, nobody_reads)
        .await
        .unwrap();
    let nobody_reads = || async {
        let sql = "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                   AND state = 'active'";
        postgres.text(sql).await.is_none()
    };
    wait_until("PostgreSQL to be left alone", DEADLINE, nobody_reads)
        .await
        .unwrap();
}

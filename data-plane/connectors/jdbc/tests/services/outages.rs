//! A database that is killed in the middle of a read, and comes back.

use std::collections::BTreeSet;
use std::sync::Arc;

use towpath_connect::ErrorKind;
use towpath_testkit::{Service, Services};

use crate::databases::{MariaDb, Postgres};
use crate::pipeline::{CONFLUENT, Pipeline, config, ids};

const ROWS: i64 = 50_000;

const INCREMENTING: [(&str, &str); 3] = [
    ("mode", "incrementing"),
    ("incrementing.column.name", "id"),
    ("batch.max.rows", "500"),
];

/// Polls until every row up to this id was seen.
async fn see_all(pipeline: &mut Pipeline, seen: &mut BTreeSet<i64>, last: i64) {
    pipeline
        .poll_until("every row", |records| {
            seen.extend(ids(&records));
            let count = i64::try_from(seen.len()).unwrap();
            if count == last {
                Ok(())
            } else {
                Err(format!("{count} of {last} rows"))
            }
        })
        .await;
    assert_eq!(seen.last(), Some(&last));
}

/// Takes a few batches, so that the rest of the result is still on its way.
async fn see_some(pipeline: &mut Pipeline, seen: &mut BTreeSet<i64>) {
    pipeline
        .poll_until("the first rows", |records| {
            seen.extend(ids(&records));
            if seen.len() > 1000 {
                Ok(())
            } else {
                Err(seen.len().to_string())
            }
        })
        .await;
    assert!(
        i64::try_from(seen.len()).unwrap() < ROWS,
        "the read is not over yet"
    );
}

#[tokio::test]
async fn mariadb_is_killed_and_restarted_and_no_row_is_missing() {
    let services = Services::private(&[Service::MariaDb]).await.unwrap();
    let db = MariaDb::create_on(services.mariadb()).await;
    db.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(1000))")
        .await;
    db.run(&format!(
        "INSERT INTO t (text) SELECT REPEAT('x', 1000) FROM seq_1_to_{ROWS}"
    ))
    .await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &INCREMENTING)).await;
    let mut seen = BTreeSet::new();
    see_some(&mut pipeline, &mut seen).await;

    services.kill(Service::MariaDb).await.unwrap();
    let records = pipeline.poll().await.unwrap();
    seen.extend(ids(&records));
    services.start(Service::MariaDb).await.unwrap();
    see_all(&mut pipeline, &mut seen, ROWS).await;
    assert_eq!(pipeline.outages.len(), 1, "told once: {:?}", pipeline.outages);
    assert!(
        pipeline.outages[0].contains(&format!("{}.t", db.name)),
        "{}",
        pipeline.outages[0]
    );

    // An idle connection that the server closed is replaced as well.
    services.restart(Service::MariaDb).await.unwrap();
    db.run("INSERT INTO t (text) VALUES ('after')").await;
    see_all(&mut pipeline, &mut seen, ROWS + 1).await;
    pipeline.stop().await;
}

#[tokio::test]
async fn postgres_is_killed_and_restarted_and_no_row_is_missing() {
    let services = Services::private(&[Service::Postgres]).await.unwrap();
    let db = Postgres::create_on(services.postgres()).await;
    db.run("CREATE TABLE t (id SERIAL PRIMARY KEY, text TEXT)").await;
    db.run(&format!(
        "INSERT INTO t (text) SELECT repeat('x', 1000) FROM generate_series(1, {ROWS})"
    ))
    .await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &INCREMENTING)).await;
    let mut seen = BTreeSet::new();
    see_some(&mut pipeline, &mut seen).await;
    services.kill(Service::Postgres).await.unwrap();
    services.start(Service::Postgres).await.unwrap();
    see_all(&mut pipeline, &mut seen, ROWS).await;
    assert_eq!(pipeline.outages.len(), 1, "told once: {:?}", pipeline.outages);
    pipeline.stop().await;
}

#[tokio::test]
async fn a_start_without_the_database_may_be_tried_again_after_the_attempts() {
    let port = towpath_testkit::free_port().unwrap();
    let url = format!("jdbc:mysql://127.0.0.1:{port}/db?user=u&password=hush");
    let entries = [("connection.attempts", "2"), ("connection.backoff.ms", "10")];
    let config = config(&url, &entries);
    let started = Pipeline::start_connector(CONFLUENT, &config, &Arc::default()).await;
    let error = started.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Retriable);
    let text = towpath_connect::error::Chain(&error).to_string();
    assert!(text.contains("after 2 of 2 attempts"), "{text}");
    assert!(
        text.contains(&format!("mysql://127.0.0.1:{port}/db")) && !text.contains("hush"),
        "{text}"
    );
}

#[tokio::test]
async fn a_start_with_a_name_that_does_not_exist_fails() {
    let entries = [("connection.attempts", "2"), ("connection.backoff.ms", "10")];
    let config = config("jdbc:sqlite:/no/such/file.db", &entries);
    let started = Pipeline::start_connector(CONFLUENT, &config, &Arc::default()).await;
    assert_eq!(started.err().unwrap().kind(), ErrorKind::External);
}

#[tokio::test]
async fn a_connector_and_a_task_that_find_no_database_start_when_it_is_back() {
    let services = Services::private(&[Service::MariaDb]).await.unwrap();
    let db = MariaDb::create_on(services.mariadb()).await;
    db.run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT)").await;
    db.run("INSERT INTO t VALUES (1), (2), (3)").await;
    let config = config(&db.url(), &INCREMENTING);
    let mut pipeline = Pipeline::start(&config).await;
    assert_eq!(ids(&pipeline.take(3).await), [1, 2, 3]);

    services.kill(Service::MariaDb).await.unwrap();
    let error = pipeline.start_tasks(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retriable, "{error}");
    let offsets = Arc::clone(&pipeline.offsets);
    pipeline.stop().await;
    let again = Pipeline::start_connector(CONFLUENT, &config, &offsets).await;
    assert_eq!(again.err().unwrap().kind(), ErrorKind::Retriable);

    services.start(Service::MariaDb).await.unwrap();
    db.run("INSERT INTO t VALUES (4)").await;
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    assert_eq!(ids(&pipeline.take(1).await), [4], "it goes on where it was");
    pipeline.stop().await;
}

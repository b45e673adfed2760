//! A search engine that goes away and comes back: everything arrives, nothing twice, and no person is needed.

use serde_json::json;
use tokio::sync::Mutex;
use towpath_connect::{ErrorKind, SinkRecord, Value};
use towpath_testkit::{Service, Services};

use crate::harness::{Search, Sink, numbered, object, record};

const SERVER: &[Service] = &[Service::OpenSearch];

/// One server of its own at a time: each is a JVM that starts twice.
static ALONE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn a_search_engine_that_is_killed_under_load_gets_everything_once_it_is_back() {
    let _alone = ALONE.lock().await;
    let services = Services::private(SERVER).await.unwrap();
    let search = Search::at(services.opensearch_url(), "killed");
    let config = search.config(&[
        ("key.ignore", "true"),
        ("batch.size", "200"),
        ("connection.timeout.ms", "1000"),
        ("read.timeout.ms", "3000"),
    ]);
    let mut sink = Sink::start(&config).await;
    let batches: Vec<Vec<SinkRecord>> = (0..60)
        .map(|batch| numbered(&search.index, batch * 500..(batch + 1) * 500))
        .collect();
    for batch in &batches[..20] {
        sink.put(batch).await.unwrap();
    }
    let load = async {
        for batch in &batches[20..] {
            sink.put(batch).await.unwrap();
        }
        sink.finish().await.unwrap();
    };
    let outage = async {
        services.kill(Service::OpenSearch).await.unwrap();
        services.start(Service::OpenSearch).await.unwrap();
    };
    tokio::join!(load, outage);
    let mut expected: Vec<String> = (0..30_000).map(|n| format!("{}+0+{n}", search.index)).collect();
    expected.sort();
    let found = search.ids().await;
    assert_eq!(found.len(), expected.len());
    assert!(found == expected, "every document is there once");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_away_as_much_is_held_as_allowed_and_then_put_waits() {
    let _alone = ALONE.lock().await;
    let services = Services::private(SERVER).await.unwrap();
    let search = Search::at(services.opensearch_url(), "pressure");
    let limits = [
        ("batch.size", "100"),
        ("max.in.flight.requests", "2"),
        ("max.buffered.records", "1000"),
        ("write.method", "upsert"),
    ];
    let mut sink = Sink::start(&search.config(&limits)).await;
    let update = |n: i64| {
        record(
            &search.index,
            n,
            Value::string(format!("k{}", n % 10)),
            object(&[("n", Value::Int64(n))]),
        )
    };
    sink.put(&[update(0)]).await.unwrap();
    sink.finish().await.unwrap();

    services.kill(Service::OpenSearch).await.unwrap();
    let mut next = 1;
    let refused = loop {
        let batch: Vec<SinkRecord> = (next..next + 250).map(update).collect();
        match sink.task.put(&batch).await {
            Ok(()) => next += 250,
            Err(error) => break error,
        }
        assert!(next <= 1001, "more than `max.buffered.records` are held");
    };
    assert_eq!(refused.kind(), ErrorKind::Retriable);
    assert_eq!(next, 1001);

    services.start(Service::OpenSearch).await.unwrap();
    for start in (1001..2001).step_by(250) {
        sink.put(&(start..start + 250).map(update).collect::<Vec<_>>())
            .await
            .unwrap();
    }
    sink.finish().await.unwrap();
    for key in 0..10 {
        let newest = (0..2001).rev().find(|n| n % 10 == key).unwrap();
        assert_eq!(
            search.document(&format!("k{key}")).await,
            json!({ "n": newest }),
            "order is kept"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_starts_while_the_search_engine_is_away_and_goes_to_another_address() {
    let _alone = ALONE.lock().await;
    let services = Services::private(SERVER).await.unwrap();
    let search = Search::at(services.opensearch_url(), "away");
    // Nothing listens at the first address.
    let dead = format!("http://127.0.0.1:{}", towpath_testkit::free_port().unwrap());
    let both = format!("{dead},{}/", search.url);
    services.stop(Service::OpenSearch).await.unwrap();
    let mut sink = Sink::start(&search.config(&[("connection.url", &both)])).await;
    let records = numbered(&search.index, 0..10);
    let error = sink.task.put(&records).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Retriable,
        "the index cannot be looked for: {error}"
    );
    services.start(Service::OpenSearch).await.unwrap();
    sink.put(&records).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 10);
}

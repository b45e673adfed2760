//! What each answer to a bulk request leads to. No real server is asked: it gives some of these only when it is broken.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use towpath_connect::{ConfigMap, ConnectRecord, SinkRecord, TimestampType, TopicPartitionOffsets, Value};

use super::*;
use crate::bulk::{Action, Entry};
use crate::config::Settings;
use crate::flavour::Flavour;
use crate::tracker::Tracker;

struct Fixture {
    client: Client,
    policy: Policy,
    tracker: Tracker,
}

impl Fixture {
    fn new(more: &[(&str, &str)]) -> Self {
        let mut config: ConfigMap = [("connection.url", "http://127.0.0.1:9")].into_iter().collect();
        for &(key, value) in more {
            config.insert(key, value);
        }
        let settings = Settings::read(Flavour::Confluent, &config).unwrap();
        Self {
            client: Client::new(&settings.connection).unwrap(),
            policy: Policy::new(&settings.connection, settings.malformed, settings.conflict),
            tracker: Tracker::default(),
        }
    }

    /// A bulk of updates at the offsets 0, 1, 2…
    fn bulk(&mut self, count: i64) -> Bulk {
        let record = ConnectRecord::of_value("t".into(), None, Value::Null);
        let partition = self
            .tracker
            .partition(&SinkRecord::new(record, 0, 0, TimestampType::CreateTime));
        let mut bulk = Bulk::new();
        for offset in 0..count {
            partition.taken(offset);
            let start = bulk.body.len();
            bulk.body.extend_from_slice(b"{}\n");
            bulk.operations.push(Operation {
                entry: Entry {
                    action: Action::Update,
                    is_versioned: false,
                    ordered_id: None,
                },
                partition: Arc::clone(&partition),
                offset,
                text: start..bulk.body.len(),
            });
        }
        bulk
    }

    /// Up to where everything is decided.
    fn decided(&self) -> i64 {
        let place = towpath_connect::TopicPartition {
            topic: "t".into(),
            partition: 0,
        };
        let delivered: TopicPartitionOffsets = [(place.clone(), 100)].into_iter().collect();
        self.tracker.committable(&delivered)[&place]
    }
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        body: body.as_bytes().to_vec(),
    }
}

/// An answer with an entry of each status.
fn items(statuses: &[u16]) -> Answer {
    let item =
        |status: &u16| format!(r#"{{"update":{{"status":{status},"error":{{"type":"some_exception"}}}}}}"#);
    let items: Vec<String> = statuses.iter().map(item).collect();
    answer(
        200,
        &format!(r#"{{"errors":true,"items":[{}]}}"#, items.join(",")),
    )
}

#[test]
fn an_answer_to_the_whole_request_is_waited_out_split_or_fatal() {
    let mut fixture = Fixture::new(&[]);
    let mut bulk = fixture.bulk(2);
    let mut delivery = Delivery::new(&fixture.client, fixture.policy);
    let mut step = |status| delivery.answered(&mut bulk, &answer(status, "<html>")).unwrap();
    for status in [502, 503, 504] {
        assert_eq!(step(status), Step::Again(Trouble::Unavailable));
    }
    for status in [429, 500, 599] {
        assert_eq!(step(status), Step::Again(Trouble::Busy));
    }
    for status in [400, 413] {
        assert_eq!(step(status), Step::Split);
    }
    for status in [401, 403, 404, 302] {
        let error = delivery.answered(&mut bulk, &answer(status, "")).unwrap_err();
        assert!(error.to_string().contains(&format!("status {status}")), "{error}");
    }
}

#[test]
fn the_one_entry_that_spoils_a_request_is_malformed() {
    let refusal = answer(
        400,
        r#"{"error":{"type":"parse_exception","reason":"a value"},"status":400}"#,
    );
    let mut fixture = Fixture::new(&[]);
    let mut bulk = fixture.bulk(1);
    let error = Delivery::new(&fixture.client, fixture.policy)
        .answered(&mut bulk, &refusal)
        .unwrap_err();
    assert!(
        error.to_string().contains("parse_exception") && !error.to_string().contains("a value"),
        "{error}"
    );

    let mut fixture = Fixture::new(&[("behavior.on.malformed.documents", "warn")]);
    let mut bulk = fixture.bulk(1);
    let step = Delivery::new(&fixture.client, fixture.policy)
        .answered(&mut bulk, &refusal)
        .unwrap();
    assert_eq!((step, fixture.decided()), (Step::Done, 100));
}

#[test]
fn only_entries_that_are_not_decided_are_sent_again() {
    let mut fixture = Fixture::new(&[]);
    let mut bulk = fixture.bulk(4);
    let mut delivery = Delivery::new(&fixture.client, fixture.policy);
    let step = delivery
        .answered(&mut bulk, &items(&[200, 429, 201, 503]))
        .unwrap();
    assert_eq!(step, Step::Again(Trouble::Unavailable));
    let left: Vec<i64> = bulk.operations.iter().map(|operation| operation.offset).collect();
    assert_eq!((left, fixture.decided()), (vec![1, 3], 1));
    let mut delivery = Delivery::new(&fixture.client, fixture.policy);
    assert_eq!(
        delivery.answered(&mut bulk, &items(&[200, 429])).unwrap(),
        Step::Again(Trouble::Busy)
    );
    assert_eq!(delivery.answered(&mut bulk, &items(&[200])).unwrap(), Step::Done);
    assert_eq!(fixture.decided(), 100);
}

#[test]
fn an_entry_that_met_something_broken_is_sent_again() {
    for status in [500, 501, 505, 599] {
        let mut fixture = Fixture::new(&[]);
        let mut bulk = fixture.bulk(3);
        let mut delivery = Delivery::new(&fixture.client, fixture.policy);
        let step = delivery.answered(&mut bulk, &items(&[200, status, 200])).unwrap();
        assert_eq!(step, Step::Again(Trouble::Busy), "{status}");
        assert_eq!((bulk.operations.len(), fixture.decided()), (1, 1), "{status}");
    }
}

/// Gives these answers, one after the other, to whoever sends a request.
async fn serve(listener: &tokio::net::TcpListener, answers: &[Answer]) {
    for answer in answers {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"{}\n") {
            connection.read_buf(&mut request).await.unwrap();
        }
        let head = format!(
            "HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            answer.status,
            answer.body.len()
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&answer.body).await.unwrap();
    }
}

#[tokio::test]
async fn an_entry_that_meets_something_broken_is_tried_as_often_as_configured() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let keys = [
        ("connection.url", url.as_str()),
        ("max.retries", "2"),
        ("retry.backoff.ms", "1"),
    ];
    for (last, succeeds) in [(200, true), (500, false)] {
        let mut fixture = Fixture::new(&keys);
        let bulk = fixture.bulk(1);
        let answers = [items(&[500]), items(&[500]), items(&[last])];
        let run = Delivery::new(&fixture.client, fixture.policy).run(bulk);
        let (written, ()) = tokio::join!(run, serve(&listener, &answers));
        if succeeds {
            written.unwrap();
            assert_eq!(fixture.decided(), 100);
        } else {
            let text = towpath_connect::error::Chain(&written.unwrap_err()).to_string();
            assert!(
                text.contains("in 3 tries") && text.ends_with("some_exception"),
                "{text}"
            );
            assert_eq!(fixture.decided(), 0);
        }
    }
}

#[test]
fn an_update_that_meets_others_is_tried_again_and_then_left_out() {
    let mut fixture = Fixture::new(&[]);
    let mut bulk = fixture.bulk(1);
    let mut delivery = Delivery::new(&fixture.client, fixture.policy);
    assert_eq!(
        delivery.answered(&mut bulk, &items(&[409])).unwrap(),
        Step::Contended
    );
    delivery.contended = CONTENDED_TRIES;
    assert_eq!(delivery.answered(&mut bulk, &items(&[409])).unwrap(), Step::Done);
    assert_eq!(fixture.decided(), 100);
}

#[test]
fn a_refusal_fails_the_task_but_what_is_written_counts() {
    let mut fixture = Fixture::new(&[]);
    let mut bulk = fixture.bulk(3);
    let error = Delivery::new(&fixture.client, fixture.policy)
        .answered(&mut bulk, &items(&[200, 403, 200]))
        .unwrap_err();
    assert!(error.to_string().contains("offset 1 of topic \"t\""), "{error}");
    assert_eq!(fixture.decided(), 1);
}

#[tokio::test]
async fn a_bulk_of_closed_partitions_is_not_sent() {
    let mut fixture = Fixture::new(&[]);
    let bulk = fixture.bulk(3);
    let place = towpath_connect::TopicPartition {
        topic: "t".into(),
        partition: 0,
    };
    fixture.tracker.close(&[place]);
    // Nothing listens there: a request would be tried for ever.
    Delivery::new(&fixture.client, fixture.policy)
        .run(bulk)
        .await
        .unwrap();
}

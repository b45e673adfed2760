//! Offsets that the user alters and resets, on a real broker.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use towpath_testkit::{Service, Services, wait_until};

use super::{PATIENCE, STRING, committed, lines, source, stop, unique, wait_position};
use crate::cluster::Cluster;
use crate::rest::Rest;

fn path(connector: &str) -> String {
    format!("/connectors/{connector}/offsets")
}

/// The beginning of a line, as the file source counts.
fn position_of(line: usize) -> usize {
    lines(0..line).len()
}

async fn change(rest: &Rest, connector: &str, method: Method, body: Option<Value>) -> String {
    let (status, answer) = rest.call(method, &path(connector), body.as_ref()).await;
    assert_eq!(status, 200, "{answer}");
    answer["message"].as_str().unwrap().to_owned()
}

async fn alter(rest: &Rest, connector: &str, (partition, offset): (Value, Value)) -> String {
    let body = json!({"offsets": [{"partition": partition, "offset": offset}]});
    change(rest, connector, Method::PATCH, Some(body)).await
}

async fn resume(rest: &Rest, connector: &str) {
    let path = format!("/connectors/{connector}/resume");
    assert_eq!(rest.call(Method::PUT, &path, None).await.0, 202);
    rest.wait_running(connector, 1).await;
}

fn at(file: &Path, line: usize) -> (Value, Value) {
    (json!({"filename": file}), json!({"position": position_of(line)}))
}

/// Ten lines, back to the seventh, ten lines more, and all once more.
async fn alter_and_reset(support: &str) {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique(&format!("alter-{support}"));
    let topic = format!("{name}-offsets");
    let place = (support, topic.as_str());
    let mut cluster = Cluster::start_exactly_once_with(services.kafka_bootstrap(), place, &[]).await;
    let input = cluster.file("in.txt");
    std::fs::write(&input, lines(0..10)).unwrap();
    cluster.rest.create(&name, source(&input, &name)).await;
    wait_position(&cluster, &name, position_of(10)).await;
    let rest = cluster.rest.clone();
    stop(&rest, &name).await;

    let message = alter(&rest, &name, at(&input, 7)).await;
    assert_eq!(
        message,
        "The offsets for this connector have been altered successfully"
    );
    let shown = rest.get(&path(&name)).await;
    assert_eq!(shown["offsets"][0]["offset"]["position"], position_of(7));
    std::fs::write(&input, lines(0..20)).unwrap();
    resume(&rest, &name).await;
    wait_position(&cluster, &name, position_of(20)).await;
    let wanted = (0..10).chain(7..20);
    let seen = committed(&services, &name, 23).await;
    assert!(seen.iter().copied().eq(wanted.clone()), "{seen:?}");

    stop(&rest, &name).await;
    let message = change(&rest, &name, Method::DELETE, None).await;
    assert_eq!(
        message,
        "The offsets for this connector have been reset successfully"
    );
    assert_eq!(rest.get(&path(&name)).await, json!({"offsets": []}));
    // Whoever runs it next finds nothing, in neither store.
    cluster.kill_worker(0);
    resume(&rest, &name).await;
    wait_position(&cluster, &name, position_of(20)).await;
    let seen = committed(&services, &name, 43).await;
    assert!(seen.iter().copied().eq(wanted.chain(0..20)), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exactly_once_source_goes_on_from_where_the_user_has_set_it() {
    alter_and_reset("enabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_at_least_once_source_goes_on_from_where_the_user_has_set_it() {
    alter_and_reset("disabled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_goes_on_from_where_the_user_has_set_its_group() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique("alter-sink");
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let (input, output) = (cluster.file("in.txt"), cluster.file("out.txt"));
    std::fs::write(&input, lines(0..10)).unwrap();
    let (rest, sink) = (&cluster.rest, format!("{name}-sink"));
    rest.create(&name, source(&input, &name)).await;
    let config = json!({
        "connector.class": "FileStreamSink", "tasks.max": "1", "file": output, "topics": name,
        "key.converter": STRING, "value.converter": STRING,
    });
    rest.create(&sink, config).await;
    let partition = || json!({"kafka_topic": name, "kafka_partition": 0});
    let is_written = async |wanted: Vec<usize>, committed: u64| {
        let text = lines_of(&wanted);
        let done = || async {
            let shown = rest.get(&path(&sink)).await;
            std::fs::read_to_string(&output).unwrap_or_default() == text
                && shown["offsets"][0]["offset"]["kafka_offset"] == committed
        };
        let waited = wait_until("the sink to have written and committed", PATIENCE, done).await;
        if let Err(error) = waited {
            panic!(
                "{error}; {:?}; {}",
                std::fs::read_to_string(&output),
                rest.traces(&sink).await
            );
        }
    };
    let mut wanted: Vec<usize> = (0..10).collect();
    is_written(wanted.clone(), 10).await;

    let body = json!({"offsets": [{"partition": partition(), "offset": {"kafka_offset": 7}}]});
    let (status, answer) = rest.call(Method::PATCH, &path(&sink), Some(&body)).await;
    assert_eq!(status, 400, "{answer}");
    stop(rest, &sink).await;
    alter(rest, &sink, (partition(), json!({"kafka_offset": "7"}))).await;
    resume(rest, &sink).await;
    wanted.extend(7..10);
    is_written(wanted.clone(), 10).await;

    stop(rest, &sink).await;
    alter(rest, &sink, (partition(), Value::Null)).await;
    assert_eq!(rest.get(&path(&sink)).await, json!({"offsets": []}));
    resume(rest, &sink).await;
    wanted.extend(0..10);
    is_written(wanted.clone(), 10).await;

    stop(rest, &sink).await;
    for _ in 0..2 {
        let message = change(rest, &sink, Method::DELETE, None).await;
        assert_eq!(
            message,
            "The offsets for this connector have been reset successfully"
        );
    }
    assert_eq!(rest.get(&path(&sink)).await, json!({"offsets": []}));
    resume(rest, &sink).await;
    wanted.extend(0..10);
    is_written(wanted, 10).await;
}

fn lines_of(numbers: &[usize]) -> String {
    numbers.iter().map(|number| format!("{number}\n")).collect()
}

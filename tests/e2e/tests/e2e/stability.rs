//! Losing the whole control plane stops no data.

use std::time::Duration;

use reqwest::Method;
use towpath_testkit::{Service, Services, wait_until, wait_until_eq};

use crate::cluster::Cluster;
use crate::files::Standalone;
use crate::numbers::{Arrivals, Numbers, connector, of_this_run};

const PATIENCE: Duration = Duration::from_secs(60);
/// Numbers that have to come through: with this many a second or two have passed.
const MANY: usize = 1_000;
const SINKS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn sinks_go_on_without_a_control_plane_and_everything_runs_again_when_it_is_back() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    // Written by somebody who needs no control plane.
    let topic = of_this_run("stable-numbers");
    let producer = Standalone::new(services.kafka_bootstrap(), &topic);
    let numbers = Numbers::write_to(&producer.file("in.txt"));
    let _producer = producer.start(&["source.properties"], "producer.log");
    let (input, output) = (cluster.file("lines.txt"), cluster.file("out.txt"));
    std::fs::write(&input, "0\n").unwrap();
    let sink = connector("FileStreamSink", &output, ("topics", &topic));
    let sink_name = of_this_run("stable-sink");
    cluster.rest.create(&sink_name, sink).await;
    let source = connector("FileStreamSource", &input, ("topic", "stable-lines"));
    cluster.rest.create("stable-source", source).await;
    cluster.rest.wait_running(&sink_name, 1).await;
    cluster.rest.wait_running("stable-source", 1).await;
    let arrivals = Arrivals::at(&output);
    arrivals.grow_by(MANY).await;

    cluster.lose_control_plane();
    let source_ended = || async { times(&cluster, "unit ended", "stable-source-0") };
    wait_until_eq(
        "the source task to stop with the lease",
        PATIENCE,
        1,
        source_ended,
    )
    .await
    .unwrap();
    arrivals.grow_by(2 * MANY).await;

    cluster.start_control_plane().await;
    cluster.rest.wait_running("stable-source", 1).await;
    cluster.rest.wait_running(&sink_name, 1).await;
    arrivals.grow_by(MANY).await;
    arrivals.are_exactly(numbers.stop().await).await;
    for unit in ["stable-sink", "stable-sink-0", "stable-source"] {
        assert_eq!(
            times(&cluster, "unit ended", unit),
            0,
            "{unit} had no reason to restart"
        );
    }
    assert_eq!(
        times(&cluster, "unit ended", "stable-source-0"),
        1,
        "it was started once, not first as it was before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sinks_that_cannot_leave_their_groups_hold_up_nothing_else() {
    let services = Services::private(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    // So that there is always something to commit.
    let input = cluster.file("in.txt");
    let numbers = Numbers::write_to(&input);
    let source = connector("FileStreamSource", &input, ("topic", "held-up"));
    cluster.rest.create("numbers", source).await;
    // More than the runtime of the worker has threads.
    let names: Vec<String> = (0..SINKS).map(|number| format!("held-up-{number}")).collect();
    for name in &names {
        let sink = connector("FileStreamSink", &cluster.file(name), ("topics", "held-up"));
        cluster.rest.create(name, sink).await;
    }
    for name in &names {
        Arrivals::at(&cluster.file(name)).grow_by(MANY).await;
    }

    services.kill(Service::Kafka).await.unwrap();
    let count = async |message: &str| {
        let units = names.iter().map(|name| format!("{name}-0"));
        units.filter(|unit| times(&cluster, message, unit) > 0).count()
    };
    let uncommitted = || count("offsets were not committed");
    wait_until_eq("commits without an answer", PATIENCE, SINKS, uncommitted)
        .await
        .unwrap();
    for name in &names {
        let path = format!("/connectors/{name}/stop");
        assert_eq!(cluster.rest.call(Method::PUT, &path, None).await.0, 204);
    }
    let ended = || count("unit ended");
    wait_until_eq("the tasks to end", PATIENCE, SINKS, ended)
        .await
        .unwrap();
    assert_eq!(count("did not stop in time").await, SINKS);
    for name in &names {
        let stopped = || async { cluster.rest.states(name).await == Some(("STOPPED".into(), Vec::new())) };
        wait_until("the control plane to know", PATIENCE, stopped)
            .await
            .unwrap();
    }
    numbers.stop().await;
    let logs = cluster.logs();
    assert!(!logs.contains("has not answered within the lease"), "{logs}");
    assert!(!logs.contains("lost the control plane"), "{logs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_whose_place_in_its_group_is_taken_takes_it_back() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let (topic, name) = (of_this_run("taken"), of_this_run("taken-sink"));
    let (input, output) = (cluster.file("in.txt"), cluster.file("out.txt"));
    let numbers = Numbers::write_to(&input);
    let source = connector("FileStreamSource", &input, ("topic", &topic));
    cluster.rest.create(&of_this_run("taken-source"), source).await;
    let sink = connector("FileStreamSink", &output, ("topics", &topic));
    cluster.rest.create(&name, sink).await;
    let arrivals = Arrivals::at(&output);
    arrivals.grow_by(MANY).await;

    let (group, place) = (format!("connect-{name}"), format!("group.instance.id={name}-0"));
    let other = [
        "ConsoleConsumer",
        "--topic",
        &topic,
        "--group",
        &group,
        "--consumer-property",
        &place,
        "--timeout-ms",
        "30000",
    ];
    let unit = format!("{name}-0");
    let fenced = || async { times(&cluster, "fenced; starting over", &unit) > 0 };
    let (_driven_out, noticed) = tokio::join!(
        services.tool(Service::Kafka, &other),
        wait_until("the task to be fenced", PATIENCE, fenced)
    );
    noticed.unwrap_or_else(|error| panic!("{error}\n{}", cluster.logs()));
    arrivals.grow_by(MANY).await;
    arrivals.hold_all(numbers.stop().await).await;
    cluster.rest.wait_running(&name, 1).await;
}

/// How often a worker has logged this of the unit.
fn times(cluster: &Cluster, message: &str, unit: &str) -> usize {
    let unit = format!("unit={unit}");
    let logs = cluster.logs();
    logs.lines()
        .filter(|line| line.contains(message) && line.split([' ', '{']).any(|word| word == unit))
        .count()
}

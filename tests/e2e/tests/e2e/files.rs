//! The file connectors, and `towpath standalone`.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use towpath_testkit::{Process, Service, Services, binary, free_port, wait_until_eq};

use crate::cluster::Cluster;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn lines_go_through_kafka_and_pause_stop_and_restart_do_what_they_say() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let (input, output) = (cluster.file("in.txt"), cluster.file("out.txt"));
    std::fs::write(&input, "one\ntwo\n").unwrap();
    let string = "org.apache.kafka.connect.storage.StringConverter";
    let common = |class: &str, file: &std::path::Path| json!({ "connector.class": class, "file": file, "key.converter": string, "value.converter": string });
    let mut source = common("FileStreamSource", &input);
    crate::news::merge(&mut source, json!({ "topic": "files-lines" }));
    let mut sink = common("FileStreamSink", &output);
    crate::news::merge(&mut sink, json!({ "topics": "files-lines" }));
    cluster.rest.create("files-source", source).await;
    cluster.rest.create("files-sink", sink).await;
    let content = || async { std::fs::read_to_string(&output).unwrap_or_default() };
    wait_until_eq("the lines", PATIENCE, "one\ntwo\n".to_owned(), content)
        .await
        .unwrap();

    let put = |path: &'static str| cluster.rest.call(reqwest::Method::PUT, path, None);
    assert_eq!(put("/connectors/files-source/pause").await.0, 202);
    let state = || async { cluster.rest.states("files-source").await };
    let paused = Some(("PAUSED".to_owned(), vec!["PAUSED".to_owned()]));
    wait_until_eq("the pause", PATIENCE, paused, state).await.unwrap();
    std::fs::write(&input, "one\ntwo\nthree\n").unwrap();
    assert_eq!(put("/connectors/files-source/resume").await.0, 202);
    wait_until_eq(
        "the third line",
        PATIENCE,
        "one\ntwo\nthree\n".to_owned(),
        content,
    )
    .await
    .unwrap();

    assert_eq!(put("/connectors/files-source/stop").await.0, 204);
    let stopped = Some(("STOPPED".to_owned(), Vec::new()));
    wait_until_eq("the stop", PATIENCE, stopped, state).await.unwrap();
    std::fs::write(&input, "one\ntwo\nthree\nfour\n").unwrap();
    assert_eq!(put("/connectors/files-source/resume").await.0, 202);
    cluster.rest.wait_running("files-source", 1).await;
    let restart = "/connectors/files-source/restart?includeTasks=true";
    assert_eq!(
        cluster.rest.call(reqwest::Method::POST, restart, None).await.0,
        202
    );
    wait_until_eq(
        "all lines, each once",
        PATIENCE,
        "one\ntwo\nthree\nfour\n".to_owned(),
        content,
    )
    .await
    .unwrap();
    let committed = || async { cluster.rest.get("/connectors/files-sink/offsets").await };
    let expected = json!({ "offsets": [{
        "partition": { "kafka_partition": 0, "kafka_topic": "files-lines" }, "offset": { "kafka_offset": 4 },
    }]});
    wait_until_eq("the sink's offsets", PATIENCE, expected, committed)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_takes_the_files_of_connect_standalone_and_goes_on_after_a_restart() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let port = free_port().unwrap();
    let worker = format!(
        "bootstrap.servers={}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.storage.StringConverter\noffset.flush.interval.ms=500\n\
         offset.storage.file.filename={}\nlisteners=http://127.0.0.1:{port}\n",
        services.kafka_bootstrap(),
        file("offsets").display(),
    );
    std::fs::write(file("worker.properties"), worker).unwrap();
    let source = format!(
        "# a file source\nname=local-file-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile={}\ntopic=standalone-lines\n",
        file("in.txt").display()
    );
    std::fs::write(file("source.properties"), source).unwrap();
    let sink = json!({ "name": "local-file-sink", "config": {
        "connector.class": "FileStreamSink", "file": file("out.txt"), "topics": "standalone-lines",
    }});
    std::fs::write(file("sink.json"), sink.to_string()).unwrap();
    let start = |log: &str| {
        let mut command = Command::new(binary("towpath").expect("tests/run builds the binaries"));
        command
            .arg("standalone")
            .args(["worker.properties", "source.properties", "sink.json"].map(file));
        Process::spawn(command, file(log)).unwrap()
    };
    std::fs::write(file("in.txt"), "one\n").unwrap();
    let mut towpath = start("first.log");
    let content = || async { std::fs::read_to_string(file("out.txt")).unwrap_or_default() };
    wait_until_eq("the line", PATIENCE, "one\n".to_owned(), content)
        .await
        .unwrap();
    let list = || async {
        let answer = reqwest::get(format!("http://127.0.0.1:{port}/connectors")).await;
        let mut names: Vec<String> = answer.unwrap().json().await.unwrap();
        names.sort();
        names
    };
    wait_until_eq(
        "both connectors",
        PATIENCE,
        vec!["local-file-sink".to_owned(), "local-file-source".to_owned()],
        list,
    )
    .await
    .unwrap();
    assert!(towpath.terminate(PATIENCE).await.unwrap().success());

    std::fs::write(file("in.txt"), "one\ntwo\n").unwrap();
    let mut towpath = start("second.log");
    wait_until_eq("the second line only", PATIENCE, "one\ntwo\n".to_owned(), content)
        .await
        .unwrap();
    assert!(towpath.terminate(PATIENCE).await.unwrap().success());

    std::fs::write(
        file("source.properties"),
        "name=broken\nconnector.class=FileStreamSource\n",
    )
    .unwrap();
    let mut towpath = start("third.log");
    let ended = towpath.wait(PATIENCE).await.unwrap();
    assert_eq!(ended.code(), Some(3), "{}", towpath.output().unwrap());
}

//! The file connectors, and `towpath standalone`.

use std::path::PathBuf;
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

/// The files of `towpath standalone`, which stay when it is stopped, and the port of its REST API.
pub(crate) struct Standalone {
    folder: tempfile::TempDir,
    port: u16,
}

impl Standalone {
    pub(crate) fn new(kafka: &str, topic: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port().unwrap();
        let new = Self { folder, port };
        let worker = format!(
            "bootstrap.servers={kafka}\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\noffset.flush.interval.ms=500\n\
             offset.storage.file.filename={}\nlisteners=http://127.0.0.1:{port}\n",
            new.file("offsets").display(),
        );
        std::fs::write(new.file("worker.properties"), worker).unwrap();
        let source = format!(
            "# a file source\nname=local-file-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile={}\ntopic={topic}\n",
            new.file("in.txt").display()
        );
        std::fs::write(new.file("source.properties"), source).unwrap();
        let sink = json!({ "name": "local-file-sink", "config": {
            "connector.class": "FileStreamSink", "file": new.file("out.txt"), "topics": topic,
        }});
        std::fs::write(new.file("sink.json"), sink.to_string()).unwrap();
        new
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self, connectors: &[&str], log: &str) -> Process {
        let mut command = Command::new(binary("towpath").expect("tests/run builds the binaries"));
        let connectors = connectors.iter().map(|name| self.file(name));
        command
            .arg("standalone")
            .arg(self.file("worker.properties"))
            .args(connectors);
        Process::spawn(command, self.file(log)).unwrap()
    }

    async fn wait_for_output(&self, lines: &str) {
        let content = || async { std::fs::read_to_string(self.file("out.txt")).unwrap_or_default() };
        wait_until_eq("the output", PATIENCE, lines.to_owned(), content)
            .await
            .unwrap();
    }

    /// Until the API shows this as the source's only offset.
    async fn wait_for_position(&self, bytes: u64) {
        let url = format!(
            "http://127.0.0.1:{}/connectors/local-file-source/offsets",
            self.port
        );
        // Nothing while the API does not answer or does not know the connector.
        let shown = || async {
            let answer = reqwest::get(&url).await.ok()?.error_for_status().ok()?;
            answer.json::<serde_json::Value>().await.ok()
        };
        let partition = json!({ "filename": self.file("in.txt") });
        let expected = json!({ "offsets": [{ "partition": partition, "offset": { "position": bytes } }] });
        wait_until_eq("the offset", PATIENCE, Some(expected), shown)
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_takes_the_files_of_connect_standalone_and_goes_on_after_a_restart() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let standalone = Standalone::new(services.kafka_bootstrap(), "standalone-lines");
    let connectors = ["source.properties", "sink.json"];
    let input = standalone.file("in.txt");
    std::fs::write(&input, "one\n").unwrap();
    let mut towpath = standalone.start(&connectors, "first.log");
    standalone.wait_for_output("one\n").await;
    let list = || async {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/connectors", standalone.port)).await;
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
    standalone.wait_for_position(4).await;
    assert!(towpath.terminate(PATIENCE).await.unwrap().success());

    // Nothing is there to read: what is shown is what the offset file holds.
    std::fs::remove_file(&input).unwrap();
    let mut towpath = standalone.start(&connectors, "second.log");
    standalone.wait_for_position(4).await;
    std::fs::write(&input, "one\ntwo\n").unwrap();
    standalone.wait_for_output("one\ntwo\n").await;
    standalone.wait_for_position(8).await;
    assert!(towpath.terminate(PATIENCE).await.unwrap().success());

    std::fs::write(
        standalone.file("source.properties"),
        "name=broken\nconnector.class=FileStreamSource\n",
    )
    .unwrap();
    let mut towpath = standalone.start(&connectors, "third.log");
    let ended = towpath.wait(PATIENCE).await.unwrap();
    assert_eq!(ended.code(), Some(3), "{}", towpath.output().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_keeps_offsets_that_cannot_be_written_until_they_can() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let standalone = Standalone::new(services.kafka_bootstrap(), "standalone-unwritable");
    std::fs::write(standalone.file("in.txt"), "one\n").unwrap();
    let in_the_way = standalone.file("offsets.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let mut towpath = standalone.start(&["source.properties"], "log");
    let refused = format!("{} cannot be written", standalone.file("offsets").display());
    towpath.wait_for_line(&refused, PATIENCE).await.unwrap();
    assert!(!standalone.file("offsets").exists());

    std::fs::remove_dir(&in_the_way).unwrap();
    let is_kept = || async {
        let kept = std::fs::read(standalone.file("offsets")).unwrap_or_default();
        let position = br#"{"position":4}"#;
        kept.windows(position.len()).any(|part| part == position)
    };
    wait_until_eq("the offset in the file", PATIENCE, true, is_kept)
        .await
        .unwrap();
    assert!(towpath.terminate(PATIENCE).await.unwrap().success());
}

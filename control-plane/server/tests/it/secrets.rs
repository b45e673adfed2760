//! Invariant 8: whatever happens to a password, it is in no line of the log, at any level.

use std::io::Write;
use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::cluster::Cluster;

const SECRET: &str = "hunter2-s3cret";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_password_is_in_no_line_of_the_log_at_any_level() {
    let captured = Captured::default();
    let everything = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(captured.clone())
        .finish();
    // While there is only one subscriber, tracing lets a thread without one switch call sites off for everybody.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // The runtime of this test has one thread, so this is the log of everything that runs in it.
    let guard = tracing::subscriber::set_default(everything);
    let (cluster, _worker) = Cluster::with_worker().await;
    let config = json!({"connector.class": "FileStreamSource", "topic": "t", "connection.password": SECRET});
    cluster
        .send_json(Method::PUT, "/connectors/c/config", &config)
        .await;
    cluster.wait_until_running("c", 1).await;
    cluster
        .send_json(
            Method::PATCH,
            "/connectors/c/config",
            &json!({"topic": null, "password": SECRET}),
        )
        .await;
    let no_class = json!({"name": "x", "config": {"db.password": SECRET}});
    let refused = cluster.send_json(Method::POST, "/connectors", &no_class).await;
    assert!(
        refused.message().contains("db.password=[hidden]"),
        "{}",
        refused.text
    );
    let malformed = format!("{{\"password\":\"{SECRET}\"");
    let refused = cluster
        .send_text(Method::PUT, "/connectors/c/config", malformed)
        .await;
    assert!(!refused.text.contains(SECRET));
    assert_eq!(
        cluster.get("/connectors/c/config").await.body["connection.password"],
        SECRET,
        "it is not lost"
    );
    cluster.stop().await;
    drop(guard);
    let log = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    assert!(
        log.contains("request answered") && log.contains("worker registered"),
        "the log was seen"
    );
    let line = log.lines().find(|line| line.contains(SECRET));
    assert_eq!(line, None);
}

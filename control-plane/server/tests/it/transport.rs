//! What HTTP asks of every path: methods, media types, names, bodies.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::cluster::{Answer, Cluster, source_config};

#[tokio::test]
async fn unknown_paths_and_methods_are_errors_in_json() {
    let cluster = Cluster::in_memory().await;
    for path in [
        "/nope",
        "//connectors",
        "/connectors//config",
        "/connectors/a/tasks-config",
        "/connectors/a/b/c/d/e",
    ] {
        cluster.get(path).await.assert_error(404, "HTTP 404 Not Found");
    }
    for (method, path) in [
        (Method::POST, "/"),
        (Method::PATCH, "/connectors"),
        (Method::POST, "/connectors/a/pause"),
        (Method::DELETE, "/connectors"),
        (Method::TRACE, "/health"),
    ] {
        let answer = cluster.send(method, path).await;
        answer.assert_error(405, "HTTP 405 Method Not Allowed");
        assert!(answer.header("allow").is_some());
    }
    let options = cluster.send(Method::OPTIONS, "/connectors/a/config").await;
    assert_eq!(
        (options.status.as_u16(), options.text.as_str()),
        (200, "HEAD, GET, PUT, PATCH, OPTIONS")
    );
    assert_eq!(options.header("content-type"), Some("text/plain"));
    cluster.stop().await;
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let cluster = Cluster::in_memory().await;
    let (get, head) = (cluster.get("/").await, cluster.send(Method::HEAD, "/").await);
    assert_eq!((head.status, head.text.as_str()), (get.status, ""));
    for name in ["content-type", "content-length"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(
        cluster
            .send(Method::HEAD, "/connectors/nope")
            .await
            .status
            .as_u16(),
        404
    );
    cluster.stop().await;
}

#[tokio::test]
async fn the_root_names_the_contract_and_the_kafka_cluster() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let root = cluster.get("/").await.body;
    assert_eq!(
        (&root["version"], &root["kafka_cluster_id"]),
        (&json!("4.3.1"), &json!("CLUSTERID"))
    );
    let commit = root["commit"].as_str().unwrap();
    assert!(
        commit.len() == 16 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{commit}"
    );
    assert_eq!(root["towpath_version"], env!("CARGO_PKG_VERSION"));
    let health = cluster.get("/health").await;
    assert_eq!(
        (health.status.as_u16(), &health.body["status"]),
        (200, &json!("healthy"))
    );
    cluster.stop().await;
}

async fn with_headers(cluster: &Cluster, headers: &[(&str, &str)], body: &'static str) -> Answer {
    let mut request = cluster.request(Method::PUT, "/connectors/none/config").body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_body_must_be_declared_as_json_and_json_must_be_accepted() {
    let cluster = Cluster::in_memory().await;
    let unsupported = "HTTP 415 Unsupported Media Type";
    with_headers(&cluster, &[("Content-Type", "text/plain")], "{}")
        .await
        .assert_error(415, unsupported);
    with_headers(&cluster, &[], "{}")
        .await
        .assert_error(415, unsupported);
    with_headers(
        &cluster,
        &[("Content-Type", "text/plain"), ("Accept", "text/html")],
        "{}",
    )
    .await
    .assert_error(415, unsupported);
    with_headers(
        &cluster,
        &[("Content-Type", "application/json"), ("Accept", "text/html")],
        "{}",
    )
    .await
    .assert_error(406, "HTTP 406 Not Acceptable");
    // Accepted, and refused for what it says.
    let accepted = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Accept", "text/html, */*;q=0.1"),
    ];
    let answer = with_headers(&cluster, &accepted, "{}").await;
    answer.assert_error(400, "Connector config {name=none} contains no connector type");
    cluster.stop().await;
}

#[tokio::test]
async fn where_no_body_is_asked_for_a_body_or_a_type_is_ignored() {
    let (cluster, _worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    let pause = || cluster.request(Method::PUT, "/connectors/c/pause");
    let form = pause()
        .header("Content-Type", "application/x-www-form-urlencoded")
        .send()
        .await
        .unwrap();
    assert_eq!(form.status().as_u16(), 202, "as axios sends it");
    let json = pause()
        .header("Content-Type", "application/json")
        .body("{\"ignored\":1")
        .send()
        .await
        .unwrap();
    assert_eq!(json.status().as_u16(), 202);
    let text = pause()
        .header("Content-Type", "text/plain")
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(text.status().as_u16(), 415);
    cluster.stop().await;
}

#[tokio::test]
async fn names_travel_percent_encoded_whatever_they_hold() {
    let (cluster, _worker) = Cluster::with_worker().await;
    for name in [
        "with/slash",
        "with%percent",
        "with space",
        "ünï",
        "q\"uote",
        "a+b",
        "a?b#c",
        "a;b&c:d[",
        "back\\slash",
    ] {
        let created = cluster.create(name).await;
        assert_eq!(created.status.as_u16(), 201, "{name}: {}", created.text);
        let location = created.header("location").unwrap();
        let path = location.strip_prefix(&cluster.url("")).unwrap();
        let got = cluster.get(path).await;
        assert_eq!(
            (got.status.as_u16(), got.body["name"].as_str()),
            (200, Some(name))
        );
        assert_eq!(
            cluster.get(&format!("{path}/config/")).await.body["name"],
            name,
            "with a slash at the end"
        );
        assert_eq!(cluster.send(Method::DELETE, path).await.status.as_u16(), 204);
        cluster
            .get(path)
            .await
            .assert_error(404, &format!("Connector {name} not found"));
    }
    cluster.create("plain").await;
    assert_eq!(
        cluster
            .get("/connectors/plain;jsessionid=1/config;x")
            .await
            .status
            .as_u16(),
        200
    );
    cluster
        .get("/connectors/%20plain")
        .await
        .assert_error(404, "Connector  plain not found");
    cluster
        .get("/connectors/with%0Anewline")
        .await
        .assert_error(404, "Connector with\nnewline not found");
    for path in ["/connectors/%ZZ", "/connectors/%FF", "/connectors/a%00b"] {
        assert_eq!(cluster.get(path).await.status.as_u16(), 400, "{path}");
    }
    cluster.stop().await;
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_and_harm_nothing() {
    let cluster = Cluster::in_memory().await;
    for (body, message) in [
        ("", "The request body is missing or null"),
        ("null", "The request body is missing or null"),
        ("{\"name\":\"x\"}", "The 'config' member is missing or null"),
        (
            "[]",
            "Cannot deserialize value: expected a JSON object but got an array",
        ),
        (
            "{\"name\":\"x\",\"config\":{\"a\":[1]}}",
            "Cannot deserialize value of key 'a': expected a string, number or boolean but got an array",
        ),
    ] {
        cluster
            .send_text(Method::POST, "/connectors", body)
            .await
            .assert_error(400, message);
    }
    for body in [
        "{bad json",
        "{\"name\":\"x\",\"config\":{\"password\":\"s3cret\"}",
        "\u{0}",
    ] {
        let answer = cluster.send_text(Method::POST, "/connectors", body).await;
        assert_eq!(answer.status.as_u16(), 400);
        assert!(
            answer.message().starts_with("Malformed JSON: "),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains("s3cret"));
    }
    let huge = vec![b' '; 10 * 1024 * 1024 + 1];
    let answer = cluster.send_text(Method::POST, "/connectors", huge).await;
    assert_eq!(answer.status.as_u16(), 413);
    assert_eq!(cluster.get("/connectors").await.text, "[]");
    cluster.stop().await;
}

#[tokio::test]
async fn a_configuration_of_a_megabyte_comes_back_as_it_was_sent() {
    let (cluster, worker) = Cluster::with_worker().await;
    let mut config = source_config();
    config["padding"] = json!("ü".repeat(512 * 1024));
    let created = cluster
        .send_json(Method::PUT, "/connectors/big/config", &config)
        .await;
    assert_eq!(created.status.as_u16(), 201);
    config["name"] = json!("big");
    assert_eq!(
        cluster.get("/connectors/big/config").await.text,
        config.to_string()
    );
    cluster.wait_until_running("big", 1).await;
    assert_eq!(worker.running().len(), 2, "it reached the worker");
    cluster.stop().await;
}

#[tokio::test]
async fn two_hundred_connectors_in_a_row_are_created_listed_and_run() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let begun = Instant::now();
    for n in 0..200 {
        assert_eq!(cluster.create(&format!("c{n}")).await.status.as_u16(), 201);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "a hang would be minutes"
    );
    assert_eq!(
        cluster.get("/connectors").await.body.as_array().unwrap().len(),
        200
    );
    cluster
        .wait_for("/connectors?expand=status", |answer| {
            let all = answer.body.as_object().unwrap();
            all.len() == 200
                && all
                    .values()
                    .all(|one| one["status"]["tasks"][0]["state"] == "RUNNING")
        })
        .await;
    cluster.stop().await;
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let cluster = Cluster::in_memory().await;
    let (one, other) = (cluster.get("/nope").await, cluster.get("/").await);
    assert!(one.header("x-request-id").is_some());
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    cluster.stop().await;
}

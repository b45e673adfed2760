//! TLS and logging in, against a server that wants both.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use towpath_connect::error::Chain;
use towpath_connect::{ConfigMap, ErrorKind};
use towpath_testkit::services::SecureSearch;
use towpath_testkit::{Service, Services};

use crate::harness::{AIVEN, Search, Sink, connector, numbered};

async fn server() -> SecureSearch {
    Services::require(&[Service::OpenSearchSecure])
        .await
        .unwrap()
        .opensearch_secure()
}

fn config(server: &SecureSearch, topic: &str, more: &[(&str, &str)]) -> ConfigMap {
    let authority = server.certificate_authority.to_str().unwrap();
    let mut config: ConfigMap = [
        ("connection.url", server.url.as_str()),
        ("connection.username", server.user.as_str()),
        ("connection.password", server.password.as_str()),
        ("elastic.security.protocol", "SSL"),
        ("elastic.https.ssl.truststore.location", authority),
        ("elastic.https.ssl.truststore.type", "PEM"),
        ("topics", topic),
        ("schema.ignore", "true"),
    ]
    .into_iter()
    .collect();
    for &(key, value) in more {
        config.insert(key, value);
    }
    config
}

async fn problems(config: &ConfigMap) -> Vec<(String, String)> {
    let connector = connector(crate::harness::CONFLUENT);
    let def = (towpath_elasticsearch::plugins()[0].config_def)();
    let mut results = def.validate(config);
    connector.validate(config, &mut results).await;
    let of = |result: towpath_connect::config_def::KeyResult| {
        result
            .errors
            .into_iter()
            .map(move |error| (result.name.clone(), error))
    };
    results.into_iter().flat_map(of).collect()
}

#[tokio::test]
async fn documents_go_over_tls_with_a_login() {
    let server = server().await;
    let index = Search::at(&server.url, "tls").index;
    let ways: [&[(&str, &str)]; 2] = [
        &[],
        &[("elastic.https.ssl.endpoint.identification.algorithm", "")],
    ];
    for more in ways {
        let config = config(&server, &index, more);
        assert_eq!(problems(&config).await, []);
        let mut sink = Sink::start(&config).await;
        sink.put(&numbered(&index, 0..10)).await.unwrap();
        sink.finish().await.unwrap();
    }
    let mut aiven = config(&server, &index, &[]);
    aiven.insert("connection.trust.all.certificates", "true");
    let mut sink = Sink::of_class(AIVEN, &aiven).await;
    sink.put(&numbered(&index, 10..20)).await.unwrap();
    sink.finish().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_found_when_the_configuration_is_checked_and_is_not_shown() {
    let server = server().await;
    let wrong = config(&server, "t", &[("connection.password", "not-the-one")]);
    let found = problems(&wrong).await;
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["connection.username", "connection.password"]);
    assert!(
        found
            .iter()
            .all(|(_, message)| message.contains("with this password") && !message.contains("not-the-one")),
        "{found:?}"
    );
    let mut none = wrong.clone();
    none.remove("connection.username");
    none.remove("connection.password");
    assert!(problems(&none).await[0].1.contains("wants a login"));
}

#[tokio::test]
async fn a_wrong_password_fails_a_task_instead_of_being_tried_for_ever() {
    let server = server().await;
    let wrong = config(&server, "t", &[("connection.password", "not-the-one")]);
    let error = Sink::start(&wrong).await.put_fails(&numbered("t", 0..3)).await;
    let text = Chain(&error).to_string();
    assert_eq!(error.kind(), ErrorKind::External);
    assert!(
        text.contains("status 401") && !text.contains("not-the-one"),
        "{text}"
    );
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let server = server().await;
    let mut unknown = config(&server, "t", &[]);
    unknown.remove("elastic.https.ssl.truststore.location");
    let found = problems(&unknown).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].0 == "connection.url" && found[0].1.contains("shows a certificate that is not trusted"),
        "{found:?}"
    );
    let error = Sink::start(&unknown).await.put_fails(&numbered("t", 0..3)).await;
    assert_eq!(error.kind(), ErrorKind::External, "{}", Chain(&error));
}

/// A proxy that wants a login and connects everybody to one port of this machine, whatever they asked for. Ends with
/// the set that it runs in.
async fn proxy(to: u16) -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut running = JoinSet::new();
    running.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            connections.spawn(connect_through(client, to));
        }
    });
    (port, running)
}

async fn connect_through(client: TcpStream, to: u16) {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && client.read_line(&mut head).await.unwrap() > 0 {}
    // me:pass
    if !head.starts_with("CONNECT ")
        || !head
            .to_lowercase()
            .contains("proxy-authorization: basic bwu6cgfzcw==")
    {
        client
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            .await
            .unwrap();
        return;
    }
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
    let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
    // Either side may end it at any moment.
    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
}

#[tokio::test]
async fn requests_go_through_a_proxy_and_the_name_in_the_certificate_counts() {
    let server = server().await;
    let port = reqwest::Url::parse(&server.url).unwrap().port().unwrap();
    let (proxy_port, _running) = proxy(port).await;
    let index = Search::at(&server.url, "proxy").index;
    let elsewhere = format!("https://another-name.example:{port}");
    let through = |more: &[(&str, &str)]| {
        let proxy_port = proxy_port.to_string();
        let login = [
            ("connection.url", elsewhere.as_str()),
            ("proxy.host", "127.0.0.1"),
            ("proxy.port", &proxy_port),
            ("proxy.username", "me"),
            ("proxy.password", "pass"),
        ];
        config(&server, &index, &[&login[..], more].concat())
    };
    let error = Sink::start(&through(&[]))
        .await
        .put_fails(&numbered(&index, 0..3))
        .await;
    assert!(
        Chain(&error)
            .to_string()
            .contains("shows a certificate that is not trusted"),
        "{}",
        Chain(&error)
    );

    let unchecked = through(&[("elastic.https.ssl.endpoint.identification.algorithm", "")]);
    assert_eq!(problems(&unchecked).await, []);
    let mut sink = Sink::start(&unchecked).await;
    sink.put(&numbered(&index, 0..3)).await.unwrap();
    sink.finish().await.unwrap();

    let mut wrong = unchecked;
    wrong.insert("proxy.password", "not-the-one");
    let found = problems(&wrong).await;
    assert!(found.len() == 1 && found[0].0 == "connection.url", "{found:?}");
    assert!(!found[0].1.contains("not-the-one"), "{found:?}");
}

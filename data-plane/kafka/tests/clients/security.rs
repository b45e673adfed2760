//! Encryption and authentication, against a Kafka that insists on them.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use towpath_kafka::RdKafkaClients;
use towpath_runtime::clients::{ClientError, KafkaClients};
use towpath_testkit::services::SecureKafka;
use towpath_testkit::{Service, Services};

use crate::support::{DEADLINE, assigned, clients, deliver, numbered, numbers, owner, read, topics, unique};

/// Of the user "carol", until the year 2100, without a signature.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYXJvbCIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjo0MTAyNDQ0ODAwfQ.";

async fn secure() -> SecureKafka {
    Services::require(&[Service::KafkaSecure])
        .await
        .unwrap()
        .kafka_secure()
}

fn key(kafka: &SecureKafka, file: &str) -> String {
    kafka.keys.join(file).display().to_string()
}

/// A worker whose clients, all three sorts, have these settings.
fn worker(bootstrap: &str, settings: &[(&str, &str)]) -> RdKafkaClients {
    let mut all = Vec::new();
    for prefix in ["", "producer.", "consumer."] {
        all.extend(
            settings
                .iter()
                .map(|(key, value)| (format!("{prefix}{key}"), (*value).to_owned())),
        );
    }
    let borrowed: Vec<_> = all
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    clients(bootstrap, &borrowed)
}

fn sasl(kafka: &SecureKafka, mechanism: &str, jaas: &str, more: &[(&str, &str)]) -> RdKafkaClients {
    let ca = key(kafka, "ca.pem");
    let settings = [
        &[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", mechanism),
            ("sasl.jaas.config", jaas),
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.location", &ca),
        ][..],
        more,
    ]
    .concat();
    worker(&kafka.sasl, &settings)
}

/// Records go in and come out, and the cluster answers.
async fn works(clients: &RdKafkaClients) {
    let topic = unique("secure");
    let mut producer = clients.producer(&owner(&topic, &[])).await.unwrap();
    deliver(producer.as_mut(), &numbered(&topic, 0..1000)).await;
    let mut consumer = clients
        .consumer(&owner(&topic, &[]), &topics(&[&topic]))
        .await
        .unwrap();
    assigned(consumer.as_mut(), &[&topic]).await;
    assert!(
        numbers(&read(consumer.as_mut(), 1000).await)
            .into_iter()
            .eq(0..1000)
    );
    consumer.close().await;
    assert!(!clients.cluster_id().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_and_a_password_over_tls_are_enough() {
    let kafka = secure().await;
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"alice\" \
                 password=\"alice-secret\";";
    works(&sasl(&kafka, "PLAIN", plain, &[])).await;
    let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"bob\" password=\"bob-secret\";";
    works(&sasl(&kafka, "SCRAM-SHA-512", scram, &[])).await;
}

#[tokio::test]
async fn tokens_come_from_the_endpoint_with_the_id_and_the_secret() {
    let kafka = secure().await;
    let endpoint = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", endpoint.local_addr().unwrap());
    let mut served = JoinSet::new();
    served.spawn(async move {
        loop {
            let (mut connection, _) = endpoint.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let count = connection.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            // "id:secret" in Base64.
            assert!(request.contains("Authorization: Basic aWQ6c2VjcmV0"), "{request}");
            let body = format!(r#"{{"access_token":"{TOKEN}","token_type":"bearer","expires_in":3600}}"#);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let jaas = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\"id\" \
                clientSecret=\"secret\";";
    works(&sasl(
        &kafka,
        "OAUTHBEARER",
        jaas,
        &[("sasl.oauthbearer.token.endpoint.url", &url)],
    ))
    .await;
    assert!(
        served.try_join_next().is_none(),
        "the endpoint saw only proper requests"
    );
}

#[tokio::test]
async fn unsecured_tokens_need_no_endpoint() {
    let kafka = secure().await;
    let jaas = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                unsecuredLoginStringClaim_sub=\"dave\";";
    works(&sasl(&kafka, "OAUTHBEARER", jaas, &[])).await;
}

#[tokio::test]
async fn a_client_certificate_is_taken_from_pkcs12_pem_and_from_the_settings() {
    let kafka = secure().await;
    let (ca, p12, pem) = (
        key(&kafka, "ca.pem"),
        key(&kafka, "client.p12"),
        key(&kafka, "client.pem"),
    );
    let text = |file: &str| std::fs::read_to_string(key(&kafka, file)).unwrap();
    let (ca_text, key_text, chain_text) = (text("ca.pem"), text("client.key"), text("client.crt"));
    let stores: [&[(&str, &str)]; 3] = [
        &[
            ("ssl.truststore.location", &ca),
            ("ssl.keystore.type", "PKCS12"),
            ("ssl.keystore.location", &p12),
            ("ssl.keystore.password", "secret"),
        ],
        &[
            ("ssl.truststore.location", &ca),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &pem),
        ],
        &[
            ("ssl.truststore.certificates", &ca_text),
            ("ssl.keystore.key", &key_text),
            ("ssl.keystore.certificate.chain", &chain_text),
        ],
    ];
    for store in stores {
        works(&worker(
            &kafka.tls,
            &[store, &[("security.protocol", "SSL")]].concat(),
        ))
        .await;
    }
}

#[tokio::test]
async fn a_wrong_password_fails_the_task_and_is_not_shown() {
    let kafka = secure().await;
    let jaas = "PlainLoginModule required username=\"alice\" password=\"hunter2\";";
    let clients = sasl(&kafka, "PLAIN", jaas, &[("default.api.timeout.ms", "3000")]);
    let topic = unique("refused");

    let mut producer = clients.producer(&owner("refused", &[])).await.unwrap();
    let sent = tokio::time::timeout(DEADLINE, producer.send(&numbered(&topic, 0..1))).await;
    let Err(ClientError::Fatal(text)) = sent.unwrap() else {
        panic!("it was accepted")
    };
    assert!(
        text.contains("Authentication failed") && !text.contains("hunter2"),
        "{text}"
    );

    let mut consumer = clients
        .consumer(&owner("refused", &[]), &topics(&[&topic]))
        .await
        .unwrap();
    let next = tokio::time::timeout(DEADLINE, consumer.next(DEADLINE, &mut Vec::new())).await;
    let Err(ClientError::Fatal(text)) = next.unwrap() else {
        panic!("it was accepted")
    };
    assert!(
        text.contains("Authentication failed") && !text.contains("hunter2"),
        "{text}"
    );
    tokio::time::timeout(DEADLINE, consumer.close()).await.unwrap();

    let error = clients.cluster_id().await.unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_broker_whose_certificate_is_not_trusted_gets_nothing() {
    let kafka = secure().await;
    let settings = [("security.protocol", "SSL"), ("default.api.timeout.ms", "2000")];
    let clients = worker(&kafka.tls, &settings);
    assert!(clients.cluster_id().await.is_err());
    let mut producer = clients.producer(&owner("untrusted", &[])).await.unwrap();
    let records = numbered(&unique("untrusted"), 0..1);
    assert!(
        tokio::time::timeout(Duration::from_secs(3), producer.send(&records))
            .await
            .is_err(),
        "it waits"
    );
}

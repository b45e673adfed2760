//! Clients whose cluster names no broker for a while, as the only broker of a KRaft cluster does when it stops. Kafka does so
//! for a few milliseconds only, and librdkafka's mock cluster never does, so this broker speaks as little of the protocol as
//! it takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use towpath_librdkafka::{BatchConsumer, BatchProducer};

use crate::support::{BUFFER, consumer_config, producer_config};

const TOPIC: &str = "t";
const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
/// Within this a question that somebody hears is answered.
const ANSWER: Duration = Duration::from_secs(30);

/// Answers what APIs it has, and with which topics, and nothing else.
struct FakeBroker {
    port: u16,
    /// Where it says that it is; 0 while it names no broker.
    advertised: Arc<AtomicU16>,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl FakeBroker {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let advertised = Arc::new(AtomicU16::new(port));
        let said = Arc::clone(&advertised);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&said)));
            }
        });
        Self {
            port,
            advertised,
            _serving: serving,
        }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn advertise(&self, port: u16) {
        self.advertised.store(port, Ordering::Relaxed);
    }
}

async fn serve(mut stream: TcpStream, advertised: Arc<AtomicU16>) {
    while let Ok(length) = stream.read_u32().await {
        let mut request = vec![0; usize::try_from(length).unwrap()];
        if stream.read_exact(&mut request).await.is_err() {
            return;
        }
        let key = i16::from_be_bytes([request[0], request[1]]);
        let mut answer = request[4..8].to_vec(); // the correlation id
        match key {
            API_VERSIONS => answer.extend(api_versions()),
            METADATA => answer.extend(metadata(advertised.load(Ordering::Relaxed))),
            _ => return,
        }
        let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).await.is_err() {
            return;
        }
    }
}

/// Version 3: no error, metadata up to version 1, itself up to version 3.
fn api_versions() -> Vec<u8> {
    let mut body = vec![0, 0, 3];
    for (key, max) in [(METADATA, 1_i16), (API_VERSIONS, 3)] {
        for number in [key, 0, max] {
            body.extend(number.to_be_bytes());
        }
        body.push(0);
    }
    body.extend([0; 5]);
    body
}

/// Version 1. A port 0: no broker.
fn metadata(port: u16) -> Vec<u8> {
    let text = |text: &str| {
        [
            &u16::try_from(text.len()).unwrap().to_be_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    };
    let number = |number: i32| number.to_be_bytes().to_vec();
    let broker = [
        number(1),
        text("127.0.0.1"),
        number(port.into()),
        vec![0xff, 0xff],
    ]
    .concat();
    let (brokers, leader) = match port {
        0 => (number(0), -1),
        _ => ([number(1), broker].concat(), 1),
    };
    let partition = [
        vec![0, 0],
        number(0),
        number(leader),
        number(1),
        number(1),
        number(1),
        number(1),
    ];
    let topic = [vec![0, 0], text(TOPIC), vec![0], number(1), partition.concat()];
    [brokers, number(1), number(1), topic.concat()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_finds_back_to_a_cluster_that_named_no_broker() {
    let broker = FakeBroker::start().await;
    let mut config = producer_config(&broker.address());
    config.set("enable.idempotence", "false");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let partitions = || producer.partition_count(TOPIC, ANSWER);
    assert_eq!(partitions().await, Ok(Some(1)));
    broker.advertise(0);
    assert!(partitions().await.is_ok(), "it is still answered");
    broker.advertise(broker.port);
    assert_eq!(partitions().await, Ok(Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_finds_a_cluster_that_has_moved_by_its_bootstrap_servers() {
    let broker = FakeBroker::start().await;
    let mut config = producer_config(&broker.address());
    config.set("enable.idempotence", "false");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = nobody.local_addr().unwrap().port();
    drop(nobody);
    broker.advertise(dead);
    let partitions = || producer.partition_count(TOPIC, ANSWER);
    assert_eq!(partitions().await, Ok(Some(1)));
    broker.advertise(broker.port);
    assert_eq!(partitions().await, Ok(Some(1)), "see .cargo/config.toml");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_finds_back_to_a_cluster_that_named_no_broker() {
    let broker = FakeBroker::start().await;
    let consumer = BatchConsumer::new(&consumer_config(&broker.address(), "fenced")).unwrap();
    let is_there = || consumer.has_topic(TOPIC, ANSWER);
    assert!(is_there().await.unwrap());
    broker.advertise(0);
    assert!(is_there().await.unwrap(), "it is still answered");
    broker.advertise(broker.port);
    assert!(is_there().await.unwrap());
}

//! As much of a broker as it takes to do what neither Kafka nor librdkafka's mock cluster does when it is told to.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) const TOPIC: &str = "t";
pub(crate) const METADATA: i16 = 3;
pub(crate) const API_VERSIONS: i16 = 18;
pub(crate) const INIT_PRODUCER_ID: i16 = 22;

type Heard = Arc<Mutex<Vec<i16>>>;

/// Answers what APIs it has, with which topics, and with an id for a producer, and nothing else.
pub(crate) struct FakeBroker {
    pub(crate) port: u16,
    /// Where it says that it is; 0 while it names no broker.
    advertised: Arc<AtomicU16>,
    heard: Heard,
    /// Ends with it.
    _serving: JoinSet<()>,
}

impl FakeBroker {
    pub(crate) async fn start() -> Self {
        Self::slow(Duration::ZERO).await
    }

    /// One that takes so long to say to a client what it can do, but for the first connection.
    pub(crate) async fn slow(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let advertised = Arc::new(AtomicU16::new(port));
        let (said, heard) = (Arc::clone(&advertised), Heard::default());
        let hears = Arc::clone(&heard);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let delay = if connections.is_empty() {
                    Duration::ZERO
                } else {
                    delay
                };
                connections.spawn(serve(stream, Arc::clone(&said), Arc::clone(&hears), delay));
            }
        });
        Self {
            port,
            advertised,
            heard,
            _serving: serving,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it was asked for so far, by the protocol's numbers.
    pub(crate) fn heard(&self) -> Vec<i16> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn advertise(&self, port: u16) {
        self.advertised.store(port, Ordering::Relaxed);
    }
}

async fn serve(mut stream: TcpStream, advertised: Arc<AtomicU16>, heard: Heard, delay: Duration) {
    while let Ok(length) = stream.read_u32().await {
        let mut request = vec![0; usize::try_from(length).unwrap()];
        if stream.read_exact(&mut request).await.is_err() {
            return;
        }
        let key = i16::from_be_bytes([request[0], request[1]]);
        heard.lock().unwrap().push(key);
        let mut answer = request[4..8].to_vec(); // the correlation id
        match key {
            API_VERSIONS => {
                tokio::time::sleep(delay).await;
                answer.extend(api_versions());
            }
            // Throttled for no time, no error, number 7 in epoch 0.
            INIT_PRODUCER_ID => answer.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0]),
            METADATA => answer.extend(metadata(advertised.load(Ordering::Relaxed))),
            _ => return,
        }
        let length = u32::try_from(answer.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&length[..], &answer].concat()).await.is_err() {
            return;
        }
    }
}

/// Version 3: no error, metadata up to version 1, itself up to version 3, ids of producers in version 0.
fn api_versions() -> Vec<u8> {
    let mut body = vec![0, 0, 4];
    for (key, max) in [(METADATA, 1_i16), (API_VERSIONS, 3), (INIT_PRODUCER_ID, 0)] {
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

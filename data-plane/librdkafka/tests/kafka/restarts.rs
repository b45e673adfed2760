//! A broker that crashes under load.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use towpath_testkit::{Service, Services};

use crate::support::{
    DEADLINE, collect_deliveries, consumer, join, numbered, numbers, producer, read, send_all, topic,
};

const BATCH: u64 = 500;
const IN_FLIGHT: usize = 5000;
/// How many records are sent before the crash, and after it.
const AROUND: u64 = 50_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_the_broker_under_load_loses_doubles_and_reorders_nothing() {
    let services = Services::private(&[Service::Kafka]).await.unwrap();
    let kafka = services.kafka_bootstrap();
    let topic = topic(kafka, "crash", 1).await;
    let producer = producer(kafka);
    let mut lane = producer.lane().unwrap();
    let mut reader = consumer(kafka, "crash");
    join(&mut reader, &[&topic]).await;

    let (loaded, back) = (Notify::new(), AtomicBool::new(false));
    let mut delivered = Vec::new();
    let sending = async {
        let (mut next, mut last) = (0, u64::MAX);
        while next < last {
            send_all(&mut lane, &numbered(&topic, next..next + BATCH), &mut delivered).await;
            next += BATCH;
            if next == AROUND {
                loaded.notify_one();
            }
            if last == u64::MAX && back.load(Ordering::Relaxed) {
                last = next + AROUND;
            }
            if lane.in_flight() > IN_FLIGHT {
                let more = delivered.len() + 1;
                collect_deliveries(&mut lane, more, &mut delivered).await;
            }
        }
        next
    };
    let crashing = async {
        loaded.notified().await;
        services.kill(Service::Kafka).await.unwrap();
        services.start(Service::Kafka).await.unwrap();
        back.store(true, Ordering::Relaxed);
    };
    let (sent, ()) = tokio::join!(sending, crashing);
    let count = usize::try_from(sent).unwrap();
    collect_deliveries(&mut lane, count, &mut delivered).await;
    assert_eq!(delivered.iter().find(|delivery| delivery.result.is_err()), None);
    let seen = numbers(&read(&mut reader, count, 500).await);
    assert!(seen.iter().copied().eq(0..sent), "each record once and in order");
    reader.close(DEADLINE).await;
}

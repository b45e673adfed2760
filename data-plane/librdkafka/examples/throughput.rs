//! How many records a CPU-second librdkafka's batch calls do, plain and through this crate, against a real broker.
//!
//! `cargo run --release -p towpath-librdkafka --example throughput -- BOOTSTRAP_SERVERS [CASE…] [KEY=VALUE…]`
//!
//! Cases: `raw-produce`, `produce`, `produce-timestamps`, `raw-consume`, `consume` (all, if none is named). `records=N`,
//! `bytes=N`, `poll=N` (records a call), `buffer=N` (bytes) and `topic=NAME` change the work, any other key goes to librdkafka. One JSON
//! object a line.

#![expect(clippy::print_stdout, reason = "the printed figures are what it is for")]

#[path = "throughput/raw.rs"]
mod raw;

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use towpath_librdkafka::{BatchConsumer, BatchProducer, GroupEvent, RecordRef, Stop};

type Outcome<T> = Result<T, Box<dyn Error>>;

const CASES: [&str; 5] = [
    "raw-produce",
    "produce",
    "produce-timestamps",
    "raw-consume",
    "consume",
];
/// What is read from `/proc/self/stat` counts in hundredths of a second, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;
const TIMEOUT: Duration = Duration::from_secs(120);

struct Work {
    bootstrap: String,
    records: usize,
    value: Vec<u8>,
    poll: usize,
    buffer: NonZeroUsize,
    topic: Option<String>,
    settings: BTreeMap<String, String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let bootstrap = arguments
        .next()
        .ok_or("usage: throughput BOOTSTRAP_SERVERS [CASE…] [KEY=VALUE…]")?;
    let (settings, cases): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.contains('='));
    let mut settings: BTreeMap<String, String> = settings
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.into(), v.into()))
        .collect();
    let mut number = |key: &str, default: usize| -> Outcome<usize> {
        Ok(settings.remove(key).map_or(Ok(default), |text| text.parse())?)
    };
    let (records, bytes) = (number("records", 3_000_000)?, number("bytes", 100)?);
    let (poll, buffer) = (number("poll", 2000)?, number("buffer", 32 << 20)?);
    let topic = settings.remove("topic");
    let buffer = NonZeroUsize::new(buffer).ok_or("the buffer needs a size")?;
    let work = Work {
        bootstrap,
        records,
        value: vec![b'x'; bytes],
        poll,
        buffer,
        topic,
        settings,
    };
    let cases = if cases.is_empty() {
        CASES.map(String::from).to_vec()
    } else {
        cases
    };
    let topic = work.topic().await?;
    for case in cases {
        let (wall, cpu) = (Instant::now(), cpu_seconds()?);
        let lived = match case.as_str() {
            "raw-produce" => raw::produce(&work, &topic)?,
            "produce" => produce(&work, &topic, None).await?,
            "produce-timestamps" => produce(&work, &topic, Some(1_700_000_000_000)).await?,
            "raw-consume" => raw::consume(&work, &topic)?,
            "consume" => consume(&work, &topic).await?,
            other => return Err(format!("there is no case {other}").into()),
        };
        report(&case, &work, wall.elapsed(), cpu_seconds()? - cpu)?;
        drop(lived);
    }
    Ok(())
}

/// What a case keeps alive until its figures are read: ending a client is not part of the work.
type Lived = Box<dyn std::any::Any>;

impl Work {
    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    fn producer_config(&self) -> ClientConfig {
        let mut config = self.config();
        config.set("acks", "all");
        config.extend(self.settings.clone());
        config
    }

    fn consumer_config(&self, group: &str) -> ClientConfig {
        let mut config = self.config();
        config.set("group.id", format!("{group}-{}", std::process::id()));
        config
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        config.extend(self.settings.clone());
        config
    }

    /// A new topic with one partition, unless one is named.
    async fn topic(&self) -> Outcome<Arc<str>> {
        if let Some(name) = &self.topic {
            return Ok(Arc::from(name.as_str()));
        }
        let name: Arc<str> = format!("throughput-{}", std::process::id()).into();
        let admin: AdminClient<DefaultClientContext> = self.config().create()?;
        let topic = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
        admin
            .create_topics([&topic], &AdminOptions::new())
            .await?
            .remove(0)
            .map_err(|(_, code)| code)?;
        Ok(name)
    }
}

async fn produce(work: &Work, topic: &Arc<str>, timestamp: Option<i64>) -> Outcome<Lived> {
    let producer = BatchProducer::new(&work.producer_config(), work.buffer)?;
    let mut lane = producer.lane()?;
    // The batch that a source would give; it is sent again and again.
    let batch: Vec<u64> = (0..work.poll as u64).collect();
    let view = |token: &u64| RecordRef {
        topic,
        partition: None,
        key: None,
        value: Some(&work.value),
        timestamp,
        headers: &[],
        token: *token,
    };
    let (mut sent, mut done, mut deliveries) = (0, 0, Vec::new());
    while done < work.records {
        let mut rest = batch
            .get(..batch.len().min(work.records - sent))
            .unwrap_or_default();
        while !rest.is_empty() {
            let taken = lane.try_send(rest, view)?;
            if let Stop::UnknownTopic(topic) = taken.stop {
                return Err(format!("topic {topic} is unknown").into());
            }
            rest = rest.get(taken.count..).unwrap_or_default();
            sent += taken.count;
            if !rest.is_empty() {
                lane.room().await;
            }
        }
        if sent == work.records {
            lane.delivered().await;
        }
        lane.drain_deliveries(&mut deliveries);
        for delivery in deliveries.drain(..) {
            delivery.result?;
            done += 1;
        }
    }
    Ok(Box::new(lane))
}

async fn consume(work: &Work, topic: &Arc<str>) -> Outcome<Lived> {
    let mut consumer = BatchConsumer::new(&work.consumer_config("consume"))?;
    consumer.subscribe([&**topic])?;
    let (mut done, mut bytes, mut batch) = (0, 0, Vec::new());
    let deadline = Instant::now() + TIMEOUT;
    while done < work.records && Instant::now() < deadline {
        match consumer.poll_event() {
            Some(GroupEvent::Assigned(_)) => consumer.take_over(&[])?,
            Some(GroupEvent::Revoked { .. }) => consumer.release()?,
            Some(GroupEvent::Error(error)) => return Err(error.into()),
            None => {}
        }
        // The batch that a sink would take.
        let read = consumer.read(work.poll, |message| batch.push(message));
        done += read;
        bytes += batch
            .iter()
            .map(|message| message.value.as_ref().map_or(0, bytes::Bytes::len))
            .sum::<usize>();
        batch.clear();
        if read == 0 {
            consumer.ready().await;
        }
    }
    if done < work.records || bytes != done * work.value.len() {
        return Err(format!("read {done} records and {bytes} bytes").into());
    }
    Ok(Box::new(consumer))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(case: &str, work: &Work, wall: Duration, cpu: f64) -> Outcome<()> {
    let (records, wall) = (work.records as f64, wall.as_secs_f64());
    let megabytes = records * work.value.len() as f64 / 1e6;
    println!(
        "{{\"case\":\"{case}\",\"system\":\"librdkafka\",\"records\":{},\"records_per_s\":{:.0},\
         \"records_per_cpu_s\":{:.0},\"mb_per_s\":{:.1},\"cpu_s\":{cpu:.2},\"peak_rss_mb\":{:.1}}}",
        work.records,
        records / wall,
        records / cpu,
        megabytes / wall,
        peak_resident_mb()?,
    );
    Ok(())
}

/// User and system time of this process, all threads.
fn cpu_seconds() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
}

fn peak_resident_mb() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

//! Numbers that go through connectors while something is done to the processes: when each was written, and when each
//! arrived. Half of the connectors are sources, which read a file that grows; the others are sinks, which read a topic
//! that grows.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use towpath_connect::{ConfigMap, TopicPartitionOffsets};
use towpath_kafka::RdKafkaClients;
use towpath_runtime::clients::{
    ClientOwner, ConsumerEvent, GroupConsumer, KafkaClients, OutgoingRecord, RecordProducer, Subscription,
};
use towpath_testkit::wait_until;

use crate::Outcome;
use crate::rest::Rest;

/// A light load: each connector gets a number so often.
const PACE: Duration = Duration::from_millis(10);
/// How often the sinks' files are looked at.
const LOOK: Duration = Duration::from_millis(2);
/// How long the reader of the sources' topics waits in one call.
const READ_WAIT: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Source,
    Sink,
}

#[derive(Clone, Copy, Debug)]
struct Arrival {
    number: usize,
    at: Instant,
}

#[derive(Debug, Default)]
struct Record {
    /// When each number was written.
    written: Vec<Instant>,
    arrived: Vec<Arrival>,
}

/// A connector with one task, and the numbers that go through it.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) connector: String,
    pub(crate) kind: Kind,
    /// The source's or the sink's.
    file: PathBuf,
    topic: String,
    record: Arc<Mutex<Record>>,
}

impl Stream {
    fn new(kind: Kind, number: usize, folder: &Path) -> Self {
        let name = match kind {
            Kind::Source => format!("source-{number}"),
            Kind::Sink => format!("sink-{number}"),
        };
        Self {
            file: folder.join(format!("{name}.txt")),
            topic: format!("{name}-numbers"),
            connector: name,
            kind,
            record: Arc::default(),
        }
    }

    fn config(&self) -> Value {
        let (class, topic_key) = match self.kind {
            Kind::Source => ("FileStreamSource", "topic"),
            Kind::Sink => ("FileStreamSink", "topics"),
        };
        json!({
            "connector.class": class, "tasks.max": "1", "file": self.file.display().to_string(),
            topic_key: self.topic,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        })
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> usize {
        let mut record = self.lock();
        record.written.push(Instant::now());
        record.written.len() - 1
    }

    fn arrived(&self, text: &[u8]) {
        // The last line of a process that was killed may be half a line.
        let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        if let Some(number) = number {
            let at = Instant::now();
            self.lock().arrived.push(Arrival { number, at });
        }
    }

    /// When the first number arrived that was written after this.
    pub(crate) fn passed_since(&self, since: Instant) -> Option<Instant> {
        let record = self.lock();
        let is_later = |arrival: &&Arrival| record.written.get(arrival.number).is_some_and(|at| *at > since);
        // Newest first, as far as needed: the record of a long run is long.
        let recent = record
            .arrived
            .iter()
            .rev()
            .take_while(|arrival| arrival.at > since);
        recent.filter(is_later).map(|arrival| arrival.at).min()
    }

    /// The longest time without an arrival that ended after this.
    pub(crate) fn longest_gap(&self, since: Instant) -> Duration {
        let record = self.lock();
        let pairs = record
            .arrived
            .iter()
            .rev()
            .zip(record.arrived.iter().rev().skip(1));
        let recent = pairs.take_while(|(later, _)| later.at > since);
        let gaps = recent.map(|(later, earlier)| later.at - earlier.at);
        gaps.max().unwrap_or_default()
    }

    /// How many arrivals were repetitions so far.
    pub(crate) fn repeated(&self) -> usize {
        let record = self.lock();
        let distinct: HashSet<usize> = record.arrived.iter().map(|arrival| arrival.number).collect();
        record.arrived.len() - distinct.len()
    }

    /// How many of the first numbers have not arrived.
    fn missing(&self, count: usize) -> usize {
        let record = self.lock();
        let here: HashSet<usize> = record.arrived.iter().map(|arrival| arrival.number).collect();
        (0..count).filter(|number| !here.contains(number)).count()
    }
}

/// All streams, written and watched until it is dropped.
pub(crate) struct Flow {
    pub(crate) streams: Vec<Stream>,
    _running: JoinSet<()>,
}

impl Flow {
    /// As many sources and as many sinks as `pairs`. Nothing flows before their connectors are created.
    pub(crate) async fn start(kafka: &str, folder: &Path, pairs: usize) -> Outcome<Self> {
        std::fs::create_dir_all(folder)?;
        let kinds = [Kind::Source, Kind::Sink];
        let streams = kinds
            .into_iter()
            .flat_map(|kind| (0..pairs).map(move |number| Stream::new(kind, number, folder)));
        let streams: Vec<Stream> = streams.collect();
        let of = |kind: Kind| streams.iter().filter(move |stream| stream.kind == kind).cloned();
        let (sources, sinks): (Vec<_>, Vec<_>) = (of(Kind::Source).collect(), of(Kind::Sink).collect());
        let clients = RdKafkaClients::new(Arc::new([("bootstrap.servers", kafka)].into_iter().collect()));
        let owner = ClientOwner {
            connector: "bench-watcher".into(),
            task: 0,
            overrides: ConfigMap::new(),
        };
        let topics = sources.iter().map(|stream| stream.topic.clone()).collect();
        let consumer = clients.consumer(&owner, &Subscription::Topics(topics)).await?;
        let producer = clients.producer(&owner).await?;
        let mut running = JoinSet::new();
        let files = sources
            .iter()
            .map(|stream| OpenOptions::new().create(true).append(true).open(&stream.file));
        let files = files.collect::<Result<Vec<File>, _>>()?;
        running.spawn(watch_topics(consumer, sources.clone()));
        running.spawn(watch_files(sinks.clone()));
        running.spawn(write(sources.into_iter().zip(files).collect(), (producer, sinks)));
        Ok(Self {
            streams,
            _running: running,
        })
    }

    pub(crate) async fn create_connectors(&self, rest: &Rest) -> Outcome<()> {
        for stream in &self.streams {
            rest.create(&stream.connector, &stream.config()).await?;
        }
        Ok(())
    }

    /// Waits until everything that was written before has arrived; says how many numbers have not.
    pub(crate) async fn catch_up(&self, patience: Duration) -> Outcome<usize> {
        let counts: Vec<usize> = self
            .streams
            .iter()
            .map(|stream| stream.lock().written.len())
            .collect();
        let lost = || {
            self.streams
                .iter()
                .zip(&counts)
                .map(|(stream, count)| stream.missing(*count))
                .sum()
        };
        let now = Instant::now();
        let have_passed = || async {
            self.streams
                .iter()
                .all(|stream| stream.passed_since(now).is_some())
        };
        wait_until("numbers to pass through all connectors", patience, have_passed).await?;
        Ok(lost())
    }
}

async fn write(
    mut sources: Vec<(Stream, File)>,
    (mut producer, sinks): (Box<dyn RecordProducer>, Vec<Stream>),
) {
    let mut pace = tokio::time::interval(PACE);
    let mut deliveries = Vec::new();
    loop {
        pace.tick().await;
        for (stream, file) in &mut sources {
            // A disk that refuses this shows as numbers that are lost.
            let _written = file.write_all(format!("{}\n", stream.next()).as_bytes());
        }
        let records: Vec<OutgoingRecord> = sinks.iter().map(record).collect();
        let mut sent = 0;
        while sent < records.len() {
            match producer.send(&records[sent..]).await {
                Ok(count) => sent += count,
                Err(_refused) => break,
            }
        }
        producer.drain_deliveries(&mut deliveries);
        deliveries.clear();
    }
}

fn record(stream: &Stream) -> OutgoingRecord {
    OutgoingRecord {
        topic: stream.topic.as_str().into(),
        partition: None,
        key: None,
        value: Some(stream.next().to_string().into()),
        timestamp: None,
        headers: Vec::new(),
        token: 0,
    }
}

async fn watch_topics(mut consumer: Box<dyn GroupConsumer>, sources: Vec<Stream>) {
    let mut batch = Vec::new();
    loop {
        match consumer.next(READ_WAIT, &mut batch).await {
            Ok(ConsumerEvent::Assigned(_)) => {
                drop(consumer.complete_assignment(&TopicPartitionOffsets::new()).await);
            }
            Ok(ConsumerEvent::Revoked(_) | ConsumerEvent::Lost(_)) => {
                drop(consumer.complete_revocation().await);
            }
            Ok(ConsumerEvent::Records | ConsumerEvent::Idle) => {}
            Err(_ended) => return,
        }
        for read in batch.drain(..) {
            let stream = sources.iter().find(|stream| *stream.topic == *read.topic);
            if let (Some(stream), Some(value)) = (stream, read.value) {
                stream.arrived(&value);
            }
        }
    }
}

async fn watch_files(sinks: Vec<Stream>) {
    let mut files: Vec<(Stream, Option<File>, Vec<u8>)> = sinks
        .into_iter()
        .map(|stream| (stream, None, Vec::new()))
        .collect();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        for (stream, file, rest) in &mut files {
            if file.is_none() {
                *file = File::open(&stream.file).ok();
            }
            let read = file.as_mut().map(|file| file.read_to_end(rest));
            if !matches!(read, Some(Ok(count)) if count > 0) {
                continue;
            }
            let whole = rest
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            for line in rest[..whole]
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                stream.arrived(line);
            }
            rest.drain(..whole);
        }
    }
}

//! What the cluster has to do during a run: sources of numbers, sinks of what they wrote, and connectors for the users of the
//! API.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use towpath_testkit::{TimedOut, wait_until};

use crate::broker::Broker;
use crate::clients::{Rest, Users, VALUE};
use crate::cluster::{OFFSETS, OFFSETS_PARTITIONS, source};
use crate::numbers::Numbers;
use crate::oracles::delivered::{Line, Written, missing};
use crate::plan::{Delivery, Plan};
use crate::shell::ShellError;

/// How long a request of the set-up is tried.
const READY: Duration = Duration::from_secs(60);
/// How long numbers may be on their way once everything runs again.
const ARRIVAL: Duration = Duration::from_secs(90);
/// A consumer that gets nothing for so long has all there is.
const IDLE_MS: &str = "4000";
const TOPICS: &str = "numbers-[0-9]+";
/// Sinks, each of all topics.
const SINKS: usize = 2;

/// The connectors of the numbers, and where they come out.
#[derive(Debug)]
pub struct Work {
    inputs: BTreeMap<String, PathBuf>,
    outputs: Vec<PathBuf>,
}

impl Work {
    /// Creates all connectors.
    ///
    /// # Errors
    /// When one cannot be created in time.
    pub async fn create(plan: &Plan, rest: &Rest, folder: &Path) -> Result<Self, TimedOut> {
        let mut inputs = BTreeMap::new();
        for index in 0..plan.rates.len() {
            let topic = format!("numbers-{index}");
            let input = folder.join(format!("{topic}.txt"));
            create(rest, &format!("source-{index}"), source(&input, &topic)).await?;
            inputs.insert(topic, input);
        }
        let topics: Vec<&str> = inputs.keys().map(String::as_str).collect();
        let mut outputs = Vec::new();
        for index in 0..SINKS {
            let output = folder.join(format!("arrived-{index}.txt"));
            let pairs = [
                ("connector.class", "FileStreamSink"),
                ("tasks.max", &plan.partitions.to_string()),
                ("file", &output.to_string_lossy()),
                ("topics", &topics.join(",")),
                ("consumer.override.auto.offset.reset", "earliest"),
            ];
            let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
            create(rest, &format!("sink-{index}"), pairs.to_vec()).await?;
            outputs.push(output);
        }
        for name in Users::steady() {
            let mut config = source(&folder.join("nothing.txt"), "api");
            config.push((VALUE.to_owned(), "steady".to_owned()));
            create(rest, &name, config).await?;
        }
        Ok(Self { inputs, outputs })
    }

    /// All that transactions of the run are about.
    pub fn partitions(&self, plan: &Plan) -> Vec<(String, u32)> {
        if plan.delivery == Delivery::AtLeastOnce {
            return Vec::new();
        }
        let numbers = self.inputs.keys().map(|topic| (topic.as_str(), plan.partitions));
        let topics = numbers.chain([(OFFSETS, OFFSETS_PARTITIONS)]);
        let each = |(topic, count): (&str, u32)| {
            let topic = topic.to_owned();
            (0..count).map(move |partition| (topic.clone(), partition))
        };
        topics.flat_map(each).collect()
    }

    /// # Errors
    /// When a file cannot be made.
    pub fn begin(&self, plan: &Plan) -> io::Result<Vec<Numbers>> {
        let each = self.inputs.iter().zip(&plan.rates);
        each.map(|((topic, input), rate)| Numbers::write(topic, input, *rate))
            .collect()
    }

    /// Waits until every number has come out of every sink.
    ///
    /// # Errors
    /// When that takes too long: what is missing.
    pub async fn wait_for_all(&self, written: &Written) -> Result<(), TimedOut> {
        let complete = || async {
            let not_there = self.outputs.iter().flat_map(|output| {
                let lines = lines_of_file(output);
                missing(written, &lines)
            });
            match not_there.reduce(|one, other| format!("{one}; {other}")) {
                None => Ok(()),
                Some(missing) => Err(missing),
            }
        };
        wait_until("all numbers to come out of all sinks", ARRIVAL, complete).await
    }

    /// What has come out of each sink, by its name, and lines that are no lines.
    pub fn arrived(&self) -> Vec<(String, Vec<Line>)> {
        let outputs = self.outputs.iter();
        outputs
            .map(|output| (output.to_string_lossy().into_owned(), lines_of_file(output)))
            .collect()
    }

    /// What readers of committed records see in the topics. On a busy machine the consumer can be idle for want of time, so
    /// it is run again while it has missed something.
    ///
    /// # Errors
    /// When Kafka's consumer does not succeed.
    pub async fn in_topics(&self, broker: &Broker, written: &Written) -> Result<Vec<Line>, ShellError> {
        let deadline = Instant::now() + ARRIVAL;
        loop {
            let lines = read_topics(broker).await?;
            if missing(written, &lines).is_empty() || Instant::now() > deadline {
                return Ok(lines);
            }
        }
    }
}

async fn read_topics(broker: &Broker) -> Result<Vec<Line>, ShellError> {
    let arguments = [
        "ConsoleConsumer",
        "--include",
        TOPICS,
        "--from-beginning",
        "--isolation-level",
        "read_committed",
        "--formatter-property",
        "print.partition=true",
        "--timeout-ms",
        IDLE_MS,
    ];
    let output = broker.tool(&arguments).await?;
    Ok(output.lines().map(line).collect())
}

fn lines_of_file(file: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(line).collect()
}

/// A line that is none belongs to no source, which is found to be wrong.
fn line(text: &str) -> Line {
    Line::parse(text).unwrap_or_else(|| Line {
        partition: 0,
        source: text.to_owned(),
        number: 0,
    })
}

async fn create(rest: &Rest, name: &str, config: Vec<(String, String)>) -> Result<(), TimedOut> {
    let config: BTreeMap<String, String> = config.into_iter().collect();
    let document = json!({ "name": name, "config": config });
    let created = || async {
        let answer = rest.call(Method::POST, "/connectors", Some(&document)).await;
        match answer {
            Ok((status, _)) if status.as_u16() == 201 || status.as_u16() == 409 => Ok(()),
            Ok((status, body)) => Err(format!("{status}: {body}")),
            Err(error) => Err(error.to_string()),
        }
    };
    wait_until(&format!("connector {name}"), READY, created).await
}

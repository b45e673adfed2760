//! The work itself: prepared once a case, then done by each system.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use towpath_kafka::TopicWatcher;
use towpath_testkit::process::Usage;
use towpath_testkit::{Service, Services};

use crate::Outcome;
use crate::case::Variant;
use crate::java_process::CommandLine;
use crate::report::Figures;
use crate::rest::Rest;
use crate::systems::{System, Towpath};

/// Length of a record's value.
const LINE_BYTES: usize = 100;
/// A run that takes longer has gone wrong.
const LIMIT: Duration = Duration::from_secs(600);
/// How often progress is looked at: fine enough for runs of a second.
const LOOK: Duration = Duration::from_millis(10);

/// The servers and the input.
pub(crate) struct Bench {
    services: Services,
    folder: TempDir,
    records: u64,
    java: Option<(Rest, u32)>,
    names: AtomicU32,
}

/// The input of a case.
pub(crate) struct Prepared {
    variant: Variant,
    /// The file to read, or the topic to read.
    input: PathBuf,
    topic: String,
}

impl Bench {
    pub(crate) async fn start(records: u64, with_java: bool) -> Outcome<Self> {
        let needed: &[Service] = if with_java {
            &[Service::Kafka, Service::Connect]
        } else {
            &[Service::Kafka]
        };
        let services = Services::private(needed).await?;
        let java = if with_java {
            let pid = CommandLine::of(services.connect_url())?.pid;
            Some((Rest::new(services.connect_url().to_owned()), pid))
        } else {
            None
        };
        Ok(Self {
            services,
            folder: tempfile::tempdir()?,
            records,
            java,
            names: AtomicU32::new(0),
        })
    }

    pub(crate) async fn prepare(&self, variant: Variant) -> Outcome<Prepared> {
        let input = self.folder.path().join("input.txt");
        let mut topic = String::new();
        if variant.is_sink() {
            topic = self.new_name("input");
            self.create_topic(&topic).await?;
            self.librdkafka("raw-produce", LINE_BYTES, &topic)?;
        } else if !input.exists() {
            write_lines(&input, self.records)?;
        }
        Ok(Prepared {
            variant,
            input,
            topic,
        })
    }

    pub(crate) async fn measure(&self, system: System, prepared: &Prepared) -> Outcome<Figures> {
        match system {
            System::Librdkafka => {
                let bytes = prepared.variant.value_bytes(LINE_BYTES);
                if prepared.variant.is_sink() {
                    return self.librdkafka("raw-consume", bytes, &prepared.topic);
                }
                let topic = self.new_name("ceiling");
                self.create_topic(&topic).await?;
                self.librdkafka("raw-produce", bytes, &topic)
            }
            System::Towpath => {
                let towpath = Towpath::start(&self.services, self.folder.path()).await?;
                let figures = self
                    .connector(&towpath.rest, towpath.worker.id(), prepared)
                    .await?;
                towpath.stop().await?;
                Ok(figures)
            }
            System::KafkaConnect => {
                let (rest, pid) = self.java.as_ref().ok_or("the Java runtime was not started")?;
                self.connector(rest, *pid, prepared).await
            }
        }
    }

    /// One connector from its creation until all records are through.
    async fn connector(&self, rest: &Rest, pid: u32, prepared: &Prepared) -> Outcome<Figures> {
        let name = self.new_name("bench");
        let output = self.folder.path().join(format!("{name}.out"));
        let (topic, file) = if prepared.variant.is_sink() {
            (prepared.topic.clone(), &output)
        } else {
            (name.clone(), &prepared.input)
        };
        if !prepared.variant.is_sink() {
            self.create_topic(&topic).await?;
        }
        let watcher = TopicWatcher::new(self.services.kafka_bootstrap(), &topic);
        let (before, began) = (usage(pid)?, Instant::now());
        rest.create(
            &name,
            &prepared.variant.config(&topic, &file.display().to_string()),
        )
        .await?;
        while self.done(prepared, &watcher, &output).await < self.records {
            if began.elapsed() > LIMIT {
                let trace = rest
                    .failure(&name)
                    .await
                    .unwrap_or_else(|| "no task has failed".to_owned());
                return Err(format!("{name} did not end within {} s: {trace}", LIMIT.as_secs()).into());
            }
            tokio::time::sleep(LOOK).await;
        }
        let (after, seconds) = (usage(pid)?, began.elapsed().as_secs_f64());
        rest.delete(&name).await?;
        let _absent = std::fs::remove_file(&output);
        let bytes = prepared.variant.value_bytes(LINE_BYTES);
        Ok(figures(
            self.records,
            bytes,
            (seconds, (after.cpu - before.cpu).as_secs_f64()),
            after.peak_resident_bytes,
        ))
    }

    async fn done(&self, prepared: &Prepared, watcher: &TopicWatcher, output: &Path) -> u64 {
        if prepared.variant.is_sink() {
            let written = std::fs::metadata(output).map_or(0, |metadata| metadata.len());
            written / u64::try_from(LINE_BYTES + 1).unwrap_or(1)
        } else {
            watcher.end_offset(Duration::from_secs(5)).await.unwrap_or(0)
        }
    }

    /// librdkafka's own calls, in a process of their own.
    fn librdkafka(&self, case: &str, bytes: usize, topic: &str) -> Outcome<Figures> {
        let program = std::env::current_exe()?
            .with_file_name("examples")
            .join("throughput");
        let output = Command::new(&program)
            .args([self.services.kafka_bootstrap(), case])
            .args([
                format!("records={}", self.records),
                format!("bytes={bytes}"),
                format!("topic={topic}"),
            ])
            .output()?;
        if !output.status.success() {
            return Err(format!(
                "{}: {}",
                program.display(),
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
        }
        let text = String::from_utf8(output.stdout)?;
        let line: Value = serde_json::from_str(text.lines().last().ok_or("no figures")?)?;
        let number = |key: &str| {
            line[key]
                .as_f64()
                .ok_or(format!("`{key}` is missing from {line}"))
        };
        let seconds = number("records")? / number("records_per_s")?;
        let peak = number("peak_rss_mb").unwrap_or(f64::NAN);
        let mut all = figures(self.records, bytes, (seconds, number("cpu_s")?), 0);
        all.peak_rss_mb = peak;
        Ok(all)
    }

    async fn create_topic(&self, topic: &str) -> Outcome<()> {
        let create = [
            "TopicCommand",
            "--create",
            "--topic",
            topic,
            "--partitions",
            "1",
            "--replication-factor",
            "1",
        ];
        self.services.tool(Service::Kafka, &create).await?;
        Ok(())
    }

    fn new_name(&self, what: &str) -> String {
        format!("{what}-{}", self.names.fetch_add(1, Ordering::Relaxed))
    }
}

fn figures(records: u64, bytes: usize, (seconds, cpu_seconds): (f64, f64), peak: u64) -> Figures {
    let count = |n: u64| f64::from(u32::try_from(n / 1024).unwrap_or(u32::MAX)) * 1024.0;
    let records = f64::from(u32::try_from(records).unwrap_or(u32::MAX));
    let bytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    Figures {
        seconds,
        cpu_seconds,
        peak_rss_mb: count(peak) / 1e6,
        records,
        bytes: records * bytes,
    }
}

fn usage(pid: u32) -> Outcome<Usage> {
    Usage::of(pid).map_err(|what| format!("process {pid} cannot be measured: {what}").into())
}

fn write_lines(file: &Path, records: u64) -> Outcome<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    for number in 0..records {
        writeln!(out, "{number:0>LINE_BYTES$}")?;
    }
    out.flush()?;
    Ok(())
}

//! What a thousand connectors take: to create them, to show them, to move them, in memory and processor time.

mod processes;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};
use towpath_testkit::{Service, Services, binary, wait_until};

use self::processes::Meter;
use crate::Outcome;
use crate::group::{Group, worker_id};
use crate::report::{note, print_line};
use crate::rest::Rest;

const NODES: usize = 3;
const WORKERS: usize = 3;
/// Tables of the database that all sources read: a connector has a task for each.
const TABLES: [&str; 3] = ["first", "second", "third"];
/// A light load: each task asks for new rows so often, and gets one.
const POLL: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(300);
/// How long the load is watched for what it takes.
const WATCH: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(250);
/// Requests for the status of everything.
const STATUSES: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    /// Connectors, each with three tasks
    #[arg(long, default_value_t = 1_000)]
    connectors: usize,
    /// File sources with a task each in one worker, which have nothing to read
    #[arg(long, default_value_t = 1_000)]
    idle: usize,
}

/// One figure, and what it should be at most.
#[derive(Debug, Serialize)]
struct Figure<'a> {
    case: &'a str,
    process: &'a str,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
}

struct Printer {
    json: bool,
}

impl Printer {
    fn print(
        &self,
        (case, process): (&str, &str),
        (value, unit): (f64, &'static str),
        at_most: Option<f64>,
    ) -> Outcome<()> {
        let figure = Figure {
            case,
            process,
            value: (value * 10.0).round() / 10.0,
            unit,
            at_most,
        };
        if self.json {
            print_line(&serde_json::to_string(&figure)?);
        } else {
            let limit = at_most.map_or_else(String::new, |limit| format!("  (at most {limit})"));
            print_line(&format!(
                "{case:<22}{process:<12}{:>10.1} {unit}{limit}",
                figure.value
            ));
        }
        Ok(())
    }
}

pub(crate) async fn run(args: &Args) -> Outcome<()> {
    let services = Services::private(&[Service::Kafka]).await?;
    let folder = tempfile::Builder::new().prefix("towpath-bench-").tempdir()?;
    let printer = Printer { json: args.json };
    if args.connectors > 0 {
        loaded(
            args.connectors,
            (services.kafka_bootstrap(), folder.path()),
            &printer,
        )
        .await?;
    }
    if args.idle > 0 {
        idle(args.idle, (services.kafka_bootstrap(), folder.path()), &printer).await?;
    }
    Ok(())
}

/// Connectors with three tasks each on three workers.
async fn loaded(connectors: usize, (kafka, folder): (&str, &Path), printer: &Printer) -> Outcome<()> {
    let folder = folder.join("loaded");
    std::fs::create_dir(&folder)?;
    let database = Database::create(&folder.join("rows.db"))?;
    let documents = (0..connectors).map(|number| source(number, &database.path));
    let file = write_documents(&folder, documents)?;
    let mut group = Group::start(kafka, &folder, NODES, WORKERS).await?;
    let rest = group.nodes[0].rest.clone();
    let tasks = connectors * TABLES.len();

    let begun = Instant::now();
    apply(&group, &file)?;
    printer.print(
        ("apply", "kcctl"),
        (begun.elapsed().as_secs_f64(), "s"),
        Some(60.0),
    )?;
    wait_running(&rest, tasks).await?;
    printer.print(
        ("all running", "cluster"),
        (begun.elapsed().as_secs_f64(), "s"),
        None,
    )?;

    show(&group, printer).await?;
    let meter = Meter::start(&group)?;
    database.load(WATCH).await?;
    meter.stop(&group, "light load", printer)?;

    let moved = count_of(&rest, &worker_id(0)).await.unwrap_or_default();
    let killed = Instant::now();
    group.kill_worker(0);
    let meter = Meter::start(&group)?;
    // Not before the lease is over: until then the tasks are shown where they were.
    let elsewhere = || async { count_of(&rest, &worker_id(0)).await == Some(0) };
    wait_until("the tasks of the killed worker to leave it", PATIENCE, elsewhere).await?;
    wait_running(&rest, tasks).await?;
    note(&format!("{moved} tasks moved"));
    printer.print(
        ("worker killed", "cluster"),
        (killed.elapsed().as_secs_f64(), "s"),
        Some(10.0),
    )?;
    meter.stop(&group, "worker killed", printer)?;
    Ok(())
}

/// File sources with nothing to read in one worker.
async fn idle(connectors: usize, (kafka, folder): (&str, &Path), printer: &Printer) -> Outcome<()> {
    let folder = folder.join("idle");
    std::fs::create_dir(&folder)?;
    let documents = (0..connectors).map(|number| {
        let file = folder.join(format!("in-{number}.txt"));
        std::fs::write(&file, "")?;
        let config = json!({
            "connector.class": "FileStreamSource", "tasks.max": "1", "topic": "idle",
            "file": file.display().to_string(),
        });
        Ok(json!({ "name": format!("idle-{number}"), "config": config }))
    });
    let file = write_documents(&folder, documents)?;
    let group = Group::start(kafka, &folder, 1, 1).await?;
    let begun = Instant::now();
    apply(&group, &file)?;
    printer.print(
        ("idle apply", "kcctl"),
        (begun.elapsed().as_secs_f64(), "s"),
        None,
    )?;
    wait_running(&group.nodes[0].rest, connectors).await?;
    let meter = Meter::start(&group)?;
    tokio::time::sleep(WATCH).await;
    meter.stop(&group, "idle", printer)
}

fn source(number: usize, database: &Path) -> Outcome<Value> {
    let config = json!({
        "connector.class": "io.confluent.connect.jdbc.JdbcSourceConnector",
        "tasks.max": TABLES.len().to_string(),
        "connection.url": format!("jdbc:sqlite:{}", database.display()),
        "table.whitelist": TABLES.join(","),
        "mode": "incrementing", "incrementing.column.name": "id",
        "topic.prefix": "scale-",
        "poll.interval.ms": POLL.as_millis().to_string(),
    });
    Ok(json!({ "name": format!("scale-{number}"), "config": config }))
}

fn write_documents(
    folder: &Path,
    documents: impl Iterator<Item = Outcome<Value>>,
) -> Outcome<std::path::PathBuf> {
    let mut text = String::new();
    for document in documents {
        text.push_str(&document?.to_string());
        text.push('\n');
    }
    let file = folder.join("connectors.json");
    std::fs::write(&file, text)?;
    Ok(file)
}

fn apply(group: &Group, file: &Path) -> Outcome<()> {
    let mut command = std::process::Command::new(binary("kcctl")?);
    command.arg(format!("--cluster={}", group.grpc(0)));
    let output = command.arg("apply").arg("-f").arg(file).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("kcctl apply: {}", String::from_utf8_lossy(&output.stderr)).into())
}

async fn show(group: &Group, printer: &Printer) -> Outcome<()> {
    let path = "/connectors?expand=status";
    let leader = group.leader()?;
    for (node, kind) in [(leader, "leader"), ((leader + 1) % NODES, "follower")] {
        let mut times = Vec::with_capacity(STATUSES);
        for _ in 0..STATUSES {
            let begun = Instant::now();
            group.nodes[node]
                .rest
                .get(path)
                .await
                .ok_or("the status is not shown")?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        printer.print(
            ("status, median", kind),
            (times[times.len() / 2], "ms"),
            Some(200.0),
        )?;
        printer.print(
            ("status, worst", kind),
            (times[times.len() - 1], "ms"),
            Some(200.0),
        )?;
    }
    Ok(())
}

/// Every task as its worker and its state.
async fn tasks_of(rest: &Rest) -> Option<Vec<(String, String)>> {
    let all = rest.get("/connectors?expand=status").await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tasks = all
        .as_object()?
        .values()
        .flat_map(|entry| entry["status"]["tasks"].as_array().cloned().unwrap_or_default());
    Some(
        tasks
            .map(|task| (text(&task["worker_id"]), text(&task["state"])))
            .collect(),
    )
}

async fn count_of(rest: &Rest, worker: &str) -> Option<usize> {
    let tasks = tasks_of(rest).await?;
    Some(tasks.iter().filter(|(id, _)| id == worker).count())
}

async fn wait_running(rest: &Rest, tasks: usize) -> Outcome<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let all = tasks_of(rest).await.unwrap_or_default();
        let running = all.iter().filter(|(_, state)| state == "RUNNING").count();
        if running == tasks {
            return Ok(());
        }
        if Instant::now() > end {
            return Err(format!("{running} of {tasks} tasks run after {PATIENCE:?}").into());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The rows that all sources read.
struct Database {
    path: std::path::PathBuf,
    connection: Connection,
}

impl Database {
    fn create(path: &Path) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        // Readers do not wait for the writer.
        connection.execute_batch("PRAGMA journal_mode=WAL")?;
        for table in TABLES {
            connection.execute_batch(&format!(
                "CREATE TABLE {table} (id INTEGER PRIMARY KEY, text TEXT)"
            ))?;
        }
        Ok(Self {
            path: path.to_owned(),
            connection,
        })
    }

    /// One row more in each table, as often as sources look, for this long.
    async fn load(&self, during: Duration) -> Outcome<()> {
        let begun = Instant::now();
        while begun.elapsed() < during {
            for table in TABLES {
                self.connection
                    .execute_batch(&format!("INSERT INTO {table} (text) VALUES ('row')"))?;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

//! `get workers`, `describe worker`, `worker drain` and `worker undrain`.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::Session;
use super::get::print_table;
use super::selection::each_once;
use crate::api::{Worker, WorkerUnit};
use crate::args::{DescribeWorkerArgs, DrainArgs, OutputArgs, WorkerCommand};
use crate::failure::Failure;
use crate::output::{self, Documents, Format};
use crate::style::Style;
use crate::table::{self, Column, Pairs};

/// Between two looks at a worker that is being drained.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn list(session: &Session<'_>, output: OutputArgs) -> Result<(), Failure> {
    let workers = session.cluster.workers().await?;
    match output.output.unwrap_or_default() {
        Format::Table => print_table(session, &worker_table(&workers, session.printer.style())),
        format => output::print(session.printer, format, &workers),
    }
    Ok(())
}

fn worker_table(workers: &[Worker], style: Style) -> String {
    let columns = [
        Column::new("NAME"),
        Column::new("VERSION"),
        Column::new("STATE"),
        Column::new("UNITS"),
        Column::new("LABELS"),
    ];
    let row = |worker: &Worker| {
        vec![
            worker.name.clone(),
            worker.version.clone(),
            worker.state.to_owned(),
            worker.unit_count.to_string(),
            labels(worker),
        ]
    };
    table::render(&columns, &workers.iter().map(row).collect::<Vec<_>>(), style)
}

/// As they are written in `worker.labels`.
fn labels(worker: &Worker) -> String {
    let labels = worker
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    labels.collect::<Vec<_>>().join(",")
}

pub(super) async fn describe(session: &Session<'_>, args: &DescribeWorkerArgs) -> Result<(), Failure> {
    let format = args.output.output.unwrap_or_default();
    let mut documents = Documents::new(session.printer, format);
    for name in each_once(&args.names) {
        let (worker, units) = session.cluster.worker(&name).await?;
        if format == Format::Table {
            lines(&worker, &units, session.printer.style())
                .iter()
                .for_each(|line| session.printer.line(line));
        } else {
            documents.print(&document(&worker, &units));
        }
    }
    Ok(())
}

fn document(worker: &Worker, units: &[WorkerUnit]) -> Map<String, Value> {
    let Value::Object(mut document) = json!(worker) else {
        return Map::new();
    };
    document.insert("units".to_owned(), json!(units));
    document
}

fn lines(worker: &Worker, units: &[WorkerUnit], style: Style) -> Vec<String> {
    let mut pairs = Pairs::default();
    pairs
        .add("Name", &worker.name)
        .add("Version", &worker.version)
        .add("State", worker.state)
        .add("Labels", labels(worker));
    let mut lines = pairs.lines(str::to_owned);
    lines.push(format!("{}:", style.heading("Units")));
    let mut pairs = Pairs::default();
    for unit in units {
        let state = style.states(&unit.state);
        let shown = match &unit.obstacle {
            Some(obstacle) => format!("{state}, cannot move: {obstacle}"),
            None => state,
        };
        pairs.add(format!("  {}", unit.name()), shown);
    }
    lines.extend(pairs.lines(str::to_owned));
    lines
}

pub(super) async fn run(session: &Session<'_>, command: WorkerCommand) -> Result<(), Failure> {
    match command {
        WorkerCommand::Drain(args) => drain(session, &args).await,
        WorkerCommand::Undrain(worker) => {
            session.cluster.set_draining(&worker.name, false).await?;
            session
                .printer
                .note(&format!("Worker {} takes units again", worker.name));
            Ok(())
        }
    }
}

async fn drain(session: &Session<'_>, args: &DrainArgs) -> Result<(), Failure> {
    let name = &args.worker.name;
    session.cluster.set_draining(name, true).await?;
    if args.no_wait {
        session.printer.note(&format!("Worker {name} is draining"));
        return Ok(());
    }
    let end = Instant::now() + args.wait;
    let mut shown = None;
    loop {
        let left = match session.cluster.worker(name).await {
            Ok((_, units)) => units,
            // It has stopped meanwhile, so nothing runs there.
            Err(error) if error.is_not_found() && shown.is_some() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        if left.is_empty() {
            session.printer.note(&format!("Drained worker {name}"));
            return Ok(());
        }
        if shown != Some(left.len()) {
            shown = Some(left.len());
            session
                .printer
                .note(&format!("{} left on worker {name}", units(left.len())));
            session
                .printer
                .waiting_for(format!("{} to leave worker {name}", units(left.len())));
        }
        if left.iter().all(|unit| unit.obstacle.is_some()) || Instant::now() + LOOK_EVERY > end {
            return Err(Failure::not_drained(name, &left));
        }
        sleep(LOOK_EVERY).await;
    }
}

fn units(count: usize) -> String {
    match count {
        1 => "1 unit".to_owned(),
        count => format!("{count} units"),
    }
}

//! Two tables, or one JSON object a line.
#![expect(clippy::print_stdout, reason = "the printer of the benchmarks")]

use std::time::Duration;

use serde::Serialize;

use super::planning::Planned;
use super::writes::Figures;
use crate::Outcome;

#[derive(Serialize)]
struct WriteLine {
    case: &'static str,
    nodes: usize,
    write: &'static str,
    clients: usize,
    writes: usize,
    writes_per_s: f64,
    median_ms: f64,
    p99_ms: f64,
}

#[derive(Serialize)]
struct PlanLine {
    case: &'static str,
    situation: &'static str,
    workers: usize,
    connectors: usize,
    tasks: usize,
    plan_ms: f64,
    us_per_task: f64,
}

pub(crate) fn print(writes: &[Figures], plans: &[Planned], json: bool) -> Outcome<()> {
    let writes = writes.iter().map(write_line);
    let plans = plans.iter().map(plan_line);
    if json {
        for line in writes {
            println!("{}", serde_json::to_string(&line)?);
        }
        for line in plans {
            println!("{}", serde_json::to_string(&line)?);
        }
        return Ok(());
    }
    println!(
        "{:<8}{:<10}{:>8}{:>10}{:>12}{:>12}{:>10}",
        "nodes", "write", "clients", "writes", "writes/s", "median ms", "p99 ms"
    );
    for line in writes {
        println!(
            "{:<8}{:<10}{:>8}{:>10}{:>12.0}{:>12.2}{:>10.2}",
            line.nodes, line.write, line.clients, line.writes, line.writes_per_s, line.median_ms, line.p99_ms
        );
    }
    println!(
        "\n{:<24}{:>8}{:>12}{:>8}{:>10}{:>12}",
        "plan()", "workers", "connectors", "tasks", "ms", "us a task"
    );
    for line in plans {
        println!(
            "{:<24}{:>8}{:>12}{:>8}{:>10.2}{:>12.3}",
            line.situation, line.workers, line.connectors, line.tasks, line.plan_ms, line.us_per_task
        );
    }
    Ok(())
}

fn write_line(figures: &Figures) -> WriteLine {
    let count = figures.latencies.len();
    WriteLine {
        case: "control-plane",
        nodes: figures.nodes,
        write: figures.write.name(),
        clients: figures.clients,
        writes: count,
        writes_per_s: as_f64(count) / figures.seconds,
        median_ms: quantile(&figures.latencies, 50),
        p99_ms: quantile(&figures.latencies, 99),
    }
}

fn plan_line(planned: &Planned) -> PlanLine {
    PlanLine {
        case: "plan",
        situation: planned.situation,
        workers: planned.workers,
        connectors: planned.connectors,
        tasks: planned.tasks,
        plan_ms: millis(planned.took),
        us_per_task: millis(planned.took) * 1_000.0 / as_f64(planned.tasks),
    }
}

/// In milliseconds, of ascending latencies.
fn quantile(latencies: &[Duration], percent: usize) -> f64 {
    let at = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
    latencies.get(at).copied().map_or(f64::NAN, millis)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

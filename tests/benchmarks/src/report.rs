//! What was measured, and how it is printed. Progress goes to standard error, figures to standard output.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the printer of the benchmarks"
)]

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::Outcome;
use crate::case::Variant;
use crate::systems::System;

/// One run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_rss_mb: f64,
    pub(crate) records: f64,
    pub(crate) bytes: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (per_cpu, mb) = (self.records / self.cpu_seconds, self.peak_rss_mb);
        write!(
            f,
            "{:.2} s, {:.2} s CPU, {per_cpu:.0} records/CPU-s, {mb:.0} MB",
            self.seconds, self.cpu_seconds
        )
    }
}

#[derive(Serialize)]
struct Line {
    case: &'static str,
    system: &'static str,
    records: u64,
    records_per_s: f64,
    records_per_cpu_s: f64,
    mb_per_s: f64,
    cpu_s: f64,
    peak_rss_mb: f64,
}

/// Everything of this run of the command.
pub(crate) struct Report {
    json: bool,
    figures: BTreeMap<(Variant, System), Vec<Figures>>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            figures: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, variant: Variant, system: System, figures: Figures) {
        self.figures.entry((variant, system)).or_default().push(figures);
    }

    pub(crate) fn print(&self, records: u64) -> Outcome<()> {
        if !self.json {
            println!(
                "{:<18}{:<15}{:>12}{:>14}{:>10}{:>9}{:>10}{:>10}",
                "case", "system", "records/s", "records/CPU-s", "MB/s", "CPU s", "peak MB", "x Java"
            );
        }
        for (&(variant, system), runs) in &self.figures {
            let line = line(variant, system, runs, records);
            if self.json {
                println!("{}", serde_json::to_string(&line)?);
                continue;
            }
            let java = self.figures.get(&(variant, System::KafkaConnect));
            let times = java.map(|java| line.records_per_cpu_s / median(java, |f| f.records / f.cpu_seconds));
            println!(
                "{:<18}{:<15}{:>12.0}{:>14.0}{:>10.1}{:>9.2}{:>10.0}{:>10}",
                line.case,
                line.system,
                line.records_per_s,
                line.records_per_cpu_s,
                line.mb_per_s,
                line.cpu_s,
                line.peak_rss_mb,
                times.map_or_else(String::new, |times| format!("{times:.1}"))
            );
        }
        Ok(())
    }
}

fn line(variant: Variant, system: System, runs: &[Figures], records: u64) -> Line {
    Line {
        case: variant.name(),
        system: system.name(),
        records,
        records_per_s: median(runs, |f| f.records / f.seconds),
        records_per_cpu_s: median(runs, |f| f.records / f.cpu_seconds),
        mb_per_s: median(runs, |f| f.bytes / f.seconds / 1e6),
        cpu_s: median(runs, |f| f.cpu_seconds),
        peak_rss_mb: runs.iter().map(|f| f.peak_rss_mb).fold(0.0, f64::max),
    }
}

fn median(runs: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut all: Vec<f64> = runs.iter().map(figure).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A line of the answer.
pub(crate) fn print_line(text: &str) {
    println!("{text}");
}

/// Progress.
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// An error with its causes.
pub(crate) fn complain(error: &dyn std::error::Error) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    eprintln!("{text}");
}

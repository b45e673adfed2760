//! What each process of a cluster takes.

use std::time::Instant;

use towpath_testkit::process::Usage;

use super::Printer;
use crate::Outcome;
use crate::group::Group;

/// Processor time from here on.
pub(super) struct Meter {
    begun: Instant,
    before: Vec<(String, Usage)>,
}

impl Meter {
    pub(super) fn start(group: &Group) -> Outcome<Self> {
        Ok(Self {
            begun: Instant::now(),
            before: readings(group)?,
        })
    }

    pub(super) fn stop(self, group: &Group, case: &str, printer: &Printer) -> Outcome<()> {
        let seconds = self.begun.elapsed().as_secs_f64();
        for (name, now) in readings(group)? {
            let before = self.before.iter().find(|(known, _)| *known == name);
            let (memory, threads) = if case == "idle" && name.starts_with("worker") {
                (Some(250.0), Some(64.0))
            } else {
                (None, None)
            };
            let megabytes =
                |bytes: u64| f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) * 1024.0 / 1e6;
            let threads_now = f64::from(u32::try_from(now.threads).unwrap_or(u32::MAX));
            printer.print(
                (&format!("{case}, memory"), &name),
                (megabytes(now.resident_bytes), "MB"),
                memory,
            )?;
            printer.print(
                (&format!("{case}, peak"), &name),
                (megabytes(now.peak_resident_bytes), "MB"),
                None,
            )?;
            printer.print(
                (&format!("{case}, threads"), &name),
                (threads_now, "threads"),
                threads,
            )?;
            if let Some((_, before)) = before {
                let share = (now.cpu - before.cpu).as_secs_f64() / seconds * 100.0;
                printer.print((&format!("{case}, CPU"), &name), (share, "%"), None)?;
            }
        }
        Ok(())
    }
}

fn readings(group: &Group) -> Outcome<Vec<(String, Usage)>> {
    let nodes = group.nodes.iter().map(|node| node.process.as_ref());
    let nodes = nodes
        .enumerate()
        .map(|(index, process)| (format!("node-{}", index + 1), process));
    let workers = group.workers.iter().map(Option::as_ref);
    let workers = workers
        .enumerate()
        .map(|(index, process)| (format!("worker-{index}"), process));
    let mut readings = Vec::new();
    for (name, process) in nodes.chain(workers) {
        if let Some(process) = process {
            readings.push((name, process.usage()?));
        }
    }
    Ok(readings)
}

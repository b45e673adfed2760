//! Waits until the machine is quiet, so that what one system leaves behind (files to be written back, code to be compiled)
//! is not charged to the next: two processors are often two halves of one core.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::report::note;

/// One look.
const WINDOW: Duration = Duration::from_millis(500);
/// Looks in a row.
const WINDOWS: u32 = 3;
/// Busy time of all processors that counts as quiet, in percent.
const QUIET_PERCENT: u64 = 10;
/// A machine that has other work is measured all the same, and a note says so.
const LIMIT: Duration = Duration::from_secs(30);

/// Sums since the machine's start, in ticks of all processors.
struct Ticks {
    busy: u64,
    all: u64,
}

pub(crate) async fn wait() -> Outcome<()> {
    let _written_back = tokio::task::spawn_blocking(|| Command::new("sync").status()).await?;
    let began = Instant::now();
    let (mut quiet, mut percent) = (0, 0);
    while quiet < WINDOWS {
        if began.elapsed() > LIMIT {
            note(&format!(
                "the machine is not quiet: {percent} % busy with other work"
            ));
            break;
        }
        let before = ticks()?;
        tokio::time::sleep(WINDOW).await;
        let after = ticks()?;
        percent = (after.busy - before.busy) * 100 / (after.all - before.all).max(1);
        quiet = if percent < QUIET_PERCENT { quiet + 1 } else { 0 };
    }
    Ok(())
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn ticks() -> Outcome<Ticks> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let [_, _, _, idle, waiting, ..] = fields[..] else {
        return Err(format!("/proc/stat begins with `{line}`").into());
    };
    let all: u64 = fields.iter().sum();
    Ok(Ticks {
        busy: all - idle - waiting,
        all,
    })
}

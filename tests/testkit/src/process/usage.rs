//! What a process uses, as Linux counts it in /proc.

use std::fs::read_to_string;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

/// One reading; the processor time is the sum since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub resident_bytes: u64,
    /// The most that was resident at any time.
    pub peak_resident_bytes: u64,
    pub threads: u64,
    /// User and system time of all threads.
    pub cpu: Duration,
}

impl Usage {
    /// Of the process with this id.
    ///
    /// # Errors
    /// When it has ended.
    pub fn of(id: u32) -> Result<Self, &'static str> {
        let status = read_to_string(format!("/proc/{id}/status")).map_err(|_| "it has ended")?;
        let stat = read_to_string(format!("/proc/{id}/stat")).map_err(|_| "it has ended")?;
        Ok(Self {
            resident_bytes: status_field(&status, "VmRSS:")? * 1024,
            peak_resident_bytes: status_field(&status, "VmHWM:")? * 1024,
            threads: status_field(&status, "Threads:")?,
            cpu: cpu_time(&stat)?,
        })
    }
}

/// A zombie has no memory fields.
fn status_field(status: &str, name: &str) -> Result<u64, &'static str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .ok_or("a field of `status` is missing")
}

/// Fields 14 and 15. The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
fn cpu_time(stat: &str) -> Result<Duration, &'static str> {
    let (_, after_name) = stat.rsplit_once(')').ok_or("`stat` names no program")?;
    let mut ticks = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>);
    let (Some(Ok(user)), Some(Ok(system))) = (ticks.next(), ticks.next()) else {
        return Err("`stat` has no processor times");
    };
    Ok(Duration::from_millis(
        (user + system) * 1000 / clock_ticks_per_second(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_whose_name_has_blanks_and_parentheses_is_read() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 250 50 9 9 20 0 1 0 100";
        assert_eq!(
            cpu_time(stat).unwrap(),
            Duration::from_millis(300_000 / clock_ticks_per_second())
        );
    }

    #[test]
    fn a_process_that_ended_is_an_error() {
        assert_eq!(
            status_field("State:\tZ (zombie)\nThreads:\t1\n", "VmRSS:"),
            Err("a field of `status` is missing")
        );
    }
}

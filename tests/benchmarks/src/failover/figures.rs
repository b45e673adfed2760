//! What was measured in each trial, and the lines that come of it.

use std::time::Duration;

use serde::Serialize;

use crate::Outcome;
use crate::report;

/// What one system did in one case.
#[derive(Debug)]
struct Series {
    case: &'static str,
    system: &'static str,
    times: Vec<Duration>,
    /// What must not happen, counted over all trials: its name and how often it did.
    faults: Vec<(&'static str, usize)>,
}

/// All of them, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Figures {
    series: Vec<Series>,
}

#[derive(Serialize)]
struct Line {
    case: &'static str,
    system: &'static str,
    trials: usize,
    median_ms: u128,
    worst_ms: u128,
    #[serde(flatten)]
    faults: serde_json::Map<String, serde_json::Value>,
}

impl Figures {
    pub(super) fn add(&mut self, case: &'static str, system: &'static str, time: Duration) {
        self.series(case, system).times.push(time);
    }

    /// Adds to the count of something that must not happen; to be called with 0 too, so that it is shown.
    pub(super) fn count(
        &mut self,
        (case, system): (&'static str, &'static str),
        what: &'static str,
        more: usize,
    ) {
        let faults = &mut self.series(case, system).faults;
        match faults.iter_mut().find(|(name, _)| *name == what) {
            Some((_, count)) => *count += more,
            None => faults.push((what, more)),
        }
    }

    fn series(&mut self, case: &'static str, system: &'static str) -> &mut Series {
        let known = self
            .series
            .iter()
            .position(|series| (series.case, series.system) == (case, system));
        let index = known.unwrap_or_else(|| {
            self.series.push(Series {
                case,
                system,
                times: Vec::new(),
                faults: Vec::new(),
            });
            self.series.len() - 1
        });
        &mut self.series[index]
    }

    pub(super) fn print(&self, json: bool) -> Outcome<()> {
        if !json {
            report::print_line(&format!(
                "{:<26}{:<24}{:>7}{:>11}{:>11}",
                "case", "system", "trials", "median ms", "worst ms"
            ));
        }
        for series in &self.series {
            let line = line(series);
            if json {
                report::print_line(&serde_json::to_string(&line)?);
                continue;
            }
            let faults: Vec<String> = line
                .faults
                .iter()
                .map(|(name, count)| format!("  {name}: {count}"))
                .collect();
            report::print_line(&format!(
                "{:<26}{:<24}{:>7}{:>11}{:>11}{}",
                line.case,
                line.system,
                line.trials,
                line.median_ms,
                line.worst_ms,
                faults.concat()
            ));
        }
        Ok(())
    }
}

fn line(series: &Series) -> Line {
    let mut times = series.times.clone();
    times.sort();
    Line {
        case: series.case,
        system: series.system,
        trials: times.len(),
        median_ms: times.get(times.len() / 2).map_or(0, Duration::as_millis),
        worst_ms: times.last().map_or(0, Duration::as_millis),
        faults: series
            .faults
            .iter()
            .map(|(name, count)| ((*name).to_owned(), (*count).into()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_median_the_worst_and_what_must_not_happen() {
        let mut figures = Figures::default();
        for millis in [5, 1, 9] {
            figures.add("worker-stop", "towpath", Duration::from_millis(millis));
            figures.count(("worker-stop", "towpath"), "repeated", 0);
        }
        assert_eq!(
            serde_json::to_string(&line(&figures.series[0])).unwrap(),
            r#"{"case":"worker-stop","system":"towpath","trials":3,"median_ms":5,"worst_ms":9,"repeated":0}"#
        );
    }
}

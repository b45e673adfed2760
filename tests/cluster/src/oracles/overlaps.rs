//! Invariant 5: a source task that Kafka does not fence runs on one worker at a time. The one exception is a process that
//! was stopped: it runs nothing while it is, and needs a moment to notice that its lease is over.

use std::time::Duration;

use crate::plan::Place;
use crate::watch::{Frozen, UnitRun};

/// Logs are read at intervals, and a busy machine lets a process wait for its turn.
const TOLERANCE: Duration = Duration::from_millis(800);
/// What a thawed process may take to notice.
const NOTICE: Duration = Duration::from_secs(2);

type Span = (Duration, Duration);

/// Every pair of runs of a unit that were at work at the same time. `now` is when what still runs was last seen to.
pub fn check(
    runs: &[UnitRun],
    frozen: &[Frozen],
    is_unfenced: impl Fn(&str) -> bool,
    now: Duration,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, one) in runs.iter().enumerate().filter(|(_, run)| is_unfenced(&run.unit)) {
        for other in runs[..index].iter().filter(|other| other.unit == one.unit) {
            let both = together(&at_work(one, frozen, now), &at_work(other, frozen, now));
            if both > TOLERANCE {
                wrong.push(format!(
                    "{} ran twice at once, for {both:.1?}: {} and {}",
                    one.unit,
                    describe(other),
                    describe(one)
                ));
            }
        }
    }
    wrong
}

fn describe(run: &UnitRun) -> String {
    let to = run
        .to
        .map_or_else(|| "the end".to_owned(), |to| format!("{to:.1?}"));
    format!(
        "on {} from {:.1?} to {to} (epoch {})",
        run.place, run.from, run.epoch
    )
}

/// The parts of a run in which its process was not stopped.
fn at_work(run: &UnitRun, frozen: &[Frozen], now: Duration) -> Vec<Span> {
    let mut spans = vec![(run.from, run.to.unwrap_or(now))];
    let own = |frozen: &&Frozen| is_of(frozen, run.place);
    for stop in frozen.iter().filter(own) {
        let until = stop.to.map_or(now, |to| to + NOTICE);
        spans = spans
            .into_iter()
            .flat_map(|(from, to)| [(from, to.min(stop.from)), (from.max(until), to)])
            .filter(|(from, to)| from < to)
            .collect();
    }
    spans
}

fn is_of(frozen: &Frozen, place: Place) -> bool {
    frozen.place == place
}

fn together(one: &[Span], other: &[Span]) -> Duration {
    let pairs = one
        .iter()
        .flat_map(|one| other.iter().map(move |other| (one, other)));
    pairs
        .map(|(one, other)| one.1.min(other.1).saturating_sub(one.0.max(other.0)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(worker: usize, from: u64, to: u64) -> UnitRun {
        UnitRun {
            unit: "s-0".to_owned(),
            epoch: worker.to_string(),
            place: Place::Worker(worker),
            from: Duration::from_secs(from),
            to: Some(Duration::from_secs(to)),
        }
    }

    fn wrong(runs: &[UnitRun], frozen: &[Frozen]) -> usize {
        check(runs, frozen, |_| true, Duration::from_secs(100)).len()
    }

    #[test]
    fn one_after_the_other_is_right_and_both_at_once_is_wrong() {
        assert_eq!(wrong(&[run(0, 0, 10), run(1, 10, 20)], &[]), 0);
        assert_eq!(wrong(&[run(0, 0, 12), run(1, 10, 20)], &[]), 1);
        assert!(check(&[run(0, 0, 12), run(1, 10, 20)], &[], |_| false, Duration::MAX).is_empty());
    }

    #[test]
    fn a_stopped_process_runs_nothing_and_may_take_a_moment_to_notice() {
        let frozen = |to: u64| Frozen {
            place: Place::Worker(0),
            from: Duration::from_secs(5),
            to: Some(Duration::from_secs(to)),
        };
        assert_eq!(wrong(&[run(0, 0, 16), run(1, 10, 20)], &[frozen(15)]), 0);
        assert_eq!(wrong(&[run(0, 0, 19), run(1, 10, 20)], &[frozen(15)]), 1);
    }

    #[test]
    fn what_still_runs_counts_until_now() {
        let mut open = run(0, 0, 0);
        open.to = None;
        assert_eq!(wrong(&[open, run(1, 10, 20)], &[]), 1);
    }
}

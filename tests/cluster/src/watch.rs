//! When which unit ran on which worker, as the workers' logs say it while they are written. The time is that of this
//! process: the clocks of the workers are among what a run breaks.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::Journal;
use crate::plan::Place;

/// One run of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRun {
    pub unit: String,
    pub epoch: String,
    pub place: Place,
    pub from: Duration,
    /// `None` while it runs.
    pub to: Option<Duration>,
}

/// A process was stopped from then on; `to` is when it went on, or never did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub place: Place,
    pub from: Duration,
    pub to: Option<Duration>,
}

/// What a line of a log says.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    Began {
        unit: &'a str,
        epoch: &'a str,
    },
    /// The task or connector has done its last.
    Ended {
        unit: &'a str,
        epoch: &'a str,
    },
    Panicked,
}

#[derive(Debug)]
struct Tail {
    file: PathBuf,
    read: u64,
    /// The begin of a line whose end is not written yet.
    rest: String,
}

#[derive(Debug, Default)]
struct Seen {
    tails: BTreeMap<Place, Tail>,
    runs: Vec<UnitRun>,
    frozen: Vec<Frozen>,
    panics: Vec<String>,
}

#[derive(Debug)]
pub struct Watch {
    journal: Arc<Journal>,
    /// A std mutex: never held across an await.
    seen: Mutex<Seen>,
}

impl Watch {
    pub fn new(journal: Arc<Journal>) -> Self {
        Self {
            journal,
            seen: Mutex::default(),
        }
    }

    pub fn follow(&self, place: Place, file: PathBuf) {
        let tail = Tail {
            file,
            read: 0,
            rest: String::new(),
        };
        self.lock().tails.insert(place, tail);
    }

    /// Reads what was written since the last look.
    pub fn look(&self) {
        let mut seen = self.lock();
        let places: Vec<Place> = seen.tails.keys().copied().collect();
        for place in places {
            seen.look_at(place, self.journal.now());
        }
    }

    /// The process is gone, and everything that ran in it.
    pub fn ended(&self, place: Place) {
        let now = self.journal.now();
        let mut seen = self.lock();
        seen.look_at(place, now);
        for run in &mut seen.runs {
            if run.place == place && run.to.is_none() {
                run.to = Some(now);
            }
        }
    }

    pub fn frozen(&self, place: Place) {
        let from = self.journal.now();
        let to = None;
        self.lock().frozen.push(Frozen { place, from, to });
    }

    pub fn thawed(&self, place: Place) {
        let now = self.journal.now();
        let mut seen = self.lock();
        let mut open = seen.frozen.iter_mut().rev();
        if let Some(frozen) = open.find(|frozen| frozen.place == place && frozen.to.is_none()) {
            frozen.to = Some(now);
        }
    }

    pub fn runs(&self) -> Vec<UnitRun> {
        self.lock().runs.clone()
    }

    pub fn frozen_times(&self) -> Vec<Frozen> {
        self.lock().frozen.clone()
    }

    /// Lines that say that something panicked.
    pub fn panics(&self) -> Vec<String> {
        self.lock().panics.clone()
    }

    /// What runs now, and where.
    pub fn running(&self) -> BTreeSet<(String, Place)> {
        let seen = self.lock();
        let running = seen.runs.iter().filter(|run| run.to.is_none());
        running.map(|run| (run.unit.clone(), run.place)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn look_at(&mut self, place: Place, now: Duration) {
        let Some(tail) = self.tails.get_mut(&place) else {
            return;
        };
        for line in tail.new_lines() {
            self.hear(place, &line, now);
        }
    }

    fn hear(&mut self, place: Place, line: &str, now: Duration) {
        match Said::in_line(line) {
            // A task that starts over by itself says so again.
            Some(Said::Began { unit, epoch }) if self.open(place, unit, epoch).is_none() => {
                self.runs.push(UnitRun {
                    unit: unit.to_owned(),
                    epoch: epoch.to_owned(),
                    place,
                    from: now,
                    to: None,
                });
            }
            Some(Said::Began { .. }) => {}
            Some(Said::Ended { unit, epoch }) => {
                if let Some(run) = self.open(place, unit, epoch) {
                    run.to = Some(now);
                }
            }
            Some(Said::Panicked) => self.panics.push(format!("{place}: {line}")),
            None => {}
        }
    }

    fn open(&mut self, place: Place, unit: &str, epoch: &str) -> Option<&mut UnitRun> {
        self.runs
            .iter_mut()
            .find(|run| run.place == place && run.to.is_none() && run.unit == unit && run.epoch == epoch)
    }
}

impl Tail {
    /// Nothing when the file cannot be read: it is there from the first line on.
    fn new_lines(&mut self) -> Vec<String> {
        let mut new = Vec::new();
        let read = File::open(&self.file).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.read_to_end(&mut new)
        });
        self.read += u64::try_from(read.unwrap_or(0)).unwrap_or(0);
        self.rest.push_str(&String::from_utf8_lossy(&new));
        let Some(end) = self.rest.rfind('\n') else {
            return Vec::new();
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        whole.lines().map(str::to_owned).collect()
    }
}

impl<'a> Said<'a> {
    fn in_line(line: &'a str) -> Option<Self> {
        if line.contains("panicked") {
            return Some(Self::Panicked);
        }
        let began = line.ends_with(": task started") || line.ends_with(": connector started");
        let ended = line.contains(": task ended") || line.contains(": unit ended");
        if !began && !ended {
            return None;
        }
        let (unit, epoch) = (field(line, "unit=")?, field(line, "epoch=")?);
        Some(if began {
            Self::Began { unit, epoch }
        } else {
            Self::Ended { unit, epoch }
        })
    }
}

/// `unit{unit=a-0 epoch=3}: …` or `… unit=a-0 epoch=3`.
fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(key)?;
    rest.split([' ', '}']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: &str = "2026-01-01T00:00:00Z  INFO unit{unit=a-0 epoch=3}: towpath_runtime::unit::source_task: task started\n";
    const ENDED: &str = "2026-01-01T00:00:01Z  INFO towpath_worker::reconcile: unit ended unit=a-0 epoch=3\n";

    fn watching(folder: &tempfile::TempDir) -> (Watch, PathBuf) {
        let journal = Arc::new(Journal::create(&folder.path().join("events")).unwrap());
        let watch = Watch::new(journal);
        let log = folder.path().join("log");
        watch.follow(Place::Worker(0), log.clone());
        (watch, log)
    }

    #[test]
    fn a_unit_runs_from_its_start_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (watch, log) = watching(&folder);
        let (first, last) = BEGAN.split_at(30);
        std::fs::write(&log, first).unwrap();
        watch.look();
        assert!(watch.running().is_empty(), "half a line says nothing");
        std::fs::write(&log, format!("{first}{last}")).unwrap();
        watch.look();
        assert_eq!(
            watch.running(),
            BTreeSet::from([("a-0".to_owned(), Place::Worker(0))])
        );
        std::fs::write(&log, format!("{BEGAN}{ENDED}")).unwrap();
        watch.look();
        assert!(watch.running().is_empty());
        assert_eq!(watch.runs().len(), 1);
    }

    #[test]
    fn nothing_runs_in_a_process_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (watch, log) = watching(&folder);
        std::fs::write(&log, BEGAN).unwrap();
        watch.ended(Place::Worker(0));
        assert!(watch.running().is_empty());
        assert!(watch.runs()[0].to.is_some());
    }

    #[test]
    fn a_panic_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (watch, log) = watching(&folder);
        std::fs::write(&log, "thread 'x' panicked at y\n").unwrap();
        watch.look();
        assert_eq!(watch.panics(), ["worker-1: thread 'x' panicked at y"]);
    }
}

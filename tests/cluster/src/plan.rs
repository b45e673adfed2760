//! What happens in a run: a function of its seed. The order of what the processes do is not, so a seed repeats the faults
//! and the load, and most often what came of them.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng as _};

pub const NODES: usize = 3;
pub const WORKERS: usize = 3;

/// Between the beginnings of two faults, on average.
const MEAN_PAUSE_MS: u64 = 2_200;
/// The first fault finds everything at work.
const CALM_MS: u64 = 1_500;
/// The longest fault; leases, elections and sessions of groups run out in it.
const LONGEST_MS: u64 = 9_000;
const SHORTEST_MS: u64 = 200;
/// How often a fault is drawn again when the first ones cannot be where another one is.
const DRAWS: usize = 8;
const KBITS: [u32; 3] = [128, 512, 2_000];
const PERCENTS: [u32; 3] = [5, 20, 50];
/// Back and forth, from what a time server corrects to what a dead battery does.
const JUMPS_S: [i64; 6] = [-7_200, -30, -2, 2, 30, 864_000];

/// What the sources of a run promise; it is a setting of the workers, so the sources of a run have it in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    AtLeastOnce,
    ExactlyOnce,
}

/// A process and its network namespace. Numbers begin with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    Node(usize),
    Worker(usize),
    Broker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGKILL; started again when the fault is over.
    Kill(Place),
    /// SIGTERM; started again when the fault is over.
    Stop(Place),
    /// SIGSTOP, and SIGCONT when it is over.
    Freeze(Place),
    /// Nothing of the one reaches the other.
    CutOneWay {
        from: Place,
        to: Place,
    },
    Cut(Place, Place),
    /// From all others, both ways.
    Isolate(Place),
    /// This node and this worker from all other nodes and workers, both ways: a group of two, and one of the others. Both
    /// reach the broker.
    Split {
        node: usize,
        worker: usize,
    },
    /// What it sends goes out slowly; what does not fit is lost.
    Slow {
        place: Place,
        kbit: u32,
    },
    /// Of what is sent to it, some is lost.
    Lossy {
        place: Place,
        percent: u32,
    },
    /// No byte is free where this node keeps its log.
    FullDisk(usize),
    /// The wall clock of one process; it stays as it is.
    Jump {
        place: Place,
        seconds: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timed {
    pub at: Duration,
    pub lasts: Duration,
    pub fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub faulty: Duration,
    pub delivery: Delivery,
    /// Of each topic.
    pub partitions: u32,
    /// Lines a second that each source gets.
    pub rates: Vec<u32>,
    pub faults: Vec<Timed>,
}

/// Two faults that need the same one of these do not overlap.
#[derive(Debug, PartialEq, Eq)]
enum Resource {
    Process(Place),
    Outgoing(Place),
    Incoming(Place),
    Link(Place, Place),
    Clock(Place),
}

impl Plan {
    pub fn new(seed: u64, faulty: Duration) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let delivery = *[Delivery::AtLeastOnce, Delivery::ExactlyOnce]
            .choose(&mut rng)
            .expect("there are two");
        Self {
            seed,
            faulty,
            delivery,
            partitions: if rng.random_bool(0.7) { 1 } else { 2 },
            rates: (0..rng.random_range(2..=3))
                .map(|_| rng.random_range(20..=120))
                .collect(),
            faults: faults(&mut rng, u64::try_from(faulty.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// Whether anything ever sets the clock of this process; only then it runs with one that can be set.
    pub fn sets_clock_of(&self, place: Place) -> bool {
        let sets = |timed: &Timed| matches!(timed.fault, Fault::Jump { place: of, .. } if of == place);
        self.faults.iter().any(sets)
    }

    /// Whether the disk of this node is ever full; only then it has one of its own.
    pub fn fills_disk_of(&self, node: usize) -> bool {
        self.faults
            .iter()
            .any(|timed| timed.fault == Fault::FullDisk(node))
    }
}

fn faults(rng: &mut StdRng, end: u64) -> Vec<Timed> {
    let mut faults: Vec<Timed> = Vec::new();
    let mut at = CALM_MS;
    while at < end {
        // Short ones are as likely as long ones, by the factor.
        let lasts = LONGEST_MS >> rng.random_range(0..6);
        let lasts = rng.random_range(SHORTEST_MS.min(lasts)..=lasts).min(end - at);
        let drawn = (0..DRAWS).map(|_| Timed {
            at: Duration::from_millis(at),
            lasts: Duration::from_millis(lasts),
            fault: draw(rng),
        });
        let free = drawn
            .into_iter()
            .find(|timed| !faults.iter().any(|other| collide(timed, other)));
        faults.extend(free);
        at += rng.random_range(1..=2 * MEAN_PAUSE_MS);
    }
    faults
}

fn draw(rng: &mut StdRng) -> Fault {
    match rng.random_range(0..100) {
        0..25 => Fault::Kill(anybody(rng)),
        25..30 => Fault::Stop(anybody(rng)),
        30..45 => Fault::Freeze(anybody(rng)),
        45..53 => {
            let (from, to) = pair(rng);
            Fault::CutOneWay { from, to }
        }
        53..61 => {
            let (one, other) = pair(rng);
            Fault::Cut(one, other)
        }
        61..67 => Fault::Isolate(anybody(rng)),
        67..72 => Fault::Split {
            node: rng.random_range(0..NODES),
            worker: rng.random_range(0..WORKERS),
        },
        72..79 => Fault::Slow {
            place: anybody(rng),
            kbit: *KBITS.choose(rng).expect("there are some"),
        },
        79..86 => Fault::Lossy {
            place: anybody(rng),
            percent: *PERCENTS.choose(rng).expect("there are some"),
        },
        86..92 => Fault::FullDisk(rng.random_range(0..NODES)),
        _ => Fault::Jump {
            place: one_of_ours(rng),
            seconds: *JUMPS_S.choose(rng).expect("there are some"),
        },
    }
}

fn one_of_ours(rng: &mut StdRng) -> Place {
    if rng.random_bool(0.5) {
        Place::Node(rng.random_range(0..NODES))
    } else {
        Place::Worker(rng.random_range(0..WORKERS))
    }
}

fn anybody(rng: &mut StdRng) -> Place {
    if rng.random_bool(0.12) {
        Place::Broker
    } else {
        one_of_ours(rng)
    }
}

fn pair(rng: &mut StdRng) -> (Place, Place) {
    let one = anybody(rng);
    loop {
        let other = anybody(rng);
        if other != one {
            return (one, other);
        }
    }
}

/// Every process of a run.
pub fn places() -> impl Iterator<Item = Place> {
    let nodes = (0..NODES).map(Place::Node);
    nodes
        .chain((0..WORKERS).map(Place::Worker))
        .chain([Place::Broker])
}

fn collide(one: &Timed, other: &Timed) -> bool {
    let overlap = one.at <= other.at + other.lasts && other.at <= one.at + one.lasts;
    let others = other.fault.resources();
    overlap
        && one
            .fault
            .resources()
            .iter()
            .any(|resource| others.contains(resource))
}

impl Fault {
    fn resources(self) -> Vec<Resource> {
        match self {
            Self::Kill(place) | Self::Stop(place) | Self::Freeze(place) => vec![Resource::Process(place)],
            Self::FullDisk(node) => vec![Resource::Process(Place::Node(node))],
            Self::Slow { place, .. } => vec![Resource::Outgoing(place)],
            Self::Lossy { place, .. } => vec![Resource::Incoming(place)],
            Self::Jump { place, .. } => vec![Resource::Clock(place)],
            Self::CutOneWay { .. } | Self::Cut(..) | Self::Isolate(_) | Self::Split { .. } => {
                let links = self.links().into_iter();
                links.map(|(from, to)| Resource::Link(from, to)).collect()
            }
        }
    }

    /// What it cuts: nothing of the first reaches the second.
    pub fn links(self) -> Vec<(Place, Place)> {
        match self {
            Self::CutOneWay { from, to } => vec![(from, to)],
            Self::Cut(one, other) => vec![(one, other), (other, one)],
            Self::Isolate(alone) => places()
                .filter(|other| *other != alone)
                .flat_map(|other| [(alone, other), (other, alone)])
                .collect(),
            Self::Split { node, worker } => {
                let both = [Place::Node(node), Place::Worker(worker)];
                let others = places().filter(|other| *other != Place::Broker && !both.contains(other));
                others
                    .flat_map(|other| both.map(|one| [(one, other), (other, one)]))
                    .flatten()
                    .collect()
            }
            Self::Kill(_)
            | Self::Stop(_)
            | Self::Freeze(_)
            | Self::Slow { .. }
            | Self::Lossy { .. }
            | Self::FullDisk(_)
            | Self::Jump { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(index) => write!(f, "node-{}", index + 1),
            Self::Worker(index) => write!(f, "worker-{}", index + 1),
            Self::Broker => f.write_str("broker"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(place) => write!(f, "SIGKILL of {place}"),
            Self::Stop(place) => write!(f, "SIGTERM of {place}"),
            Self::Freeze(place) => write!(f, "SIGSTOP of {place}"),
            Self::CutOneWay { from, to } => write!(f, "cut from {from} to {to}"),
            Self::Cut(one, other) => write!(f, "cut between {one} and {other}"),
            Self::Isolate(place) => write!(f, "cut around {place}"),
            Self::Split { node, worker } => {
                let (node, worker) = (Place::Node(*node), Place::Worker(*worker));
                write!(f, "cut between {node} with {worker} and the others")
            }
            Self::Slow { place, kbit } => write!(f, "{place} sends at {kbit} kbit/s"),
            Self::Lossy { place, percent } => write!(f, "{place} loses {percent} % of what is sent to it"),
            Self::FullDisk(node) => write!(f, "full disk of {}", Place::Node(*node)),
            Self::Jump { place, seconds } => write!(f, "the clock of {place} jumps by {seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::mem::discriminant;

    use super::*;

    const FAULTY: Duration = Duration::from_secs(45);

    fn plans() -> impl Iterator<Item = Plan> {
        (1..=100).map(|seed| Plan::new(seed, FAULTY))
    }

    #[test]
    fn a_seed_is_one_plan() {
        assert_eq!(Plan::new(7, FAULTY), Plan::new(7, FAULTY));
        assert_ne!(Plan::new(7, FAULTY), Plan::new(8, FAULTY));
    }

    #[test]
    fn a_hundred_seeds_have_every_fault_and_hit_everybody() {
        let faults: Vec<Fault> = plans()
            .flat_map(|plan| plan.faults)
            .map(|timed| timed.fault)
            .collect();
        let kinds: std::collections::HashSet<_> = faults.iter().map(discriminant).collect();
        assert_eq!(kinds.len(), 11);
        let killed = |fault: &Fault| match fault {
            Fault::Kill(place) => Some(*place),
            _ => None,
        };
        let hit: BTreeSet<Place> = faults.iter().filter_map(killed).collect();
        assert_eq!(hit, places().collect());
    }

    #[test]
    fn faults_are_over_in_time_and_spread_over_it() {
        for plan in plans() {
            assert!(plan.faults.len() >= 8, "{plan:?}");
            let ends = plan.faults.iter().map(|timed| timed.at + timed.lasts);
            assert!(ends.max().unwrap() <= FAULTY);
            assert!(plan.faults.last().unwrap().at > FAULTY / 2);
        }
    }

    #[test]
    fn what_one_fault_has_broken_no_other_one_repairs() {
        for plan in plans() {
            for (index, one) in plan.faults.iter().enumerate() {
                let mut before = plan.faults[..index].iter();
                assert!(!before.any(|other| collide(one, other)), "{plan:?}");
            }
        }
    }
}

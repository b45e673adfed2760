//! The control plane under seeded faults: three nodes, some workers, users, and a network that loses, delays and holds up
//! what it carries, in one thread with a clock that jumps from event to event. Whatever happens is a function of the
//! seed, so a run that breaks an invariant can be repeated.
//!
//! Real is what decides: `ClusterState` and `plan`, and of the server the directory of leases, the sessions with their
//! scribe and teller, and the reconcile loop, called through the gRPC service without a socket. Simulated is what is
//! around it: the replicated log (without openraft and disks), the network, the workers (see [`worker`]) and the users.

mod agenda;
mod faults;
mod group;
mod invariants;
mod node;
mod panics;
mod users;
mod worker;
mod world;

use std::fmt;

use self::world::World;

/// What a run saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Commands that were written.
    pub written: usize,
    /// Runs of source tasks that began.
    pub begun: u64,
    /// Sessions that were opened.
    pub sessions: u64,
    /// Of everything that happened, in order: two runs of one seed have the same.
    pub fingerprint: u64,
    /// How long after the last fault everything was as it should be, in simulated milliseconds.
    pub converged_after_ms: u64,
}

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub seed: u64,
    /// In simulated time.
    pub at_ms: u64,
    pub what: String,
    /// What happened last.
    pub trail: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trail {
            writeln!(f, "  {line}")?;
        }
        let Self {
            seed, at_ms, what, ..
        } = self;
        writeln!(f, "seed {seed}, after {at_ms} ms: {what}")?;
        write!(f, "to repeat it: tests/run simulation --seed {seed}")
    }
}

impl std::error::Error for Violation {}

/// Runs one seed to its end.
///
/// # Errors
/// When an invariant does not hold, or something panics.
pub fn run(seed: u64) -> Result<Summary, Violation> {
    panics::noticed(|| run_world(seed)).unwrap_or_else(|panic| {
        Err(Violation {
            seed,
            at_ms: 0,
            what: panic,
            trail: Vec::new(),
        })
    })
}

fn run_world(seed: u64) -> Result<Summary, Violation> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without sockets needs nothing");
    let outcome = runtime.block_on(async {
        let mut world = World::new(seed);
        let outcome = world.run().await;
        world.end().await;
        outcome
    });
    // Tasks of sessions that are still there are dropped with it.
    drop(runtime);
    outcome
}

//! Carries out a plan: every fault begins and ends at its time, and afterwards everything is whole again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::cluster::Cluster;
use crate::disk::DiskError;
use crate::journal::Journal;
use crate::plan::{Fault, Place, Plan, Timed};
use crate::program::ProgramError;
use crate::shell::ShellError;

/// How often it is looked whether a process has ended by itself.
const LOOK: Duration = Duration::from_millis(200);

/// A fault could not be brought about, or not be ended.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    #[error(transparent)]
    Shell(#[from] ShellError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// Returns when the last fault is over.
///
/// # Errors
/// When a fault could not be brought about or ended.
pub async fn carry_out(
    plan: &Plan,
    cluster: &Arc<Cluster>,
    journal: &Arc<Journal>,
) -> Result<(), FaultError> {
    let begin = Instant::now();
    let mut faults = JoinSet::new();
    for timed in plan.faults.clone() {
        let (cluster, journal) = (Arc::clone(cluster), Arc::clone(journal));
        faults.spawn(async move {
            sleep_until(begin + timed.at).await;
            cluster.suffer(timed, &journal).await
        });
    }
    while let Some(joined) = faults.join_next().await {
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    }
    sleep_until(begin + plan.faulty).await;
    Ok(())
}

/// What has ended by itself although nothing was done to it.
pub type Ended = Arc<Mutex<Vec<String>>>;

/// Starts what has ended by itself again, as an init system would. Runs until it is dropped.
pub async fn keep_alive(cluster: Arc<Cluster>, journal: Arc<Journal>, ended: Ended) {
    loop {
        sleep(LOOK).await;
        let found = match cluster.start_what_ended(&journal) {
            Ok(found) => found,
            Err(error) => vec![error.to_string()],
        };
        ended.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }
}

impl Cluster {
    async fn suffer(&self, timed: Timed, journal: &Journal) -> Result<(), FaultError> {
        let Timed { lasts, fault, .. } = timed;
        let begins = || journal.note(&format!("{fault}, for {:.1} s", lasts.as_secs_f64()));
        match fault {
            Fault::Kill(Place::Broker) | Fault::Stop(Place::Broker) | Fault::Freeze(Place::Broker) => {
                begins();
                self.suffer_broker(fault, lasts).await?;
            }
            Fault::Kill(place) | Fault::Stop(place) | Fault::Freeze(place) => {
                let mut program = self.programs[&place].lock().await;
                begins();
                match fault {
                    Fault::Kill(_) => program.kill()?,
                    Fault::Stop(_) => program.stop().await?,
                    _ => program.freeze()?,
                }
                sleep(lasts).await;
                match fault {
                    Fault::Freeze(_) => program.thaw()?,
                    _ => program.start_again()?,
                }
            }
            Fault::FullDisk(node) => {
                let mut program = self.programs[&Place::Node(node)].lock().await;
                begins();
                self.disks[&node].fill()?;
                sleep(lasts).await;
                self.disks[&node].free()?;
                program.may_end();
            }
            Fault::Jump { place, seconds } => {
                begins();
                self.programs[&place].lock().await.jump(seconds)?;
            }
            Fault::CutOneWay { .. }
            | Fault::Cut(..)
            | Fault::Isolate(_)
            | Fault::Split { .. }
            | Fault::Slow { .. }
            | Fault::Lossy { .. } => {
                begins();
                self.suffer_network(fault, lasts).await?;
            }
        }
        journal.note(&format!("over: {fault}"));
        Ok(())
    }

    async fn suffer_broker(&self, fault: Fault, lasts: Duration) -> Result<(), FaultError> {
        let broker = self.broker.lock().await;
        match fault {
            Fault::Kill(_) => broker.kill().await?,
            Fault::Stop(_) => broker.stop().await?,
            _ => broker.freeze().await?,
        }
        sleep(lasts).await;
        match fault {
            Fault::Freeze(_) => broker.thaw().await?,
            _ => broker.start_again().await?,
        }
        Ok(())
    }

    async fn suffer_network(&self, fault: Fault, lasts: Duration) -> Result<(), FaultError> {
        let network = &self.network;
        match fault {
            Fault::Slow { place, kbit } => {
                network.slow(place, kbit).await?;
                sleep(lasts).await;
                network.full_speed(place).await?;
            }
            Fault::Lossy { place, percent } => {
                network.lose(place, percent).await?;
                sleep(lasts).await;
                network.lose_nothing(place).await?;
            }
            _ => {
                for (from, to) in fault.links() {
                    network.cut(from, to).await?;
                }
                sleep(lasts).await;
                for (from, to) in fault.links() {
                    network.join(from, to).await?;
                }
            }
        }
        Ok(())
    }

    /// Says which have ended without a fault of their own.
    fn start_what_ended(&self, journal: &Journal) -> Result<Vec<String>, FaultError> {
        let mut ended = Vec::new();
        for program in self.programs.values() {
            // One that is locked has a fault of its own.
            let Ok(mut program) = program.try_lock() else {
                continue;
            };
            let Some(by_itself) = program.has_ended()? else {
                continue;
            };
            journal.note(&by_itself.how);
            if !by_itself.was_expected {
                ended.push(by_itself.how);
            }
            program.start_again()?;
        }
        Ok(ended)
    }
}

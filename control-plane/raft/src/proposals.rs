//! Collects the commands that wait at the same time into one entry of the log: whoever proposes alone pays for a whole
//! `fdatasync`, and a hundred who propose together share one.

use openraft::error::{ClientWriteError, RaftError};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use towpath_state::{Command, Outcome, Versioned};

use crate::StoreError;
use crate::answer::Answers;
use crate::types::{Batch, Member, Raft};

/// Proposals that wait for the log. More are refused at once, which the callers can bear better than waiting.
pub(crate) const WAITING: usize = 4_096;

/// Bounds of one entry; a single command may be larger, up to [`COMMAND_BYTES`].
const BATCH_COMMANDS: usize = 512;
const BATCH_BYTES: usize = 256 * 1024;

/// The largest command. A message between nodes holds an entry of this size and one more batch.
pub(crate) const COMMAND_BYTES: usize = 8 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) command: Command,
    pub(crate) bytes: usize,
    pub(crate) reply: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// Runs as one task of a store until the store is shut down, or dropped.
pub(crate) async fn run(
    raft: Raft,
    answers: Answers,
    mut queue: mpsc::Receiver<Proposal>,
    stop: CancellationToken,
) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(proposal) => proposal,
            None => tokio::select! {
                () = stop.cancelled() => return,
                received = queue.recv() => match received {
                    Some(proposal) => proposal,
                    None => return,
                },
            },
        };
        let batch = fill(first, &mut queue, &mut next);
        tokio::select! {
            // Those who wait see their reply dropped, and say that the node has stopped.
            () = stop.cancelled() => return,
            () = write(&raft, &answers, batch) => {}
        }
    }
}

/// Takes what is waiting already, in order; what does not fit goes into the next batch.
fn fill(first: Proposal, queue: &mut mpsc::Receiver<Proposal>, next: &mut Option<Proposal>) -> Vec<Proposal> {
    let mut bytes = first.bytes;
    let mut batch = vec![first];
    while batch.len() < BATCH_COMMANDS {
        let Ok(proposal) = queue.try_recv() else { break };
        if bytes + proposal.bytes > BATCH_BYTES {
            *next = Some(proposal);
            break;
        }
        bytes += proposal.bytes;
        batch.push(proposal);
    }
    batch
}

async fn write(raft: &Raft, answers: &Answers, batch: Vec<Proposal>) {
    // Whoever has given up is not to find the change made later.
    let waiting = batch.into_iter().filter(|proposal| !proposal.reply.is_closed());
    let (commands, replies): (Vec<_>, Vec<_>) = waiting
        .map(|proposal| (Versioned::new(proposal.command), proposal.reply))
        .unzip();
    if commands.is_empty() {
        return;
    }
    let written: Result<_, RaftError<u64, ClientWriteError<u64, Member>>> =
        raft.client_write(Batch(commands)).await;
    match written {
        Ok(response) => {
            debug_assert_eq!(response.data.len(), replies.len(), "each command has an outcome");
            for (reply, outcome) in replies.into_iter().zip(response.data) {
                // An error means that the caller has given up meanwhile.
                drop(reply.send(Ok(outcome)));
            }
        }
        Err(error) => {
            let error = answers.of_write(error);
            for reply in replies {
                drop(reply.send(Err(error.clone())));
            }
        }
    }
}

/// Counts the bytes of the JSON form without making it.
pub(crate) fn size_of(command: &Command) -> usize {
    #[derive(Default)]
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count::default();
    serde_json::to_writer(&mut count, command).expect("every command has a JSON form");
    count.0
}

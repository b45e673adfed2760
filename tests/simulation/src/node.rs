//! A node's process: the real scheduler over the group's log, and the connections that workers have to it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use towpath_raft::ClusterStore;
use towpath_server::Scheduler;
use towpath_wire::v1;
use towpath_wire::v1::worker_sessions_client::WorkerSessionsClient;
use towpath_wire::v1::worker_sessions_server::{WorkerSessions, WorkerSessionsServer};

use crate::agenda::{Actor, Agenda, Event, LinkId};
use crate::group::{NodeStore, SharedGroup};

/// As in production.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// What a connection holds beside what is on its way.
const MAX_DELIVERED: usize = 1_024;
/// Metadata of a refusal.
const LEADER_METADATA: &str = "towpath-leader";

/// Opens a stream to this node, in a task of its own.
type Dial = dyn Fn(LinkId, mpsc::Receiver<v1::WorkerMessage>, &mut JoinSet<()>) -> AbortHandle;

pub(crate) struct Node {
    pub(crate) store: Arc<NodeStore>,
    stop: CancellationToken,
    dial: Box<Dial>,
}

/// The node's end of a connection.
pub(crate) struct Connection {
    to_server: mpsc::Sender<v1::WorkerMessage>,
    pump: AbortHandle,
}

impl Node {
    pub(crate) fn start(
        group: &SharedGroup,
        number: usize,
        agenda: &Arc<Agenda>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let store = Arc::new(NodeStore::new(group, number));
        let stop = CancellationToken::new();
        let cluster: Arc<dyn ClusterStore> = Arc::clone(&store) as _;
        let scheduler = Scheduler::new(cluster, LEASE, stop.clone()).expect("the lease is long enough");
        let service = scheduler.service();
        tasks.spawn(scheduler.run());
        let agenda = Arc::clone(agenda);
        let dial = move |link, outgoing, tasks: &mut JoinSet<()>| {
            tasks.spawn(pump(service.clone(), link, outgoing, Arc::clone(&agenda)))
        };
        Self {
            store,
            stop,
            dial: Box::new(dial),
        }
    }

    pub(crate) fn connect(&self, link: LinkId, tasks: &mut JoinSet<()>) -> Connection {
        let (to_server, outgoing) = mpsc::channel(MAX_DELIVERED);
        Connection {
            to_server,
            pump: (self.dial)(link, outgoing, tasks),
        }
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }
}

impl Connection {
    /// False when the node has ended it, or takes nothing more.
    pub(crate) fn deliver(&self, message: v1::WorkerMessage) -> bool {
        self.to_server.try_send(message).is_ok()
    }

    pub(crate) fn cut(self) {
        self.pump.abort();
    }
}

/// Calls the service without a socket and writes down what it says. Ends with the stream, or when it is aborted.
async fn pump<S: WorkerSessions>(
    service: WorkerSessionsServer<S>,
    link: LinkId,
    outgoing: mpsc::Receiver<v1::WorkerMessage>,
    agenda: Arc<Agenda>,
) {
    let mut client = WorkerSessionsClient::new(service);
    let ended = match client.open(ReceiverStream::new(outgoing)).await {
        Ok(response) => {
            let mut stream = response.into_inner();
            loop {
                match stream.message().await {
                    Ok(Some(message)) => {
                        agenda.add(agenda.now(), Actor::Link(link), Event::FromServer(link, message));
                    }
                    Ok(None) => break None,
                    Err(status) => break leader_of(&status),
                }
            }
        }
        Err(status) => leader_of(&status),
    };
    agenda.add(agenda.now(), Actor::Link(link), Event::EndedByServer(link, ended));
}

fn leader_of(status: &Status) -> Option<usize> {
    let leader = status.metadata().get(LEADER_METADATA)?.to_str().ok()?;
    leader.strip_prefix("node-")?.parse().ok()
}

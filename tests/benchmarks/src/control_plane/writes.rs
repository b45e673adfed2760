//! Writes in closed loops: each client sends its next one when the one before is acknowledged.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tonic::transport::Channel;
use towpath_testkit::wait_until;
use towpath_wire::v1;
use towpath_wire::v1::connectors_client::ConnectorsClient;

use super::worker::{CLASS, Worker};
use crate::Outcome;
use crate::group::Group;

/// Of one measurement.
const DURATION: Duration = Duration::from_secs(5);
/// Before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);
/// One for the latency, many for the throughput.
const CLIENTS: [usize; 2] = [1, 32];
const WORKERS: usize = 32;
const TASKS_A_WORKER: usize = 10;
const READY: Duration = Duration::from_secs(60);

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// A worker commits the offsets of all of its tasks.
    Commit,
    /// A user puts a changed configuration of a stopped connector; a worker validates it.
    Put,
}

impl Write {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Put => "put",
        }
    }
}

/// One measurement.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) nodes: usize,
    pub(crate) write: Write,
    pub(crate) clients: usize,
    pub(crate) seconds: f64,
    /// Ascending.
    pub(crate) latencies: Vec<Duration>,
}

/// Somebody who writes.
enum Client {
    Worker(Box<Worker>),
    User {
        connectors: ConnectorsClient<Channel>,
        name: String,
        count: u64,
    },
}

pub(crate) async fn measure(count: usize) -> Outcome<Vec<Figures>> {
    let folder = tempfile::tempdir()?;
    let group = Group::start("", folder.path(), count, 0).await?;
    let endpoints: Vec<String> = (0..count).map(|node| group.grpc_url(node)).collect();
    let (leader, mut workers) = register(&endpoints).await?;
    let channel = Channel::from_shared(leader)?.connect().await?;
    let mut connectors = ConnectorsClient::new(channel);
    give_tasks(&mut connectors, &workers).await?;
    let mut figures = Vec::new();
    for clients in CLIENTS {
        let idle = workers.split_off(clients);
        let writers = workers.into_iter().map(|worker| Client::Worker(Box::new(worker)));
        let (writers, seconds, latencies) = write(writers.collect()).await?;
        workers = writers
            .into_iter()
            .filter_map(Client::into_worker)
            .chain(idle)
            .collect();
        figures.push(Figures {
            nodes: count,
            write: Write::Commit,
            clients,
            seconds,
            latencies,
        });
    }
    for clients in CLIENTS {
        let mut users = Vec::new();
        for number in 0..clients {
            users.push(user(&mut connectors, &format!("stopped-{clients}-{number}")).await?);
        }
        let (_, seconds, latencies) = write(users).await?;
        figures.push(Figures {
            nodes: count,
            write: Write::Put,
            clients,
            seconds,
            latencies,
        });
    }
    drop(workers);
    Ok(figures)
}

/// All workers at the leader, whose address comes with them.
async fn register(endpoints: &[String]) -> Outcome<(String, Vec<Worker>)> {
    let begun = Instant::now();
    let mut workers = Vec::new();
    for endpoint in endpoints.iter().cycle() {
        while let Some(worker) = Worker::register(endpoint, workers.len()).await? {
            workers.push(worker);
            if workers.len() == WORKERS {
                return Ok((endpoint.clone(), workers));
            }
        }
        if !workers.is_empty() {
            return Err("the leader changed while workers registered: run it again".into());
        }
        if begun.elapsed() > READY {
            break;
        }
        // Nobody leads yet.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("no node led within {READY:?}").into())
}

async fn give_tasks(connectors: &mut ConnectorsClient<Channel>, workers: &[Worker]) -> Outcome<()> {
    for number in 0..WORKERS {
        let mut config = config(0);
        config
            .entries
            .push(entry("tasks.max", &TASKS_A_WORKER.to_string()));
        let create = v1::CreateConnectorRequest {
            name: format!("running-{number}"),
            config: Some(config),
            initial_state: v1::TargetState::Running.into(),
        };
        connectors.create(create).await?;
    }
    let all_run = || std::future::ready(workers.iter().all(|worker| worker.task_count() == TASKS_A_WORKER));
    wait_until("every worker to have its tasks", READY, all_run).await?;
    Ok(())
}

async fn user(connectors: &mut ConnectorsClient<Channel>, name: &str) -> Outcome<Client> {
    let create = v1::CreateConnectorRequest {
        name: name.to_owned(),
        config: Some(config(0)),
        initial_state: v1::TargetState::Stopped.into(),
    };
    connectors.create(create).await?;
    Ok(Client::User {
        connectors: connectors.clone(),
        name: name.to_owned(),
        count: 0,
    })
}

fn config(value: u64) -> v1::Config {
    v1::Config {
        entries: vec![
            entry("connector.class", CLASS),
            entry("topic", "simulated"),
            entry("value", &value.to_string()),
        ],
    }
}

fn entry(key: &str, value: &str) -> v1::ConfigEntry {
    v1::ConfigEntry {
        key: key.to_owned(),
        value: Some(value.to_owned()),
    }
}

/// All clients at once; gives them back with how long it took and each latency.
async fn write(clients: Vec<Client>) -> Outcome<(Vec<Client>, f64, Vec<Duration>)> {
    let mut loops = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    for (number, client) in clients.into_iter().enumerate() {
        loops.spawn(async move {
            (
                number,
                write_on(client, begin).await.map_err(|error| error.to_string()),
            )
        });
    }
    let (mut clients, mut latencies) = (Vec::new(), Vec::new());
    for (number, written) in loops.join_all().await {
        let (client, more) = written?;
        clients.push((number, client));
        latencies.extend(more);
    }
    latencies.sort_unstable();
    clients.sort_by_key(|(number, _)| *number);
    let clients = clients.into_iter().map(|(_, client)| client).collect();
    Ok((clients, DURATION.as_secs_f64(), latencies))
}

/// Those that are acknowledged in the time that is measured count.
async fn write_on(mut client: Client, begin: Instant) -> Outcome<(Client, Vec<Duration>)> {
    let mut latencies = Vec::new();
    loop {
        let sent = Instant::now();
        client.write().await?;
        let acknowledged = Instant::now();
        if acknowledged > begin + DURATION {
            return Ok((client, latencies));
        }
        if acknowledged >= begin {
            latencies.push(acknowledged - sent);
        }
    }
}

impl Client {
    async fn write(&mut self) -> Outcome<()> {
        match self {
            Self::Worker(worker) => worker.commit().await,
            Self::User {
                connectors,
                name,
                count,
            } => {
                *count += 1;
                let put = v1::PutConfigRequest {
                    name: name.clone(),
                    config: Some(config(*count)),
                };
                connectors.put_config(put).await?;
                Ok(())
            }
        }
    }

    fn into_worker(self) -> Option<Worker> {
        match self {
            Self::Worker(worker) => Some(*worker),
            Self::User { .. } => None,
        }
    }
}

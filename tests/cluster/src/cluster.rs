//! All processes of a run, each in its network: three nodes, three workers, a broker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;
use towpath_testkit::binary;
use towpath_testkit::process::ProcessError;

use crate::broker::Broker;
use crate::clients::{Api, Grpc, Rest};
use crate::clock::{self, ClockError};
use crate::disk::{Disk, DiskError};
use crate::network::Network;
use crate::plan::{Delivery, NODES, Place, Plan, WORKERS};
use crate::program::{Program, ProgramError, Spec};
use crate::shell::ShellError;
use crate::watch::Watch;

const REST_PORT: u16 = 8083;
const GRPC_PORT: u16 = 7083;
const PEER_PORT: u16 = 7084;
/// Where exactly-once sources keep their offsets.
pub(crate) const OFFSETS: &str = "offsets";
pub(crate) const OFFSETS_PARTITIONS: u32 = 5;
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// The processes could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(transparent)]
    Shell(#[from] ShellError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("the address of a node cannot be used")]
    Address(#[from] tonic::transport::Error),
    #[error("could not write `{file}`")]
    Write {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Clock(#[from] ClockError),
}

/// Dropping it ends and removes everything, in this order.
#[derive(Debug)]
pub struct Cluster {
    /// Locked for as long as a fault of the process lasts.
    pub programs: BTreeMap<Place, Mutex<Program>>,
    pub broker: Mutex<Broker>,
    /// Of the nodes whose disk gets full.
    pub disks: BTreeMap<usize, Disk>,
    pub network: Network,
}

struct Setting<'a> {
    plan: &'a Plan,
    folder: &'a Path,
    network: &'a Network,
    watch: &'a Arc<Watch>,
}

impl Cluster {
    /// Starts everything; only the broker is waited for.
    ///
    /// # Errors
    /// When something cannot be made or started.
    pub async fn start(plan: &Plan, folder: &Path, watch: &Arc<Watch>) -> Result<Self, ClusterError> {
        let network = Network::create().await?;
        let setting = Setting {
            plan,
            folder,
            network: &network,
            watch,
        };
        let mut disks = BTreeMap::new();
        for node in (0..NODES).filter(|node| plan.fills_disk_of(*node)) {
            disks.insert(node, Disk::mount(setting.data_of(node)).await?);
        }
        let mut programs = BTreeMap::new();
        for node in 0..NODES {
            programs.insert(Place::Node(node), Mutex::new(setting.node(node)?));
        }
        let broker = Broker::start(
            network.enter(Place::Broker),
            network.address(Place::Broker),
            folder.join("services"),
            plan.partitions,
        );
        let broker = broker.await?;
        for worker in 0..WORKERS {
            let program = setting.worker(worker, &broker.bootstrap())?;
            programs.insert(Place::Worker(worker), Mutex::new(program));
        }
        Ok(Self {
            programs,
            broker: Mutex::new(broker),
            disks,
            network,
        })
    }

    /// # Errors
    /// When an address cannot be used.
    pub fn api(&self, folder: &Path) -> Result<Api, ClusterError> {
        let address = |node, port| format!("{}:{port}", self.network.address(Place::Node(node)));
        let grpc = (0..NODES).map(|node| Grpc::new(&address(node, GRPC_PORT)));
        Ok(Api {
            rest: (0..NODES)
                .map(|node| Rest::new(format!("http://{}", address(node, REST_PORT))))
                .collect(),
            grpc: grpc.collect::<Result<_, _>>()?,
            template: source(&folder.join("nothing.txt"), "api"),
        })
    }
}

/// A file source, and where it writes.
pub fn source(file: &Path, topic: &str) -> Vec<(String, String)> {
    let pairs = [
        ("connector.class", "FileStreamSource"),
        ("tasks.max", "1"),
        ("file", &file.to_string_lossy()),
        ("topic", topic),
        // Small, so that there is much to be in the middle of.
        ("batch.size", "20"),
    ];
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
}

impl Setting<'_> {
    fn data_of(&self, node: usize) -> PathBuf {
        self.folder.join(format!("{}-data", Place::Node(node)))
    }

    fn node(&self, node: usize) -> Result<Program, ClusterError> {
        let address = |node| self.network.address(Place::Node(node));
        let members: Vec<String> = (0..NODES)
            .map(|node| format!("{}={}:{PEER_PORT}/{GRPC_PORT}", node + 1, address(node)))
            .collect();
        let own = address(node);
        let arguments = vec![
            format!("--node-id={}", node + 1),
            format!("--initial-members={}", members.join(",")),
            format!("--rest-address={own}:{REST_PORT}"),
            format!("--grpc-address={own}:{GRPC_PORT}"),
            format!("--peer-address={own}:{PEER_PORT}"),
            format!("--data-dir={}", self.data_of(node).display()),
        ];
        self.program(Place::Node(node), "towpath-control-plane", arguments)
    }

    fn worker(&self, worker: usize, bootstrap: &str) -> Result<Program, ClusterError> {
        let place = Place::Worker(worker);
        let file = self.folder.join(format!("{place}.properties"));
        std::fs::write(&file, self.properties(place, bootstrap)).map_err(|source| ClusterError::Write {
            file: file.clone(),
            source,
        })?;
        self.program(place, "towpath-worker", vec![file.display().to_string()])
    }

    fn properties(&self, place: Place, bootstrap: &str) -> String {
        let endpoints: Vec<String> = (0..NODES)
            .map(|node| format!("{}:{GRPC_PORT}", self.network.address(Place::Node(node))))
            .collect();
        let exactly_once = match self.plan.delivery {
            Delivery::AtLeastOnce => String::new(),
            Delivery::ExactlyOnce => format!(
                "exactly.once.source.support=enabled\n\
                 offset.storage.topic={OFFSETS}\n\
                 offset.storage.partitions={OFFSETS_PARTITIONS}\n\
                 offset.storage.replication.factor=1\n\
                 consumer.isolation.level=read_committed\n"
            ),
        };
        format!(
            "bootstrap.servers={bootstrap}\n\
             group.id=cluster\n\
             control.plane.endpoints={}\n\
             worker.id={place}:8083\n\
             worker.admin.listener=127.0.0.1:0\n\
             key.converter={STRING}\n\
             value.converter={STRING}\n\
             offset.flush.interval.ms=500\n\
             consumer.heartbeat.interval.ms=1000\n\
             {exactly_once}",
            endpoints.join(",")
        )
    }

    fn program(&self, place: Place, name: &str, arguments: Vec<String>) -> Result<Program, ClusterError> {
        let log = self.folder.join(format!("{place}.log"));
        self.watch.follow(place, log.clone());
        let clock = if self.plan.sets_clock_of(place) {
            let libraries = clock::libraries(self.folder)?;
            Some((self.folder.join(format!("{place}.clock")), libraries))
        } else {
            None
        };
        let spec = Spec {
            place,
            enter: self.network.enter(place),
            binary: binary(name)?,
            arguments,
            log,
            clock,
        };
        Ok(Program::start(spec, Arc::clone(self.watch))?)
    }
}

//! The worker process: a session with the control plane, the units it assigns, the plugins of this build.
//!
//! [`Worker::start`] is also what `towpath dev` and `towpath standalone` use, in one process with the control plane.

mod admin;
mod answers;
mod logging;
mod outbox;
mod providers;
mod reconcile;
pub mod registry;
mod session;
pub mod settings;

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use towpath_runtime::backoff::Backoff;
use towpath_runtime::clients::KafkaClients;
use towpath_runtime::pipeline::Plugins;
use towpath_runtime::plugin_view::{config_keys, plugin_infos};
use towpath_runtime::unit::Environment;
use towpath_wire::v1;
use tracing::{info, warn};

pub use logging::log_filter;
pub use session::Identity;
pub use settings::{SettingsError, WorkerSettings};

use crate::answers::{Answering, Answers};
use crate::outbox::Outbox;
use crate::reconcile::{Departure, Reconciler, Wanted};
use crate::session::{Session, SessionOutputs};

/// The version of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// First wait after Kafka did not answer.
const FIRST_CLUSTER_RETRY: Duration = Duration::from_millis(500);
/// Longest wait after Kafka did not answer.
const MAX_CLUSTER_RETRY: Duration = Duration::from_secs(10);
/// How long the session may take to say its last words.
const SESSION_STOP: Duration = Duration::from_secs(1);

/// Why a worker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("the admin port cannot listen on {address}; choose another with `worker.admin.listener`")]
    AdminPort {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
}

/// What a worker runs with beside its settings.
pub struct Worker {
    pub settings: WorkerSettings,
    pub clients: Arc<dyn KafkaClients>,
}

/// A worker that was started.
#[derive(Debug)]
pub struct RunningWorker {
    pub admin_address: Option<SocketAddr>,
    registered: watch::Receiver<bool>,
    stop_units: CancellationToken,
    stop_session: CancellationToken,
    units: JoinSet<()>,
    rest: JoinSet<()>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts everything; returns once the ports are bound, before the control plane has answered.
    ///
    /// # Errors
    /// When the admin port cannot be bound.
    pub async fn start(self) -> Result<RunningWorker, WorkerError> {
        let outbox = Arc::new(Outbox::default());
        let plugins = Arc::new(registry::plugins());
        let settings = &self.settings;
        let environment = Environment {
            plugins: Plugins {
                set: Arc::clone(&plugins),
                worker: Arc::clone(&settings.config),
            },
            clients: Arc::clone(&self.clients),
            offsets: Arc::clone(&outbox) as _,
            reports: Arc::clone(&outbox) as _,
            resolve: Arc::clone(&settings.resolve),
            settings: settings.runtime,
            offsets_in_kafka: settings.offsets_in_kafka.clone(),
            fences: Arc::default(),
        };
        let cluster_id = Arc::new(OnceLock::new());
        let (wanted_sender, wanted) = watch::channel(Arc::new(Wanted::default()));
        let (lease_sender, lease) = watch::channel(None);
        let (registered_sender, registered) = watch::channel(false);
        let departure = Departure::default();
        let reconciler = Reconciler::new(
            environment.clone(),
            Arc::clone(&outbox),
            wanted,
            (lease, settings.lease_lost_policy),
            departure.clone(),
        );
        let session = Session {
            endpoints: settings.control_plane_endpoints.clone(),
            identity: self.identity(&plugins, &cluster_id),
            outbox,
            departure,
            answers: Answers::new(Answering {
                environment,
                defaults: Arc::clone(&settings.defaults),
            }),
            outputs: SessionOutputs {
                wanted: wanted_sender,
                lease: lease_sender,
                registered: registered_sender,
            },
        };
        let (stop_units, stop_session) = (CancellationToken::new(), CancellationToken::new());
        let (mut units, mut rest) = (JoinSet::new(), JoinSet::new());
        let admin_address = self.start_admin(&registered, (&mut rest, &stop_session)).await?;
        rest.spawn(find_cluster_id(
            Arc::clone(&self.clients),
            cluster_id,
            stop_session.clone(),
        ));
        units.spawn(reconciler.run(stop_units.clone()));
        rest.spawn(session.run(stop_session.clone()));
        info!(worker = settings.worker_id, version = VERSION, "worker ready");
        Ok(RunningWorker {
            admin_address,
            registered,
            stop_units,
            stop_session,
            units,
            rest,
        })
    }

    async fn start_admin(
        &self,
        registered: &watch::Receiver<bool>,
        (set, stop): (&mut JoinSet<()>, &CancellationToken),
    ) -> Result<Option<SocketAddr>, WorkerError> {
        let Some(address) = self.settings.admin_listener else {
            return Ok(None);
        };
        let failed = |source| WorkerError::AdminPort { address, source };
        let listener = admin::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let state = admin::AdminState {
            worker_id: self.settings.worker_id.as_str().into(),
            registered: registered.clone(),
        };
        set.spawn(admin::serve(listener, state, stop.clone()));
        Ok(Some(bound))
    }

    fn identity(&self, plugins: &towpath_connect::PluginSet, cluster_id: &Arc<OnceLock<String>>) -> Identity {
        Identity {
            worker_id: self.settings.worker_id.clone(),
            version: VERSION.to_owned(),
            group_id: self.settings.group_id.clone(),
            kafka_cluster_id: Arc::clone(cluster_id),
            labels: self.settings.labels.clone().into_iter().collect(),
            process_id: format!("{:032x}", rand::random::<u128>()),
            plugins: registered_plugins(plugins),
        }
    }
}

/// Asks the brokers for the id of their cluster until one answers.
async fn find_cluster_id(
    clients: Arc<dyn KafkaClients>,
    found: Arc<OnceLock<String>>,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::new(FIRST_CLUSTER_RETRY, MAX_CLUSTER_RETRY);
    loop {
        let asked = tokio::select! { asked = clients.cluster_id() => asked, () = stop.cancelled() => return };
        match asked {
            Ok(id) => {
                info!(kafka_cluster_id = id, "Kafka answers");
                // Set by nobody else.
                let _ours = found.set(id);
                return;
            }
            Err(error) if backoff.attempts() == 0 => {
                warn!(error = %towpath_connect::error::Chain(&error), "Kafka does not answer; trying until it does");
            }
            Err(_still_away) => {}
        }
        let wait = backoff.next_wait();
        tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => return }
    }
}

/// The plugins as the control plane is told of them.
fn registered_plugins(plugins: &towpath_connect::PluginSet) -> Vec<v1::RegisteredPlugin> {
    plugin_infos(plugins, false)
        .into_iter()
        .map(|info| {
            let keys = config_keys(plugins, info.class, None).unwrap_or_default();
            v1::RegisteredPlugin {
                class: info.class.to_owned(),
                r#type: info.kind.to_owned(),
                version: info.version.to_owned(),
                names: plugins.names_of(info.class).map(str::to_owned).collect(),
                keys_json: serde_json::to_string(&keys).expect("configuration keys have a JSON form"),
            }
        })
        .collect()
}

impl RunningWorker {
    /// Waits until the control plane knows this worker.
    pub async fn wait_registered(&mut self) {
        // An error means that the session has ended, which only `stop` brings about.
        let _ended = self.registered.wait_for(|registered| *registered).await;
    }

    /// Whether the control plane knows this worker now.
    pub fn is_registered(&self) -> bool {
        *self.registered.borrow()
    }

    /// Stops the units (each commits, closes and is given back), then the session.
    pub async fn stop(mut self) {
        self.stop_units.cancel();
        while self.units.join_next().await.is_some() {}
        self.stop_session.cancel();
        if timeout(SESSION_STOP, async {
            while self.rest.join_next().await.is_some() {}
        })
        .await
        .is_err()
        {
            warn!("the session did not end in time");
            self.rest.shutdown().await;
        }
        info!("worker stopped");
    }
}

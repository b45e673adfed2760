//! A worker over the real session protocol, whose plugins follow [`crate::script`]. It keeps what it runs when its
//! session is lost, as a real one does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Streaming};
use towpath_types::UnitId;
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as Said;
use towpath_wire::v1::worker_message::Message as Says;
use towpath_wire::v1::worker_sessions_client::WorkerSessionsClient;

use crate::cluster::{DEADLINE, LEASE};
use crate::script;

const HEARTBEAT: Duration = Duration::from_millis(200);
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

#[derive(Clone)]
pub(crate) struct WorkerOptions {
    pub(crate) id: String,
    /// Which process it says to be.
    pub(crate) process: String,
    /// Whether it answers `confirm`. Older versions do not.
    pub(crate) confirms: bool,
    pub(crate) plugins: Vec<v1::RegisteredPlugin>,
    /// What runs here from an earlier session.
    pub(crate) running: BTreeMap<UnitId, u64>,
    /// Whether questions are answered.
    pub(crate) answers: bool,
    /// The lease that it must be given.
    pub(crate) lease: Duration,
}

impl WorkerOptions {
    pub(crate) fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            process: format!("process of {id}"),
            confirms: true,
            plugins: script::plugins(),
            running: BTreeMap::new(),
            answers: true,
            lease: LEASE,
        }
    }
}

/// Dropping it is a crash.
pub(crate) struct ScriptedWorker {
    pub(crate) session: String,
    says: mpsc::Sender<v1::WorkerMessage>,
    heard: tokio::sync::Mutex<mpsc::Receiver<Said>>,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

/// A worker that has registered and has not confirmed it yet.
pub(crate) struct Asked {
    says: mpsc::Sender<v1::WorkerMessage>,
    inbound: Streaming<v1::ControlMessage>,
}

impl Asked {
    /// Why the control plane does not take it once it has said this.
    pub(crate) async fn refused_for(mut self, message: Says) -> tonic::Status {
        say(&self.says, message).await;
        self.inbound.message().await.expect_err("a refusal")
    }
}

struct Shared {
    running: Mutex<BTreeMap<UnitId, u64>>,
    targets: Mutex<BTreeMap<UnitId, i32>>,
    /// How many times each unit was started.
    starts: Mutex<BTreeMap<UnitId, u32>>,
    is_silent: AtomicBool,
    /// It looks at no assignment any more.
    is_leaving: AtomicBool,
    answers: bool,
}

impl ScriptedWorker {
    pub(crate) async fn start(address: SocketAddr, options: WorkerOptions) -> Self {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut client = WorkerSessionsClient::new(channel.connect().await.unwrap())
            .max_decoding_message_size(MAX_MESSAGE_BYTES);
        let (says, mut inbound) = open(&mut client, &options).await;
        if options.confirms {
            confirm(&says, &mut inbound).await;
        }
        let first = inbound.message().await.unwrap().unwrap().message.unwrap();
        let Said::Registered(registered) = first else {
            panic!("expected `registered`, got {first:?}")
        };
        assert_eq!(u128::from(registered.lease_ms), options.lease.as_millis());
        let shared = Arc::new(Shared {
            running: Mutex::new(options.running),
            targets: Mutex::default(),
            starts: Mutex::default(),
            is_silent: AtomicBool::new(false),
            is_leaving: AtomicBool::new(false),
            answers: options.answers,
        });
        let (hears, heard) = mpsc::channel(1_024);
        let mut tasks = JoinSet::new();
        tasks.spawn(beat(says.clone(), Arc::clone(&shared)));
        tasks.spawn(follow(inbound, says.clone(), hears, Arc::clone(&shared)));
        Self {
            session: registered.session_id,
            says,
            heard: heard.into(),
            shared,
            tasks,
        }
    }

    /// Why the control plane does not take this worker.
    pub(crate) async fn refused(address: SocketAddr, options: WorkerOptions) -> tonic::Status {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut client = WorkerSessionsClient::new(channel.connect().await.unwrap());
        let (says, mut inbound) = open(&mut client, &options).await;
        confirm(&says, &mut inbound).await;
        inbound.message().await.expect_err("a refusal")
    }

    /// One that was asked whether it is still there, and says this now.
    pub(crate) async fn asked(address: SocketAddr, options: WorkerOptions) -> Asked {
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
        let mut client = WorkerSessionsClient::new(channel.connect().await.unwrap());
        let (says, mut inbound) = open(&mut client, &options).await;
        question(&mut inbound).await;
        Asked { says, inbound }
    }

    /// Units and their epochs.
    pub(crate) fn running(&self) -> BTreeMap<UnitId, u64> {
        self.shared.running.lock().unwrap().clone()
    }

    pub(crate) fn starts(&self, unit: &UnitId) -> u32 {
        self.shared
            .starts
            .lock()
            .unwrap()
            .get(unit)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) async fn wait_until_running(&self, is_wanted: impl Fn(&BTreeMap<UnitId, u64>) -> bool) {
        let begun = tokio::time::Instant::now();
        while !is_wanted(&self.running()) {
            assert!(
                begun.elapsed() < DEADLINE,
                "the worker still runs {:?}",
                self.running()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends nothing by itself any more; the connection stays.
    pub(crate) fn go_silent(&self) {
        self.shared.is_silent.store(true, Ordering::Relaxed);
    }

    /// As a worker that stops: assignments change nothing, and each unit is given back by hand when it has ended.
    pub(crate) fn leave(&self) {
        self.shared.is_leaving.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn say(&self, message: Says) {
        say(&self.says, message).await;
    }

    /// The next answer to something that was said by hand.
    pub(crate) async fn hear(&self) -> Said {
        let mut heard = self.heard.lock().await;
        tokio::time::timeout(DEADLINE, heard.recv())
            .await
            .expect("an answer")
            .expect("a session")
    }

    /// Waits until the control plane has ended the session.
    pub(crate) async fn ended(&mut self) {
        self.go_silent();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(DEADLINE, ended)
            .await
            .expect("the session ends");
    }

    /// The connection is gone, what runs goes on: for a later session of the same worker.
    pub(crate) fn crash(self) -> BTreeMap<UnitId, u64> {
        self.running()
    }
}

/// A node that does not lead yet says so; then the worker tries again.
async fn open(
    client: &mut WorkerSessionsClient<Channel>,
    options: &WorkerOptions,
) -> (mpsc::Sender<v1::WorkerMessage>, Streaming<v1::ControlMessage>) {
    let begun = tokio::time::Instant::now();
    loop {
        let (says, outbound) = mpsc::channel(64);
        say(&says, Says::Register(registration(options))).await;
        match client.open(ReceiverStream::new(outbound)).await {
            Ok(response) => return (says, response.into_inner()),
            Err(status) => assert!(
                status.code() == Code::Unavailable && begun.elapsed() < DEADLINE,
                "{status}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn registration(options: &WorkerOptions) -> v1::Register {
    let running = options.running.iter();
    v1::Register {
        worker_id: options.id.clone(),
        version: "0.1.0".into(),
        labels: [("zone".to_owned(), "a".to_owned())].into(),
        plugins: options.plugins.clone(),
        kafka_cluster_id: "CLUSTERID".into(),
        running: running
            .map(|(unit, epoch)| v1::RunningUnit {
                unit: Some(unit.into()),
                epoch: *epoch,
            })
            .collect(),
        group_id: "connect-cluster".into(),
        process_id: options.process.clone(),
        confirms: options.confirms,
    }
}

async fn question(inbound: &mut Streaming<v1::ControlMessage>) {
    let question = inbound.message().await.unwrap().unwrap().message;
    assert_eq!(question, Some(Said::Confirm(v1::Confirm {})));
}

async fn confirm(says: &mpsc::Sender<v1::WorkerMessage>, inbound: &mut Streaming<v1::ControlMessage>) {
    question(inbound).await;
    say(says, Says::Confirmed(v1::Confirmed {})).await;
}

async fn say(says: &mpsc::Sender<v1::WorkerMessage>, message: Says) {
    // A session that is over hears nothing; the test sees that elsewhere.
    says.send(v1::WorkerMessage {
        message: Some(message),
    })
    .await
    .ok();
}

async fn beat(says: mpsc::Sender<v1::WorkerMessage>, shared: Arc<Shared>) {
    for sequence in 0.. {
        if shared.is_silent.load(Ordering::Relaxed) {
            return;
        }
        say(
            &says,
            Says::Heartbeat(v1::Heartbeat {
                sequence,
                kafka_cluster_id: String::new(),
            }),
        )
        .await;
        tokio::time::sleep(HEARTBEAT).await;
    }
}

async fn follow(
    mut inbound: Streaming<v1::ControlMessage>,
    says: mpsc::Sender<v1::WorkerMessage>,
    hears: mpsc::Sender<Said>,
    shared: Arc<Shared>,
) {
    while let Ok(Some(message)) = inbound.message().await {
        match message.message.unwrap() {
            Said::Assignment(assignment) if !shared.is_leaving.load(Ordering::Relaxed) => {
                follow_assignment(assignment, &says, &shared).await;
            }
            Said::Request(request) if shared.answers => answer(request, &says).await,
            Said::Request(_) | Said::HeartbeatAck(_) | Said::Assignment(_) => {}
            other => hears.send(other).await.unwrap(),
        }
    }
}

async fn answer(request: v1::WorkerRequest, says: &mpsc::Sender<v1::WorkerMessage>) {
    let answer = match request.request.unwrap() {
        v1::worker_request::Request::Validate(validate) => {
            v1::worker_answer::Answer::Validated(script::validate(&validate.config.unwrap().into()))
        }
        v1::worker_request::Request::GroupOffsets(_) => {
            v1::worker_answer::Answer::Offsets(v1::OffsetsAnswer {
                offsets: script::group_offsets(),
            })
        }
        v1::worker_request::Request::ChangeOffsets(question) => script::change_offsets(question),
    };
    let answer = v1::WorkerAnswer {
        request_id: request.request_id,
        answer: Some(answer),
    };
    say(says, Says::Answer(answer)).await;
}

/// Makes what runs here equal to what is wanted, and says what changed.
async fn follow_assignment(
    assignment: v1::Assignment,
    says: &mpsc::Sender<v1::WorkerMessage>,
    shared: &Shared,
) {
    let changed = shared.take_up(&assignment.units);
    let releases = assignment.releases.into_iter().map(|release| v1::UnitReport {
        unit: release.unit,
        epoch: release.epoch,
        ended: true,
        ..Default::default()
    });
    let reports: Vec<_> = changed.iter().map(report).chain(releases).collect();
    if !reports.is_empty() {
        say(says, Says::UnitReports(v1::UnitReports { reports })).await;
    }
    for desired in changed {
        if is_running_instance(&desired) {
            publish_tasks(desired, says).await;
        } else if desired.task_config.is_some() {
            begin_task(desired, says).await;
        }
    }
}

impl Shared {
    /// The units that start anew or have another target state.
    fn take_up(&self, units: &[v1::DesiredUnit]) -> Vec<v1::DesiredUnit> {
        let mut running = self.running.lock().unwrap();
        let mut targets = self.targets.lock().unwrap();
        let wanted: BTreeMap<UnitId, &v1::DesiredUnit> = units
            .iter()
            .map(|desired| (desired.unit.clone().unwrap().try_into().unwrap(), desired))
            .collect();
        running.retain(|unit, _| wanted.contains_key(unit));
        targets.retain(|unit, _| wanted.contains_key(unit));
        let mut changed = Vec::new();
        for (unit, desired) in wanted {
            let is_new_run = running.insert(unit.clone(), desired.epoch) != Some(desired.epoch);
            if is_new_run {
                *self.starts.lock().unwrap().entry(unit.clone()).or_default() += 1;
            }
            if targets.insert(unit, desired.target_state) != Some(desired.target_state) || is_new_run {
                changed.push(desired.clone());
            }
        }
        changed
    }
}

fn is_running_instance(desired: &v1::DesiredUnit) -> bool {
    desired.task_config.is_none() && desired.target_state() == v1::TargetState::Running
}

fn report(desired: &v1::DesiredUnit) -> v1::UnitReport {
    let config = desired
        .task_config
        .clone()
        .or(desired.connector_config.clone())
        .unwrap_or_default()
        .into();
    let mut report = script::task_report(desired.unit.clone().unwrap(), desired.epoch, &config);
    let state = match (desired.target_state(), desired.task_config.is_some()) {
        (v1::TargetState::Paused, _) => Some(v1::UnitState::Paused),
        (v1::TargetState::Stopped, _) => Some(v1::UnitState::Stopped),
        // Only tasks fail.
        (_, false) => Some(v1::UnitState::Running),
        (_, true) => None,
    };
    if let Some(state) = state {
        report.state = state.into();
        report.trace = None;
    }
    report
}

async fn publish_tasks(desired: v1::DesiredUnit, says: &mpsc::Sender<v1::WorkerMessage>) {
    let config = desired.connector_config.unwrap_or_default().into();
    let configs = v1::TaskConfigs {
        connector: desired.unit,
        epoch: desired.epoch,
        configs: script::task_configs(&config),
        connector_revision: desired.connector_revision,
    };
    say(says, Says::TaskConfigs(configs)).await;
}

/// A task says which topic it uses.
async fn begin_task(task: v1::DesiredUnit, says: &mpsc::Sender<v1::WorkerMessage>) {
    let unit = task.unit.unwrap();
    let used = v1::TopicsUsed {
        connector: unit.connector.clone(),
        task: unit.task.unwrap_or_default(),
        topics: vec!["rec-topic".into()],
    };
    say(says, Says::TopicsUsed(used)).await;
}

//! A worker that runs nothing: it holds a session, accepts whatever it is assigned, reports it as running, and commits
//! offsets when it is told to. One task follows the control plane, one sends heartbeats; both end with the worker.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as Heard;
use towpath_wire::v1::worker_message::Message as Said;
use towpath_wire::v1::worker_sessions_client::WorkerSessionsClient;

use crate::Outcome;

/// The plugin that these workers claim to have.
pub(crate) const CLASS: &str = "org.example.Simulated";
const VERSION: &str = "1.0";
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
const MAX_UNSENT: usize = 1_024;

pub(crate) struct Worker {
    says: mpsc::Sender<v1::WorkerMessage>,
    committed: mpsc::Receiver<v1::OffsetCommitted>,
    running: Arc<Running>,
    commits: u64,
    _tasks: JoinSet<()>,
}

/// What it was told to run, by epoch and target state. A std mutex: never held across an await.
#[derive(Default)]
struct Running(Mutex<BTreeMap<UnitName, Run>>);

/// The connector and the task's number, none for the connector itself.
type UnitName = (String, Option<u32>);
/// The epoch and the target state.
type Run = (u64, i32);

impl Worker {
    /// At a node that leads; `None` if this one does not.
    pub(crate) async fn register(endpoint: &str, number: usize) -> Outcome<Option<Self>> {
        let Ok(client) = WorkerSessionsClient::connect(endpoint.to_owned()).await else {
            return Ok(None);
        };
        let (says, outbound) = mpsc::channel(MAX_UNSENT);
        says.send(message(Said::Register(registration(number)))).await?;
        let mut client = client.max_decoding_message_size(MAX_MESSAGE_BYTES);
        let Ok(response) = client.open(ReceiverStream::new(outbound)).await else {
            return Ok(None);
        };
        let mut inbound = response.into_inner();
        let Ok(Some(first)) = inbound.message().await else {
            return Ok(None);
        };
        let Some(Heard::Registered(registered)) = first.message else {
            return Err(format!("a registration was answered with {first:?}").into());
        };
        let interval = Duration::from_millis(registered.heartbeat_interval_ms.into());
        let running = Arc::new(Running::default());
        let (answers, committed) = mpsc::channel(MAX_UNSENT);
        let mut tasks = JoinSet::new();
        tasks.spawn(beat(says.clone(), interval));
        tasks.spawn(follow(inbound, says.clone(), Arc::clone(&running), answers));
        Ok(Some(Self {
            says,
            committed,
            running,
            commits: 0,
            _tasks: tasks,
        }))
    }

    /// How many tasks it runs.
    pub(crate) fn task_count(&self) -> usize {
        self.running.tasks().len()
    }

    /// One offset of each of its tasks in one batch, as a worker does at each flush; returns when it is acknowledged.
    pub(crate) async fn commit(&mut self) -> Outcome<()> {
        self.commits += 1;
        let offset = self.commits;
        let units = self
            .running
            .tasks()
            .into_iter()
            .map(|(unit, epoch)| v1::UnitOffsets {
                unit: Some(unit),
                epoch,
                offsets: vec![v1::Offset {
                    partition_json: r#"{"filename":"/var/log/simulated"}"#.to_owned(),
                    offset_json: Some(format!(r#"{{"position":{offset}}}"#)),
                }],
                in_kafka: Vec::new(),
            });
        let commit = v1::OffsetCommit {
            request_id: self.commits,
            units: units.collect(),
        };
        self.says.send(message(Said::OffsetCommit(commit))).await?;
        let answer = self.committed.recv().await.ok_or("the session has ended")?;
        match answer.error {
            None if answer.refused.is_empty() => Ok(()),
            None => Err(format!("offsets of {:?} were refused", answer.refused).into()),
            Some(error) => Err(error.into()),
        }
    }
}

impl Running {
    fn tasks(&self) -> Vec<(v1::UnitId, u64)> {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = running.iter().filter(|((_, task), _)| task.is_some());
        tasks
            .map(|((connector, task), (epoch, _))| {
                let connector = connector.clone();
                (
                    v1::UnitId {
                        connector,
                        task: *task,
                    },
                    *epoch,
                )
            })
            .collect()
    }

    /// The units that start anew or have another target state.
    fn take_up(&self, wanted: Vec<v1::DesiredUnit>) -> Vec<v1::DesiredUnit> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *running);
        let mut news = Vec::new();
        for desired in wanted {
            let unit = desired.unit.clone().unwrap_or_default();
            let key = (unit.connector, unit.task);
            let now = (desired.epoch, desired.target_state);
            if before.get(&key) != Some(&now) {
                news.push(desired);
            }
            running.insert(key, now);
        }
        news
    }
}

fn message(said: Said) -> v1::WorkerMessage {
    v1::WorkerMessage { message: Some(said) }
}

fn registration(number: usize) -> v1::Register {
    let plugin = v1::RegisteredPlugin {
        class: CLASS.to_owned(),
        r#type: "source".to_owned(),
        version: VERSION.to_owned(),
        names: vec![CLASS.to_owned()],
        keys_json: "[]".to_owned(),
    };
    v1::Register {
        worker_id: format!("worker-{number}:8083"),
        version: VERSION.to_owned(),
        plugins: vec![plugin],
        ..v1::Register::default()
    }
}

async fn beat(says: mpsc::Sender<v1::WorkerMessage>, interval: Duration) {
    for sequence in 0.. {
        let heartbeat = v1::Heartbeat {
            sequence,
            ..v1::Heartbeat::default()
        };
        if says.send(message(Said::Heartbeat(heartbeat))).await.is_err() {
            return;
        }
        tokio::time::sleep(interval).await;
    }
}

async fn follow(
    mut inbound: Streaming<v1::ControlMessage>,
    says: mpsc::Sender<v1::WorkerMessage>,
    running: Arc<Running>,
    answers: mpsc::Sender<v1::OffsetCommitted>,
) {
    while let Ok(Some(heard)) = inbound.message().await {
        let said = match heard.message {
            Some(Heard::Assignment(assignment)) => obey(assignment, &running),
            Some(Heard::Request(request)) => vec![answer(&request)],
            Some(Heard::OffsetCommitted(answer)) => {
                if answers.send(answer).await.is_err() {
                    return;
                }
                continue;
            }
            Some(
                Heard::Registered(_) | Heard::Confirm(_) | Heard::HeartbeatAck(_) | Heard::OffsetsFound(_),
            )
            | None => continue,
        };
        for said in said {
            if says.send(message(said)).await.is_err() {
                return;
            }
        }
    }
}

/// Everything that is new runs at once, and everything that is to go is gone.
fn obey(assignment: v1::Assignment, running: &Running) -> Vec<Said> {
    let news = running.take_up(assignment.units);
    let ended = assignment.releases.into_iter().map(|release| v1::UnitReport {
        unit: release.unit,
        epoch: release.epoch,
        ended: true,
        ..v1::UnitReport::default()
    });
    let reports: Vec<v1::UnitReport> = ended.chain(news.iter().map(report)).collect();
    let mut said = Vec::new();
    if !reports.is_empty() {
        said.push(Said::UnitReports(v1::UnitReports { reports }));
    }
    let instances = news.iter().filter(|desired| {
        desired.task_config.is_none() && desired.target_state() == v1::TargetState::Running
    });
    said.extend(instances.map(|desired| Said::TaskConfigs(task_configs(desired))));
    said
}

fn report(desired: &v1::DesiredUnit) -> v1::UnitReport {
    let state = match desired.target_state() {
        v1::TargetState::Paused => v1::UnitState::Paused,
        v1::TargetState::Stopped => v1::UnitState::Stopped,
        v1::TargetState::Running | v1::TargetState::Unspecified => v1::UnitState::Running,
    };
    v1::UnitReport {
        unit: desired.unit.clone(),
        epoch: desired.epoch,
        state: state.into(),
        version: Some(VERSION.to_owned()),
        ..v1::UnitReport::default()
    }
}

/// As many tasks as the connector may have.
fn task_configs(desired: &v1::DesiredUnit) -> v1::TaskConfigs {
    let config = desired.connector_config.clone().unwrap_or_default();
    let most = config.entries.iter().find(|entry| entry.key == "tasks.max");
    let count: usize = most
        .and_then(|entry| entry.value.as_deref()?.parse().ok())
        .unwrap_or(1);
    v1::TaskConfigs {
        connector: desired.unit.clone(),
        epoch: desired.epoch,
        configs: vec![config; count],
        connector_revision: desired.connector_revision,
    }
}

/// Every configuration is valid.
fn answer(request: &v1::WorkerRequest) -> Said {
    let valid = v1::ValidationAnswer {
        config_infos_json: format!(r#"{{"name":"{CLASS}","error_count":0,"groups":[],"configs":[]}}"#),
        error_count: 0,
        errors: Vec::new(),
        kind: v1::ConnectorKind::Source.into(),
        class: CLASS.to_owned(),
    };
    Said::Answer(v1::WorkerAnswer {
        request_id: request.request_id,
        answer: Some(v1::worker_answer::Answer::Validated(valid)),
    })
}

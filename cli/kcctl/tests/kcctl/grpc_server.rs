//! The gRPC services of a cluster, in memory, with the data of the recorded REST answers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::oneshot;
use tonic::{Code, Request, Response, Status};
use towpath_types::{ConnectorKind, UnitState};
use towpath_wire::v1;
use towpath_wire::v1::cluster_server::{Cluster, ClusterServer};
use towpath_wire::v1::connectors_server::{Connectors, ConnectorsServer};
use towpath_wire::v1::members_server::MembersServer;
use towpath_wire::v1::plugins_server::{Plugins, PluginsServer};
use towpath_wire::v1::workers_server::WorkersServer;

use crate::member_service::FakeMembers;
use crate::rest_server::recorded;
use crate::worker_service::FakeWorkers;

type Answer<T> = Result<Response<T>, Status>;

pub(crate) struct GrpcServer {
    address: SocketAddr,
    fake: Fake,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Clone, Default)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Made by `create` and `put_config`, beside `src` and `snk`.
    made: BTreeSet<String>,
    asked: Vec<String>,
    authorization: Option<String>,
    /// Changes that are still refused as during a conflicting change.
    refusals: usize,
}

impl GrpcServer {
    pub(crate) fn start() -> Self {
        let fake = Fake::default();
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let serving = fake.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tonic::transport::Server::builder()
                    .add_service(ConnectorsServer::new(serving.clone()))
                    .add_service(PluginsServer::new(serving.clone()))
                    .add_service(ClusterServer::new(serving.clone()))
                    .add_service(MembersServer::new(FakeMembers::default()))
                    .add_service(WorkersServer::new(FakeWorkers::new(serving)))
                    .serve_with_incoming_shutdown(
                        tokio_stream::wrappers::TcpListenerStream::new(listener),
                        async {
                            let _sender_gone = stopped.await;
                        },
                    )
                    .await
                    .unwrap();
            });
        });
        Self {
            address,
            fake,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("grpc://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.fake.state.lock().unwrap().asked.clone()
    }

    pub(crate) fn authorization(&self) -> Option<String> {
        self.fake.state.lock().unwrap().authorization.clone()
    }

    pub(crate) fn refuse(&self, changes: usize) {
        self.fake.state.lock().unwrap().refusals = changes;
    }
}

impl Drop for GrpcServer {
    fn drop(&mut self) {
        self.stop.take();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Fake {
    pub(crate) fn note<T>(&self, what: &str, request: &Request<T>) {
        let mut state = self.state.lock().unwrap();
        let authorization = request.metadata().get("authorization");
        state.authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        state.asked.push(what.to_owned());
    }

    /// Of a change: whether it may be made.
    fn change<T>(&self, verb: &str, name: &str, request: &Request<T>, unknown: &str) -> Result<(), Status> {
        self.note(&format!("{verb} {name}"), request);
        let mut state = self.state.lock().unwrap();
        if state.refusals > 0 {
            state.refusals -= 1;
            return Err(Status::aborted(
                "Cannot complete request momentarily due to stale configuration",
            ));
        }
        drop(state);
        self.known(name)
            .then_some(())
            .ok_or_else(|| Status::not_found(unknown.to_owned()))
    }

    fn known(&self, name: &str) -> bool {
        ["src", "snk"].contains(&name) || self.state.lock().unwrap().made.contains(name)
    }

    /// A recorded answer about `src` or `snk`.
    fn recorded(&self, name: &str, lines: (usize, usize)) -> Result<Value, Status> {
        match name {
            "src" => Ok(recorded(lines.0).2),
            "snk" => Ok(recorded(lines.1).2),
            _ => Err(Status::not_found(format!("Connector {name} not found"))),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

fn config(value: &Value) -> v1::Config {
    let entry = |(key, value): (&String, &Value)| v1::ConfigEntry {
        key: key.clone(),
        value: Some(text(value)),
    };
    v1::Config {
        entries: value.as_object().unwrap().iter().map(entry).collect(),
    }
}

fn kind(value: &Value) -> i32 {
    v1::ConnectorKind::from(value.as_str().unwrap().parse::<ConnectorKind>().unwrap()).into()
}

fn unit(value: &Value) -> v1::UnitStatus {
    v1::UnitStatus {
        state: v1::UnitState::from(value["state"].as_str().unwrap().parse::<UnitState>().unwrap()).into(),
        worker_id: text(&value["worker_id"]),
        version: value["version"].as_str().map(str::to_owned),
        trace: value["trace"].as_str().map(str::to_owned),
    }
}

fn status(value: &Value) -> v1::ConnectorStatus {
    let task = |task: &Value| v1::TaskStatus {
        id: number(&task["id"]),
        status: Some(unit(task)),
    };
    v1::ConnectorStatus {
        name: text(&value["name"]),
        connector: Some(unit(&value["connector"])),
        tasks: value["tasks"].as_array().unwrap().iter().map(task).collect(),
        kind: kind(&value["type"]),
    }
}

#[tonic::async_trait]
impl Connectors for Fake {
    async fn create(&self, request: Request<v1::CreateConnectorRequest>) -> Answer<v1::Connector> {
        let new = request.get_ref();
        let state = new.initial_state().as_str_name();
        self.note(&format!("create {} {state}", new.name), &request);
        let classes: Vec<_> = new.config.iter().flat_map(|config| &config.entries).collect();
        if classes
            .iter()
            .any(|entry| entry.value.as_deref() == Some("nope.Nope"))
        {
            return Err(Status::invalid_argument(text(&recorded(25).2["message"])));
        }
        self.state.lock().unwrap().made.insert(new.name.clone());
        Ok(Response::new(v1::Connector::default()))
    }

    async fn get(&self, request: Request<v1::GetConnectorRequest>) -> Answer<v1::Connector> {
        let info = self.recorded(&request.get_ref().name, (93, 103))?;
        Ok(Response::new(v1::Connector {
            name: text(&info["name"]),
            config: Some(config(&info["config"])),
            tasks: info["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| number(&task["task"]))
                .collect(),
            kind: kind(&info["type"]),
            ..v1::Connector::default()
        }))
    }

    async fn list(&self, request: Request<v1::ListConnectorsRequest>) -> Answer<v1::ListConnectorsResponse> {
        self.note("list", &request);
        let statuses = recorded(88).2;
        let entry = |(name, entry): (&String, &Value)| v1::ListedConnector {
            name: name.clone(),
            connector: None,
            status: request.get_ref().with_status.then(|| status(&entry["status"])),
        };
        let mut connectors: Vec<_> = statuses.as_object().unwrap().iter().map(entry).collect();
        let made = self.state.lock().unwrap().made.clone();
        connectors.extend(made.into_iter().map(|name| v1::ListedConnector {
            name,
            ..Default::default()
        }));
        connectors.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Response::new(v1::ListConnectorsResponse { connectors }))
    }

    async fn put_config(&self, request: Request<v1::PutConfigRequest>) -> Answer<v1::PutConfigResponse> {
        let name = request.get_ref().name.clone();
        self.note(&format!("put_config {name}"), &request);
        let created = !self.known(&name);
        self.state.lock().unwrap().made.insert(name);
        Ok(Response::new(v1::PutConfigResponse {
            connector: None,
            created,
        }))
    }

    async fn patch_config(&self, request: Request<v1::PatchConfigRequest>) -> Answer<v1::Connector> {
        let v1::PatchConfigRequest { name, patch } = request.get_ref().clone();
        let entries = patch.unwrap_or_default().entries.into_iter().map(|entry| {
            format!(
                "{}={}",
                entry.key,
                entry.value.unwrap_or_else(|| "<removed>".into())
            )
        });
        let entries: Vec<_> = entries.collect();
        let unknown = format!("Connector {name} not found");
        self.change(
            &format!("patch_config {}", entries.join(",")),
            &name,
            &request,
            &unknown,
        )?;
        Ok(Response::new(v1::Connector::default()))
    }

    async fn pause(&self, request: Request<v1::PauseConnectorRequest>) -> Answer<v1::PauseConnectorResponse> {
        let name = &request.get_ref().name;
        self.change("pause", name, &request, &format!("Unknown connector {name}"))?;
        Ok(Response::new(v1::PauseConnectorResponse {}))
    }

    async fn resume(
        &self,
        request: Request<v1::ResumeConnectorRequest>,
    ) -> Answer<v1::ResumeConnectorResponse> {
        let name = &request.get_ref().name;
        self.change("resume", name, &request, &format!("Unknown connector {name}"))?;
        Ok(Response::new(v1::ResumeConnectorResponse {}))
    }

    async fn stop(&self, request: Request<v1::StopConnectorRequest>) -> Answer<v1::StopConnectorResponse> {
        let name = &request.get_ref().name;
        self.change("stop", name, &request, &format!("Unknown connector {name}"))?;
        Ok(Response::new(v1::StopConnectorResponse {}))
    }

    async fn restart(
        &self,
        request: Request<v1::RestartConnectorRequest>,
    ) -> Answer<v1::RestartConnectorResponse> {
        let v1::RestartConnectorRequest {
            name,
            include_tasks,
            only_failed,
        } = request.get_ref().clone();
        let verb = format!("restart({include_tasks},{only_failed})");
        self.change(&verb, &name, &request, &format!("Unknown connector: {name}"))?;
        let answer = |n| status(&recorded(n).2);
        let status = include_tasks.then(|| if only_failed { answer(154) } else { answer(153) });
        Ok(Response::new(v1::RestartConnectorResponse { status }))
    }

    async fn restart_task(
        &self,
        request: Request<v1::RestartTaskRequest>,
    ) -> Answer<v1::RestartTaskResponse> {
        let v1::RestartTaskRequest { name, task } = request.get_ref().clone();
        self.change(
            &format!("restart_task {task}"),
            &name,
            &request,
            &format!("Unknown connector: {name}"),
        )?;
        if task > 0 {
            return Err(Status::not_found(format!("Unknown task: {name}-{task}")));
        }
        Ok(Response::new(v1::RestartTaskResponse {}))
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteConnectorRequest>,
    ) -> Answer<v1::DeleteConnectorResponse> {
        let name = &request.get_ref().name;
        self.change("delete", name, &request, &format!("Connector {name} not found"))?;
        Ok(Response::new(v1::DeleteConnectorResponse {}))
    }

    async fn get_status(
        &self,
        request: Request<v1::GetConnectorStatusRequest>,
    ) -> Answer<v1::ConnectorStatus> {
        Ok(Response::new(status(
            &self.recorded(&request.get_ref().name, (95, 105))?,
        )))
    }

    async fn list_tasks(&self, request: Request<v1::ListTasksRequest>) -> Answer<v1::ListTasksResponse> {
        let tasks = self.recorded(&request.get_ref().name, (96, 106))?;
        let task = |task: &Value| v1::Task {
            id: number(&task["id"]["task"]),
            config: Some(config(&task["config"])),
        };
        Ok(Response::new(v1::ListTasksResponse {
            tasks: tasks.as_array().unwrap().iter().map(task).collect(),
        }))
    }

    async fn get_topics(&self, request: Request<v1::GetTopicsRequest>) -> Answer<v1::GetTopicsResponse> {
        let name = &request.get_ref().name;
        let topics = self.recorded(name, (97, 107))?;
        let topics = topics[name]["topics"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        Ok(Response::new(v1::GetTopicsResponse { topics }))
    }

    async fn get_offsets(&self, request: Request<v1::GetOffsetsRequest>) -> Answer<v1::GetOffsetsResponse> {
        let offsets = self.recorded(&request.get_ref().name, (98, 180))?;
        let offset = |offset: &Value| v1::Offset {
            partition_json: offset["partition"].to_string(),
            offset_json: Some(offset["offset"].to_string()),
        };
        let offsets = offsets["offsets"]
            .as_array()
            .unwrap()
            .iter()
            .map(offset)
            .collect();
        Ok(Response::new(v1::GetOffsetsResponse { offsets }))
    }

    async fn alter_offsets(
        &self,
        request: Request<v1::AlterOffsetsRequest>,
    ) -> Answer<v1::AlterOffsetsResponse> {
        let v1::AlterOffsetsRequest { name, offsets } = request.get_ref();
        let offset = |offset: &v1::Offset| {
            let value = offset.offset_json.as_deref().unwrap_or("nothing");
            format!("{} to {value}", offset.partition_json)
        };
        let changes: Vec<_> = offsets.iter().map(offset).collect();
        self.note(
            &format!("alter offsets of {name}: {}", changes.join(", ")),
            &request,
        );
        let message = "The offsets for this connector have been altered successfully".to_owned();
        Ok(Response::new(v1::AlterOffsetsResponse { message }))
    }

    async fn reset_offsets(
        &self,
        request: Request<v1::ResetOffsetsRequest>,
    ) -> Answer<v1::ResetOffsetsResponse> {
        self.note(&format!("reset offsets of {}", request.get_ref().name), &request);
        let message = "The offsets for this connector have been reset successfully".to_owned();
        Ok(Response::new(v1::ResetOffsetsResponse { message }))
    }

    type WatchStream = tokio_stream::Empty<Result<v1::ConnectorEvent, Status>>;

    async fn watch(&self, _request: Request<v1::WatchRequest>) -> Answer<Self::WatchStream> {
        Err(Status::new(Code::Unimplemented, "kcctl watches nothing"))
    }
}

#[tonic::async_trait]
impl Plugins for Fake {
    async fn list(&self, _request: Request<v1::ListPluginsRequest>) -> Answer<v1::ListPluginsResponse> {
        let plugins = recorded(7).2;
        let plugin = |plugin: &Value| v1::PluginInfo {
            class: text(&plugin["class"]),
            r#type: text(&plugin["type"]),
            version: text(&plugin["version"]),
        };
        Ok(Response::new(v1::ListPluginsResponse {
            plugins: plugins.as_array().unwrap().iter().map(plugin).collect(),
        }))
    }

    async fn describe(
        &self,
        request: Request<v1::DescribePluginRequest>,
    ) -> Answer<v1::DescribePluginResponse> {
        match request.get_ref().name.as_str() {
            "FileStreamSource" => Ok(Response::new(v1::DescribePluginResponse {
                keys_json: recorded(9).2.to_string(),
            })),
            name => Err(Status::not_found(format!("Unknown plugin {name}."))),
        }
    }

    async fn validate(&self, request: Request<v1::ValidateRequest>) -> Answer<v1::ValidateResponse> {
        self.note(&format!("validate {}", request.get_ref().plugin), &request);
        let config_infos_json = recorded(28).2.to_string();
        Ok(Response::new(v1::ValidateResponse {
            config_infos_json,
            error_count: 4,
        }))
    }
}

#[tonic::async_trait]
impl Cluster for Fake {
    async fn get_info(&self, request: Request<v1::GetInfoRequest>) -> Answer<v1::GetInfoResponse> {
        self.note("get_info", &request);
        let info = recorded(0).2;
        Ok(Response::new(v1::GetInfoResponse {
            version: text(&info["version"]),
            commit: text(&info["commit"]),
            kafka_cluster_id: text(&info["kafka_cluster_id"]),
            towpath_version: String::new(),
        }))
    }
}

//! Answers to what only a worker can say or do: validation of a configuration, a consumer group's offsets, changes of
//! offsets. Each runs in a task of its own under the request's deadline, so a connector that hangs delays nothing else.

mod changes;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use towpath_connect::{ConfigMap, PluginKind};
use towpath_runtime::clients::{ClientOwner, Subscription};
use towpath_runtime::unit::Environment;
use towpath_runtime::validation::{Request, WorkerDefaults, validate};
use towpath_wire::v1;
use towpath_wire::v1::worker_answer::Answer;
use towpath_wire::v1::worker_request::Request as Question;

use crate::session::config_map;

/// Requests that are answered at a time; further ones are refused at once.
const MAX_REQUESTS: usize = 64;
/// Part of a request's deadline that is kept for the way back.
const MARGIN: Duration = Duration::from_millis(200);

/// What answers need.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub(crate) environment: Environment,
    pub(crate) defaults: Arc<WorkerDefaults>,
}

/// The answers under way. Owned by the session's task.
#[derive(Debug)]
pub(crate) struct Answers {
    answering: Answering,
    under_way: JoinSet<v1::WorkerAnswer>,
}

impl Answers {
    pub(crate) fn new(answering: Answering) -> Self {
        Self {
            answering,
            under_way: JoinSet::new(),
        }
    }

    /// Begins to answer.
    pub(crate) fn start(&mut self, request: v1::WorkerRequest) {
        let answering = self.answering.clone();
        let request_id = request.request_id;
        let is_full = self.under_way.len() >= MAX_REQUESTS;
        self.under_way.spawn(async move {
            let answer = if is_full {
                error(
                    503,
                    "The worker is answering too many requests; try again".to_owned(),
                )
            } else {
                answering.answer(request).await
            };
            v1::WorkerAnswer {
                request_id,
                answer: Some(answer),
            }
        });
    }

    /// The next answer; waits for ever when none is under way. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> v1::WorkerAnswer {
        loop {
            match self.under_way.join_next().await {
                Some(Ok(answer)) => return answer,
                // A panic: the control plane's deadline answers for it.
                Some(Err(panicked)) => {
                    tracing::error!(error = %panicked, "a request of the control plane panicked");
                }
                None => return std::future::pending().await,
            }
        }
    }
}

impl Answering {
    async fn answer(&self, request: v1::WorkerRequest) -> Answer {
        let deadline = Duration::from_millis(u64::from(request.deadline_ms)).saturating_sub(MARGIN);
        match request.request {
            Some(Question::Validate(question)) => {
                self.validate(&config_map(question.config.unwrap_or_default()), deadline)
                    .await
            }
            Some(Question::GroupOffsets(question)) => {
                let config = config_map(question.config.unwrap_or_default());
                let answer = self.group_offsets(&question.connector, &config);
                let late = || error(500, "Request timed out".to_owned());
                tokio::time::timeout(deadline, answer)
                    .await
                    .unwrap_or_else(|_| late())
            }
            Some(Question::ChangeOffsets(question)) => self.change_offsets(question, deadline).await,
            None => error(
                500,
                "the worker does not know this kind of request; is it older than the control plane?"
                    .to_owned(),
            ),
        }
    }

    async fn validate(&self, raw: &ConfigMap, timeout: Duration) -> Answer {
        let resolved = match (self.environment.resolve)(raw) {
            Ok(resolved) => resolved,
            Err(cause) => return error(400, towpath_connect::error::Chain(&cause).to_string()),
        };
        let request = Request {
            raw,
            resolved: &resolved,
            timeout,
        };
        match validate(request, &self.environment.plugins.set, &self.defaults).await {
            Ok(validation) => Answer::Validated(v1::ValidationAnswer {
                config_infos_json: serde_json::to_string(&validation.infos)
                    .expect("the answer has a JSON form"),
                error_count: i32::try_from(validation.infos.error_count).unwrap_or(i32::MAX),
                errors: validation.infos.errors().map(str::to_owned).collect(),
                kind: match validation.kind {
                    PluginKind::Source => v1::ConnectorKind::Source,
                    _ => v1::ConnectorKind::Sink,
                }
                .into(),
                class: validation.class.to_owned(),
            }),
            Err(refused) => error(u32::from(refused.status()), refused.to_string()),
        }
    }

    async fn group_offsets(&self, connector: &str, raw: &ConfigMap) -> Answer {
        let failed = |cause: &(dyn std::error::Error + Send + Sync + 'static)| {
            tracing::warn!(connector, error = %towpath_connect::error::Chain(cause), "the offsets of a sink's consumer group could not be read");
            error(
                500,
                format!("Failed to retrieve consumer group offsets for connector {connector}"),
            )
        };
        let resolved = match (self.environment.resolve)(raw) {
            Ok(resolved) => resolved,
            Err(cause) => return failed(&cause),
        };
        let owner = ClientOwner {
            connector: connector.into(),
            task: 0,
            overrides: resolved.with_prefix("consumer.override."),
        };
        let subscription = match Subscription::of(&resolved) {
            Ok(subscription) => subscription,
            Err(cause) => return failed(&cause),
        };
        match self
            .environment
            .clients
            .group_offsets(&owner, &subscription)
            .await
        {
            Ok(offsets) => {
                let entry = |(partition, offset): (&towpath_connect::TopicPartition, &i64)| v1::Offset {
                    partition_json: serde_json::json!({
                        "kafka_partition": partition.partition,
                        "kafka_topic": partition.topic.as_ref(),
                    })
                    .to_string(),
                    offset_json: Some(serde_json::json!({ "kafka_offset": offset }).to_string()),
                };
                Answer::Offsets(v1::OffsetsAnswer {
                    offsets: offsets.iter().map(entry).collect(),
                })
            }
            Err(cause) => failed(&cause),
        }
    }
}

fn error(status: u32, message: String) -> Answer {
    Answer::Error(v1::AnswerError { status, message })
}

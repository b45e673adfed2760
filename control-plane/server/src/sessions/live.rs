//! A worker that is connected: what others may do with its session.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use towpath_state::Reporter;
use towpath_types::ProcessId;
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message;
use towpath_wire::v1::worker_answer::Answer;
use towpath_wire::v1::worker_request::Request;

use super::questions::{AskError, Questions};
use super::registration::Offer;

pub(crate) type Outbound = mpsc::Sender<Result<v1::ControlMessage, Status>>;

#[derive(Debug)]
pub(crate) struct LiveSession {
    pub(crate) reporter: Reporter,
    /// `None` of a worker that does not say.
    pub(super) process: Option<ProcessId>,
    pub(crate) offer: Offer,
    pub(super) questions: Questions,
    /// Ends the session from outside: another one took its place, or this node leads no more.
    pub(super) over: CancellationToken,
    outbound: Outbound,
}

impl LiveSession {
    pub(super) fn new(
        (reporter, process): (Reporter, Option<ProcessId>),
        offer: Offer,
        outbound: Outbound,
    ) -> Self {
        Self {
            reporter,
            process,
            offer,
            questions: Questions::default(),
            over: CancellationToken::new(),
            outbound,
        }
    }

    /// Asks the worker something.
    pub(crate) async fn ask(&self, request: Request, deadline: Duration) -> Result<Answer, AskError> {
        let question = self.questions.pose()?;
        let request = v1::WorkerRequest {
            request_id: question.id,
            deadline_ms: u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX),
            request: Some(request),
        };
        let asked = async {
            self.send(Message::Request(request)).await?;
            question.answered(deadline).await
        };
        tokio::time::timeout(deadline, asked)
            .await
            .unwrap_or(Err(AskError::TimedOut))
    }

    /// Waits while the worker is slow to take what was sent before.
    pub(super) async fn send(&self, message: Message) -> Result<(), AskError> {
        let message = v1::ControlMessage {
            message: Some(message),
        };
        self.outbound.send(Ok(message)).await.map_err(|_| AskError::Gone)
    }

    /// The last word. Left out if the worker does not even take that: the stream ends all the same.
    pub(super) fn say_goodbye(&self, status: Status) {
        if self.outbound.try_send(Err(status)).is_err() {
            tracing::debug!(worker = %self.reporter.worker, "worker was gone or busy when its session ended");
        }
    }
}

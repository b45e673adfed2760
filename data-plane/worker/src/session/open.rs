//! Opens the stream and registers.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as FromControlPlane;
use towpath_wire::v1::worker_message::Message as FromWorker;
use towpath_wire::v1::worker_sessions_client::WorkerSessionsClient;

use super::{REGISTRATION_TIMEOUT, SessionError};

/// A control plane that does not take a connection is left after this.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest message taken: the whole desired set of a worker with thousands of large configurations.
const MAX_MESSAGE_BYTES: usize = 256 * 1024 * 1024;

/// An address as a URI.
pub(super) fn with_scheme(address: &str) -> String {
    if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    }
}

type Messages = (mpsc::Sender<v1::WorkerMessage>, mpsc::Receiver<v1::WorkerMessage>);

/// A stream that was opened.
pub(super) struct Opened {
    /// The connection, for requests beside the stream: to the node that leads.
    pub(super) channel: Channel,
    pub(super) incoming: tonic::Streaming<v1::ControlMessage>,
    pub(super) registered: v1::Registered,
}

/// Opens a stream, sends the registration and waits for its answer.
pub(super) async fn open(
    endpoint: &str,
    (outgoing, receiver): Messages,
    register: FromWorker,
) -> Result<Opened, SessionError> {
    let connect = |source| SessionError::Connect {
        endpoint: endpoint.to_owned(),
        source,
    };
    let refused = |status| SessionError::Refused {
        endpoint: endpoint.to_owned(),
        source: Box::new(status),
    };
    let channel = Endpoint::from_shared(with_scheme(endpoint))
        .map_err(connect)?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .connect()
        .await
        .map_err(connect)?;
    let mut client = WorkerSessionsClient::new(channel.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    say(&outgoing, register).await?;
    let registration = async {
        let mut incoming = client
            .open(ReceiverStream::new(receiver))
            .await
            .map_err(refused)?
            .into_inner();
        let mut answer = incoming.message().await.map_err(refused)?;
        // A control plane of an older version does not ask.
        if is_question(answer.as_ref()) {
            say(&outgoing, FromWorker::Confirmed(v1::Confirmed {})).await?;
            answer = incoming.message().await.map_err(refused)?;
        }
        match answer.and_then(|message| message.message) {
            Some(FromControlPlane::Registered(registered)) => Ok(Opened {
                channel,
                incoming,
                registered,
            }),
            Some(_) | None => Err(SessionError::Closed),
        }
    };
    tokio::time::timeout(REGISTRATION_TIMEOUT, registration)
        .await
        .map_err(|_| SessionError::NotRegistered)?
}

async fn say(outgoing: &mpsc::Sender<v1::WorkerMessage>, message: FromWorker) -> Result<(), SessionError> {
    let message = v1::WorkerMessage {
        message: Some(message),
    };
    outgoing.send(message).await.map_err(|_| SessionError::Closed)
}

/// Whether the control plane asks if this connection is still used.
fn is_question(message: Option<&v1::ControlMessage>) -> bool {
    let said = message.and_then(|message| message.message.as_ref());
    matches!(said, Some(FromControlPlane::Confirm(_)))
}

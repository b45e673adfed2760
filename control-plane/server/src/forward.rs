//! Any node takes any request. What the leader has to answer goes there from here, without the caller's knowing: REST and
//! gRPC alike, over the leader's gRPC port. A forwarded request goes no further, so two nodes that take each other for the
//! leader do not play ball with it: who is asked and does not lead says so, and the node that the caller asked looks for the
//! leader again, so long as nothing was done.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tower::Service as _;
use towpath_raft::{ClusterStore, Leader, Role, StoreMetrics};

use crate::app::{ApiError, App, Chain};
use crate::grpc::{self, MAX_MESSAGE_BYTES};
use crate::rest;

/// Where a node offers its REST API to the others, on its gRPC port.
const REST_PREFIX: &str = "/towpath.v1.Rest";
/// Marks a request that another node has sent on.
const FORWARDED: HeaderName = HeaderName::from_static("towpath-forwarded");
/// Marks the answer of a node that did nothing, because it does not lead: a header, or metadata of gRPC.
pub(crate) const NOT_LED: &str = "towpath-not-led";
/// Services whose requests the leader answers.
const LED: [&str; 5] = [
    "/towpath.v1.Connectors/",
    "/towpath.v1.Plugins/",
    "/towpath.v1.Cluster/",
    "/towpath.v1.Members/",
    "/towpath.v1.Workers/",
];
/// A leader that cannot be reached so soon is none.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a request waits for a leader: longer than an election takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a request that was sent on to a node waits for it to lead.
const ELECTED: Duration = Duration::from_secs(2);
/// How often an unreachable leader is tried, while nothing is known of another.
const PAUSE: Duration = Duration::from_millis(50);
/// A leader that is cut off is found out by this, twice at the most.
const KEEPALIVE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(crate) struct Forward {
    store: Arc<dyn ClusterStore>,
    /// The last leader that was connected to. A std mutex: never held across an await.
    connected: Arc<Mutex<Option<(String, Channel)>>>,
}

/// Who answers.
enum Answering {
    /// This node.
    Here,
    There(Channel),
}

/// What became of a request.
enum Sent {
    Answered(Response),
    /// It has not reached anybody.
    Not,
    /// Nobody knows whether it was carried out.
    Lost,
}

impl Forward {
    pub(crate) fn new(store: Arc<dyn ClusterStore>) -> Self {
        Self {
            store,
            connected: Arc::default(),
        }
    }

    /// The answer to a request of the REST API: the leader's, or what `here` gives where this node leads.
    pub(crate) async fn rest<F: Future<Output = Response>>(
        &self,
        head: &Parts,
        body: &Bytes,
        here: impl Fn() -> F,
    ) -> Result<Response, ApiError> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        self.relay((head, &format!("{REST_PREFIX}{path}"), body), here)
            .await
    }

    /// `here` may be asked again for as long as its answer is that this node does not lead.
    async fn relay<F: Future<Output = Response>>(
        &self,
        (head, path, body): (&Parts, &str, &Bytes),
        here: impl Fn() -> F,
    ) -> Result<Response, ApiError> {
        if head.headers.contains_key(FORWARDED) {
            self.lead_here().await?;
            return Ok(here().await);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut answer = match self.answering(deadline).await? {
                Answering::Here => here().await,
                Answering::There(channel) => match send(channel, request(head, path, body)?).await {
                    Sent::Answered(response) => response,
                    Sent::Not if self.turn(deadline).await => continue,
                    Sent::Not => return Err(self.not_leader()),
                    Sent::Lost if may_be_repeated(&head.method) && self.turn(deadline).await => continue,
                    Sent::Lost => return Err(ApiError::LeaderLost),
                },
            };
            let is_led = answer.headers_mut().remove(NOT_LED).is_none();
            if is_led || !self.turn(deadline).await {
                return Ok(answer);
            }
        }
    }

    /// Before the leader is looked for again, which may be known by then. False when the time is over.
    async fn turn(&self, deadline: Instant) -> bool {
        *self.lock() = None;
        let mut metrics = self.store.metrics();
        metrics.mark_unchanged();
        tokio::select! {
            _changed = metrics.changed() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
        Instant::now() < deadline
    }

    fn not_leader(&self) -> ApiError {
        let metrics = self.store.metrics();
        let metrics = metrics.borrow();
        ApiError::NotLeader {
            leader: metrics.leader.as_ref().map(|leader| leader.api_address.clone()),
        }
    }

    /// A node is elected a moment before it knows that it leads, and others may know it sooner.
    async fn lead_here(&self) -> Result<(), ApiError> {
        let mut metrics = self.store.metrics();
        let node = metrics.borrow().node;
        let is_settled = |now: &StoreMetrics| {
            matches!(now.role, Role::Leader | Role::Stopped)
                || now.leader.as_ref().is_some_and(|leader| leader.node != node)
        };
        let leads = async {
            let settled = metrics.wait_for(is_settled).await;
            settled.is_ok_and(|now| matches!(now.role, Role::Leader | Role::Stopped))
        };
        if tokio::time::timeout(ELECTED, leads).await.unwrap_or(false) {
            return Ok(());
        }
        Err(self.not_leader())
    }

    /// Waits until there is a leader that can be reached.
    async fn answering(&self, deadline: Instant) -> Result<Answering, ApiError> {
        let mut metrics = self.store.metrics();
        loop {
            let StoreMetrics { role, leader, .. } = metrics.borrow_and_update().clone();
            if role == Role::Leader || role == Role::Stopped {
                return Ok(Answering::Here);
            }
            if let Some(leader) = &leader
                && let Some(channel) = self.connect(leader).await
            {
                return Ok(Answering::There(channel));
            }
            if Instant::now() >= deadline {
                return Err(self.not_leader());
            }
            tokio::select! {
                changed = metrics.changed() => if changed.is_err() { return Ok(Answering::Here) },
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn connect(&self, leader: &Leader) -> Option<Channel> {
        let address = &leader.api_address;
        if let Some((connected, channel)) = &*self.lock()
            && connected == address
        {
            return Some(channel.clone());
        }
        let endpoint = Endpoint::from_shared(format!("http://{address}")).ok()?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(KEEPALIVE)
            .keep_alive_while_idle(true);
        match endpoint.connect().await {
            Ok(channel) => {
                *self.lock() = Some((address.clone(), channel.clone()));
                Some(channel)
            }
            Err(error) => {
                tracing::debug!(%address, error = %Chain(&error), "the leader cannot be reached");
                None
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(String, Channel)>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(mut channel: Channel, request: Request<tonic::body::Body>) -> Sent {
    let path = request.uri().path().to_owned();
    let ready = std::future::poll_fn(|context| channel.poll_ready(context)).await;
    let sent = match ready {
        Ok(()) => channel.call(request).await,
        Err(error) => Err(error),
    };
    match sent {
        Ok(response) => Sent::Answered(response.map(Body::new)),
        Err(error) => {
            tracing::debug!(path, error = %Chain(&error), "the leader went away");
            if was_not_connected(&error) {
                Sent::Not
            } else {
                Sent::Lost
            }
        }
    }
}

fn request(head: &Parts, path: &str, body: &Bytes) -> Result<Request<tonic::body::Body>, ApiError> {
    let mut request = Request::new(tonic::body::Body::new(Body::from(body.clone())));
    *request.method_mut() = head.method.clone();
    // A path becomes longer on its way, and longer than this no URI may be.
    *request.uri_mut() = path.parse::<Uri>().map_err(ApiError::NotForwardable)?;
    let headers = request.headers_mut();
    headers.extend(
        head.headers
            .iter()
            .filter(|(name, _)| travels(name))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    // An answer may say where something is, as the caller knows this node.
    if let Some(authority) = head.uri.authority()
        && !headers.contains_key(HOST)
    {
        let host = HeaderValue::from_str(authority.as_str());
        headers.insert(HOST, host.expect("an authority holds what a header may hold"));
    }
    headers.insert(FORWARDED, HeaderValue::from_static("1"));
    Ok(request)
}

/// Headers of one connection end with it.
fn travels(name: &HeaderName) -> bool {
    ![CONNECTION, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH].contains(name) && *name != "keep-alive"
}

/// Whether twice comes to the same as once. A second DELETE or POST would be answered as if the first had not been made, and
/// a second PUT would undo what somebody else has written since the first.
fn may_be_repeated(method: &Method) -> bool {
    method.is_safe()
}

/// Whether the other node has not seen the request.
fn was_not_connected(error: &tonic::transport::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The services, with what the leader answers sent on to it, and the REST API for the other nodes.
pub(crate) fn routes(services: Router, app: Arc<App>, forward: Forward) -> Router {
    services
        .layer(axum::middleware::from_fn_with_state(forward.clone(), to_leader))
        .nest(REST_PREFIX, rest::router(app, forward))
}

async fn to_leader(State(forward): State<Forward>, request: Request<Body>, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    if !LED.iter().any(|service| path.starts_with(service)) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, MAX_MESSAGE_BYTES).await {
        Ok(body) => body,
        Err(error) => {
            let status =
                tonic::Status::invalid_argument(format!("the request could not be received: {error}"));
            return status.into_http();
        }
    };
    let here = || {
        let request = Request::from_parts(head.clone(), Body::from(body.clone()));
        next.clone().run(request)
    };
    match forward.relay((&head, &path, &body), here).await {
        Ok(answer) => answer,
        Err(error) => grpc::to_status(error).into_http(),
    }
}

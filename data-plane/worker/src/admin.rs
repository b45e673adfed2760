//! The worker's admin port: health and a few numbers, answered also while the data path is busy.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What the admin port shows.
#[derive(Clone, Debug)]
pub(crate) struct AdminState {
    pub(crate) worker_id: Arc<str>,
    pub(crate) registered: watch::Receiver<bool>,
}

/// Binds the port.
pub(crate) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until stopped.
pub(crate) async fn serve(listener: TcpListener, state: AdminState, stop: CancellationToken) {
    let router = Router::new().route("/health", get(health)).with_state(state);
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the admin port ended");
    }
}

/// 200 when the worker has a session with the control plane, else 503: it then starts nothing new.
async fn health(State(state): State<AdminState>) -> (StatusCode, Json<serde_json::Value>) {
    let registered = *state.registered.borrow();
    let (code, status) = if registered {
        (StatusCode::OK, "healthy")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "disconnected")
    };
    (
        code,
        Json(serde_json::json!({ "status": status, "worker_id": state.worker_id.as_ref() })),
    )
}

//! Says that this worker stops, before it gives units back. Not the good-bye, which is said when nothing runs here any
//! more.

use tonic::transport::Channel;
use towpath_connect::error::Chain;
use towpath_runtime::backoff::Backoff;
use towpath_wire::v1;
use towpath_wire::v1::workers_client::WorkersClient;
use tracing::{info, warn};

use super::{FIRST_RECONNECT, MAX_RECONNECT};
use crate::reconcile::Departure;

/// Waits until the worker stops, then has it drained, which for a process that ends is the same: it gets no units, and
/// what it has goes to others. Asks until the control plane has noted that; part of a session, and dropped with it.
///
/// The drain ends with the process, so that the worker takes units when it is started again.
pub(super) async fn announce(
    channel: Channel,
    (worker_id, process_id): (String, String),
    departure: Departure,
) {
    departure.begun.cancelled().await;
    let mut client = WorkersClient::new(channel);
    let mut backoff = Backoff::new(FIRST_RECONNECT, MAX_RECONNECT);
    let request = v1::DrainWorkerRequest {
        name: worker_id,
        process_id,
    };
    while let Err(refused) = client.drain(request.clone()).await {
        if backoff.attempts() == 0 {
            warn!(
                error = %Chain(&refused),
                "the control plane has not noted that this worker stops; its units are handed over together, at the end"
            );
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
    info!("this worker stops, and hands its units over one by one");
    departure.noted.cancel();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc;
    use tokio::task::JoinSet;
    use tonic::transport::{Endpoint, Server};
    use tonic::{Request, Response, Status};
    use towpath_wire::v1::workers_server::{Workers, WorkersServer};

    use super::*;

    /// Refuses the first drains, so many.
    struct Refusing {
        left: Arc<AtomicUsize>,
        asked: mpsc::Sender<String>,
    }

    #[tonic::async_trait]
    impl Workers for Refusing {
        async fn list(
            &self,
            _request: Request<v1::ListWorkersRequest>,
        ) -> Result<Response<v1::ListWorkersResponse>, Status> {
            Err(Status::unimplemented("list"))
        }
        async fn get(&self, _request: Request<v1::GetWorkerRequest>) -> Result<Response<v1::Worker>, Status> {
            Err(Status::unimplemented("get"))
        }
        async fn drain(
            &self,
            request: Request<v1::DrainWorkerRequest>,
        ) -> Result<Response<v1::DrainWorkerResponse>, Status> {
            let request = request.into_inner();
            assert_eq!(request.process_id, "first", "not the next process");
            self.asked.send(request.name).await.unwrap();
            let take = |left: usize| left.checked_sub(1);
            match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
                Ok(_) => Err(Status::unavailable("no leader")),
                Err(_) => Ok(Response::new(v1::DrainWorkerResponse {})),
            }
        }
        async fn undrain(
            &self,
            _request: Request<v1::UndrainWorkerRequest>,
        ) -> Result<Response<v1::UndrainWorkerResponse>, Status> {
            Err(Status::unimplemented("undrain"))
        }
    }

    #[tokio::test]
    async fn a_worker_that_stops_says_so_until_the_control_plane_has_noted_it() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, mut heard) = mpsc::channel(8);
        let left = Arc::new(AtomicUsize::new(1));
        let service = WorkersServer::new(Refusing { left, asked });
        let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
        let mut tasks = JoinSet::new();
        tasks.spawn(async {
            let server = Server::builder().add_service(service);
            server.serve_with_incoming(incoming).await.unwrap();
        });
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap();
        let departure = Departure::default();
        let announced = announce(
            channel.connect().await.unwrap(),
            ("w1:8083".to_owned(), "first".to_owned()),
            departure.clone(),
        );
        tasks.spawn(announced);
        tokio::task::yield_now().await;
        assert!(heard.try_recv().is_err(), "it runs");

        departure.begun.cancel();
        assert_eq!(heard.recv().await.unwrap(), "w1:8083");
        assert!(!departure.noted.is_cancelled(), "it was refused");
        assert_eq!(heard.recv().await.unwrap(), "w1:8083");
        departure.noted.cancelled().await;
    }
}

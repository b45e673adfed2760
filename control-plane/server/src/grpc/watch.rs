//! The stream of changes. One task a watcher; it ends when the client goes or the control plane stops.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Response, Status};
use towpath_types::Revision;
use towpath_wire::v1;
use towpath_wire::v1::connector_event;

use super::Face;
use crate::app::{Event, Watcher};

/// Events that a client has not taken yet. While it takes its time, changes gather in the watcher, one a connector.
const MAX_UNREAD: usize = 64;
/// Each watcher keeps a view of every connector.
pub(super) const MAX_WATCHERS: usize = 256;

type Sender = mpsc::Sender<Result<v1::ConnectorEvent, Status>>;
type Events = ReceiverStream<Result<v1::ConnectorEvent, Status>>;

impl Face {
    pub(super) fn begin_watch(&self, names: Vec<String>) -> Result<Response<Events>, Status> {
        let Ok(slot) = Arc::<Semaphore>::clone(&self.watchers).try_acquire_owned() else {
            return Err(Status::resource_exhausted(format!(
                "there are {MAX_WATCHERS} watchers already: try again"
            )));
        };
        let (sender, events) = mpsc::channel(MAX_UNREAD);
        let watcher = self.app.watch(names);
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            let _slot = slot;
            tokio::select! {
                () = follow(watcher, &sender) => {}
                () = sender.closed() => {}
                () = stop.cancelled() => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(events)))
    }
}

async fn follow(mut watcher: Watcher, sender: &Sender) {
    while let Some((revision, events)) = watcher.next().await {
        for event in events {
            if sender.send(Ok(message(revision, event))).await.is_err() {
                return;
            }
        }
    }
    let over = Status::unavailable("this node of the control plane leads no more: watch again");
    // A client that is gone or reads nothing sees the end of the stream.
    let _told = sender.try_send(Err(over)).is_ok();
}

fn message(revision: Revision, event: Event) -> v1::ConnectorEvent {
    let (name, event) = match event {
        Event::Updated(listed) => (
            listed.name.clone(),
            connector_event::Event::Updated((&*listed).into()),
        ),
        Event::Deleted(name) => (name, connector_event::Event::Deleted(v1::Deleted {})),
    };
    v1::ConnectorEvent {
        revision: revision.get(),
        name: name.into(),
        event: Some(event),
    }
}

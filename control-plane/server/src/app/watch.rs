//! Changes of connectors as they happen, level-triggered: a watcher compares what it has shown with what is now. One
//! that is slow misses the steps between, never the outcome, and keeps one view a connector however slow it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use towpath_raft::{ClusterStore, Reads as _, StoreMetrics};
use towpath_state::ClusterState;
use towpath_types::{ConnectorName, Revision, WorkerId};

use super::{App, Expansion, ListedConnector};
use crate::reconcile::sleep_until;
use crate::sessions::Directory;

/// Changes that come closer than this are shown together.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

const EVERYTHING: Expansion = Expansion {
    info: true,
    status: true,
};

#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Updated(Box<ListedConnector>),
    Deleted(ConnectorName),
}

#[derive(Debug)]
pub(crate) struct Watcher {
    store: Arc<dyn ClusterStore>,
    directory: Arc<Directory>,
    changes: watch::Receiver<Revision>,
    metrics: watch::Receiver<StoreMetrics>,
    /// Empty: every connector.
    names: BTreeSet<String>,
    shown: BTreeMap<ConnectorName, ListedConnector>,
}

impl App {
    pub(crate) fn watch(&self, names: Vec<String>) -> Watcher {
        Watcher {
            store: Arc::clone(&self.store),
            directory: Arc::clone(&self.directory),
            changes: self.store.subscribe(),
            metrics: self.store.metrics(),
            names: names.into_iter().collect(),
            shown: BTreeMap::new(),
        }
    }
}

impl Watcher {
    /// Waits for changes; to a new watcher, everything that is there is one. A worker's lease that ends is a change of what it
    /// runs. `None` when the store is gone or this node leads no more, because what it knows may then be old.
    pub(crate) async fn next(&mut self) -> Option<(Revision, Vec<Event>)> {
        loop {
            self.changes.borrow_and_update();
            let (store, directory) = (Arc::clone(&self.store), Arc::clone(&self.directory));
            let ((revision, events), lease_ends) = store.read_local(|state| {
                let overdue = directory.overdue(state);
                (self.compare(state, &overdue), directory.next_overdue(state))
            });
            if !events.is_empty() {
                return Some((revision, events));
            }
            tokio::select! {
                biased;
                _ = self.metrics.wait_for(|metrics| !metrics.is_leader()) => return None,
                changed = self.changes.changed() => changed.ok()?,
                () = sleep_until(lease_ends) => {}
            }
            tokio::time::sleep(MIN_INTERVAL).await;
        }
    }

    fn compare(&mut self, state: &ClusterState, overdue: &BTreeSet<WorkerId>) -> (Revision, Vec<Event>) {
        let mut events = Vec::new();
        for name in state
            .list()
            .filter(|name| self.names.is_empty() || self.names.contains(name.as_str()))
        {
            let mut now = ListedConnector::of(state, name, EVERYTHING);
            now.status = now.status.map(|status| status.without(overdue, state));
            if self.shown.get(name) != Some(&now) {
                self.shown.insert(name.clone(), now.clone());
                events.push(Event::Updated(Box::new(now)));
            }
        }
        let gone: Vec<_> = self
            .shown
            .keys()
            .filter(|name| state.connector(name.as_str()).is_none())
            .cloned()
            .collect();
        for name in gone {
            self.shown.remove(&name);
            events.push(Event::Deleted(name));
        }
        (state.revision(), events)
    }
}

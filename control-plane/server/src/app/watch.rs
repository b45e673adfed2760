//! Changes of connectors as they happen, level-triggered: a watcher compares what it has shown with what is now. One
//! that is slow misses the steps between, never the outcome, and keeps one view a connector however slow it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use towpath_raft::{ClusterStore, Reads as _};
use towpath_state::ClusterState;
use towpath_types::{ConnectorName, Revision};

use super::{App, Expansion, ListedConnector};

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
    changes: watch::Receiver<Revision>,
    /// Empty: every connector.
    names: BTreeSet<String>,
    shown: BTreeMap<ConnectorName, ListedConnector>,
}

impl App {
    pub(crate) fn watch(&self, names: Vec<String>) -> Watcher {
        Watcher {
            store: Arc::clone(&self.store),
            changes: self.store.subscribe(),
            names: names.into_iter().collect(),
            shown: BTreeMap::new(),
        }
    }
}

impl Watcher {
    /// Waits for changes; to a new watcher, everything that is there is one. `None` when the store is gone.
    pub(crate) async fn next(&mut self) -> Option<(Revision, Vec<Event>)> {
        loop {
            self.changes.borrow_and_update();
            let store = Arc::clone(&self.store);
            let (revision, events) = store.read_local(|state| self.compare(state));
            if !events.is_empty() {
                return Some((revision, events));
            }
            self.changes.changed().await.ok()?;
            tokio::time::sleep(MIN_INTERVAL).await;
        }
    }

    fn compare(&mut self, state: &ClusterState) -> (Revision, Vec<Event>) {
        let mut events = Vec::new();
        for name in state
            .list()
            .filter(|name| self.names.is_empty() || self.names.contains(name.as_str()))
        {
            let now = ListedConnector::of(state, name, EVERYTHING);
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

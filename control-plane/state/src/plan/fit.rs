//! Which workers may run the units of a connector, and why none may.

use std::collections::BTreeMap;

use towpath_types::{Selector, WorkerId};

use crate::{ClusterState, Connector, Worker};

/// Why nobody runs a unit that is wanted, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("no worker takes units{}: start one", beside(.draining))]
    NoWorker { draining: usize },
    #[error("no worker has the plugin `{class}`{}: start one that has it", beside(.draining))]
    NoPlugin { class: String, draining: usize },
    #[error(
        "no worker with the plugin `{class}` meets `{requirement}` of `worker.selector`{}: start one whose \
         `worker.labels` do, or change the selector",
        beside(.draining)
    )]
    Unmet {
        class: String,
        requirement: String,
        draining: usize,
    },
    #[error(
        "no worker with the plugin `{class}` meets all of `worker.selector` (`{selector}`) at once{}: start one whose \
         `worker.labels` do, or change the selector",
        beside(.draining)
    )]
    UnmetTogether {
        class: String,
        selector: String,
        draining: usize,
    },
    #[error("`worker.selector` (`{selector}`) cannot be read: change it")]
    Unreadable { selector: String },
}

fn beside(draining: &usize) -> String {
    match draining {
        0 => String::new(),
        1 => " (1 is draining)".to_owned(),
        count => format!(" ({count} are draining)"),
    }
}

/// What a connector asks of a worker.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    class: &'a str,
    /// `None` if it cannot be read, which validation does not let in: then nobody will do.
    selector: Option<Selector>,
}

impl<'a> Needs<'a> {
    pub(super) fn of(connector: &'a Connector) -> Self {
        Self {
            class: connector.class(),
            selector: connector.selector().parse().ok(),
        }
    }

    pub(super) fn are_met_by(&self, worker: &Worker) -> bool {
        let selector = self.selector.as_ref();
        selector.is_some_and(|selector| selector.is_met_by(&worker.labels))
            && worker.connector_plugin(self.class).is_some()
    }
}

impl ClusterState {
    /// Why no worker may run the units of this connector; `None` if one may. `leaving` is a worker that they are to
    /// leave: it does not count.
    pub fn obstacle(&self, connector: &Connector, leaving: Option<&WorkerId>) -> Option<Obstacle> {
        obstacle(self.workers(), connector, leaving)
    }
}

fn obstacle(
    workers: &BTreeMap<WorkerId, Worker>,
    connector: &Connector,
    leaving: Option<&WorkerId>,
) -> Option<Obstacle> {
    let needs = Needs::of(connector);
    let others = || {
        workers
            .iter()
            .filter(|(id, _)| Some(*id) != leaving)
            .map(|(_, worker)| worker)
    };
    let takers: Vec<&Worker> = others().filter(|worker| !worker.draining).collect();
    if takers.iter().any(|worker| needs.are_met_by(worker)) {
        return None;
    }
    let (class, selector) = (needs.class.to_owned(), connector.selector().to_owned());
    let Some(wanted) = &needs.selector else {
        return Some(Obstacle::Unreadable { selector });
    };
    // Those that would do if they were not draining.
    let draining = others()
        .filter(|worker| worker.draining && needs.are_met_by(worker))
        .count();
    if takers.is_empty() {
        return Some(Obstacle::NoWorker { draining });
    }
    let able: Vec<&&Worker> = takers
        .iter()
        .filter(|worker| worker.connector_plugin(needs.class).is_some())
        .collect();
    if able.is_empty() {
        return Some(Obstacle::NoPlugin { class, draining });
    }
    let unmet = wanted
        .requirements()
        .iter()
        .find(|requirement| !able.iter().any(|worker| requirement.is_met_by(&worker.labels)));
    Some(match unmet {
        Some(requirement) => Obstacle::Unmet {
            class,
            requirement: requirement.to_string(),
            draining,
        },
        None => Obstacle::UnmetTogether {
            class,
            selector,
            draining,
        },
    })
}

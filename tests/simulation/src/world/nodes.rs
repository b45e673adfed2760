//! The nodes of the control plane, and the users who ask them.

use std::sync::Arc;

use rand::Rng;

use super::World;
use crate::agenda::{Actor, Event, LinkId};
use crate::group::{NODES, lock};
use crate::node::Node;
use crate::users;

impl World {
    pub(crate) fn stop_node(&mut self, number: usize) {
        let links: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.node == number)
            .map(|(id, _)| *id)
            .collect();
        for link in links {
            self.reset(link);
        }
        if let Some(node) = self.nodes[number].take() {
            node.stop();
        }
        lock(&self.group).crash(number);
    }

    pub(crate) fn start_node(&mut self, number: usize) {
        let mut group = lock(&self.group);
        if group.isolated == Some(number) {
            group.rejoin();
        }
        if group.nodes[number].is_up {
            return;
        }
        group.restart(number);
        drop(group);
        self.note(|_| format!("node {number} starts"));
        self.nodes[number] = Some(Node::start(&self.group, number, &self.agenda, &mut self.tasks));
    }

    pub(super) fn node(&self, number: usize) -> Option<&Node> {
        self.nodes[number].as_ref()
    }

    pub(super) fn plan_user(&mut self) {
        let at = self.now() + self.rng.random_range(20..=1_200);
        self.agenda.add(at, Actor::User(0), Event::Act);
    }

    pub(super) fn let_user_act(&mut self) {
        if self.is_mended {
            return;
        }
        let workers: Vec<String> = self.workers.iter().map(|worker| worker.id.clone()).collect();
        let now = self.now();
        let (number, request) = self.users.act(&mut self.rng, &workers, now);
        self.ask(number, request);
        self.plan_user();
    }

    /// Of a node that takes itself for the leader, if there is one.
    pub(super) fn ask(&mut self, number: u64, request: users::Request) {
        let leading: Vec<usize> = {
            let group = lock(&self.group);
            (0..NODES)
                .filter(|node| group.takes_itself_for_leader(*node))
                .collect()
        };
        let node = match leading.len() {
            0 => self.rng.random_range(0..NODES),
            count => leading[self.rng.random_range(0..count)],
        };
        let store = self.nodes[node].as_ref().map(|node| Arc::clone(&node.store));
        if let Some(store) = store {
            users::ask(number, request, store, Arc::clone(&self.agenda), &mut self.tasks);
        }
    }
}

//! Who has what in flight: room, mailboxes for deliveries, and whom a report belongs to. Pure bookkeeping.

use std::sync::Arc;

use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use super::window::Window;
use super::{Delivery, MAX_TOKEN, MESSAGE_OVERHEAD_BYTES, Position, TOKEN_BITS};
use crate::error::SendError;

/// As many as there are numbers beside the token in an opaque.
const MAX_LANES: usize = 1 << (u64::BITS - TOKEN_BITS);

/// This part of the buffer is kept back and split evenly: each lane can always have its share of it in flight, even when
/// the rest is full of records whose partitions are stuck. The rest belongs to whoever comes first.
const RESERVED_PART: usize = 4;

/// A capacity that a mailbox keeps when it is drained into an empty vector; above it, memory of a burst is given back.
const MAILBOX_KEEPS: usize = 4096;

/// The number of a lane. It is given out again only when no report of its last user can arrive any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneIndex(u16);

impl LaneIndex {
    /// What librdkafka carries with a message.
    pub(super) fn opaque(self, token: u64) -> u64 {
        u64::from(self.0) << TOKEN_BITS | token
    }

    fn of(opaque: u64) -> (Self, u64) {
        (Self((opaque >> TOKEN_BITS) as u16), opaque & MAX_TOKEN)
    }

    fn slot(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Debug)]
struct Lane {
    mailbox: Vec<Delivery>,
    in_flight: usize,
    booked: usize,
    closed: bool,
    delivered: Arc<Notify>,
    /// How many records ever got their report.
    reported: u64,
    /// Records are hurried along until so many are reported.
    hurried_until: u64,
    /// Whether there is somebody who does that.
    is_hurried: bool,
}

/// What to do for a lane that is in a hurry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hurry {
    /// Hurry it along while [`Lanes::is_hurried`].
    Begin,
    /// Somebody does so, or there is nothing to hurry.
    Nothing,
}

#[derive(Debug)]
pub(super) struct Lanes {
    slots: Vec<Option<Lane>>,
    free: Vec<LaneIndex>,
    limit: usize,
    /// Of each lane.
    window: Window,
    /// The sum of what the lanes have booked.
    booked: usize,
    /// How many lanes are not closed.
    open: usize,
    /// How many messages were ever freed: tells a waiter whether room was made since it looked.
    drained: u64,
}

impl Lanes {
    pub(super) fn new(limit: usize, window: Window) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            limit,
            window,
            booked: 0,
            open: 0,
            drained: 0,
        }
    }

    pub(super) fn open(&mut self) -> Result<(LaneIndex, Arc<Notify>), SendError> {
        let delivered = Arc::new(Notify::new());
        let lane = Lane {
            mailbox: Vec::new(),
            in_flight: 0,
            booked: 0,
            closed: false,
            delivered: Arc::clone(&delivered),
            reported: 0,
            hurried_until: 0,
            is_hurried: false,
        };
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let too_many = |_| SendError::TooManyLanes { count: MAX_LANES };
                let index = LaneIndex(u16::try_from(self.slots.len()).map_err(too_many)?);
                self.slots.push(None);
                index
            }
        };
        self.slots[index.slot()] = Some(lane);
        self.open += 1;
        Ok((index, delivered))
    }

    /// The lane takes no more; its number is free again when its last report has come.
    pub(super) fn close(&mut self, index: LaneIndex) {
        let lane = self.lane(index);
        lane.closed = true;
        lane.mailbox = Vec::new();
        self.open -= 1;
        self.retire(index);
    }

    pub(super) fn open_count(&self) -> usize {
        self.open
    }

    /// Books room for one record. A lane that has nothing in flight may always have one, so that a record larger than
    /// its share does not wait for ever.
    pub(super) fn book(&mut self, index: LaneIndex, cost: usize) -> bool {
        let reserved = self.limit / RESERVED_PART;
        let first_come = self.booked + cost <= self.limit - reserved;
        let share = reserved / self.open.max(1);
        let window = self.window;
        let lane = self.lane(index);
        let bytes = lane.booked + cost - MESSAGE_OVERHEAD_BYTES * (lane.in_flight + 1);
        let fits = (first_come || lane.booked + cost <= share) && window.has_room(lane.in_flight, bytes);
        if !fits && lane.in_flight > 0 {
            return false;
        }
        lane.in_flight += 1;
        lane.booked += cost;
        self.booked += cost;
        true
    }

    /// Gives back room of records that were not taken.
    pub(super) fn unbook(&mut self, index: LaneIndex, costs: impl Iterator<Item = usize>) {
        let (mut records, mut bytes) = (0, 0);
        for cost in costs {
            records += 1;
            bytes += cost;
        }
        let lane = self.lane(index);
        lane.in_flight -= records;
        lane.booked -= bytes;
        self.booked -= bytes;
    }

    /// Takes in a report from librdkafka: `opaque` and size (key and value) of the message, and what became of it.
    pub(super) fn deliver(&mut self, opaque: u64, bytes: usize, result: Result<Position, RDKafkaErrorCode>) {
        let (index, token) = LaneIndex::of(opaque);
        self.settle(index, MESSAGE_OVERHEAD_BYTES + bytes, Delivery { token, result });
    }

    /// Reports records that were taken but that librdkafka refused for good: token, cost, error.
    pub(super) fn refuse(&mut self, index: LaneIndex, refused: &[(u64, usize, RDKafkaErrorCode)]) {
        for &(token, cost, error) in refused {
            self.settle(
                index,
                cost,
                Delivery {
                    token,
                    result: Err(error),
                },
            );
        }
    }

    fn settle(&mut self, index: LaneIndex, cost: usize, delivery: Delivery) {
        self.drained += 1;
        self.booked -= cost;
        let lane = self.lane(index);
        lane.booked -= cost;
        lane.in_flight -= 1;
        lane.reported += 1;
        if lane.closed {
            self.retire(index);
            return;
        }
        // Whoever waits was told when the first one came in.
        if lane.mailbox.is_empty() {
            lane.delivered.notify_one();
        }
        lane.mailbox.push(delivery);
    }

    pub(super) fn drain(&mut self, index: LaneIndex, out: &mut Vec<Delivery>) {
        let mailbox = &mut self.lane(index).mailbox;
        if out.is_empty() {
            std::mem::swap(mailbox, out);
        } else {
            out.append(mailbox);
        }
        mailbox.shrink_to(MAILBOX_KEEPS);
    }

    pub(super) fn has_deliveries(&mut self, index: LaneIndex) -> bool {
        !self.lane(index).mailbox.is_empty()
    }

    pub(super) fn in_flight(&mut self, index: LaneIndex) -> usize {
        self.lane(index).in_flight
    }

    /// What is in flight now is to be hurried along.
    pub(super) fn hurry(&mut self, index: LaneIndex) -> Hurry {
        let lane = self.lane(index);
        lane.hurried_until = lane.reported + lane.in_flight as u64;
        if lane.is_hurried || lane.in_flight == 0 {
            return Hurry::Nothing;
        }
        lane.is_hurried = true;
        Hurry::Begin
    }

    /// Whether to go on. Whoever is told `false` stops.
    pub(super) fn is_hurried(&mut self, index: LaneIndex) -> bool {
        let Some(lane) = &mut self.slots[index.slot()] else {
            return false;
        };
        lane.is_hurried = !lane.closed && lane.reported < lane.hurried_until;
        lane.is_hurried
    }

    pub(super) fn drained(&self) -> u64 {
        self.drained
    }

    fn retire(&mut self, index: LaneIndex) {
        let lane = self.lane(index);
        if lane.closed && lane.in_flight == 0 {
            self.slots[index.slot()] = None;
            self.free.push(index);
        }
    }

    fn lane(&mut self, index: LaneIndex) -> &mut Lane {
        let slot = self.slots.get_mut(index.slot()).and_then(Option::as_mut);
        slot.expect("a lane stays until it is closed and its last report has come")
    }
}

#[cfg(test)]
mod tests;

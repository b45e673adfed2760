//! The bookkeeping on its own; with a real librdkafka under it, see `tests/`.

use rdkafka::ClientConfig;

use super::*;

const COST: usize = MESSAGE_OVERHEAD_BYTES + 100;

fn delivered(lanes: &mut Lanes, lane: LaneIndex, token: u64) {
    lanes.deliver(
        lane.opaque(token),
        100,
        Ok(Position {
            partition: 0,
            offset: 7,
        }),
    );
}

fn drained(lanes: &mut Lanes, lane: LaneIndex) -> Vec<u64> {
    let mut out = Vec::new();
    lanes.drain(lane, &mut out);
    out.iter().map(|delivery| delivery.token).collect()
}

fn fill(lanes: &mut Lanes, lane: LaneIndex) -> usize {
    (0..).take_while(|_| lanes.book(lane, COST)).count()
}

#[test]
fn reports_reach_the_lane_that_sent_the_record() {
    let mut lanes = Lanes::new(1 << 20, Window::of(&ClientConfig::new()));
    let (one, _) = lanes.open().unwrap();
    let (two, _) = lanes.open().unwrap();
    for lane in [one, two, one, two] {
        assert!(lanes.book(lane, COST));
    }
    delivered(&mut lanes, one, 1);
    delivered(&mut lanes, two, MAX_TOKEN);
    delivered(&mut lanes, one, 2);
    assert_eq!(drained(&mut lanes, one), [1, 2]);
    assert_eq!(drained(&mut lanes, two), [MAX_TOKEN]);
    assert_eq!((lanes.in_flight(one), lanes.in_flight(two)), (0, 1));
}

#[test]
fn a_number_is_given_out_again_only_after_the_last_late_report() {
    let mut lanes = Lanes::new(1 << 20, Window::of(&ClientConfig::new()));
    let (old, _) = lanes.open().unwrap();
    assert!(lanes.book(old, COST));
    lanes.close(old);
    let (new, _) = lanes.open().unwrap();
    assert_ne!(new, old);
    delivered(&mut lanes, old, 1);
    assert_eq!(
        drained(&mut lanes, new),
        [0u64; 0],
        "a late report belongs to nobody"
    );
    let (again, _) = lanes.open().unwrap();
    assert_eq!(again, old);
    assert_eq!(drained(&mut lanes, again), [0u64; 0]);
    assert_eq!(lanes.booked, 0);
}

#[test]
fn one_lane_alone_gets_three_quarters_of_the_buffer() {
    let mut lanes = Lanes::new(1000 * COST, Window::of(&ClientConfig::new()));
    let (lane, _) = lanes.open().unwrap();
    assert_eq!(fill(&mut lanes, lane), 750);
}

#[test]
fn a_lane_has_no_more_with_librdkafka_than_its_window_however_large_the_buffer() {
    let mut lanes = Lanes::new(1 << 30, Window::of(&ClientConfig::new()));
    let (small, _) = lanes.open().unwrap();
    assert_eq!(fill(&mut lanes, small), 15_000, "records");
    let (large, _) = lanes.open().unwrap();
    let cost = MESSAGE_OVERHEAD_BYTES + 100_000;
    assert_eq!((0..).take_while(|_| lanes.book(large, cost)).count(), 15, "bytes");
    lanes.deliver(
        small.opaque(1),
        100,
        Ok(Position {
            partition: 0,
            offset: 7,
        }),
    );
    assert_eq!(fill(&mut lanes, small), 1);
}

#[test]
fn lanes_that_are_stuck_leave_room_for_the_others() {
    let mut lanes = Lanes::new(10_000 * COST, Window::of(&ClientConfig::new()));
    let stuck: Vec<_> = (0..20).map(|_| lanes.open().unwrap().0).collect();
    for &lane in &stuck {
        fill(&mut lanes, lane);
    }
    let (other, _) = lanes.open().unwrap();
    assert!(
        fill(&mut lanes, other) >= 10,
        "twenty stuck lanes must not stop the twenty-first"
    );
}

#[test]
fn a_record_larger_than_the_buffer_goes_alone() {
    let mut lanes = Lanes::new(1000, Window::of(&ClientConfig::new()));
    let (lane, _) = lanes.open().unwrap();
    assert!(lanes.book(lane, 5000));
    assert!(!lanes.book(lane, 1));
    lanes.deliver(
        lane.opaque(1),
        5000 - MESSAGE_OVERHEAD_BYTES,
        Err(RDKafkaErrorCode::MessageTimedOut),
    );
    assert!(lanes.book(lane, 5000));
}

#[test]
fn room_of_records_that_were_not_taken_is_given_back() {
    let mut lanes = Lanes::new(100 * COST, Window::of(&ClientConfig::new()));
    let (lane, _) = lanes.open().unwrap();
    let full = fill(&mut lanes, lane);
    lanes.unbook(lane, std::iter::repeat_n(COST, 10));
    assert_eq!(lanes.in_flight(lane), full - 10);
    assert_eq!(fill(&mut lanes, lane), 10);
}

#[test]
fn draining_into_a_vector_that_is_not_empty_appends() {
    let mut lanes = Lanes::new(1 << 20, Window::of(&ClientConfig::new()));
    let (lane, _) = lanes.open().unwrap();
    let mut out = Vec::new();
    for token in 0..3 {
        assert!(lanes.book(lane, COST));
        delivered(&mut lanes, lane, token);
        lanes.drain(lane, &mut out);
    }
    assert_eq!(
        out.iter().map(|delivery| delivery.token).collect::<Vec<_>>(),
        [0, 1, 2]
    );
}

#[test]
fn a_lane_is_hurried_until_what_was_in_flight_is_reported() {
    let mut lanes = Lanes::new(1 << 20, Window::of(&ClientConfig::new()));
    let (lane, _) = lanes.open().unwrap();
    assert_eq!(lanes.hurry(lane), Hurry::Nothing, "nothing is in flight");
    assert!(lanes.book(lane, COST) && lanes.book(lane, COST));
    assert_eq!(lanes.hurry(lane), Hurry::Begin);
    assert_eq!(lanes.hurry(lane), Hurry::Nothing, "somebody does it");
    delivered(&mut lanes, lane, 1);
    assert!(lanes.book(lane, COST));
    assert!(lanes.is_hurried(lane));
    delivered(&mut lanes, lane, 2);
    assert!(!lanes.is_hurried(lane), "the third came later");
    assert_eq!(lanes.hurry(lane), Hurry::Begin);
    lanes.close(lane);
    assert!(!lanes.is_hurried(lane), "nobody waits for it any more");
}

#[tokio::test]
async fn the_first_delivery_into_an_empty_mailbox_wakes_the_lane() {
    let mut lanes = Lanes::new(1 << 20, Window::of(&ClientConfig::new()));
    let (lane, woken) = lanes.open().unwrap();
    assert!(lanes.book(lane, COST));
    delivered(&mut lanes, lane, 1);
    tokio::time::timeout(std::time::Duration::from_secs(10), woken.notified())
        .await
        .unwrap();
}

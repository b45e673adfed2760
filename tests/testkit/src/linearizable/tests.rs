//! Histories that are known to be good or bad, and many that were made from a real order.

use proptest::prelude::*;

use super::*;

fn operation(invoked: u64, returned: u64, action: Action<u32>, answer: Answer<u32>) -> Operation<u32> {
    Operation {
        action,
        answer,
        invoked,
        returned,
    }
}

fn put(invoked: u64, returned: u64, value: u32) -> Operation<u32> {
    operation(invoked, returned, Action::Put(value), Answer::Done)
}

fn lost_put(invoked: u64, value: u32) -> Operation<u32> {
    operation(invoked, 0, Action::Put(value), Answer::Unknown)
}

fn read(invoked: u64, returned: u64, found: Option<u32>) -> Operation<u32> {
    operation(invoked, returned, Action::Read, Answer::Found(found))
}

fn is_linearizable(operations: &[Operation<u32>]) -> bool {
    check(&History::from([("key".to_owned(), operations.to_vec())])).is_ok()
}

#[test]
fn a_read_sees_the_last_write_that_had_returned() {
    assert!(is_linearizable(&[]));
    assert!(is_linearizable(&[
        read(0, 1, None),
        put(2, 3, 1),
        read(4, 5, Some(1))
    ]));
    assert!(!is_linearizable(&[put(0, 1, 1), read(2, 3, None)]));
    assert!(!is_linearizable(&[
        put(0, 1, 1),
        put(2, 3, 2),
        read(4, 5, Some(1))
    ]));
    assert!(
        !is_linearizable(&[read(0, 1, Some(1)), put(2, 3, 1)]),
        "a read of the future"
    );
}

#[test]
fn a_read_beside_a_write_sees_the_one_or_the_other_but_never_goes_back() {
    let write = put(0, 10, 1);
    assert!(is_linearizable(&[
        write.clone(),
        read(1, 2, None),
        read(3, 4, Some(1))
    ]));
    assert!(!is_linearizable(&[
        write.clone(),
        read(1, 2, Some(1)),
        read(3, 4, None)
    ]));
    assert!(
        is_linearizable(&[write, read(1, 4, Some(1)), read(2, 3, None)]),
        "these two overlap"
    );
}

#[test]
fn concurrent_writes_have_one_order_for_everybody() {
    let writes = [put(0, 10, 1), put(0, 10, 2)];
    let with = |reads: &[Operation<u32>]| is_linearizable(&[&writes, reads].concat());
    assert!(with(&[
        read(1, 2, Some(1)),
        read(3, 4, Some(2)),
        read(11, 12, Some(2))
    ]));
    assert!(!with(&[
        read(1, 2, Some(1)),
        read(3, 4, Some(2)),
        read(11, 12, Some(1))
    ]));
}

#[test]
fn create_and_delete_say_whether_there_was_a_value() {
    let create = |from, to, value, answer| operation(from, to, Action::Create(value), answer);
    let delete = |from, to, answer| operation(from, to, Action::Delete, answer);
    assert!(is_linearizable(&[
        create(0, 1, 1, Answer::Done),
        create(2, 3, 2, Answer::Refused),
        read(4, 5, Some(1))
    ]));
    assert!(!is_linearizable(&[
        create(0, 1, 1, Answer::Done),
        create(2, 3, 2, Answer::Done)
    ]));
    assert!(!is_linearizable(&[create(0, 1, 1, Answer::Refused)]));
    assert!(is_linearizable(&[
        put(0, 1, 1),
        delete(2, 3, Answer::Done),
        delete(4, 5, Answer::Refused)
    ]));
    assert!(!is_linearizable(&[put(0, 1, 1), delete(2, 3, Answer::Refused)]));
    assert!(!is_linearizable(&[
        put(0, 1, 1),
        delete(2, 3, Answer::Done),
        delete(4, 5, Answer::Done)
    ]));
}

#[test]
fn an_update_changes_only_what_is_there() {
    let update = |invoked, value, answer| operation(invoked, invoked + 1, Action::Update(value), answer);
    assert!(is_linearizable(&[
        put(0, 1, 1),
        update(2, 2, Answer::Done),
        read(4, 5, Some(2))
    ]));
    assert!(is_linearizable(&[
        update(0, 1, Answer::Refused),
        read(2, 3, None)
    ]));
    assert!(!is_linearizable(&[update(0, 1, Answer::Done)]));
    assert!(!is_linearizable(&[put(0, 1, 1), update(2, 2, Answer::Refused)]));
}

#[test]
fn a_write_without_an_answer_may_happen_late_or_never_but_once() {
    assert!(is_linearizable(&[lost_put(0, 1), read(100, 101, None)]));
    assert!(is_linearizable(&[
        lost_put(0, 1),
        read(1, 2, None),
        read(100, 101, Some(1))
    ]));
    assert!(
        !is_linearizable(&[lost_put(5, 1), read(1, 2, Some(1))]),
        "not before its call"
    );
    assert!(!is_linearizable(&[
        lost_put(0, 1),
        read(1, 2, Some(1)),
        put(3, 4, 2),
        read(5, 6, Some(1))
    ]));
    assert!(is_linearizable(&[
        lost_put(0, 1),
        put(3, 4, 2),
        read(5, 6, Some(1))
    ]));
    let failed = operation(0, 1, Action::Put(1), Answer::Failed);
    assert!(
        !is_linearizable(&[failed, read(2, 3, Some(1))]),
        "what has failed had no effect"
    );
}

#[test]
fn keys_are_judged_apart_and_the_bad_one_is_named() {
    let history = History::from([
        ("good".to_owned(), vec![put(0, 1, 1), read(2, 3, Some(1))]),
        ("stale".to_owned(), vec![put(0, 1, 1), read(2, 3, None)]),
    ]);
    let error = check(&history).unwrap_err();
    assert_eq!((error.key.as_str(), error.explained), ("stale", 1));
    assert_eq!(
        error.to_string(),
        "the history of \"stale\" is not linearizable: no order explains more than 1 of these operations\n  \
         0..1 Put(1) -> Done\n  2..3 Read -> Found(None)\n"
    );
}

#[test]
fn many_operations_and_many_lost_writes_are_no_trouble() {
    let mut operations: Vec<Operation<u32>> = (0..2_000)
        .flat_map(|number| {
            let at = u64::from(number) * 10;
            [put(at, at + 12, number), read(at + 13, at + 14, Some(number))]
        })
        .collect();
    assert!(is_linearizable(&operations[..1]));
    // Each write overlaps with the next one, so only the reads fix the order.
    operations.retain(|operation| operation.action != Action::Read);
    operations.push(read(30_000, 30_001, Some(1_999)));
    operations.extend((0..20).map(|number| lost_put(number, 5_000)));
    assert!(is_linearizable(&operations));
}

/// An operation as it really happened, at `at`, seen by a client that waited before and after.
#[derive(Debug, Clone)]
struct Event {
    action: Action<u32>,
    before: u64,
    after: u64,
    is_lost: bool,
    had_effect: bool,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let action = prop_oneof![
        (0..1_000u32).prop_map(Action::Create),
        (0..1_000u32).prop_map(Action::Put),
        (0..1_000u32).prop_map(Action::Update),
        Just(Action::Delete),
        Just(Action::Read),
        Just(Action::Read),
    ];
    let event = (
        action,
        0..40u64,
        0..40u64,
        prop::bool::weighted(0.1),
        any::<bool>(),
    )
        .prop_map(|(action, before, after, is_lost, had_effect)| Event {
            action,
            before,
            after,
            is_lost,
            had_effect,
        });
    prop::collection::vec(event, 1..40)
}

/// What the clients saw of it; the event number `n` happened at `100 + 10 * n`.
fn history_of(events: &[Event]) -> Vec<Operation<u32>> {
    let mut value = None;
    let mut operations = Vec::new();
    for (number, event) in (0u64..).zip(events) {
        let at = 100 + 10 * number;
        let mut answer = match (&event.action, value) {
            (Action::Read, value) => Answer::Found(value),
            (Action::Create(_), Some(_)) | (Action::Update(_) | Action::Delete, None) => Answer::Refused,
            (Action::Create(_) | Action::Put(_) | Action::Update(_) | Action::Delete, _) => Answer::Done,
        };
        if answer == Answer::Done && (!event.is_lost || event.had_effect) {
            value = match event.action {
                Action::Create(new) | Action::Put(new) | Action::Update(new) => Some(new),
                Action::Delete | Action::Read => None,
            };
        }
        if event.is_lost {
            answer = Answer::Unknown;
        }
        operations.push(operation(
            at - event.before,
            at + event.after,
            event.action.clone(),
            answer,
        ));
    }
    operations
}

proptest! {
    #[test]
    fn what_really_happened_in_an_order_is_accepted(events in events(), swap in any::<prop::sample::Index>()) {
        let mut operations = history_of(&events);
        prop_assert!(is_linearizable(&operations));
        let (last, swapped) = (operations.len() - 1, swap.index(operations.len()));
        operations.swap(swapped, last);
        prop_assert!(is_linearizable(&operations), "in whatever order they are named");
    }

    #[test]
    fn one_stale_read_is_refused(events in events(), after in any::<prop::sample::Index>()) {
        let mut operations = history_of(&events);
        // Two writes of values that nobody else writes, one after the other, after everything of the history.
        let end = 1_000 + after.index(1_000) as u64;
        operations.push(put(end, end + 1, 7_001));
        operations.push(put(end + 2, end + 3, 7_002));
        prop_assert!(is_linearizable(&operations));
        operations.push(read(end + 4, end + 5, Some(7_001)));
        prop_assert!(!is_linearizable(&operations));
    }
}

//! Leases, with a clock that the tests move.

use tokio::sync::mpsc;
use tokio::time::advance;
use towpath_state::{Command, Registration, Replaces};
use towpath_types::SessionId;

use super::*;
use crate::sessions::live::Outbound;
use crate::sessions::registration::Offer;

const LEASE: Lease = Lease {
    duration: Duration::from_secs(3),
    margin: Duration::from_millis(500),
};

fn leading() -> Directory {
    let directory = Directory::new(LEASE);
    directory.begin();
    directory
}

fn reporter(worker: &str, session: &str) -> Reporter {
    Reporter {
        worker: WorkerId::new(worker),
        session: SessionId::new(session),
    }
}

fn session(worker: &str, session: &str) -> Arc<LiveSession> {
    let (outbound, _): (Outbound, _) = mpsc::channel(1);
    let offer = Offer { plugins: Vec::new() };
    Arc::new(LiveSession::new(
        (reporter(worker, session), None),
        offer,
        outbound,
    ))
}

fn state(workers: &[(&str, &str)]) -> ClusterState {
    let mut state = ClusterState::new();
    for (worker, session) in workers {
        let registration = Registration {
            worker: WorkerId::new(worker),
            session: SessionId::new(session),
            resumes: None,
            process: None,
            replaces: Replaces::default(),
            address: (*worker).to_owned(),
            version: String::new(),
            labels: BTreeMap::new(),
            plugins: Vec::new(),
            held: Vec::new(),
        };
        state.apply(&Command::RegisterWorker(registration)).unwrap();
    }
    state
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_expired_after_its_lease_and_the_margin_of_silence() {
    let directory = leading();
    let state = state(&[("w", "s")]);
    directory.open(&session("w", "s"));
    advance(Duration::from_millis(3_400)).await;
    let silence = directory.silence(&state);
    assert!(silence.expired.is_empty());
    assert_eq!(silence.next, Some(Instant::now() + Duration::from_millis(100)));
    advance(Duration::from_millis(100)).await;
    assert_eq!(directory.silence(&state).expired, [reporter("w", "s")]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_is_overdue_when_its_lease_is_over_and_removed_a_margin_later() {
    let directory = leading();
    let state = state(&[("w", "s"), ("other", "s")]);
    directory.open(&session("w", "s"));
    advance(Duration::from_secs(2)).await;
    directory.open(&session("other", "s"));
    advance(Duration::from_millis(999)).await;
    assert_eq!(directory.overdue(&state), BTreeSet::new());
    advance(Duration::from_millis(1)).await;
    assert_eq!(directory.overdue(&state), BTreeSet::from([WorkerId::new("w")]));
    assert!(directory.silence(&state).expired.is_empty());
    // Who does not lead has heard of nobody.
    directory.end();
    assert_eq!(directory.overdue(&state), BTreeSet::new());
}

#[tokio::test(start_paused = true)]
async fn every_message_begins_a_new_lease() {
    let directory = leading();
    let state = state(&[("w", "s")]);
    directory.open(&session("w", "s"));
    for _ in 0..10 {
        advance(Duration::from_secs(3)).await;
        directory.heard(&WorkerId::new("w"));
        assert!(directory.silence(&state).expired.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_does_not_shorten_the_lease() {
    let directory = leading();
    let state = state(&[("w", "s")]);
    let lost = session("w", "s");
    directory.open(&lost);
    directory.close(&lost);
    assert!(
        !directory.live_workers().contains(&WorkerId::new("w")),
        "nothing new is given to it"
    );
    advance(Duration::from_secs(3)).await;
    assert!(directory.silence(&state).expired.is_empty());
    advance(Duration::from_secs(1)).await;
    assert_eq!(directory.silence(&state).expired.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_leader_gives_everybody_one_lease_to_register() {
    let directory = leading();
    let state = state(&[("w", "s"), ("v", "t")]);
    advance(Duration::from_secs(60)).await;
    directory.begin();
    advance(Duration::from_secs(3)).await;
    assert!(directory.silence(&state).expired.is_empty());
    directory.open(&session("v", "t"));
    advance(Duration::from_secs(1)).await;
    assert_eq!(directory.silence(&state).expired, [reporter("w", "s")]);
}

#[tokio::test(start_paused = true)]
async fn a_newer_session_ends_the_older_and_is_not_closed_by_it() {
    let directory = leading();
    let (older, newer) = (session("w", "s1"), session("w", "s2"));
    directory.open(&older);
    directory.open(&newer);
    assert!(older.over.is_cancelled() && !newer.over.is_cancelled());
    directory.close(&older);
    directory.forget(&older.reporter);
    assert!(directory.live_workers().contains(&WorkerId::new("w")));
    assert!(!newer.over.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_registers_while_it_is_expired_is_not_forgotten() {
    let directory = leading();
    let state = state(&[("w", "s")]);
    directory.open(&session("w", "s"));
    advance(Duration::from_secs(4)).await;
    let expired = directory.silence(&state).expired;
    directory.heard(&WorkerId::new("w"));
    directory.forget(&expired[0]);
    assert!(directory.silence(&state).expired.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_opens_on_a_node_that_leads_no_more_is_over() {
    let directory = leading();
    let (before, after) = (session("w", "s1"), session("v", "s2"));
    directory.open(&before);
    directory.end();
    directory.open(&after);
    assert!(before.over.is_cancelled() && after.over.is_cancelled());
    assert_eq!(directory.live_workers(), LiveWorkers::default());
}

#[tokio::test(start_paused = true)]
async fn whoever_tried_to_register_in_vain_is_forgotten() {
    let directory = leading();
    for n in 0..100 {
        directory.heard(&WorkerId::new(format!("w{n}")));
    }
    advance(Duration::from_secs(4)).await;
    directory.silence(&ClusterState::new());
    assert!(directory.lock().workers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_given_up_is_not_listened_to_while_its_removal_is_written() {
    let directory = leading();
    let session = session("w", "s");
    directory.open(&session);
    advance(Duration::from_millis(3_400)).await;
    assert!(directory.heard_from(&session));
    advance(Duration::from_millis(200)).await;
    assert!(
        !directory.give_up(&WorkerId::new("w")),
        "it has just been heard of"
    );
    advance(Duration::from_millis(3_300)).await;
    assert!(directory.give_up(&WorkerId::new("w")));
    assert!(
        !directory.heard_from(&session),
        "a heartbeat that comes now is too late"
    );
    assert!(session.over.is_cancelled() && directory.live_workers() == LiveWorkers::default());
}

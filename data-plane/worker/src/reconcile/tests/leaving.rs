//! A worker that stops gives back each unit when that has ended.

use super::*;

const GRACEFUL: Duration = Duration::from_secs(5);

impl Running {
    /// What is given back or confirmed next; whatever else is said goes unheard.
    async fn next_ended(&self) -> Vec<(UnitId, Epoch)> {
        let begun = Instant::now();
        loop {
            assert!(begun.elapsed() < 2 * GRACEFUL, "nothing is given back");
            let ended = self.ended_now();
            if !ended.is_empty() {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn ended_now(&self) -> Vec<(UnitId, Epoch)> {
        let reports = self.outbox.take(false).units.into_iter();
        let ended = reports.filter(|report| report.ended);
        let mut ended: Vec<_> = ended.map(|report| (report.unit, report.epoch)).collect();
        ended.sort();
        ended
    }

    /// The control plane answers with another set of what it wants.
    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        self.wanted.send_modify(|wanted| {
            let mut changed = Wanted::clone(wanted);
            change(&mut changed);
            *wanted = Arc::new(changed);
        });
    }

    /// Told to stop, and the control plane has noted that.
    async fn leave(&self) {
        self.stop.cancel();
        self.departure.begun.cancelled().await;
        self.departure.noted.cancel();
    }

    async fn has_stopped(mut self) {
        self.reconciling.join_next().await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_has_ended_is_given_back_while_another_one_still_stops() {
    let running = Running::start().await;
    let begun = Instant::now();
    running.leave().await;

    assert_eq!(running.next_ended().await, [(task("sink"), Epoch(1))]);
    assert!(begun.elapsed() < GRACEFUL / 10, "{:?}", begun.elapsed());
    running.until_here(&["source"]).await;
    assert!(!running.reconciling.is_empty());

    running.has_stopped().await;
    assert!(
        begun.elapsed() < GRACEFUL + GRACEFUL / 10,
        "all of it takes no longer than the slowest may: {:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_given_back_before_the_control_plane_knows_that_the_worker_leaves() {
    let running = Running::start().await;
    running.stop.cancel();
    running.departure.begun.cancelled().await;
    running.until_here(&["source"]).await;
    tokio::time::sleep(GRACEFUL / 10).await;
    assert_eq!(running.ended_now(), []);

    running.departure.noted.cancel();
    assert_eq!(running.next_ended().await, [(task("sink"), Epoch(1))]);
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_never_notes_it_delays_nothing() {
    let running = Running::start().await;
    let begun = Instant::now();
    running.stop.cancel();
    running.has_stopped().await;
    assert!(begun.elapsed() < GRACEFUL + GRACEFUL / 10);
}

#[tokio::test(start_paused = true)]
async fn what_a_leaving_worker_is_given_or_told_to_let_go_of_is_answered_once() {
    let running = Running::start().await;
    running.leave().await;
    assert_eq!(running.next_ended().await, [(task("sink"), Epoch(1))]);

    // On its way when the worker began to leave.
    let (late, wanted) = desired("late", "test.Sink", ConnectorKind::Sink);
    running.want(|all| drop(all.units.insert(late.clone(), wanted)));
    assert_eq!(running.next_ended().await, [(late.clone(), Epoch(1))]);
    running.until_here(&["source"]).await;

    // The drain takes everything from it; the source has not ended.
    running.want(|all| {
        all.units.clear();
        all.releases = [(task("source"), Epoch(3)), (late.clone(), Epoch(3))].into();
    });
    assert_eq!(running.next_ended().await, [(late, Epoch(3))]);
    running.until_here(&["source"]).await;
    assert_eq!(running.ended_now(), []);
    running.has_stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_units_leaves_without_a_word() {
    let running = Running::start().await;
    running.want(|all| all.units.clear());
    running.until_here(&[]).await;
    running.stop.cancel();
    let departure = running.departure.clone();
    running.has_stopped().await;
    assert!(!departure.begun.is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_source_task_has_no_more_time_than_the_lease_though_the_worker_leaves() {
    let running = Running::start().await;
    let lost = running.hold_lease();
    running.leave().await;
    running.until_here(&[]).await;
    assert!(Instant::now() <= lost + LEASE / 6);
}

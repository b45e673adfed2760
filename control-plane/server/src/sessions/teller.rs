//! Tells a worker what it is to run: its whole set, at each change, and only when it differs from what was said last.
//! Changes that come while the worker takes its time become one message.

use std::sync::Arc;
use std::time::Duration;

use towpath_raft::{ClusterStore, Reads as _};
use towpath_state::ClusterState;
use towpath_types::Revision;
use towpath_wire::v1::control_message::Message;

use super::live::LiveSession;
use super::messages::Wanted;
use super::session::Ending;

/// Between two messages: the first of many changes is told at once, the others together.
const MIN_INTERVAL: Duration = Duration::from_millis(50);

pub(super) async fn tell(store: &Arc<dyn ClusterStore>, session: &LiveSession) -> Ending {
    let mut changes = store.subscribe();
    let mut seen: Option<Revision> = None;
    let mut said: Option<Wanted> = None;
    loop {
        changes.borrow_and_update();
        let Some(now) = store.read_local(|state| look(state, session, seen)) else {
            return Ending::Over;
        };
        seen = Some(now.revision);
        if let Some((revision, wanted)) = now.news
            && said.as_ref() != Some(&wanted)
        {
            let assignment = wanted.to_assignment(revision.get());
            if session.send(Message::Assignment(assignment)).await.is_err() {
                return Ending::Closed;
            }
            said = Some(wanted);
            tokio::time::sleep(MIN_INTERVAL).await;
        }
        if changes.changed().await.is_err() {
            return Ending::Stopping;
        }
    }
}

struct Now {
    /// When what the worker is to be told last changed.
    revision: Revision,
    /// Left out if nothing changed since it was looked at.
    news: Option<(Revision, Wanted)>,
}

/// `None` if the worker is gone or has another session.
fn look(state: &ClusterState, session: &LiveSession, seen: Option<Revision>) -> Option<Now> {
    let worker = &session.reporter.worker;
    let known = state.workers().get(worker)?;
    if known.session != session.reporter.session {
        return None;
    }
    let revision = state.assignment_revision(worker);
    let news = (seen != Some(revision)).then(|| (state.revision(), Wanted::of(state, worker)));
    Some(Now { revision, news })
}

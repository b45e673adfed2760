//! Where clients end. That takes as long as their group and their brokers take to answer, or to time out, and a task that is
//! aborted is dropped on a thread of the runtime, of which there may be two: one such end each, and the process stands still.
//! Nor do the threads that the runtime has for what blocks do: there are not as many as there may be clients that end.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::thread;

use tokio::runtime::Handle;

thread_local! {
    /// Of a thread, not of the process: whoever blocks there says so.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// A client, or the innermost part of one, that may be dropped anywhere: inside a runtime it ends on a thread of its own,
/// which nobody waits for, not even the end of the process.
pub struct EndsElsewhere<T: Send + 'static> {
    /// `None` only while it ends.
    client: Option<T>,
}

impl<T: Send + 'static> EndsElsewhere<T> {
    pub fn new(client: T) -> Self {
        Self { client: Some(client) }
    }
}

impl<T: Send + 'static> Deref for EndsElsewhere<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let client = self.client.as_ref();
        client.expect("it is there until it is dropped")
    }
}

impl<T: Send + 'static> Drop for EndsElsewhere<T> {
    fn drop(&mut self) {
        if MAY_BLOCK.get() || Handle::try_current().is_err() {
            return;
        }
        let client = self.client.take();
        // Without a thread it is dropped here, with the closure that did not run.
        let ends = thread::Builder::new().name("kafka-ending".to_owned());
        let _ends_by_itself = ends.spawn(move || drop(client));
    }
}

impl<T: Send + 'static> fmt::Debug for EndsElsewhere<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndsElsewhere").finish_non_exhaustive()
    }
}

/// Drops a client, or what a client is the last part of, on this thread, which is one that may block.
pub(crate) fn drop_here<T>(last: T) {
    MAY_BLOCK.set(true);
    drop(last);
    MAY_BLOCK.set(false);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::ThreadId;
    use std::time::Duration;

    use super::*;

    struct Client(mpsc::Sender<ThreadId>);

    impl Drop for Client {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    fn ended_on(end: impl FnOnce(EndsElsewhere<Client>)) -> ThreadId {
        let (told, ended) = mpsc::channel();
        end(EndsElsewhere::new(Client(told)));
        ended.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    #[tokio::test]
    async fn no_thread_of_the_runtime_waits_for_a_client_to_end() {
        assert_ne!(ended_on(drop), thread::current().id());
    }

    #[test]
    fn without_a_runtime_it_ends_where_it_is() {
        assert_eq!(ended_on(drop), thread::current().id());
    }

    #[tokio::test]
    async fn a_thread_that_may_block_waits() {
        assert_eq!(ended_on(drop_here), thread::current().id());
    }
}

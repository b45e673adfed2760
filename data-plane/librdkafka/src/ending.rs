//! Where clients end. That takes as long as their group and their brokers take to answer, or to time out, and a task that is
//! aborted is dropped on a thread of the runtime, of which there may be two: one such end each, and the process stands still.

use std::cell::Cell;

use tokio::runtime::Handle;

thread_local! {
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Drops a client, or what a client is the last part of, on this thread, which is one that may block.
pub(crate) fn drop_here<T>(last: T) {
    MAY_BLOCK.set(true);
    drop(last);
    MAY_BLOCK.set(false);
}

/// Drops the innermost part of a client: on a thread that may block, if this one may not.
pub(crate) fn drop_where_allowed<T: Send + 'static>(native: T) {
    match Handle::try_current() {
        Ok(runtime) if !MAY_BLOCK.get() => drop(runtime.spawn_blocking(move || drop(native))),
        _ => drop(native),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};
    use std::time::Duration;

    use super::*;

    struct Client(mpsc::Sender<ThreadId>);

    impl Drop for Client {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    fn ended_on(end: impl FnOnce(Client)) -> ThreadId {
        let (told, ended) = mpsc::channel();
        end(Client(told));
        ended.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    #[tokio::test]
    async fn no_thread_of_the_runtime_waits_for_a_client_to_end() {
        assert_ne!(ended_on(drop_where_allowed), thread::current().id());
    }

    #[test]
    fn without_a_runtime_it_ends_where_it_is() {
        assert_eq!(ended_on(drop_where_allowed), thread::current().id());
    }

    #[tokio::test]
    async fn a_thread_that_may_block_waits() {
        struct Last(Option<Client>);
        impl Drop for Last {
            fn drop(&mut self) {
                drop_where_allowed(self.0.take());
            }
        }
        assert_eq!(
            ended_on(|client| drop_here(Last(Some(client)))),
            thread::current().id()
        );
    }
}

//! Panics count as violations, wherever they happen: one in a task of a session would end that task and nothing else, and
//! nobody would see it.

use std::cell::RefCell;
use std::panic::{self, UnwindSafe};
use std::sync::Once;

thread_local! {
    /// The first of the run that this thread is at. A run stays on its thread, and a panic hook knows nothing but that.
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What `run` answers, or the first panic in it or in a task of it.
pub(crate) fn noticed<T>(run: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            FIRST.with_borrow_mut(|first| {
                first.get_or_insert_with(|| info.to_string());
            });
            before(info);
        }));
    });
    FIRST.take();
    let outcome = panic::catch_unwind(run);
    match (outcome, FIRST.take()) {
        (Ok(answer), None) => Ok(answer),
        (Ok(_) | Err(_), Some(first)) => Err(first),
        (Err(_), None) => Err("it panicked without a word".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_noticed_in_the_run_and_in_its_tasks() {
        assert_eq!(noticed(|| 1), Ok(1));
        let panicked = noticed(|| panic!("one")).unwrap_err();
        assert!(panicked.contains("one"), "{panicked}");
        let in_a_task = noticed(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut tasks = tokio::task::JoinSet::new();
                tasks.spawn(async { panic!("two") });
                tasks.join_next().await.is_some()
            })
        });
        assert!(in_a_task.unwrap_err().contains("two"));
        assert_eq!(noticed(|| 2), Ok(2), "the next run begins without it");
    }
}

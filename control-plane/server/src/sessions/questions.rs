//! Questions that only a worker can answer: asked over its session, under a deadline.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use towpath_wire::v1::worker_answer::Answer;

/// How many questions one worker may have to answer at a time.
const MAX_WAITING: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AskError {
    #[error("the session of the worker ended before it answered")]
    Gone,
    #[error("the worker has {MAX_WAITING} questions to answer already")]
    Busy,
    #[error("the worker did not answer in time")]
    TimedOut,
}

#[derive(Debug, Default)]
pub(crate) struct Questions {
    last_id: AtomicU64,
    /// A std mutex: never held across an await. `None` once the session is over.
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    is_over: bool,
    senders: HashMap<u64, oneshot::Sender<Answer>>,
}

/// A question that has an id and waits for its answer; forgotten when dropped.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) id: u64,
    receiver: oneshot::Receiver<Answer>,
    questions: &'a Questions,
}

impl Questions {
    pub(crate) fn pose(&self) -> Result<Question<'_>, AskError> {
        let (sender, receiver) = oneshot::channel();
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut waiting = self.lock();
        if waiting.is_over {
            return Err(AskError::Gone);
        }
        if waiting.senders.len() >= MAX_WAITING {
            return Err(AskError::Busy);
        }
        waiting.senders.insert(id, sender);
        drop(waiting);
        Ok(Question {
            id,
            receiver,
            questions: self,
        })
    }

    /// An answer that nobody waits for any more is dropped.
    pub(crate) fn answer(&self, id: u64, answer: Answer) {
        let sender = self.lock().senders.remove(&id);
        if sender.is_none_or(|sender| sender.send(answer).is_err()) {
            tracing::debug!(request = id, "answer of a worker came too late");
        }
    }

    /// Everybody who waits is told that nobody will answer.
    pub(crate) fn end(&self) {
        let mut waiting = self.lock();
        waiting.is_over = true;
        waiting.senders.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Question<'_> {
    pub(crate) async fn answered(mut self, deadline: Duration) -> Result<Answer, AskError> {
        match tokio::time::timeout(deadline, &mut self.receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(AskError::Gone),
            Err(_) => Err(AskError::TimedOut),
        }
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.questions.lock().senders.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use towpath_wire::v1;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(5);

    fn some_answer() -> Answer {
        Answer::Error(v1::AnswerError {
            status: 500,
            message: "no".into(),
        })
    }

    #[tokio::test]
    async fn an_answer_reaches_the_one_who_asked() {
        let questions = Questions::default();
        let (first, second) = (questions.pose().unwrap(), questions.pose().unwrap());
        questions.answer(second.id, some_answer());
        questions.answer(99, some_answer());
        assert_eq!(second.answered(DEADLINE).await, Ok(some_answer()));
        drop(first);
        assert!(questions.lock().senders.is_empty(), "nobody waits any more");
    }

    #[tokio::test]
    async fn the_end_of_the_session_is_an_answer_too() {
        let questions = Questions::default();
        let question = questions.pose().unwrap();
        questions.end();
        assert_eq!(question.answered(DEADLINE).await, Err(AskError::Gone));
        assert_eq!(questions.pose().map(|_| ()), Err(AskError::Gone));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_worker_is_not_waited_for_longer_than_the_deadline() {
        let questions = Questions::default();
        assert_eq!(
            questions.pose().unwrap().answered(DEADLINE).await,
            Err(AskError::TimedOut)
        );
    }

    #[test]
    fn a_worker_has_only_so_many_questions_at_a_time() {
        let questions = Questions::default();
        let posed: Vec<_> = (0..MAX_WAITING).map(|_| questions.pose().unwrap()).collect();
        assert_eq!(questions.pose().map(|_| ()), Err(AskError::Busy));
        drop(posed);
        assert!(questions.pose().is_ok());
    }
}

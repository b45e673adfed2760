//! The topics that a task writes to, for `GET /connectors/{c}/topics`.

use towpath_connect::Topic;

use super::super::supervise::UnitContext;

/// The topics a task has sent to.
#[derive(Debug, Default)]
pub(super) struct TopicsSent {
    known: Vec<Topic>,
    news: Vec<Topic>,
}

impl TopicsSent {
    pub(super) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Says the topics that are new, once a record was acknowledged.
    pub(super) fn report(&mut self, context: &UnitContext, delivered: u64) {
        if self.news.is_empty() || delivered == 0 || !context.environment.settings.topic_tracking {
            return;
        }
        context
            .environment
            .reports
            .topics(&context.spec.unit, std::mem::take(&mut self.news));
    }

    /// A record goes to this topic.
    pub(super) fn note(&mut self, topic: &Topic) {
        // Nearly every record goes where the last one went.
        let is_same = |known: &Topic| std::sync::Arc::ptr_eq(known, topic) || known == topic;
        if !self.known.iter().rev().any(is_same) {
            self.known.push(Topic::clone(topic));
            self.news.push(Topic::clone(topic));
        }
    }
}

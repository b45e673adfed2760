//! What a sink reads, where librdkafka needs help.
//!
//! Patterns: Kafka's Java client matches names itself and subscribes to those it found, and so do we. librdkafka would
//! match too, but with POSIX expressions, which have no `\d` and no look-ahead.
//!
//! Topics that do not exist yet: Java's consumer asks for them all the time, which also lets brokers create them.
//! librdkafka asks every five minutes and lets nobody create anything.

use std::time::Duration;

use tokio::time::Instant;
use towpath_connect::Pattern;
use towpath_connect::error::Chain;
use towpath_librdkafka::{BatchConsumer, ConsumerError};
use towpath_runtime::clients::{ClientError, Subscription};

use crate::config::Ours;

/// Topics of the cluster itself, which `exclude.internal.topics` is about.
const INTERNAL_TOPICS: [&str; 3] = ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// How soon is looked again for a topic that does not exist.
const MISSING_TOPIC: Duration = Duration::from_secs(1);
/// How soon is looked again when no topic matches a pattern yet, or the cluster did not answer.
const NOTHING_YET: Duration = Duration::from_secs(5);

/// A subscription, and when something has to be done about it.
#[derive(Debug)]
pub(crate) struct Watched {
    what: What,
    timeout: Duration,
    next_look: Option<Instant>,
}

#[derive(Debug)]
enum What {
    Topics {
        names: Vec<String>,
        missing: Missing,
    },
    Pattern {
        pattern: TopicPattern,
        interval: Duration,
        topics: Vec<String>,
    },
}

/// Which of the topics do not exist.
#[derive(Debug)]
enum Missing {
    /// None, as far as is known.
    Nothing,
    /// Some, librdkafka says.
    Something,
    These(Vec<String>),
}

/// Which topics are meant.
#[derive(Debug)]
pub(crate) struct TopicPattern {
    pattern: Pattern,
    excludes_internal: bool,
}

impl TopicPattern {
    pub(crate) fn new(text: &str, ours: &Ours) -> Result<Self, ClientError> {
        let invalid = |error| ClientError::Config(format!("`topics.regex` is not a valid pattern: {error}"));
        let pattern = Pattern::compile(text).map_err(invalid)?;
        Ok(Self {
            pattern,
            excludes_internal: ours.exclude_internal_topics,
        })
    }

    pub(crate) fn matches(&self, topic: &str) -> bool {
        let internal = self.excludes_internal && INTERNAL_TOPICS.contains(&topic);
        !internal && self.pattern.is_full_match(topic)
    }
}

impl Watched {
    pub(crate) fn new(subscription: &Subscription, ours: &Ours) -> Result<Self, ClientError> {
        let timeout = ours.api_timeout;
        Ok(match subscription {
            Subscription::Topics(names) => Self {
                what: What::Topics {
                    names: names.clone(),
                    missing: Missing::Nothing,
                },
                timeout,
                next_look: None,
            },
            Subscription::Pattern(text) => {
                let pattern = TopicPattern::new(text, ours)?;
                let what = What::Pattern {
                    pattern,
                    interval: ours.metadata_max_age,
                    topics: Vec::new(),
                };
                Self {
                    what,
                    timeout,
                    next_look: Some(Instant::now()),
                }
            }
        })
    }

    /// The topics that are subscribed to.
    pub(crate) fn topics(&self) -> &[String] {
        match &self.what {
            What::Topics { names, .. } => names,
            What::Pattern { topics, .. } => topics,
        }
    }

    /// When [`Self::look`] has something to do.
    pub(crate) fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// A topic that was subscribed to does not exist.
    pub(crate) fn something_is_missing(&mut self) {
        if let What::Topics {
            missing: missing @ Missing::Nothing,
            ..
        } = &mut self.what
        {
            *missing = Missing::Something;
            self.next_look = Some(Instant::now());
        }
    }

    /// Looks again in a while.
    pub(crate) fn look_again(&mut self) {
        self.next_look = Some(Instant::now() + NOTHING_YET);
    }

    /// Looks at the cluster's topics, and subscribes to those that are new. Dropping the future only puts the look off.
    pub(crate) async fn look(&mut self, consumer: &mut BatchConsumer) -> Result<(), ConsumerError> {
        match &mut self.what {
            What::Topics { names, missing } => {
                let looked_for = if let Missing::These(these) = &missing {
                    these
                } else {
                    &*names
                };
                let mut still = Vec::new();
                for topic in looked_for {
                    if !consumer.has_topic(topic, self.timeout).await.unwrap_or(false) {
                        still.push(topic.clone());
                    }
                }
                let found = match missing {
                    Missing::These(before) => still.len() < before.len(),
                    // What was missing a moment ago is there now.
                    Missing::Nothing | Missing::Something => still.is_empty(),
                };
                if found {
                    // The group takes notice of a new topic only with a new subscription.
                    consumer.subscribe(names.iter().map(String::as_str))?;
                }
                self.next_look = (!still.is_empty()).then(|| Instant::now() + MISSING_TOPIC);
                *missing = if still.is_empty() {
                    Missing::Nothing
                } else {
                    Missing::These(still)
                };
            }
            What::Pattern {
                pattern,
                interval,
                topics,
            } => {
                let pause = match consumer.topics(self.timeout).await {
                    Ok(found) => {
                        resubscribe(consumer, pattern, topics, found)?;
                        if topics.is_empty() {
                            NOTHING_YET.min(*interval)
                        } else {
                            *interval
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = %Chain(&error), "the topics for a pattern could not be listed");
                        NOTHING_YET
                    }
                };
                self.next_look = Some(Instant::now() + pause);
            }
        }
        Ok(())
    }
}

fn resubscribe(
    consumer: &mut BatchConsumer,
    pattern: &TopicPattern,
    topics: &mut Vec<String>,
    found: Vec<String>,
) -> Result<(), ConsumerError> {
    let mut matching: Vec<_> = found.into_iter().filter(|topic| pattern.matches(topic)).collect();
    matching.sort_unstable();
    if matching != *topics {
        tracing::info!(
            topics = matching.len(),
            pattern = pattern.pattern.as_str(),
            "topics match the pattern"
        );
        consumer.subscribe(matching.iter().map(String::as_str))?;
        *topics = matching;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_a_whole_and_internal_topics_only_on_request() {
        let mut ours = Ours::default();
        let pattern = TopicPattern::new(r"(?!secret).*events-\d+|__.*", &ours).unwrap();
        let names = [
            "my-events-1",
            "my-events-1x",
            "secret-events-1",
            "__mine",
            "__consumer_offsets",
        ];
        assert_eq!(
            names.map(|name| pattern.matches(name)),
            [true, false, false, true, false]
        );
        ours.exclude_internal_topics = false;
        assert!(
            TopicPattern::new("__.*", &ours)
                .unwrap()
                .matches("__consumer_offsets")
        );
        let error = TopicPattern::new("(", &ours).unwrap_err();
        assert!(
            matches!(&error, ClientError::Config(text) if text.contains("topics.regex")),
            "{error}"
        );
    }
}

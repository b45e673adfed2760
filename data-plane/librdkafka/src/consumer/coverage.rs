//! Whether somebody reads each partition of the topics that a group is there for.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaResult;
use rdkafka::groups::GroupMemberInfo;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};

use super::{BatchConsumer, TopicPartition, blocking};
use crate::error::ConsumerError;
use crate::reach::LastingConsumer;

/// The state of a group that has shared its partitions out.
const STABLE: &str = "Stable";

/// What a group reads of some topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coverage {
    /// The group is about to share its partitions out, or this member was not told yet.
    Rebalancing,
    /// These partitions are nobody's.
    Unread(Vec<TopicPartition>),
}

impl BatchConsumer {
    /// Looks which partitions of these topics are nobody's; `own` are this member's, and only if they are not all of them,
    /// the group is asked. Topics that do not exist have no partitions.
    pub fn coverage(
        &self,
        topics: Vec<String>,
        own: Vec<TopicPartition>,
        timeout: Duration,
    ) -> impl Future<Output = Result<Coverage, ConsumerError>> + Send + use<> {
        let (inner, group) = (Arc::clone(&self.inner), self.group.clone());
        async move {
            let looked = blocking(move || look(&inner, &group, &topics, own, timeout));
            looked.await?.map_err(|source| ConsumerError::Coverage { source })
        }
    }
}

// Describing the group would be the newer way, but librdkafka 2.12 goes on with a description that has timed out when the
// coordinator is back, and uses what it has freed.
fn look(
    consumer: &LastingConsumer,
    group: &str,
    topics: &[String],
    own: Vec<TopicPartition>,
    timeout: Duration,
) -> KafkaResult<Coverage> {
    let deadline = Instant::now() + timeout;
    let left = || deadline.saturating_duration_since(Instant::now());
    let mut unread = HashSet::new();
    for topic in topics {
        let metadata = consumer.fetch_metadata(Some(topic), left())?;
        let found = metadata.topics().iter().filter(|found| found.error().is_none());
        let name: Arc<str> = Arc::from(topic.as_str());
        let partitions = found.flat_map(MetadataTopic::partitions);
        unread.extend(
            partitions
                .map(MetadataPartition::id)
                .map(|partition| TopicPartition {
                    topic: Arc::clone(&name),
                    partition,
                }),
        );
    }
    let mut read = own;
    unread.retain(|partition| !read.contains(partition));
    if !unread.is_empty() {
        let groups = consumer.client().fetch_group_list(Some(group), left())?;
        let found = groups.groups().iter().find(|found| found.name() == group);
        let Some(found) = found.filter(|found| found.state() == STABLE) else {
            return Ok(Coverage::Rebalancing);
        };
        let members = found.members().iter().filter_map(GroupMemberInfo::assignment);
        read = members.flat_map(assigned).collect();
        unread.retain(|partition| !read.contains(partition));
    }
    Ok(Coverage::Unread(unread.into_iter().collect()))
}

/// Reads an assignment as members of consumer groups send it to each other: what comes after the partitions is the
/// assignor's, and what cannot be read is nobody's.
fn assigned(bytes: &[u8]) -> Vec<TopicPartition> {
    let mut all = Vec::new();
    let mut rest = bytes;
    let topics = short(&mut rest).and_then(|_version| int(&mut rest));
    for _ in 0..topics.unwrap_or(0) {
        let Some((name, partitions)) = topic(&mut rest) else {
            break;
        };
        all.extend(partitions.into_iter().map(|partition| TopicPartition {
            topic: Arc::clone(&name),
            partition,
        }));
    }
    all
}

fn topic(rest: &mut &[u8]) -> Option<(Arc<str>, Vec<i32>)> {
    let len = usize::try_from(short(rest)?).ok()?;
    let (name, after) = rest.split_at_checked(len)?;
    *rest = after;
    let name = Arc::from(std::str::from_utf8(name).ok()?);
    let count = int(rest)?;
    let partitions: Option<Vec<i32>> = (0..count).map(|_| int(rest)).collect();
    Some((name, partitions?))
}

fn short(rest: &mut &[u8]) -> Option<i16> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i16::from_be_bytes(*bytes))
}

fn int(rest: &mut &[u8]) -> Option<i32> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*bytes))
}

/// The group of a consumer with this configuration.
pub(super) fn group_of(config: &ClientConfig) -> String {
    config.get("group.id").unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_as_far_as_it_goes() {
        let mut bytes = vec![0, 1, 0, 0, 0, 2];
        for (topic, partitions) in [("a", &[0_i32, 7][..]), ("bc", &[1])] {
            bytes.extend(i16::try_from(topic.len()).unwrap().to_be_bytes());
            bytes.extend(topic.as_bytes());
            bytes.extend(i32::try_from(partitions.len()).unwrap().to_be_bytes());
            partitions
                .iter()
                .for_each(|partition| bytes.extend(partition.to_be_bytes()));
        }
        let whole = bytes.len();
        bytes.extend([255; 4]);
        let partition = |topic: &str, partition| TopicPartition {
            topic: Arc::from(topic),
            partition,
        };
        let all = [partition("a", 0), partition("a", 7), partition("bc", 1)];
        assert_eq!(assigned(&bytes), all);
        for len in 0..whole {
            let some = assigned(&bytes[..len]);
            assert!(all.starts_with(&some), "{len}: {some:?}");
        }
    }
}

//! The offsets of a source. Where runs of it deliver exactly once, or have done so, they are in topics of Kafka as well, and
//! there they are changed in one transaction, after the producers of earlier tasks are fenced.

use towpath_connect::{ConfigMap, SourceConnector, Topic};

use super::{Alteration, Altered, Change, Refused, SourceChange, asked, input};
use crate::clients::{ClientError, NewTopic, OutgoingRecord, RawHeader, TransactionalProducer};
use crate::offsets::KafkaMarks;
use crate::offsets::topic_form::{self, TopicOffsets};
use crate::offsets::topics::{OffsetsTopics, TopicsError};
use crate::unit::Environment;
use crate::worker_config::{ExactlyOnceSource, OffsetsInKafka};

/// The task whose transactional id the records are written with, as Kafka Connect does.
const FIRST_TASK: u32 = 0;
const UNFENCED: &str = "Failed to perform zombie fencing for source connector prior to modifying offsets";

pub(super) async fn alter(
    environment: &Environment,
    (mut connector, config): (Box<dyn SourceConnector>, &ConfigMap),
    request: Alteration<'_>,
) -> Result<Altered, Refused> {
    let given = match &request.change {
        Change::Alter(entries) => Some(input::source_changes(entries)?),
        Change::Reset => None,
    };
    let kafka = InKafka::open(environment, config, &request).await?;
    let is_reset = given.is_none();
    let changes = given.unwrap_or_else(|| everything(kafka.as_ref(), &request));
    let is_complete = asked(connector.alter_offsets(config, &changes), "source", &request).await;
    connector.stop().await;
    let is_complete = is_complete?;
    let mut in_kafka = Vec::new();
    if let Some(mut kafka) = kafka {
        let written = tokio::time::timeout_at(request.deadline, kafka.write(&changes)).await;
        let connector = request.connector;
        match written {
            Ok(Ok(())) => in_kafka = kafka.names(),
            Ok(Err(cause)) => {
                let what = format!("Failed to modify offsets for source connector {connector}");
                return Err(Refused::failed(what, cause));
            }
            Err(_elapsed) => {
                let what =
                    format!("Timed out while attempting to modify offsets for source connector {connector}");
                return Err(Refused::new(500, what));
            }
        }
    }
    Ok(Altered {
        changes: if is_reset { Vec::new() } else { changes },
        in_kafka,
        is_complete,
    })
}

/// The removal of all that is known anywhere.
fn everything(kafka: Option<&InKafka>, request: &Alteration<'_>) -> Vec<SourceChange> {
    let kept = request.kept.offsets.iter().map(|(partition, _)| Some(partition));
    let topics = kafka.into_iter().flat_map(|kafka| &kafka.topics);
    let written = topics.flat_map(|(_, offsets)| offsets.partitions());
    let mut all: Vec<SourceChange> = Vec::new();
    for partition in kept.chain(written) {
        if !all.iter().any(|(known, _)| known.as_ref() == partition) {
            all.push((partition.cloned(), None));
        }
    }
    all
}

/// The topics, and a producer that nobody else writes beside.
struct InKafka {
    producer: Box<dyn TransactionalProducer>,
    topics: Vec<(Topic, TopicOffsets)>,
    connector: String,
    epoch: RawHeader,
}

impl InKafka {
    /// `None` if no run of the connector looks there.
    async fn open(
        environment: &Environment,
        config: &ConfigMap,
        request: &Alteration<'_>,
    ) -> Result<Option<Self>, Refused> {
        let Some(settings) = environment.offsets_in_kafka.as_deref() else {
            return Ok(None);
        };
        let wanted = topics_of(settings, config, request.kept.in_kafka.as_ref());
        if wanted.is_empty() {
            return Ok(None);
        }
        let topics = OffsetsTopics {
            clients: environment.clients.as_ref(),
            fences: &environment.fences,
            settings,
            connector: request.connector.into(),
            task: FIRST_TASK,
            config,
        };
        let below = request.fence_below;
        let fenced = tokio::time::timeout_at(request.deadline, fence(&topics, &wanted, below)).await;
        let producer = match fenced {
            Ok(Ok(producer)) => producer,
            Ok(Err(cause)) => return Err(Refused::failed(UNFENCED, cause)),
            Err(elapsed) => return Err(Refused::failed(UNFENCED, elapsed)),
        };
        Ok(Some(Self {
            producer,
            topics: read(&topics, &wanted, request).await?,
            connector: request.connector.to_owned(),
            epoch: topic_form::header(request.epoch),
        }))
    }

    fn names(&self) -> Vec<String> {
        self.topics.iter().map(|(topic, _)| topic.to_string()).collect()
    }

    /// All in one transaction.
    async fn write(&mut self, changes: &[SourceChange]) -> Result<(), ClientError> {
        let records: Vec<OutgoingRecord> = changes.iter().flat_map(|change| self.records(change)).collect();
        if records.is_empty() {
            return Ok(());
        }
        self.producer.begin().await?;
        let mut sent = 0;
        while let Some(rest) = records.get(sent..).filter(|rest| !rest.is_empty()) {
            sent += self.producer.send(rest).await?;
        }
        self.producer.flush();
        let mut reports = Vec::new();
        let mut delivered = 0;
        while delivered < sent {
            self.producer.delivered().await;
            self.producer.drain_deliveries(&mut reports);
            for report in reports.drain(..) {
                report.result?;
                delivered += 1;
            }
        }
        self.producer.commit().await
    }

    /// One a topic. What is not there is not removed.
    fn records<'a>(
        &'a self,
        (partition, offset): &'a SourceChange,
    ) -> impl Iterator<Item = OutgoingRecord> + use<'a> {
        let has_it =
            move |offsets: &TopicOffsets| offset.is_some() || offsets.get(partition.as_ref()).is_some();
        let topics = self.topics.iter().filter(move |(_, offsets)| has_it(offsets));
        topics.map(move |(topic, offsets)| OutgoingRecord {
            topic: topic.clone(),
            partition: None,
            key: Some(offsets.key(&self.connector, partition.as_ref())),
            value: offset.as_ref().map(topic_form::value),
            timestamp: None,
            headers: vec![self.epoch.clone()],
            token: 0,
        })
    }
}

async fn fence(
    topics: &OffsetsTopics<'_>,
    wanted: &[NewTopic],
    below: u32,
) -> Result<Box<dyn TransactionalProducer>, ClientError> {
    topics.ensure(wanted).await?;
    topics.fence_tasks(FIRST_TASK + 1..below).await?;
    // Taking the first task's id over fences that one.
    topics.producer().await
}

async fn read(
    topics: &OffsetsTopics<'_>,
    wanted: &[NewTopic],
    request: &Alteration<'_>,
) -> Result<Vec<(Topic, TopicOffsets)>, Refused> {
    let connector = request.connector;
    let what = format!("Failed to retrieve offsets for source connector {connector}");
    match tokio::time::timeout_at(request.deadline, topics.read(wanted)).await {
        Ok(Ok(read)) => Ok(read),
        Ok(Err(TopicsError::Client(cause))) => Err(Refused::failed(what, cause)),
        Ok(Err(TopicsError::Offset(cause))) => Err(Refused::failed(what, cause)),
        Err(_elapsed) => Err(Refused::new(
            500,
            format!(
                "Timed out while trying to read to the end of the offsets topic prior to modifying offsets for source \
                 connector {connector}"
            ),
        )),
    }
}

/// Those that the next run would write, if it delivered exactly once, and those that earlier runs have written.
fn topics_of(settings: &OffsetsInKafka, config: &ConfigMap, marks: Option<&KafkaMarks>) -> Vec<NewTopic> {
    let mut topics = match settings.support {
        ExactlyOnceSource::Disabled => Vec::new(),
        ExactlyOnceSource::Preparing | ExactlyOnceSource::Enabled => settings.topics(config),
    };
    for name in marks.into_iter().flat_map(|marks| &marks.topics) {
        if !topics.iter().any(|topic| topic.name == *name) {
            topics.push(settings.like(name));
        }
    }
    topics
}

//! Changes of a stopped connector's offsets.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use towpath_connect::error::Chain;
use towpath_runtime::alteration::{Alteration, Altered, Change, Entry, alter};
use towpath_types::Epoch;
use towpath_wire::v1;
use towpath_wire::v1::change_offsets::Change as Wanted;
use towpath_wire::v1::worker_answer::Answer;

use super::{Answering, error};
use crate::session::{config_map, json, kept_offsets};

impl Answering {
    pub(super) async fn change_offsets(&self, question: v1::ChangeOffsets, timeout: Duration) -> Answer {
        let deadline = Instant::now() + timeout;
        let connector = question.connector.clone();
        let config = config_map(question.config.unwrap_or_default());
        let change = match question.change {
            Some(Wanted::Alter(changes)) => match entries(changes.changes) {
                Ok(entries) => Change::Alter(entries),
                Err(cause) => return error(400, format!("Malformed JSON: {cause}")),
            },
            Some(Wanted::Reset(_)) => Change::Reset,
            None => return error(500, "the request does not say what to change".to_owned()),
        };
        let kept = match kept_offsets(question.kept, question.in_kafka) {
            Ok(kept) => kept,
            Err(cause) => return error(500, Chain(&cause).to_string()),
        };
        let request = Alteration {
            connector: &connector,
            config: &config,
            change,
            kept,
            epoch: Epoch(question.epoch),
            fence_below: question.fence_below,
            deadline,
        };
        match alter(&self.environment, request).await {
            Ok(altered) => Answer::OffsetsChanged(message(altered)),
            Err(refused) => {
                tracing::warn!(connector, error = %Chain(&refused), "offsets were not changed");
                error(u32::from(refused.status), refused.to_string())
            }
        }
    }
}

fn entries(changes: Vec<v1::Offset>) -> Result<Vec<Entry>, serde_json::Error> {
    let entry = |change: v1::Offset| {
        let offset = change.offset_json.as_deref().map(serde_json::from_str);
        Ok(Entry {
            partition: serde_json::from_str(&change.partition_json)?,
            offset: offset.transpose()?.unwrap_or(Value::Null),
        })
    };
    changes.into_iter().map(entry).collect()
}

fn message(altered: Altered) -> v1::OffsetsChanged {
    let change = |(partition, offset): &(Option<_>, Option<_>)| v1::Offset {
        partition_json: partition.as_ref().map_or_else(|| "null".to_owned(), json),
        offset_json: offset.as_ref().map(json),
    };
    v1::OffsetsChanged {
        changes: altered.changes.iter().map(change).collect(),
        in_kafka: altered.in_kafka,
        is_complete: altered.is_complete,
    }
}

//! From a record to an entry of a bulk: what is done to which document, with which version and body.

use std::hash::{BuildHasher, RandomState};

use towpath_connect::data::{Schema, Value};
use towpath_connect::{ConnectorError, Result, SinkRecord};

use crate::bulk::{Action, Entry};
use crate::config::{Documents, IdWithoutKey, NullValues, Routing, WriteMethod};
use crate::json;
use crate::naming::Target;
use crate::payload::{self, Style};

const TIMESTAMP: &str = "@timestamp";

/// The longest id that search engines take.
const MAX_ID_BYTES: usize = 512;

/// Writes records as entries of bulks, by the rules of a configuration.
#[derive(Debug)]
pub(crate) struct Writer {
    rules: Documents,
    hasher: RandomState,
}

/// Why a record makes no entry.
#[derive(Debug)]
pub(crate) enum Unwritable {
    /// It cannot be converted.
    Invalid(ConnectorError),
    /// It can, but every search engine would refuse the document.
    Malformed(ConnectorError),
}

impl From<ConnectorError> for Unwritable {
    fn from(error: ConnectorError) -> Self {
        Self::Invalid(error)
    }
}

/// The id of a document.
enum Id {
    /// The search engine makes one.
    Generated,
    /// Of the place of the record in Kafka: no other record has it.
    Place,
    /// Of the record's key: other records may have it too.
    Key(String),
}

impl Writer {
    pub(crate) fn new(rules: Documents) -> Self {
        Self {
            rules,
            hasher: RandomState::new(),
        }
    }

    /// Whether records of this topic make mappings of their schemas.
    pub(crate) fn uses_schema(&self, record: &SinkRecord) -> bool {
        let ignored = &self.rules.schema_ignored;
        !ignored.applies(&record.record.topic, record.original_topic())
    }

    /// Whether a record has nothing to write: its value is null, and so it is left out.
    fn is_left_out(&self, record: &SinkRecord) -> Result<bool> {
        if !record.record.value.is_null() {
            return Ok(false);
        }
        match self.rules.null_values {
            NullValues::Ignore => Ok(true),
            // Without a key nobody knows what to delete.
            NullValues::Delete => Ok(record.record.key.is_null()),
            NullValues::Fail => Err(ConnectorError::data(
                "the record has no value; set `behavior.on.null.values` to `delete` to delete the document of its key, or to `ignore`",
            )),
        }
    }

    /// Appends the action and the document of a record to the body of a bulk. `None` when there is nothing to write.
    ///
    /// # Errors
    /// Why the record makes no document. What was appended until then is for the caller to cut off.
    pub(crate) fn append(
        &self,
        out: &mut Vec<u8>,
        record: &SinkRecord,
        target: &Target,
    ) -> Result<Option<Entry>, Unwritable> {
        if self.is_left_out(record)? {
            return Ok(None);
        }
        let id = self.id(record)?;
        let is_delete = record.record.value.is_null();
        self.check_acceptable(record, &id)?;
        let action = match (is_delete, target.is_data_stream, self.rules.write_method) {
            (true, _, _) => Action::Delete,
            (false, true, _) => Action::Create,
            (false, false, WriteMethod::Insert) => Action::Index,
            (false, false, WriteMethod::Upsert) => Action::Update,
        };
        let version = self.version(record, &id, target)?;
        self.action_line(
            out,
            record,
            target,
            &Line {
                action,
                id: &id,
                version,
            },
        )?;
        if !is_delete {
            self.body_line(out, record, target, action)?;
        }
        Ok(Some(Entry {
            action,
            is_versioned: version.is_some(),
            // External versions keep the order of writes to a document; without them we have to.
            ordered_id: match &id {
                Id::Key(key) if version.is_none() && !target.is_data_stream => {
                    Some(self.hash(&target.name, key))
                }
                Id::Key(_) | Id::Place | Id::Generated => None,
            },
        }))
    }

    /// What a search engine refuses is found here: there it would take the whole bulk with it.
    fn check_acceptable(&self, record: &SinkRecord, id: &Id) -> Result<(), Unwritable> {
        if matches!(id, Id::Key(key) if key.len() > MAX_ID_BYTES) {
            return Err(Unwritable::Malformed(ConnectorError::data(format!(
                "the record's key is longer than {MAX_ID_BYTES} bytes, so it cannot be the document's id"
            ))));
        }
        let value = &record.record.value;
        let schema = record.record.value_schema.as_deref();
        if !value.is_null() && !payload::is_document(schema, value, self.style(record)) {
            return Err(Unwritable::Malformed(ConnectorError::data(
                "the value is no struct or map with text keys, so it makes no document; check the converter and the transforms",
            )));
        }
        Ok(())
    }

    fn style(&self, record: &SinkRecord) -> Style {
        if self.uses_schema(record) {
            Style::Prepared {
                compact_maps: self.rules.compact_maps,
            }
        } else {
            Style::Plain
        }
    }

    fn hash(&self, index: &str, id: &str) -> u64 {
        self.hasher.hash_one((index, id))
    }

    fn id(&self, record: &SinkRecord) -> Result<Id> {
        let ignored = &self.rules.key_ignored;
        if !ignored.applies(&record.record.topic, record.original_topic()) {
            return key_text(&record.record.key).map(Id::Key);
        }
        match self.rules.id_without_key {
            // What is deleted or merged needs a name.
            IdWithoutKey::Generated if record.record.value.is_null() => Ok(Id::Place),
            IdWithoutKey::Generated if self.rules.write_method == WriteMethod::Upsert => Ok(Id::Place),
            IdWithoutKey::Generated => Ok(Id::Generated),
            IdWithoutKey::TopicPartitionOffset => Ok(Id::Place),
            IdWithoutKey::RecordKey => key_text(&record.record.key).map(Id::Key),
        }
    }

    /// The external version: only with keys as ids, and never for documents that are merged.
    fn version(&self, record: &SinkRecord, id: &Id, target: &Target) -> Result<Option<i64>> {
        if !matches!(id, Id::Key(_))
            || target.is_data_stream
            || self.rules.write_method == WriteMethod::Upsert
        {
            return Ok(None);
        }
        let Some(name) = &self.rules.version_header else {
            return Ok(Some(record.original_offset()));
        };
        let header = record
            .record
            .headers
            .iter()
            .filter(|header| *header.key == **name)
            .last();
        let number = header.and_then(|header| match &header.value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_integer(),
        });
        match number {
            Some(version) if version >= 0 => Ok(Some(version)),
            Some(_) | None => Err(ConnectorError::data(format!(
                "header \"{name}\" holds no number that can be the document's version; every record needs it, since `external.version.header` names it"
            ))),
        }
    }

    fn action_line(
        &self,
        out: &mut Vec<u8>,
        record: &SinkRecord,
        target: &Target,
        line: &Line<'_>,
    ) -> Result<()> {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(line.action.name().as_bytes());
        out.extend_from_slice(b"\":{\"_index\":");
        json::string(out, &target.name);
        match line.id {
            Id::Generated => {}
            Id::Key(key) => {
                out.extend_from_slice(b",\"_id\":");
                json::string(out, key);
            }
            Id::Place => {
                let (topic, partition, offset) = (
                    record.original_topic(),
                    record.original_partition(),
                    record.original_offset(),
                );
                out.extend_from_slice(b",\"_id\":");
                json::string(out, &format!("{topic}+{partition}+{offset}"));
            }
        }
        if let Some(version) = line.version {
            out.extend_from_slice(b",\"version_type\":\"external\",\"version\":");
            json::integer(out, version);
        }
        if line.action == Action::Update {
            out.extend_from_slice(b",\"retry_on_conflict\":");
            json::integer(out, self.rules.retry_on_conflict);
        }
        if let Some(routing) = self.routing(record)? {
            out.extend_from_slice(b",\"routing\":");
            json::string(out, &routing);
        }
        out.extend_from_slice(b"}}\n");
        Ok(())
    }

    fn routing(&self, record: &SinkRecord) -> Result<Option<String>> {
        match &self.rules.routing {
            Routing::None => Ok(None),
            Routing::Key => key_text(&record.record.key).map(Some),
            // A tombstone has no value to take it from.
            Routing::Value(_) if record.record.value.is_null() => Ok(None),
            Routing::Value(path) => {
                let found = path
                    .iter()
                    .try_fold(&record.record.value, |value, step| member(value, step));
                match found {
                    Some(Value::String(text)) => Ok(Some(text.to_string())),
                    Some(Value::Boolean(flag)) => Ok(Some(flag.to_string())),
                    Some(value) if value.as_integer().is_some() => {
                        Ok(value.as_integer().map(|n| n.to_string()))
                    }
                    Some(_) | None => Err(ConnectorError::data(
                        "the value has no text or number where `routing.type.record.value.path` points",
                    )),
                }
            }
        }
    }

    fn body_line(
        &self,
        out: &mut Vec<u8>,
        record: &SinkRecord,
        target: &Target,
        action: Action,
    ) -> Result<()> {
        if action != Action::Update {
            self.document(out, record, target)?;
            out.push(b'\n');
            return Ok(());
        }
        out.extend_from_slice(b"{\"doc\":");
        let start = out.len();
        self.document(out, record, target)?;
        let end = out.len();
        out.extend_from_slice(b",\"upsert\":");
        out.extend_from_within(start..end);
        out.extend_from_slice(b"}\n");
        Ok(())
    }

    fn document(&self, out: &mut Vec<u8>, record: &SinkRecord, target: &Target) -> Result<()> {
        let schema = record.record.value_schema.as_deref();
        let style = self.style(record);
        let value = &record.record.value;
        out.push(b'{');
        let start = out.len();
        if !target.is_data_stream {
            payload::write_members(out, schema, value, style, None)?;
            out.push(b'}');
            return Ok(());
        }
        // The document's own timestamp gives way, unless it is what the user wants.
        payload::write_members(out, schema, value, style, Some(TIMESTAMP))?;
        if out.len() > start {
            out.push(b',');
        }
        json::string(out, TIMESTAMP);
        out.push(b':');
        self.timestamp(out, record, style)?;
        out.push(b'}');
        Ok(())
    }

    fn timestamp(&self, out: &mut Vec<u8>, record: &SinkRecord, style: Style) -> Result<()> {
        let value = &record.record.value;
        if self.rules.timestamp_fields.is_empty() {
            let own = member(value, TIMESTAMP).filter(|own| self.rules.keeps_timestamp && !own.is_null());
            return match (own, record.record.timestamp) {
                (Some(own), _) => payload::write(out, member_schema(value, TIMESTAMP), own, style),
                (None, Some(timestamp)) => {
                    json::integer(out, timestamp);
                    Ok(())
                }
                (None, None) => Err(ConnectorError::data(
                    "the record has no timestamp, and a data stream needs one; name a field in `data.stream.timestamp.field`",
                )),
            };
        }
        for name in &self.rules.timestamp_fields {
            if let Some(own) = member(value, name).filter(|own| !own.is_null()) {
                return payload::write(out, member_schema(value, name), own, style);
            }
        }
        Err(ConnectorError::data(
            "the value has none of the fields of `data.stream.timestamp.field`, and a data stream needs a timestamp",
        ))
    }
}

struct Line<'a> {
    action: Action,
    id: &'a Id,
    version: Option<i64>,
}

fn key_text(key: &Value) -> Result<String> {
    match key {
        Value::String(text) if !text.is_empty() => Ok(text.to_string()),
        Value::Int8(n) => Ok(n.to_string()),
        Value::Int16(n) => Ok(n.to_string()),
        Value::Int32(n) => Ok(n.to_string()),
        Value::Int64(n) => Ok(n.to_string()),
        Value::Null => Err(ConnectorError::data(
            "the record has no key to be the document's id; set `key.ignore` to `true` to make ids of topic, partition and offset",
        )),
        Value::String(_) => Err(ConnectorError::data(
            "the record's key is empty, so it cannot be the document's id; set `key.ignore` to `true` to make ids of topic, partition and offset",
        )),
        other => Err(ConnectorError::data(format!(
            "the record's key is a {}, and only texts and integers can be the document's id; take a field of it with the transform ExtractField$Key, or set `key.ignore` to `true`",
            other.natural_type().map_or("logical type", |kind| kind.name())
        ))),
    }
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Struct(inner) => inner.get(name).ok(),
        Value::Map(map) => map.get(name),
        _ => None,
    }
}

fn member_schema<'a>(value: &'a Value, name: &str) -> Option<&'a Schema> {
    let field = value.as_struct()?.schema().field(name)?;
    Some(&field.schema)
}

#[cfg(test)]
mod tests;

//! The cases: which connector, which converters.

use std::fmt;

use serde_json::{Value, json};

const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// What the command is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    SourceFile,
    SinkFile,
    Json,
}

/// One measured kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Variant {
    SourceFile,
    SinkFile,
    JsonSchemasOff,
    JsonSchemasOn,
}

impl Case {
    pub(crate) fn variants(self) -> &'static [Variant] {
        match self {
            Self::SourceFile => &[Variant::SourceFile],
            Self::SinkFile => &[Variant::SinkFile],
            Self::Json => &[Variant::JsonSchemasOff, Variant::JsonSchemasOn],
        }
    }
}

impl Variant {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SourceFile => "source-file",
            Self::SinkFile => "sink-file",
            Self::JsonSchemasOff => "json-schemas-off",
            Self::JsonSchemasOn => "json-schemas-on",
        }
    }

    pub(crate) fn is_sink(self) -> bool {
        self == Self::SinkFile
    }

    /// Bytes that a 100-byte line has in Kafka: what the ceiling is measured with.
    pub(crate) fn value_bytes(self, line_bytes: usize) -> usize {
        match self {
            Self::SourceFile | Self::SinkFile => line_bytes,
            Self::JsonSchemasOff => line_bytes + r#""""#.len(),
            Self::JsonSchemasOn => {
                line_bytes + r#"{"schema":{"type":"string","optional":false},"payload":""}"#.len()
            }
        }
    }

    /// The connector's configuration.
    pub(crate) fn config(self, topic: &str, file: &str) -> Value {
        let mut config = if self.is_sink() {
            json!({ "connector.class": "FileStreamSink", "topics": topic, "file": file, "consumer.override.max.poll.records": "5000" })
        } else {
            json!({ "connector.class": "FileStreamSource", "topic": topic, "file": file, "batch.size": "2000" })
        };
        let converter = if matches!(self, Self::JsonSchemasOff | Self::JsonSchemasOn) {
            JSON
        } else {
            STRING
        };
        let more = json!({
            "tasks.max": "1",
            "key.converter": STRING,
            "value.converter": converter,
            "value.converter.schemas.enable": (self == Self::JsonSchemasOn).to_string(),
        });
        if let (Value::Object(config), Value::Object(more)) = (&mut config, more) {
            config.extend(more);
        }
        config
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

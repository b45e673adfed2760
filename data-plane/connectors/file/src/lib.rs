//! FileStreamSource and FileStreamSink: the lines of one file (or standard input) into a topic, and records as lines
//! into one file (or standard output). Not for rotation, several files or multi-line records.

mod clock;
mod input;
mod lines;
mod output;
mod sink;
mod source;

pub use sink::{FileStreamSinkConnector, FileStreamSinkTask};
pub use source::{FileStreamSourceConnector, FileStreamSourceTask};

use towpath_connect::{KAFKA_CONNECT_VERSION, Plugin, PluginFactory};

const FILE: &str = "file";

/// The plugins of this crate.
pub fn plugins() -> Vec<Plugin> {
    vec![
        Plugin {
            class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
            aliases: &[],
            // They come with Kafka Connect, so clients expect its version.
            version: KAFKA_CONNECT_VERSION,
            config_def: sink::config_def,
            factory: PluginFactory::Sink(|| Box::new(FileStreamSinkConnector::default())),
        },
        Plugin {
            class: "org.apache.kafka.connect.file.FileStreamSourceConnector",
            aliases: &[],
            version: KAFKA_CONNECT_VERSION,
            config_def: source::config_def,
            factory: PluginFactory::Source(|| Box::new(FileStreamSourceConnector::default())),
        },
    ]
}

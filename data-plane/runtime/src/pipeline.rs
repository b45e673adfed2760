//! What happens to a record between a task and Kafka: transforms and converters, as plain functions over one record.

mod build;
mod chain;
mod policy;
mod sink;
mod source;

pub use build::{PipelineError, Plugins};
pub use chain::TransformChain;
pub use policy::ErrorPolicy;
pub use sink::SinkPipeline;
pub use source::{Processed, SourcePipeline};

use towpath_connect::ConnectorError;

use crate::errors::Stage;

/// A record that could not be processed: where, by which class, and why.
#[derive(Debug)]
pub struct Failure {
    /// The stage.
    pub stage: Stage,
    /// Class of the converter or transform.
    pub class: &'static str,
    /// What happened.
    pub error: ConnectorError,
}

//! Transforms in the order of `transforms`, each with its predicate.

use towpath_connect::transform::RecordOrigin;
use towpath_connect::{ConnectRecord, Predicate, Transform};

use super::Failure;
use crate::errors::Stage;

/// One transform and when it applies.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) class: &'static str,
    pub(super) transform: Box<dyn Transform>,
    pub(super) condition: Option<Condition>,
}

/// Applies when `predicate` says so, or when it does not.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) predicate: Box<dyn Predicate>,
    pub(super) negate: bool,
}

/// The transforms of a connector, in order.
#[derive(Debug, Default)]
pub struct TransformChain {
    steps: Vec<Step>,
}

impl TransformChain {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// Whether records pass unchanged.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The record after all transforms; `None` if one dropped it.
    pub(super) fn apply(
        &mut self,
        mut record: ConnectRecord,
        origin: RecordOrigin,
    ) -> Result<Option<ConnectRecord>, Failure> {
        for step in &mut self.steps {
            let fail = |error| Failure {
                stage: Stage::Transformation,
                class: step.class,
                error,
            };
            if let Some(condition) = &mut step.condition
                && condition.predicate.test(&record).map_err(fail)? == condition.negate
            {
                continue;
            }
            match step.transform.apply(record, origin).map_err(fail)? {
                Some(changed) => record = changed,
                None => return Ok(None),
            }
        }
        Ok(Some(record))
    }
}

//! The connector instance: equal tasks, and checking a configuration against the live search engine.

use async_trait::async_trait;
use towpath_connect::config_def::KeyResult;
use towpath_connect::{ConfigMap, ConnectorContext, Result, SinkConnector, SinkTask};

use crate::config::{self, Settings, check};
use crate::flavour::Flavour;
use crate::live::{self, Problem};
use crate::task::ElasticsearchSinkTask;

/// A sink connector of one of the flavours.
#[derive(Debug)]
pub struct ElasticsearchSinkConnector {
    flavour: Flavour,
    config: ConfigMap,
}

impl ElasticsearchSinkConnector {
    pub(crate) fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            config: ConfigMap::new(),
        }
    }
}

#[async_trait]
impl SinkConnector for ElasticsearchSinkConnector {
    async fn start(&mut self, _context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        Settings::read(self.flavour, config)?;
        self.config = config.clone();
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone(); max_tasks])
    }

    async fn validate(&self, config: &ConfigMap, results: &mut Vec<KeyResult>) {
        check::add_problems(self.flavour, &config::topics(config), results);
        // A half-understood configuration would only give errors that follow from the first.
        let Ok(settings) = Settings::read(self.flavour, config) else {
            return;
        };
        if let Err(Problem { keys, message }) = live::check(&settings).await {
            for result in results
                .iter_mut()
                .filter(|result| keys.contains(&result.name.as_str()))
            {
                result.errors.push(message.clone());
            }
        }
    }

    async fn stop(&mut self) {}

    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::new(ElasticsearchSinkTask::new(self.flavour))
    }

    fn task_class(&self) -> &'static str {
        self.flavour.task_class()
    }
}

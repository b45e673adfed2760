//! The connector: finds the tables and deals them out to tasks.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use towpath_connect::config_def::KeyResult;
use towpath_connect::source::{SourceConnector, SourceTask};
use towpath_connect::{ConfigMap, ConnectorContext, ConnectorError, ExactlyOnceSupport, OffsetMap, Result};
use tracing::Instrument;

use crate::Flavour;
use crate::keys;
use crate::monitor::{Listing, Monitor};
use crate::reader;
use crate::session;
use crate::settings::Settings;
use crate::table;
use crate::task::JdbcSourceTask;
use crate::{offset, validation};

/// The modes whose offsets name the last row that was copied.
const EXACT_MODES: &[&str] = &["incrementing", "timestamp+incrementing"];

/// Copies tables, or the rows of a query, of one database.
pub(crate) struct JdbcSourceConnector {
    flavour: Flavour,
    running: Option<Running>,
}

struct Running {
    config: ConfigMap,
    settings: Arc<Settings>,
    listing: Arc<Listing>,
    cancel: CancellationToken,
    /// Empty for a query.
    monitor: JoinSet<()>,
}

impl JdbcSourceConnector {
    pub(crate) fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            running: None,
        }
    }
}

#[async_trait]
impl SourceConnector for JdbcSourceConnector {
    async fn start(&mut self, context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        let settings = Arc::new(Settings::parse(self.flavour, config)?);
        warn_of_unknown(&settings);
        let session = reader::connect_at_start(&settings.connection).await?;
        let mut running = Running {
            config: config.clone(),
            settings: Arc::clone(&settings),
            listing: Arc::new(Listing::default()),
            cancel: CancellationToken::new(),
            monitor: JoinSet::new(),
        };
        if settings.query.is_some() {
            session.close().await;
        } else {
            let mut monitor = Monitor::new(settings, Arc::clone(&running.listing), session);
            monitor.first_look().await?;
            let watch = monitor.watch(context, running.cancel.clone());
            running.monitor.spawn(watch.in_current_span());
        }
        self.running = Some(running);
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        let running = self
            .running
            .as_ref()
            .ok_or_else(|| ConnectorError::bug("the connector was not started"))?;
        let task = |tables: &str, are_known: bool| {
            let mut config = running.config.clone();
            config.insert(keys::TABLES, tables);
            config.insert(keys::TABLES_FETCHED, are_known.to_string());
            config
        };
        if running.settings.query.is_some() {
            return Ok(vec![task("", true)]);
        }
        let Some(tables) = running.listing.tables() else {
            return Ok(vec![task("", false)]);
        };
        if tables.is_empty() {
            return Ok(vec![task("", true)]);
        }
        let groups = table::groups(&tables, max_tasks.max(1));
        let database = running.settings.database();
        Ok(groups
            .into_iter()
            .map(|group| task(&table::join(group, database), true))
            .collect())
    }

    async fn validate(&self, config: &ConfigMap, results: &mut Vec<KeyResult>) {
        validation::validate(self.flavour, config, results).await;
    }

    /// An offset has to name one row: the last that was copied. A timestamp alone may be that of several, some of which
    /// would come again after a restart; `bulk` copies everything again in any case.
    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        let mode = config.get(keys::MODE).unwrap_or_default().trim();
        Ok(Some(if EXACT_MODES.contains(&mode) {
            ExactlyOnceSupport::Supported
        } else {
            ExactlyOnceSupport::Unsupported
        }))
    }

    async fn alter_offsets(
        &mut self,
        _config: &ConfigMap,
        offsets: &[(Option<OffsetMap>, Option<OffsetMap>)],
    ) -> Result<bool> {
        for (partition, offset) in offsets {
            // Anything may be removed: earlier versions and configurations leave other partitions behind.
            if let Some(offset) = offset {
                offset::check(partition.as_ref(), offset)?;
            }
        }
        Ok(true)
    }

    async fn stop(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        running.cancel.cancel();
        let ended = async { while running.monitor.join_next().await.is_some() {} };
        if timeout(running.settings.limits.shutdown, ended).await.is_err() {
            tracing::warn!("the end of the watch over the tables took too long and is not waited for");
            running.monitor.shutdown().await;
        }
    }

    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(JdbcSourceTask::new(self.flavour))
    }

    fn task_class(&self) -> &'static str {
        match self.flavour {
            Flavour::Confluent => "io.confluent.connect.jdbc.source.JdbcSourceTask",
            Flavour::Aiven => "io.aiven.connect.jdbc.source.JdbcSourceTask",
        }
    }
}

fn warn_of_unknown(settings: &Settings) {
    let unknown = session::unknown_properties(&settings.connection);
    if !unknown.is_empty() {
        let properties = unknown.join(", ");
        let database = settings.database().name();
        tracing::warn!(%properties, database, "these connection properties mean nothing here and are ignored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_modes_whose_offsets_name_one_row_deliver_exactly_once() {
        let connector = JdbcSourceConnector::new(Flavour::Confluent);
        for (mode, expected) in [
            ("incrementing", ExactlyOnceSupport::Supported),
            ("timestamp+incrementing", ExactlyOnceSupport::Supported),
            ("timestamp", ExactlyOnceSupport::Unsupported),
            ("bulk", ExactlyOnceSupport::Unsupported),
        ] {
            let config: ConfigMap = [("mode", mode)].into_iter().collect();
            assert_eq!(
                connector.exactly_once_support(&config).unwrap(),
                Some(expected),
                "{mode}"
            );
        }
    }
}

//! One task: its tables and where they were left, a reader that runs beside it, and `poll`, which takes what was read.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use towpath_connect::source::{SourceTask, SourceTaskContext};
use towpath_connect::{ConfigMap, ConnectorError, OffsetMap, Result, SourceRecord};
use tracing::Instrument;

use crate::Flavour;
use crate::keys;
use crate::keys::choices::Mode;
use crate::offset::{Partition, Position};
use crate::reader::{self, Reader, Reading};
use crate::rows::{Delivery, Route};
use crate::settings::Settings;
use crate::table::{self, TableId};

/// Copies some tables, or the rows of the query.
pub(crate) struct JdbcSourceTask {
    flavour: Flavour,
    running: Option<Running>,
    /// The longest wait of one poll.
    linger: Duration,
}

/// `None` in its place: there is nothing to read.
struct Running {
    deliveries: mpsc::Receiver<Delivery>,
    cancel: CancellationToken,
    reader: JoinSet<()>,
    shutdown: Duration,
}

impl JdbcSourceTask {
    pub(crate) fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            running: None,
            linger: Duration::MAX,
        }
    }
}

#[async_trait]
impl SourceTask for JdbcSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<()> {
        let settings = Arc::new(Settings::parse(self.flavour, config)?);
        self.linger = settings.limits.linger;
        let tables = tables(&settings, config)?;
        if settings.query.is_none() && tables.is_empty() {
            let why = if config.get(keys::TABLES_FETCHED) == Some("true") {
                "no table fits the configuration"
            } else {
                "the tables are not known yet"
            };
            tracing::warn!(
                connector = context.connector(),
                task = context.task(),
                why,
                "the task has nothing to read"
            );
            return Ok(());
        }
        let readings = readings(&settings, tables, &context).await?;
        let session = reader::connect_at_start(&settings.connection).await?;
        let (out, deliveries) = mpsc::channel(settings.limits.waiting_batches);
        let cancel = CancellationToken::new();
        let shutdown = settings.limits.shutdown;
        let reader = Reader::new(settings, session, readings, out);
        let mut running = JoinSet::new();
        running.spawn(reader.run(cancel.clone()).in_current_span());
        self.running = Some(Running {
            deliveries,
            cancel,
            reader: running,
            shutdown,
        });
        Ok(())
    }

    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>> {
        let wait = max_wait.min(self.linger);
        let Some(running) = &mut self.running else {
            sleep(wait).await;
            return Ok(Vec::new());
        };
        match timeout(wait, running.deliveries.recv()).await {
            Err(_) => Ok(Vec::new()),
            Ok(Some(delivery)) => delivery,
            Ok(None) => Err(running.unexpected_end().await),
        }
    }

    async fn stop(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        running.cancel.cancel();
        // A reader that waits for room must not wait any longer.
        running.deliveries.close();
        let ended = async { while running.reader.join_next().await.is_some() {} };
        if timeout(running.shutdown, ended).await.is_err() {
            let waited_ms = u64::try_from(running.shutdown.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(waited_ms, "the end of a read took too long and is not waited for");
            running.reader.shutdown().await;
        }
    }
}

impl Running {
    /// The reader tells its errors through the channel, so only a panic ends it silently.
    async fn unexpected_end(&mut self) -> ConnectorError {
        let error = ConnectorError::bug("the reader of the tables ended without a word");
        match self.reader.join_next().await {
            Some(Err(panic)) => error.with_source(panic),
            _ => error,
        }
    }
}

fn tables(settings: &Settings, config: &ConfigMap) -> Result<Vec<TableId>> {
    if settings.query.is_some() {
        return Ok(Vec::new());
    }
    let text = config.get(keys::TABLES).unwrap_or_default();
    table::parse_list(text, settings.database())
        .ok_or_else(|| ConnectorError::config("the task's key `tables` is no list of quoted names"))
}

async fn readings(
    settings: &Settings,
    tables: Vec<TableId>,
    context: &SourceTaskContext,
) -> Result<Vec<Reading>> {
    let mode = settings.progress.mode;
    let sources: Vec<(Option<TableId>, Route)> = if settings.query.is_some() {
        vec![(None, route_of_query(settings))]
    } else {
        let routes = tables.into_iter().map(|table| {
            let route = route_of_table(settings, &table);
            (Some(table), route)
        });
        routes.collect()
    };
    let positions = if mode == Mode::Bulk {
        vec![Position::default(); sources.len()]
    } else {
        let partitions: Vec<&Partition> = sources.iter().map(|(_, route)| &route.partition).collect();
        positions(&partitions, context).await?
    };
    let readings = sources.into_iter().zip(positions);
    Ok(readings
        .map(|((table, route), position)| Reading::new(table, Arc::new(route), position))
        .collect())
}

fn route_of_table(settings: &Settings, table: &TableId) -> Route {
    Route {
        source: format!("table \"{table}\""),
        topic: format!("{}{}", settings.topic_prefix, table.name).into(),
        schema_name: Some(table.name.as_str().into()),
        partition: Partition::of_table(table, settings.progress.mode),
    }
}

fn route_of_query(settings: &Settings) -> Route {
    Route {
        source: "the rows of the query".to_owned(),
        topic: settings.topic_prefix.as_str().into(),
        schema_name: None,
        partition: Partition::of_query(),
    }
}

/// The stored positions; what an earlier version stored counts where nothing newer is stored.
async fn positions(partitions: &[&Partition], context: &SourceTaskContext) -> Result<Vec<Position>> {
    let mut wanted: Vec<OffsetMap> = partitions.iter().map(|p| p.current.as_ref().clone()).collect();
    let earlier = partitions
        .iter()
        .filter_map(|partition| partition.earlier.clone());
    wanted.extend(earlier);
    let mut stored = context.offsets(&wanted).await?.into_iter();
    let current: Vec<Option<OffsetMap>> = stored.by_ref().take(partitions.len()).collect();
    let found = partitions.iter().zip(current).map(|(partition, current)| {
        let earlier = partition.earlier.as_ref().and_then(|_| stored.next().flatten());
        let offset = current.or(earlier);
        offset.as_ref().map(Position::from_map).unwrap_or_default()
    });
    Ok(found.collect())
}

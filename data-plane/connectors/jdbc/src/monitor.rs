//! The list of tables, and the watch over it: a table that comes or goes makes the connector deal out its tasks anew.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use towpath_connect::error::Chain;
use towpath_connect::{ConnectorContext, ConnectorError};

use crate::cursor;
use crate::error::{DbError, Remedy};
use crate::session::{self, Session};
use crate::settings::{Progress, Settings};
use crate::table::{TableId, namesakes};

/// How long the database may take to list its tables.
const LIST_DEADLINE: Duration = Duration::from_secs(60);
/// Between two attempts while no list is known yet.
const FIRST_LIST_INTERVAL: Duration = Duration::from_secs(1);
/// How many tables a warning names.
const MOST_NAMES: usize = 20;

/// The list as far as it is known, shared with the connector. A std mutex: never held across an await.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    tables: Mutex<Option<Vec<TableId>>>,
}

impl Listing {
    pub(crate) fn tables(&self) -> Option<Vec<TableId>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the list is another one than before; the order counts.
    fn replace(&self, tables: Vec<TableId>) -> bool {
        let mut known = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = known.as_ref() != Some(&tables);
        *known = Some(tables);
        is_new
    }
}

/// Looks for tables.
pub(crate) struct Monitor {
    settings: Arc<Settings>,
    listing: Arc<Listing>,
    session: Option<Box<dyn Session>>,
    /// What was last said about entries of the filter that fit no table.
    said: Vec<String>,
    is_failing: bool,
}

impl Monitor {
    pub(crate) fn new(settings: Arc<Settings>, listing: Arc<Listing>, session: Box<dyn Session>) -> Self {
        Self {
            settings,
            listing,
            session: Some(session),
            said: Vec::new(),
            is_failing: false,
        }
    }

    /// The first list, as long as the configuration says to wait for it. Without one the watch goes on asking.
    ///
    /// # Errors
    /// When the database refuses, or two tables would share a topic.
    pub(crate) async fn first_look(&mut self) -> Result<(), ConnectorError> {
        match timeout(self.settings.limits.startup, self.look()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.remedy() == Remedy::Fail => {
                Err(error.during("could not list the tables"))
            }
            Ok(Err(error)) => {
                self.complain(&error);
                Ok(())
            }
            Err(_) => {
                self.session = None;
                tracing::warn!("the list of tables takes long; the tasks begin when it is there");
                Ok(())
            }
        }
    }

    /// Looks again and again until it is cancelled, or the connector cannot go on.
    pub(crate) async fn watch(mut self, context: ConnectorContext, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.look_again(&context) => {}
        }
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    async fn look_again(&mut self, context: &ConnectorContext) {
        loop {
            let interval = match self.listing.tables() {
                Some(_) => self.settings.limits.table_interval,
                None => FIRST_LIST_INTERVAL.min(self.settings.limits.table_interval),
            };
            sleep(interval.max(Duration::from_millis(1))).await;
            match self.look().await {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!("the list of tables changed");
                    context.request_task_reconfiguration();
                }
                Err(error @ DbError::Setting(_)) => {
                    context.raise_error(error.during("could not go on with these tables"));
                    return;
                }
                Err(error) => self.complain(&error),
            }
        }
    }

    /// Whether the list changed.
    async fn look(&mut self) -> Result<bool, DbError> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => session::open(&self.settings.connection).await?,
        };
        let tables = match timeout(LIST_DEADLINE, list(session.as_mut(), &self.settings)).await {
            Ok(Ok(tables)) => tables,
            Ok(Err(error)) => {
                session.close().await;
                return Err(error);
            }
            Err(error) => {
                return Err(DbError::Lost {
                    database: self.settings.connection.url.to_string(),
                    source: error.into(),
                });
            }
        };
        self.session = Some(session);
        self.is_failing = false;
        check(&tables, &self.settings.progress)?;
        self.mention_missing(&tables);
        Ok(self.listing.replace(tables))
    }

    /// Once an outage.
    fn complain(&mut self, error: &DbError) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!(error = %Chain(error), "the tables could not be listed; trying again");
        }
    }

    /// A connector that waits for a table says so, once for the same tables.
    fn mention_missing(&mut self, tables: &[TableId]) {
        let settings = &self.settings;
        let database = &settings.connection.url;
        let missing = settings
            .selection
            .filter
            .without_table(tables, settings.database());
        let mut missing: Vec<String> = missing.into_iter().map(str::to_owned).collect();
        if missing.is_empty() && tables.is_empty() {
            missing.push("any table".to_owned());
        }
        if missing == self.said {
            return;
        }
        if !missing.is_empty() {
            let names =
                |names: Vec<String>| names.into_iter().take(MOST_NAMES).collect::<Vec<_>>().join(", ");
            let found = names(tables.iter().map(TableId::to_string).collect());
            let types = settings.selection.types.join(", ");
            let missing = names(missing.clone());
            tracing::warn!(
                %database, %missing, %found, %types,
                "no table fits these entries of the filter; waiting for them to appear. Check the names, \
                 `schema.pattern`, `catalog.pattern`, `table.types` and the user's rights"
            );
        }
        self.said = missing;
    }
}

/// The tables that the configuration asks for, in the order in which JDBC lists them.
pub(crate) async fn list(session: &mut dyn Session, settings: &Settings) -> Result<Vec<TableId>, DbError> {
    let selection = &settings.selection;
    let mut found = session.tables(selection).await?;
    found.retain(|found| {
        let is_of_type = selection
            .types
            .iter()
            .any(|kind| kind.eq_ignore_ascii_case(&found.kind));
        is_of_type && selection.filter.accepts(&found.table, settings.database())
    });
    found.sort();
    Ok(found.into_iter().map(|found| found.table).collect())
}

/// Whether tasks can be made of these tables.
fn check(tables: &[TableId], progress: &Progress) -> Result<(), DbError> {
    if let Some((one, other)) = namesakes(tables) {
        return Err(DbError::Setting(format!(
            "tables \"{one}\" and \"{other}\" have the same name, so their records would go to the same topic; name \
             one of them by its qualified name in the filter, or narrow `schema.pattern` or `catalog.pattern`"
        )));
    }
    for table in tables {
        cursor::configured(progress, Some(table))?;
    }
    Ok(())
}

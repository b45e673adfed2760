//! The SQL that reads a table or query: everything, or what lies beyond a position.

use crate::database::Database;
use crate::keys::choices::Mode;
use crate::moment::Moment;
use crate::offset::Position;
use crate::rows::Cursor;
use crate::settings::{InitialTimestamp, Settings};
use crate::table::TableId;

/// A value for a placeholder, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bind {
    Integer(i64),
    Moment(Moment),
}

/// A statement with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Bind>,
}

/// What a read starts from and ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) after: Position,
    /// Rows with a timestamp from here on are left for the next read. Only used in modes with a timestamp.
    pub(crate) before: Moment,
}

/// The statement that reads the rows of `range` from the table, or from the query if there is no table.
pub(crate) fn build(
    settings: &Settings,
    table: Option<&TableId>,
    cursor: &Cursor,
    range: &Range,
) -> Statement {
    let mode = settings.progress.mode;
    let mut statement = Statement {
        sql: from(settings, table),
        binds: Vec::new(),
    };
    let names = Names::new(settings, cursor);
    match mode {
        Mode::Bulk => {}
        Mode::Incrementing => names.beyond_id(&mut statement, first_id(settings, range)),
        Mode::Timestamp => names.beyond_time(&mut statement, first_time(settings, range), range.before),
        Mode::TimestampIncrementing => {
            let after = (first_time(settings, range), first_id(settings, range));
            names.beyond_both(&mut statement, after, range.before);
        }
    }
    if !settings.query_suffix.is_empty() {
        statement.sql.push(' ');
        statement.sql.push_str(&settings.query_suffix);
    }
    statement
}

fn from(settings: &Settings, table: Option<&TableId>) -> String {
    let database = settings.database();
    match (table, &settings.query) {
        (Some(table), _) => format!("SELECT * FROM {}", table_name(settings, table)),
        (None, Some(query)) if settings.progress.mode == Mode::Bulk => query.text.clone(),
        // As a sub-select the query may have conditions, joins and an order of its own. A comment at its end must not
        // swallow the parenthesis.
        (None, Some(query)) => {
            let alias = database.quoted("query_rows");
            format!("SELECT * FROM ({}\n) AS {alias}", query.text)
        }
        (None, None) => String::new(),
    }
}

fn table_name(settings: &Settings, table: &TableId) -> String {
    let bare = TableId {
        container: None,
        name: table.name.clone(),
    };
    let table = if settings.qualify { table } else { &bare };
    if settings.quote {
        table.quoted(settings.database())
    } else {
        table.to_string()
    }
}

fn first_id(settings: &Settings, range: &Range) -> i64 {
    range
        .after
        .incrementing
        .unwrap_or(settings.progress.initial_incrementing)
}

fn first_time(settings: &Settings, range: &Range) -> Moment {
    let initial = match settings.progress.initial_timestamp {
        InitialTimestamp::At(moment) => moment,
        // Known by the first read, which begins at the database's clock.
        InitialTimestamp::Now => range.before,
    };
    range.after.timestamp.unwrap_or(initial)
}

/// The columns as the statement calls them.
struct Names {
    database: Database,
    id: String,
    /// The first that is not null of the timestamp columns.
    time: String,
}

impl Names {
    fn new(settings: &Settings, cursor: &Cursor) -> Self {
        let database = settings.database();
        let name = |name: &String| {
            if settings.quote {
                database.quoted(name)
            } else {
                name.clone()
            }
        };
        let times: Vec<String> = cursor.timestamps.iter().map(name).collect();
        let time = match &times[..] {
            [one] => one.clone(),
            several => format!("COALESCE({})", several.join(",")),
        };
        Self {
            database,
            id: cursor.incrementing.as_ref().map(name).unwrap_or_default(),
            time: database.comparable_moment(&time),
        }
    }

    fn integer(&self, statement: &mut Statement, value: i64) -> String {
        statement.binds.push(Bind::Integer(value));
        self.database.integer_parameter(statement.binds.len())
    }

    fn moment(&self, statement: &mut Statement, value: Moment) -> String {
        statement.binds.push(Bind::Moment(value));
        self.database.moment_parameter(statement.binds.len())
    }

    fn beyond_id(&self, statement: &mut Statement, id: i64) {
        let name = &self.id;
        let last = self.integer(statement, id);
        statement
            .sql
            .push_str(&format!(" WHERE {name} > {last} ORDER BY {name} ASC"));
    }

    fn beyond_time(&self, statement: &mut Statement, time: Moment, before: Moment) {
        let name = &self.time;
        let last = self.moment(statement, time);
        let end = self.moment(statement, before);
        let condition = format!(" WHERE {name} > {last} AND {name} < {end} ORDER BY {name} ASC");
        statement.sql.push_str(&condition);
    }

    fn beyond_both(&self, statement: &mut Statement, (time, id): (Moment, i64), before: Moment) {
        let Self {
            id: id_name,
            time: name,
            ..
        } = self;
        let end = self.moment(statement, before);
        let same = self.moment(statement, time);
        let last_id = self.integer(statement, id);
        let later = self.moment(statement, time);
        statement.sql.push_str(&format!(
            " WHERE {name} < {end} AND (({name} = {same} AND {id_name} > {last_id}) OR {name} > {later}) \
             ORDER BY {name},{id_name} ASC"
        ));
    }
}

#[cfg(test)]
mod tests;

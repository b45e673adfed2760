//! From the rows of one read to batches of records. Runs where the rows are decoded; the batches go through a bounded
//! channel to the task's `poll`, so a slow consumer holds up the database, not our memory.

pub(crate) mod temporal;

use std::sync::Arc;

use tokio::sync::mpsc;
use towpath_connect::{ConnectRecord, ConnectorError, SchemaRef, SourceRecord, Struct, Topic, Value};

use crate::error::DbError;
use crate::keys::choices::Mode;
use crate::moment::Moment;
use crate::offset::{Advance, Partition, Position};
use crate::schema::{Field, SchemaMemory};
use crate::settings::Settings;
use crate::types::{Column, FieldError, Target};
use temporal::Temporal;

/// What `poll` receives.
pub(crate) type Delivery = Result<Vec<SourceRecord>, ConnectorError>;

/// A batch also ends at this many bytes of text and binary values, so that rows of megabytes do not pile up by count.
const BATCH_MAX_BYTES: usize = 1 << 20;

/// A row as the database's client has it. Values may be taken out of it, each once, after the moments were read.
pub(crate) trait Row {
    /// A column as a point in time; `None` for null.
    fn moment(&self, column: usize, temporal: &Temporal) -> Result<Option<Moment>, FieldError>;

    /// A column as the value of a field.
    fn value(&mut self, column: usize, target: &Target, temporal: &Temporal) -> Result<Value, FieldError>;
}

/// The columns that tell new rows, as the database calls them. What the mode does not use is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) incrementing: Option<String>,
    pub(crate) timestamps: Vec<String>,
}

/// Where the rows of a table or query go.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// For messages: `table "news.articles"` or `the query`.
    pub(crate) source: String,
    pub(crate) topic: Topic,
    pub(crate) schema_name: Option<Arc<str>>,
    pub(crate) partition: Partition,
}

/// Records that belong together, and how far they go.
#[derive(Debug)]
pub(crate) struct Batch {
    records: Vec<SourceRecord>,
    end: Option<Position>,
}

struct Plan {
    fields: Vec<Field>,
    schema: SchemaRef,
    /// Index of the incrementing column's field.
    incrementing: Option<usize>,
    /// Indexes of the timestamp columns.
    timestamps: Vec<usize>,
}

/// Takes the rows of one read.
pub(crate) struct RowSink {
    settings: Arc<Settings>,
    route: Arc<Route>,
    cursor: Cursor,
    out: mpsc::Sender<Delivery>,
    memory: SchemaMemory,
    plan: Option<Plan>,
    advance: Advance,
    /// In conservative mode the newest row: what its record carries depends on the row after it.
    held: Option<(ConnectRecord, Position)>,
    batch: Vec<SourceRecord>,
    batch_bytes: usize,
    batch_end: Option<Position>,
    delivered: Option<Position>,
}

impl RowSink {
    pub(crate) fn new(
        settings: &Arc<Settings>,
        route: &Arc<Route>,
        cursor: Cursor,
        start: Position,
        out: mpsc::Sender<Delivery>,
    ) -> Self {
        let conservative = settings.progress.conservative && settings.progress.mode == Mode::Timestamp;
        Self {
            settings: Arc::clone(settings),
            route: Arc::clone(route),
            cursor,
            out,
            memory: SchemaMemory::default(),
            plan: None,
            advance: Advance::new(start, conservative),
            held: None,
            batch: Vec::new(),
            batch_bytes: 0,
            batch_end: None,
            delivered: None,
        }
    }

    /// With what earlier reads of the same table remembered.
    pub(crate) fn remembering(mut self, memory: SchemaMemory) -> Self {
        self.memory = memory;
        self
    }

    /// An empty sink for the same place.
    pub(crate) fn spare(&self) -> Self {
        let start = self.advance.position();
        Self::new(
            &self.settings,
            &self.route,
            self.cursor.clone(),
            start,
            self.out.clone(),
        )
    }

    pub(crate) fn temporal(&self) -> &Temporal {
        &self.settings.temporal
    }

    /// What to remember for the next read, and how far the delivered batches go, if any were delivered.
    pub(crate) fn into_parts(self) -> (SchemaMemory, Option<Position>) {
        (self.memory, self.delivered)
    }

    /// The columns of the result, before its first row.
    pub(crate) fn begin(&mut self, columns: &[Column]) -> Result<(), DbError> {
        let mapping = &self.settings.mapping;
        let fields = self.memory.fields(columns, mapping, &self.route.source);
        let schema_name = self.route.schema_name.as_ref();
        let schema = self
            .memory
            .schema(schema_name, &fields, mapping)
            .map_err(DbError::Schema)?;
        let incrementing = match &self.cursor.incrementing {
            Some(name) => Some(incrementing_field(&fields, name)?),
            None => None,
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let timestamps = self
            .cursor
            .timestamps
            .iter()
            .map(|name| find_name(&names, name).ok_or_else(|| missing("timestamp", name)));
        let timestamps = timestamps.collect::<Result<_, _>>()?;
        self.plan = Some(Plan {
            fields,
            schema,
            incrementing,
            timestamps,
        });
        Ok(())
    }

    /// Takes the next row. A batch that is full is returned and must be delivered before the next row.
    pub(crate) fn push(&mut self, row: &mut impl Row) -> Result<Option<Batch>, DbError> {
        let timestamp = self.timestamp_of(row)?;
        let values = self.values_of(row)?;
        let plan = self.plan.as_ref().expect("rows come after the columns");
        let incrementing = match plan.incrementing {
            Some(index) => Some(incrementing_value(&plan.fields[index], &values[index])?),
            None => None,
        };
        let position = Position {
            incrementing,
            timestamp,
        };
        let schema = Arc::clone(&plan.schema);
        let value = Struct::of(Arc::clone(&schema), values).map_err(DbError::Schema)?;
        let record =
            ConnectRecord::of_value(Arc::clone(&self.route.topic), Some(schema), Value::Struct(value));
        if !self.advance.is_conservative() {
            self.add(record, position);
        } else if let Some((earlier, its_position)) = self.held.replace((record, position)) {
            let carried = self.advance.carried_by(its_position, Some(position));
            self.add(earlier, carried);
        }
        let is_full =
            self.batch.len() >= self.settings.limits.batch_rows || self.batch_bytes >= BATCH_MAX_BYTES;
        Ok(if is_full { self.take_batch() } else { None })
    }

    /// The result has no more rows: the last batch, if one is left.
    pub(crate) fn finish(&mut self) -> Option<Batch> {
        if let Some((last, position)) = self.held.take() {
            let carried = self.advance.carried_by(position, None);
            self.add(last, carried);
        }
        self.take_batch()
    }

    /// Hands a batch to `poll`; waits while too many wait there.
    pub(crate) async fn deliver(&mut self, batch: Batch) -> Result<(), DbError> {
        let Batch { records, end } = batch;
        self.out.send(Ok(records)).await.map_err(|_| DbError::Stopped)?;
        self.delivered = end.or(self.delivered);
        Ok(())
    }

    /// [`RowSink::deliver`] for a thread that may block.
    pub(crate) fn deliver_blocking(&mut self, batch: Batch) -> Result<(), DbError> {
        let Batch { records, end } = batch;
        self.out
            .blocking_send(Ok(records))
            .map_err(|_| DbError::Stopped)?;
        self.delivered = end.or(self.delivered);
        Ok(())
    }

    fn timestamp_of(&self, row: &impl Row) -> Result<Option<Moment>, DbError> {
        let plan = self.plan.as_ref().expect("rows come after the columns");
        for &column in &plan.timestamps {
            let moment = row.moment(column, &self.settings.temporal);
            let name = || {
                plan.fields
                    .iter()
                    .find(|field| field.column == column)
                    .map(|field| field.name.clone())
            };
            let moment = moment.map_err(|problem| DbError::Field {
                column: name().unwrap_or_else(|| self.cursor.timestamps.join(", ")),
                problem,
                advice: "a timestamp column must hold dates with times",
            })?;
            if moment.is_some() {
                return Ok(moment);
            }
        }
        if plan.timestamps.is_empty() {
            return Ok(None);
        }
        Err(DbError::Setting(format!(
            "a row has no value in the timestamp columns ({}), so nobody can tell whether it is new",
            self.cursor.timestamps.join(", ")
        )))
    }

    fn values_of(&mut self, row: &mut impl Row) -> Result<Vec<Value>, DbError> {
        let plan = self.plan.as_mut().expect("rows come after the columns");
        let temporal = &self.settings.temporal;
        let mut values = Vec::with_capacity(plan.fields.len());
        let mut has_grown = false;
        for field in &mut plan.fields {
            let mut value = row.value(field.column, &field.target, temporal);
            if field.grows && value == Err(FieldError::TooWide) {
                self.memory.grow(field);
                has_grown = true;
                value = row.value(field.column, &field.target, temporal);
            }
            match value {
                Ok(value) => {
                    self.batch_bytes += weight(&value);
                    values.push(value);
                }
                Err(problem) if self.settings.unset_bad_fields => {
                    if self.memory.complained.insert(field.name.clone()) {
                        let (source, column) = (&self.route.source, &field.name);
                        tracing::warn!(%source, %column, %problem, "values that do not fit their column are left out");
                    }
                    values.push(Value::Null);
                }
                Err(problem) => {
                    return Err(DbError::Field {
                        column: field.name.clone(),
                        problem,
                        advice: "leave the column out or cast it, with the key `query`",
                    });
                }
            }
        }
        if has_grown {
            let name = self.route.schema_name.as_ref();
            let schema = self.memory.schema(name, &plan.fields, &self.settings.mapping);
            plan.schema = schema.map_err(DbError::Schema)?;
        }
        Ok(values)
    }

    fn add(&mut self, record: ConnectRecord, position: Position) {
        let stored = self.settings.progress.mode != Mode::Bulk;
        self.batch.push(SourceRecord {
            record,
            source_partition: Some(Arc::clone(&self.route.partition.current)),
            source_offset: stored.then(|| position.to_map()),
        });
        self.batch_end = stored.then_some(position);
    }

    fn take_batch(&mut self) -> Option<Batch> {
        self.batch_bytes = 0;
        let records = std::mem::take(&mut self.batch);
        let end = self.batch_end.take();
        (!records.is_empty()).then_some(Batch { records, end })
    }
}

/// The bytes that a value holds beyond its fixed size.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 0,
    }
}

/// A name as given, or else the only one that differs by case alone.
pub(crate) fn find_name(names: &[&str], wanted: &str) -> Option<usize> {
    if let Some(index) = names.iter().position(|name| *name == wanted) {
        return Some(index);
    }
    let mut found = (0..names.len()).filter(|&index| names[index].to_lowercase() == wanted.to_lowercase());
    match (found.next(), found.next()) {
        (Some(index), None) => Some(index),
        _ => None,
    }
}

fn missing(kind: &str, name: &str) -> DbError {
    DbError::Setting(format!(
        "there is no {kind} column \"{name}\", or several that differ by case only; check `{kind}.column.name`"
    ))
}

fn incrementing_field(fields: &[Field], name: &str) -> Result<usize, DbError> {
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let index = find_name(&names, name).ok_or_else(|| missing("incrementing", name))?;
    match &fields[index].target {
        Target::Int8 | Target::Int16 | Target::Int32 | Target::Int64 | Target::Decimal { scale: 0, .. } => {
            Ok(index)
        }
        _ => Err(DbError::Setting(format!(
            "the incrementing column \"{name}\" must hold integers, or decimal numbers of scale 0"
        ))),
    }
}

fn incrementing_value(field: &Field, value: &Value) -> Result<i64, DbError> {
    let number = match value {
        Value::Decimal(number) => number.to_i64(),
        other => other.as_integer(),
    };
    number.ok_or_else(|| {
        let problem = if value.is_null() {
            "a null"
        } else {
            "a number beyond 64 bits"
        };
        DbError::Field {
            column: field.name.clone(),
            problem: FieldError::Unfit(problem),
            advice: "the incrementing column must hold 64-bit integers and no nulls",
        }
    })
}

#[cfg(test)]
mod tests;

//! Rows in, batches out, without a database.

use towpath_connect::{ConfigMap, OffsetMap};

use super::*;
use crate::Flavour;
use crate::types::SqlType;

/// A row of an id, a time in milliseconds, and a text.
struct Fake(Vec<Result<Value, FieldError>>);

impl Row for Fake {
    fn moment(&self, column: usize, _: &Temporal) -> Result<Option<Moment>, FieldError> {
        match self.0[column] {
            Ok(Value::Instant(millis)) => Ok(Some(Moment::from_millis(millis))),
            Ok(_) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    fn value(&mut self, column: usize, target: &Target, _: &Temporal) -> Result<Value, FieldError> {
        match (&self.0[column], target) {
            (Ok(Value::Int64(number)), target) => crate::number::integer(*number, target),
            (value, _) => value.clone(),
        }
    }
}

fn row(id: i64, millis: i64) -> Fake {
    Fake(vec![
        Ok(Value::Int64(id)),
        Ok(Value::Instant(millis)),
        Ok(Value::from("x")),
    ])
}

fn columns() -> Vec<Column> {
    let column = |name: &str, sql_type, grows| Column {
        name: name.to_owned(),
        sql_type,
        optional: false,
        grows,
    };
    vec![
        column("id", SqlType::Integer { unsigned: false }, true),
        column("at", SqlType::Timestamp, false),
        column("text", SqlType::Text, false),
    ]
}

struct Fixture {
    sink: RowSink,
    deliveries: mpsc::Receiver<Delivery>,
}

fn fixture(flavour: Flavour, mode: &str, batch_rows: &str) -> Fixture {
    let config: ConfigMap = [
        ("connection.url", "jdbc:sqlite:/a.db"),
        ("mode", mode),
        ("topic.prefix", "p-"),
        ("batch.max.rows", batch_rows),
        ("incrementing.column.name", "id"),
        ("timestamp.column.name", "at"),
    ]
    .into_iter()
    .collect();
    let settings = Arc::new(Settings::parse(flavour, &config).unwrap());
    let progress = &settings.progress;
    let cursor = Cursor {
        incrementing: progress.mode.uses_incrementing().then(|| "ID".to_owned()),
        timestamps: progress
            .mode
            .uses_timestamp()
            .then(|| "at".to_owned())
            .into_iter()
            .collect(),
    };
    let table = crate::table::TableId {
        container: None,
        name: "t".to_owned(),
    };
    let route = Arc::new(Route {
        source: "table \"t\"".to_owned(),
        topic: "p-t".into(),
        schema_name: Some("t".into()),
        partition: Partition::of_table(&table, progress.mode),
    });
    let (out, deliveries) = mpsc::channel(settings.limits.waiting_batches);
    let mut sink = RowSink::new(&settings, &route, cursor, Position::default(), out);
    sink.begin(&columns()).unwrap();
    Fixture { sink, deliveries }
}

fn records(fixture: &mut Fixture, rows: &[(i64, i64)]) -> Vec<SourceRecord> {
    let mut records = Vec::new();
    for &(id, millis) in rows {
        let batch = fixture.sink.push(&mut row(id, millis)).unwrap();
        records.extend(batch.into_iter().flat_map(|batch| batch.records));
    }
    records.extend(fixture.sink.finish().into_iter().flat_map(|batch| batch.records));
    records
}

fn offsets(records: &[SourceRecord]) -> Vec<String> {
    let json = |offset: &OffsetMap| serde_json::to_string(offset).unwrap();
    records
        .iter()
        .map(|record| json(record.source_offset.as_ref().unwrap()))
        .collect()
}

#[test]
fn each_mode_stores_what_it_needs_to_go_on() {
    let rows = [(1, 1000), (2, 2000)];
    let found = |mode| offsets(&records(&mut fixture(Flavour::Confluent, mode, "10"), &rows));
    assert_eq!(
        found("incrementing"),
        [r#"{"incrementing":1}"#, r#"{"incrementing":2}"#]
    );
    assert_eq!(
        found("timestamp+incrementing"),
        [
            r#"{"timestamp_nanos":0,"incrementing":1,"timestamp":1000}"#,
            r#"{"timestamp_nanos":0,"incrementing":2,"timestamp":2000}"#
        ]
    );
    let bulk = records(&mut fixture(Flavour::Confluent, "bulk", "10"), &rows);
    assert!(bulk.iter().all(|record| record.source_offset.is_none()));
    assert_eq!(
        serde_json::to_string(bulk[0].source_partition.as_deref().unwrap()).unwrap(),
        r#"{"table":"t"}"#
    );
}

#[test]
fn a_timestamp_is_stored_only_when_all_its_rows_were_read() {
    let rows = [(1, 1000), (2, 1000), (3, 2000)];
    let at = |seconds: i64| format!(r#"{{"timestamp_nanos":0,"timestamp":{}}}"#, seconds * 1000);
    let confluent = records(&mut fixture(Flavour::Confluent, "timestamp", "1"), &rows);
    assert_eq!(offsets(&confluent), ["{}".to_owned(), at(1), at(2)]);
    let aiven = records(&mut fixture(Flavour::Aiven, "timestamp", "1"), &rows);
    assert_eq!(offsets(&aiven), [at(1), at(1), at(2)]);
}

#[test]
fn records_share_their_topic_schema_and_partition() {
    let records = records(
        &mut fixture(Flavour::Confluent, "incrementing", "10"),
        &[(1, 0), (2, 0)],
    );
    let [first, second] = &records[..] else {
        panic!("two records");
    };
    assert_eq!(&*first.record.topic, "p-t");
    assert!(Arc::ptr_eq(&first.record.topic, &second.record.topic));
    let partition = |record: &SourceRecord| Arc::clone(record.source_partition.as_ref().unwrap());
    assert!(Arc::ptr_eq(&partition(first), &partition(second)));
    let schema = |record: &SourceRecord| Arc::clone(record.record.value_schema.as_ref().unwrap());
    assert!(Arc::ptr_eq(&schema(first), &schema(second)));
    let Value::Struct(value) = &first.record.value else {
        panic!("a struct");
    };
    assert!(Arc::ptr_eq(value.schema(), &schema(first)));
    assert_eq!(value.get("id").unwrap(), &Value::Int32(1));
    assert!(first.record.key.is_null() && first.record.timestamp.is_none());
}

#[test]
fn a_batch_ends_at_the_configured_rows_or_at_a_size() {
    let mut fixture = fixture(Flavour::Confluent, "incrementing", "3");
    let mut push = |text: &str| {
        let row = vec![Ok(Value::Int64(1)), Ok(Value::Instant(0)), Ok(Value::from(text))];
        fixture
            .sink
            .push(&mut Fake(row))
            .unwrap()
            .map(|batch| batch.records.len())
    };
    assert_eq!(
        [push("a"), push("b"), push("c"), push("d")],
        [None, None, Some(3), None]
    );
    let large = "x".repeat(BATCH_MAX_BYTES);
    assert_eq!(push(&large), Some(2), "a large text ends the batch");
    assert_eq!(push("e"), None);
}

#[test]
fn a_number_that_does_not_fit_makes_the_field_wider_from_there_on() {
    let mut fixture = fixture(Flavour::Confluent, "incrementing", "10");
    let records = records(&mut fixture, &[(1, 0), (5_000_000_000, 0), (2, 0)]);
    let id = |index: usize| match &records[index].record.value {
        Value::Struct(value) => value.get("id").unwrap().clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [id(0), id(1), id(2)],
        [Value::Int32(1), Value::Int64(5_000_000_000), Value::Int64(2)]
    );
    let schema = |index: usize| records[index].record.value_schema.as_ref().unwrap();
    assert!(!Arc::ptr_eq(schema(0), schema(1)) && Arc::ptr_eq(schema(1), schema(2)));
}

#[test]
fn a_value_that_cannot_be_converted_is_an_error_or_null_by_flavour() {
    let bad = || {
        Fake(vec![
            Ok(Value::Int64(1)),
            Ok(Value::Instant(0)),
            Err(FieldError::Unfit("nonsense")),
        ])
    };
    let error = fixture(Flavour::Confluent, "incrementing", "1")
        .sink
        .push(&mut bad())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"text\" holds nonsense; leave the column out or cast it, with the key `query`"
    );
    let batch = fixture(Flavour::Aiven, "incrementing", "1")
        .sink
        .push(&mut bad())
        .unwrap()
        .unwrap();
    let Value::Struct(value) = &batch.records[0].record.value else {
        panic!("a struct");
    };
    assert_eq!(value.get("text").unwrap(), &Value::Null);
}

#[test]
fn columns_that_cannot_tell_what_is_new_are_refused() {
    let null_id = Fake(vec![Ok(Value::Null), Ok(Value::Instant(0)), Ok(Value::from("x"))]);
    let mut fixture = fixture(Flavour::Confluent, "timestamp+incrementing", "1");
    assert!(
        fixture
            .sink
            .push(&mut { null_id })
            .unwrap_err()
            .to_string()
            .contains("\"id\" holds a null")
    );
    let null_time = Fake(vec![Ok(Value::Int64(1)), Ok(Value::Null), Ok(Value::from("x"))]);
    assert!(
        fixture
            .sink
            .push(&mut { null_time })
            .unwrap_err()
            .to_string()
            .contains("(at)")
    );
    fixture.sink.cursor.incrementing = Some("text".to_owned());
    assert!(
        fixture
            .sink
            .begin(&columns())
            .unwrap_err()
            .to_string()
            .contains("must hold integers")
    );
    fixture.sink.cursor.incrementing = Some("nr".to_owned());
    assert!(
        fixture
            .sink
            .begin(&columns())
            .unwrap_err()
            .to_string()
            .contains("no incrementing column \"nr\"")
    );
}

#[tokio::test]
async fn delivery_waits_for_room_and_remembers_how_far_it_got() {
    let Fixture {
        mut sink,
        mut deliveries,
    } = fixture(Flavour::Confluent, "incrementing", "1");
    let room = deliveries.max_capacity();
    for id in 0..i64::try_from(room).unwrap() {
        let batch = sink.push(&mut row(id, 0)).unwrap().unwrap();
        sink.deliver(batch).await.unwrap();
    }
    let batch = sink.push(&mut row(100, 0)).unwrap().unwrap();
    let mut waiting = Box::pin(sink.deliver(batch));
    assert!(
        futures::poll!(&mut waiting).is_pending(),
        "there is no room for another batch"
    );
    assert_eq!(deliveries.recv().await.unwrap().unwrap().len(), 1);
    waiting.await.unwrap();
    drop(deliveries);
    let batch = sink.push(&mut row(101, 0)).unwrap().unwrap();
    assert!(matches!(sink.deliver(batch).await, Err(DbError::Stopped)));
    assert_eq!(sink.into_parts().1.unwrap().incrementing, Some(100));
}

#[test]
fn names_are_found_exactly_or_by_case_alone() {
    assert_eq!(find_name(&["ID", "id"], "id"), Some(1));
    assert_eq!(find_name(&["ID", "x"], "id"), Some(0));
    assert_eq!(find_name(&["ID", "Id"], "id"), None);
    assert_eq!(find_name(&["x"], "id"), None);
}

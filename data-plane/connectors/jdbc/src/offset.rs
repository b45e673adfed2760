//! Source partitions and source offsets in the shapes that Java's connectors store.

use std::sync::{Arc, LazyLock};

use towpath_connect::{ConnectorError, OffsetMap, OffsetValue, Result};

use crate::keys::choices::Mode;
use crate::moment::Moment;
use crate::table::TableId;

const INCREMENTING: &str = "incrementing";
const TIMESTAMP: &str = "timestamp";
const TIMESTAMP_NANOS: &str = "timestamp_nanos";
const PROTOCOL: &str = "protocol";
const TABLE: &str = "table";
const QUERY: &str = "query";

/// Shared by all offsets, so that an offset of a row costs no text.
static KEYS: LazyLock<[Arc<str>; 3]> =
    LazyLock::new(|| [INCREMENTING, TIMESTAMP, TIMESTAMP_NANOS].map(Arc::from));

/// How far rows were read. A part that is not used, or not known yet, is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) incrementing: Option<i64>,
    pub(crate) timestamp: Option<Moment>,
}

impl Position {
    /// `timestamp_nanos` is the whole fraction of the second, so it takes the place of the milliseconds' fraction.
    pub(crate) fn from_map(map: &OffsetMap) -> Self {
        let timestamp = map.get_long(TIMESTAMP).map(|millis| {
            let moment = Moment::from_millis(millis);
            match map.get_long(TIMESTAMP_NANOS) {
                Some(nanos) => Moment::new(moment.seconds(), nanos),
                None => moment,
            }
        });
        Self {
            incrementing: map.get_long(INCREMENTING),
            timestamp,
        }
    }

    pub(crate) fn to_map(self) -> OffsetMap {
        let [incrementing, timestamp, nanos] = &*KEYS;
        let Some(moment) = self.timestamp else {
            return match self.incrementing {
                Some(id) => OffsetMap::single(Arc::clone(incrementing), OffsetValue::Long(id)),
                None => OffsetMap::new(),
            };
        };
        let mut map = OffsetMap::single(Arc::clone(nanos), OffsetValue::Long(moment.nanos().into()));
        if let Some(id) = self.incrementing {
            map.insert(Arc::clone(incrementing), id);
        }
        map.insert(Arc::clone(timestamp), moment.millis());
        map
    }
}

/// The position that a record carries, in the order of the rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advance {
    /// Everything up to here was read completely.
    complete: Position,
    conservative: bool,
}

impl Advance {
    /// `conservative`: a timestamp counts only with the last row that has it, so that a restart between two rows of one
    /// timestamp loses none of them.
    pub(crate) fn new(start: Position, conservative: bool) -> Self {
        Self {
            complete: start,
            conservative,
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.complete
    }

    pub(crate) fn is_conservative(&self) -> bool {
        self.conservative
    }

    /// What the record of `row` carries, given the row after it, if the result has one.
    pub(crate) fn carried_by(&mut self, row: Position, next: Option<Position>) -> Position {
        if !self.conservative || next.is_none_or(|next| next.timestamp != row.timestamp) {
            self.complete = row;
        }
        self.complete
    }
}

/// The source partition of a table or query.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    /// What records carry.
    pub(crate) current: Arc<OffsetMap>,
    /// What earlier versions of Java's connector stored, read when there is nothing under the current one.
    pub(crate) earlier: Option<OffsetMap>,
}

impl Partition {
    pub(crate) fn of_query() -> Self {
        Self {
            current: Arc::new(OffsetMap::new().with(QUERY, "query")),
            earlier: None,
        }
    }

    pub(crate) fn of_table(table: &TableId, mode: Mode) -> Self {
        let bare = OffsetMap::new().with(TABLE, table.name.as_str());
        if mode == Mode::Bulk {
            return Self {
                current: Arc::new(bare),
                earlier: None,
            };
        }
        let qualified = table.to_string();
        let current = OffsetMap::new()
            .with(PROTOCOL, "1")
            .with(TABLE, qualified.as_str());
        Self {
            current: Arc::new(current),
            earlier: Some(bare),
        }
    }
}

/// Whether a partition and an offset given by a person have the shapes above.
///
/// # Errors
/// `Config` saying what is wrong and what would be right.
pub(crate) fn check(partition: Option<&OffsetMap>, offset: &OffsetMap) -> Result<()> {
    if !partition.is_some_and(is_partition) {
        return Err(ConnectorError::config(
            "a source partition of this connector is `{\"protocol\":\"1\",\"table\":\"SCHEMA.TABLE\"}`, \
             `{\"table\":\"TABLE\"}` or `{\"query\":\"query\"}`",
        ));
    }
    for (key, value) in offset.iter() {
        if ![INCREMENTING, TIMESTAMP, TIMESTAMP_NANOS].contains(&key) {
            return Err(ConnectorError::config(format!(
                "a source offset of this connector has no key `{key}`; it has `incrementing`, `timestamp` (milliseconds \
                 since 1970) and `timestamp_nanos`"
            )));
        }
        if !matches!(value, OffsetValue::Long(_)) {
            return Err(ConnectorError::config(format!(
                "`{key}` of a source offset must be an integer"
            )));
        }
    }
    Ok(())
}

fn is_partition(partition: &OffsetMap) -> bool {
    let is_text = |key: &str| matches!(partition.get(key), Some(OffsetValue::String(_)));
    let is_table = is_text(TABLE) && partition.iter().all(|(key, _)| key == TABLE || key == PROTOCOL);
    let is_query = is_text(QUERY) && partition.iter().len() == 1;
    is_table || is_query
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(json: &str) -> OffsetMap {
        serde_json::from_str(json).unwrap()
    }

    fn at(millis: i64) -> Position {
        Position {
            incrementing: None,
            timestamp: Some(Moment::from_millis(millis)),
        }
    }

    #[test]
    fn offsets_have_the_json_of_the_contract() {
        let json = r#"{"timestamp_nanos":0,"incrementing":5001,"timestamp":1672835217000}"#;
        let position = Position::from_map(&map(json));
        assert_eq!(position.incrementing, Some(5001));
        assert_eq!(position.timestamp, Some(Moment::from_millis(1_672_835_217_000)));
        assert_eq!(serde_json::to_string(&position.to_map()).unwrap(), json);
        let only_id = Position {
            incrementing: Some(7),
            timestamp: None,
        };
        assert_eq!(
            serde_json::to_string(&only_id.to_map()).unwrap(),
            r#"{"incrementing":7}"#
        );
    }

    #[test]
    fn nanoseconds_take_the_place_of_the_fraction_in_milliseconds() {
        let with = Position::from_map(&map(r#"{"timestamp":1500,"timestamp_nanos":500123456}"#));
        assert_eq!(with.timestamp, Some(Moment::new(1, 500_123_456)));
        let json = serde_json::to_string(&with.to_map()).unwrap();
        assert_eq!(json, r#"{"timestamp_nanos":500123456,"timestamp":1500}"#);
        let without = Position::from_map(&map(r#"{"timestamp":1500}"#));
        assert_eq!(without.timestamp, Some(Moment::from_millis(1500)));
        let before_epoch = Position::from_map(&map(r#"{"timestamp":-500,"timestamp_nanos":500000000}"#));
        assert_eq!(before_epoch.timestamp, Some(Moment::from_millis(-500)));
    }

    #[test]
    fn a_timestamp_is_carried_once_all_its_rows_were_read() {
        let rows = [at(1), at(1), at(2)];
        let carried = |conservative| {
            let mut advance = Advance::new(at(0), conservative);
            let next = |index: usize| rows.get(index + 1).copied();
            let carry = |(index, row): (usize, &Position)| advance.carried_by(*row, next(index));
            rows.iter().enumerate().map(carry).collect::<Vec<_>>()
        };
        assert_eq!(carried(true), [at(0), at(1), at(2)]);
        assert_eq!(carried(false), rows);
    }

    #[test]
    fn partitions_have_the_json_of_the_contract() {
        let table = TableId {
            container: Some("demo".to_owned()),
            name: "accounts".to_owned(),
        };
        let json = |map: &OffsetMap| serde_json::to_string(map).unwrap();
        let partition = Partition::of_table(&table, Mode::Timestamp);
        assert_eq!(
            json(&partition.current),
            r#"{"protocol":"1","table":"demo.accounts"}"#
        );
        assert_eq!(json(&partition.earlier.unwrap()), r#"{"table":"accounts"}"#);
        let bulk = Partition::of_table(&table, Mode::Bulk);
        assert_eq!(json(&bulk.current), r#"{"table":"accounts"}"#);
        assert_eq!(json(&Partition::of_query().current), r#"{"query":"query"}"#);
    }

    #[test]
    fn offsets_of_another_shape_are_refused() {
        let fine =
            |partition, offset| check(Some(&map(partition)), &map(offset)).map_err(|error| error.to_string());
        let five = r#"{"incrementing":5}"#;
        fine(r#"{"protocol":"1","table":"a.b"}"#, five).unwrap();
        fine(r#"{"table":"b"}"#, "{}").unwrap();
        fine(r#"{"query":"query"}"#, r#"{"timestamp":1,"timestamp_nanos":0}"#).unwrap();
        fine(r#"{"file":"b"}"#, five).unwrap_err();
        fine(r#"{"table":7}"#, five).unwrap_err();
        check(None, &map(five)).unwrap_err();
        assert!(
            fine(r#"{"table":"b"}"#, r#"{"position":5}"#)
                .unwrap_err()
                .contains("position")
        );
        assert!(
            fine(r#"{"table":"b"}"#, r#"{"incrementing":"5"}"#)
                .unwrap_err()
                .contains("integer")
        );
    }
}

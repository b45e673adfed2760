//! Tables and columns of MySQL and MariaDB, and the types of a result's columns as the Java driver reports them.

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Row, Value};

use crate::session::{ColumnFacts, FoundTable};
use crate::settings::Selection;
use crate::table::TableId;
use crate::types::{Column, Digits, SqlType};

use super::options::Behaviour;

/// The character set of bytes that are no text.
const BINARY_CHARSET: u16 = 63;

const SYSTEM_DATABASES: [&str; 4] = ["mysql", "information_schema", "performance_schema", "sys"];

/// Takes the database and the table.
pub(super) const COLUMNS: &str = "SELECT column_name, is_nullable, extra FROM information_schema.columns \
     WHERE table_schema = COALESCE(?, DATABASE()) AND table_name = ? ORDER BY ordinal_position";

/// Where a value needs more than its wire form to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Plain,
    /// Big-endian bits in bytes.
    Bits,
    /// The number of a year.
    Year,
}

/// The type of a result's column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) sql_type: SqlType,
    pub(super) wire: Wire,
}

/// Without a pattern only the database of the URL is looked at, and those that the filter names plainly.
pub(super) fn tables_query(
    selection: &Selection,
    current: Option<&str>,
    behaviour: &Behaviour,
) -> (String, Vec<Value>) {
    let mut sql = "SELECT table_schema, table_name, table_type FROM information_schema.tables".to_owned();
    let mut binds: Vec<Value> = Vec::new();
    if let Some(pattern) = &selection.catalog_pattern {
        sql.push_str(" WHERE table_schema LIKE ?");
        binds.push(pattern.as_str().into());
    } else if let Some(current) = current.filter(|_| behaviour.only_current_database) {
        binds.push(current.into());
        let named = selection.filter.containers(crate::database::Database::MySql);
        binds.extend(named.into_iter().map(Value::from));
        let places = vec!["?"; binds.len()].join(", ");
        sql.push_str(&format!(" WHERE table_schema IN ({places})"));
    }
    (sql, binds)
}

fn text(row: &Row, index: usize) -> Option<String> {
    match row.as_ref(index)? {
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

/// A row of [`tables_query`].
pub(super) fn found_table(row: Row) -> Option<FoundTable> {
    let (database, name, kind) = (text(&row, 0)?, text(&row, 1)?, text(&row, 2)?);
    let is_system = SYSTEM_DATABASES
        .iter()
        .any(|system| system.eq_ignore_ascii_case(&database));
    let kind = match (kind.as_str(), is_system) {
        ("BASE TABLE" | "SYSTEM VERSIONED", false) => "TABLE",
        ("BASE TABLE" | "SYSTEM VERSIONED", true) => "SYSTEM TABLE",
        ("VIEW", true) => "SYSTEM VIEW",
        ("TEMPORARY", _) => "LOCAL TEMPORARY",
        (other, _) => other,
    };
    Some(FoundTable {
        kind: kind.to_owned(),
        table: TableId {
            container: Some(database),
            name,
        },
    })
}

/// A row of [`COLUMNS`].
pub(super) fn column_facts(row: Row) -> Option<ColumnFacts> {
    Some(ColumnFacts {
        name: text(&row, 0)?,
        nullable: !text(&row, 1)?.eq_ignore_ascii_case("NO"),
        auto_increment: text(&row, 2)?.to_ascii_lowercase().contains("auto_increment"),
    })
}

/// The types of a result's columns.
pub(super) fn kinds(columns: &[mysql_async::Column], behaviour: &Behaviour) -> Vec<Kind> {
    columns.iter().map(|column| kind(column, behaviour)).collect()
}

fn kind(column: &mysql_async::Column, behaviour: &Behaviour) -> Kind {
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let wire = match column.column_type() {
        ColumnType::MYSQL_TYPE_BIT => Wire::Bits,
        ColumnType::MYSQL_TYPE_YEAR => Wire::Year,
        _ => Wire::Plain,
    };
    let sql_type = match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY => {
            let is_bit = behaviour.tiny_int_1_is_bit && column.column_length() == 1 && !unsigned;
            match (is_bit, behaviour.transformed_bit_is_boolean) {
                (true, true) => SqlType::Boolean,
                (true, false) => SqlType::Bit,
                (false, _) => SqlType::TinyInt { unsigned },
            }
        }
        ColumnType::MYSQL_TYPE_BIT => SqlType::Bit,
        ColumnType::MYSQL_TYPE_SHORT => SqlType::SmallInt { unsigned },
        ColumnType::MYSQL_TYPE_INT24 | ColumnType::MYSQL_TYPE_LONG => SqlType::Integer { unsigned },
        ColumnType::MYSQL_TYPE_LONGLONG => SqlType::BigInt,
        ColumnType::MYSQL_TYPE_YEAR if behaviour.year_is_date => SqlType::Date,
        ColumnType::MYSQL_TYPE_YEAR => SqlType::SmallInt { unsigned: true },
        ColumnType::MYSQL_TYPE_FLOAT => SqlType::Real,
        ColumnType::MYSQL_TYPE_DOUBLE => SqlType::Double,
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            SqlType::Decimal(digits(column, unsigned))
        }
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => SqlType::Date,
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => SqlType::Time,
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_DATETIME2
        | ColumnType::MYSQL_TYPE_TIMESTAMP
        | ColumnType::MYSQL_TYPE_TIMESTAMP2 => SqlType::Timestamp,
        ColumnType::MYSQL_TYPE_JSON | ColumnType::MYSQL_TYPE_ENUM | ColumnType::MYSQL_TYPE_SET => {
            SqlType::Text
        }
        ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => SqlType::Binary,
        ColumnType::MYSQL_TYPE_VARCHAR
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_STRING
        | ColumnType::MYSQL_TYPE_TINY_BLOB
        | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | ColumnType::MYSQL_TYPE_LONG_BLOB
        | ColumnType::MYSQL_TYPE_BLOB => text_or_bytes(column),
        ColumnType::MYSQL_TYPE_NULL | ColumnType::MYSQL_TYPE_TYPED_ARRAY | ColumnType::MYSQL_TYPE_UNKNOWN => {
            SqlType::Unsupported
        }
    };
    Kind { sql_type, wire }
}

fn text_or_bytes(column: &mysql_async::Column) -> SqlType {
    let is_choice = column
        .flags()
        .intersects(ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG);
    if column.character_set() == BINARY_CHARSET && !is_choice {
        SqlType::Binary
    } else {
        SqlType::Text
    }
}

/// The length counts a sign, and a point if there are digits after it.
fn digits(column: &mysql_async::Column, unsigned: bool) -> Digits {
    let scale = i32::from(column.decimals());
    let beside_digits = u32::from(scale > 0) + u32::from(!unsigned);
    Digits::Fixed {
        precision: column.column_length().saturating_sub(beside_digits),
        scale,
    }
}

/// A result's columns with their types.
pub(super) fn columns(columns: &[mysql_async::Column], kinds: &[Kind]) -> Vec<Column> {
    let described = columns.iter().zip(kinds).map(|(column, kind)| Column {
        name: column.name_str().into_owned(),
        sql_type: kind.sql_type,
        optional: !column.flags().contains(ColumnFlags::NOT_NULL_FLAG),
        grows: false,
    });
    described.collect()
}

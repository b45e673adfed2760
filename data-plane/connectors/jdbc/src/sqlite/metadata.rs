//! Tables and columns of SQLite, and the types of a result's columns by their declarations.

use rusqlite::types::Type;
use rusqlite::{Connection as Db, Row, Statement};

use crate::session::{ColumnFacts, FoundTable};
use crate::table::TableId;
use crate::types::{Column, Digits, SqlType};

/// Tables and views, without those of SQLite itself.
pub(super) fn tables(db: &Db) -> rusqlite::Result<Vec<FoundTable>> {
    let mut statement = db.prepare(
        "SELECT name, upper(type) FROM sqlite_master WHERE type IN ('table', 'view') \
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(FoundTable {
            table: TableId {
                container: None,
                name: row.get(0)?,
            },
            kind: row.get(1)?,
        })
    })?;
    rows.collect()
}

/// A column that stands for the row id counts as auto-increment.
pub(super) fn table_columns(db: &Db, table: &str) -> rusqlite::Result<Vec<ColumnFacts>> {
    let mut statement = db.prepare(
        "SELECT name, \"notnull\", pk, upper(type) = 'INTEGER' AND pk = 1 \
         AND (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) = 1 \
         FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
    )?;
    let rows = statement.query_map([table], |row| {
        let (not_null, key): (bool, i64) = (row.get(1)?, row.get(2)?);
        Ok(ColumnFacts {
            name: row.get(0)?,
            nullable: !not_null && key == 0,
            auto_increment: row.get(3)?,
        })
    })?;
    rows.collect()
}

/// The columns of a result. What a declaration does not say, as in an expression, the value of the first row says.
pub(super) fn columns(first: &Row<'_>) -> Vec<Column> {
    let statement: &Statement<'_> = first.as_ref();
    let described = statement
        .columns()
        .into_iter()
        .enumerate()
        .map(|(index, column)| {
            let value = first.get_ref(index).map_or(Type::Null, |value| value.data_type());
            let sql_type = column
                .decl_type()
                .and_then(declared)
                .unwrap_or_else(|| stored(value));
            let origin = statement.column_metadata(index).ok().flatten();
            Column {
                name: column.name().to_owned(),
                sql_type,
                optional: !origin.is_some_and(|(.., not_null, _, _)| not_null),
                grows: sql_type == SqlType::Integer { unsigned: false },
            }
        });
    described.collect()
}

/// The Java driver calls a type unsigned unless it is INTEGER, so these come out one size wider.
fn declared(declaration: &str) -> Option<SqlType> {
    let (name, size) = declaration.split_once('(').unwrap_or((declaration, ""));
    Some(match name.trim().to_ascii_uppercase().as_str() {
        "BOOLEAN" => SqlType::Boolean,
        "TINYINT" => SqlType::TinyInt { unsigned: true },
        "SMALLINT" | "INT2" => SqlType::SmallInt { unsigned: true },
        "INTEGER" => SqlType::Integer { unsigned: false },
        "INT" | "MEDIUMINT" => SqlType::Integer { unsigned: true },
        "BIGINT" | "INT8" | "UNSIGNED BIG INT" => SqlType::BigInt,
        "REAL" => SqlType::Real,
        "FLOAT" | "DOUBLE" | "DOUBLE PRECISION" => SqlType::Double,
        "DECIMAL" => SqlType::Decimal(digits(size)),
        "NUMERIC" => SqlType::Numeric(digits(size)),
        "CHAR" | "CHARACTER" | "NCHAR" | "NATIVE CHARACTER" | "VARCHAR" | "VARYING CHARACTER"
        | "NVARCHAR" | "TEXT" | "CLOB" => SqlType::Text,
        "BLOB" | "BINARY" | "VARBINARY" => SqlType::Binary,
        "DATE" | "DATETIME" => SqlType::Date,
        "TIMESTAMP" => SqlType::Timestamp,
        _ => return None,
    })
}

fn stored(value: Type) -> SqlType {
    match value {
        Type::Integer => SqlType::Integer { unsigned: false },
        Type::Real => SqlType::Double,
        Type::Text => SqlType::Text,
        Type::Blob => SqlType::Binary,
        Type::Null => SqlType::Numeric(digits("")),
    }
}

/// `10,2)`, `10)` or nothing.
fn digits(size: &str) -> Digits {
    let size = size.trim_end().trim_end_matches(')');
    let mut parts = size.split(',').map(str::trim);
    Digits::Fixed {
        precision: parts
            .next()
            .and_then(|part| part.parse().ok())
            .unwrap_or_default(),
        scale: parts
            .next()
            .and_then(|part| part.parse().ok())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_as_the_driver_reads_them() {
        let fixed = |precision, scale| Digits::Fixed { precision, scale };
        for (declaration, expected) in [
            ("tinyint(1)", SqlType::TinyInt { unsigned: true }),
            ("INT2", SqlType::SmallInt { unsigned: true }),
            ("Integer", SqlType::Integer { unsigned: false }),
            ("INT", SqlType::Integer { unsigned: true }),
            ("bigint", SqlType::BigInt),
            ("varchar (20)", SqlType::Text),
            ("DOUBLE PRECISION", SqlType::Double),
            ("decimal(10, 2)", SqlType::Decimal(fixed(10, 2))),
            ("NUMERIC", SqlType::Numeric(fixed(0, 0))),
            ("datetime", SqlType::Date),
        ] {
            assert_eq!(declared(declaration), Some(expected), "{declaration}");
        }
        assert_eq!(declared("TIME"), None);
        assert_eq!(stored(Type::Real), SqlType::Double);
    }
}

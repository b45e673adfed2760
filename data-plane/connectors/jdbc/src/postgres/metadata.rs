//! Tables and columns of PostgreSQL, and the types of a result's columns as the Java driver reports them.

use std::collections::HashMap;

use tokio_postgres::Row;
use tokio_postgres::types::{Kind as TypeKind, Type};

use crate::session::{ColumnFacts, FoundTable};
use crate::table::TableId;
use crate::types::{Column, Digits, SqlType};

/// Takes a pattern for the schema. Temporary tables of other sessions cannot be read.
pub(super) const TABLES: &str = "SELECT n.nspname::text, c.relname::text, c.relkind::text FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname LIKE $1::text \
     AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'";

/// Takes the schema and the table; without a schema the search path says which table is meant.
pub(super) const COLUMNS: &str = "SELECT a.attname::text, a.attnotnull, \
     a.attidentity::text <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false) \
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE c.relname = $2::text AND a.attnum > 0 AND NOT a.attisdropped \
     AND (n.nspname = $1::text OR ($1::text IS NULL AND pg_table_is_visible(c.oid))) ORDER BY a.attnum";

/// Takes the tables' object ids.
pub(super) const NULLABILITY: &str = "SELECT attrelid, attnum, attnotnull FROM pg_catalog.pg_attribute WHERE attrelid = ANY($1) AND attnum > 0";

/// How the bytes of a value are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    /// This many bits.
    Bits(u32),
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Money,
    Numeric,
    Text,
    Jsonb,
    Uuid,
    Bytea,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Unknown,
}

/// A row of [`TABLES`].
pub(super) fn found_table(row: &Row) -> Option<FoundTable> {
    let schema: String = row.try_get(0).ok()?;
    let name: String = row.try_get(1).ok()?;
    let kind: String = row.try_get(2).ok()?;
    let is_system = matches!(schema.as_str(), "pg_catalog" | "information_schema");
    let kind = match (kind.as_str(), is_system) {
        ("r", false) => "TABLE",
        ("r", true) => "SYSTEM TABLE",
        ("v", false) => "VIEW",
        ("v", true) => "SYSTEM VIEW",
        ("p", _) => "PARTITIONED TABLE",
        ("m", _) => "MATERIALIZED VIEW",
        ("f", _) => "FOREIGN TABLE",
        (_, _) => return None,
    };
    Some(FoundTable {
        kind: kind.to_owned(),
        table: TableId {
            container: Some(schema),
            name,
        },
    })
}

/// A row of [`COLUMNS`].
pub(super) fn column_facts(row: &Row) -> Option<ColumnFacts> {
    let not_null: bool = row.try_get(1).ok()?;
    Some(ColumnFacts {
        name: row.try_get(0).ok()?,
        nullable: !not_null,
        auto_increment: row.try_get(2).ok()?,
    })
}

/// A row of [`NULLABILITY`].
pub(super) fn nullability(row: &Row) -> Option<((u32, i16), bool)> {
    Some(((row.try_get(0).ok()?, row.try_get(1).ok()?), row.try_get(2).ok()?))
}

/// A result's columns with their types. A column that comes from no table may be null.
pub(super) fn columns(
    columns: &[tokio_postgres::Column],
    not_null: &HashMap<(u32, i16), bool>,
) -> (Vec<Column>, Vec<Kind>) {
    let described = columns.iter().map(|column| {
        let (sql_type, kind) = types(column.type_(), column.type_modifier());
        let origin = column.table_oid().zip(column.column_id());
        let is_required = origin.is_some_and(|origin| not_null.get(&origin) == Some(&true));
        let described = Column {
            name: column.name().to_owned(),
            sql_type,
            optional: !is_required,
            grows: false,
        };
        (described, kind)
    });
    described.unzip()
}

fn types(kind: &Type, modifier: i32) -> (SqlType, Kind) {
    let named = match *kind {
        Type::BOOL => (SqlType::Boolean, Kind::Bool),
        Type::BIT => bits(modifier),
        Type::INT2 => (SqlType::SmallInt { unsigned: false }, Kind::Int2),
        Type::INT4 => (SqlType::Integer { unsigned: false }, Kind::Int4),
        Type::INT8 => (SqlType::BigInt, Kind::Int8),
        Type::OID => (SqlType::BigInt, Kind::Oid),
        Type::FLOAT4 => (SqlType::Real, Kind::Float4),
        Type::FLOAT8 => (SqlType::Double, Kind::Float8),
        Type::MONEY => (SqlType::Double, Kind::Money),
        Type::NUMERIC => (SqlType::Numeric(digits(modifier)), Kind::Numeric),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::JSON | Type::XML => {
            (SqlType::Text, Kind::Text)
        }
        Type::JSONB => (SqlType::Text, Kind::Jsonb),
        Type::UUID => (SqlType::Text, Kind::Uuid),
        Type::BYTEA => (SqlType::Binary, Kind::Bytea),
        Type::DATE => (SqlType::Date, Kind::Date),
        Type::TIME => (SqlType::Time, Kind::Time),
        Type::TIMETZ => (SqlType::Time, Kind::TimeTz),
        Type::TIMESTAMP => (SqlType::Timestamp, Kind::Timestamp),
        Type::TIMESTAMPTZ => (SqlType::Timestamp, Kind::TimestampTz),
        _ => (SqlType::Unsupported, Kind::Unknown),
    };
    match (named, kind.kind()) {
        ((SqlType::Unsupported, _), TypeKind::Enum(_)) => (SqlType::Text, Kind::Text),
        // Results name the type below a domain; this is for servers that do not.
        ((SqlType::Unsupported, _), TypeKind::Domain(below)) => types(below, modifier),
        (named, _) => named,
    }
}

fn bits(modifier: i32) -> (SqlType, Kind) {
    let length = u32::try_from(modifier).unwrap_or(1);
    let sql_type = match length {
        0 | 1 => SqlType::Boolean,
        2..=8 => SqlType::Bit,
        _ => SqlType::Binary,
    };
    (sql_type, Kind::Bits(length))
}

/// The modifier holds precision and scale, four too large; the scale has eleven bits with a sign.
fn digits(modifier: i32) -> Digits {
    const HEADER: i32 = 4;
    if modifier < HEADER {
        return Digits::Any;
    }
    let packed = modifier - HEADER;
    Digits::Fixed {
        precision: u32::try_from((packed >> 16) & 0xffff).unwrap_or_default(),
        scale: ((packed & 0x7ff) ^ 0x400) - 0x400,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_of_numeric_are_taken_apart() {
        let fixed = |precision, scale| Digits::Fixed { precision, scale };
        assert_eq!(digits(-1), Digits::Any);
        assert_eq!(digits(((10 << 16) | 2) + 4), fixed(10, 2));
        assert_eq!(digits((38 << 16) + 4), fixed(38, 0));
        assert_eq!(digits(((5 << 16) | (-2 & 0x7ff)) + 4), fixed(5, -2));
    }

    #[test]
    fn bits_are_a_boolean_a_number_or_bytes_by_their_length() {
        assert_eq!(bits(1).0, SqlType::Boolean);
        assert_eq!(bits(8).0, SqlType::Bit);
        assert_eq!(bits(9).0, SqlType::Binary);
        assert_eq!(types(&Type::VARBIT, -1).0, SqlType::Unsupported);
    }
}

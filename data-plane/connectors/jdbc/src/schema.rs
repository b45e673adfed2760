//! The schema of a result's rows, and what is remembered of it from one read of a table to the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use towpath_connect::data::logical;
use towpath_connect::{Result, Schema, SchemaBuilder, SchemaRef, Type};

use crate::keys::choices::Granularity;
use crate::types::{Column, Target, TypeMapping};

/// Parameter of decimal schemas with the number of digits.
const PRECISION: &str = "connect.decimal.precision";

/// A column that becomes a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    /// Index of the column in the result.
    pub(crate) column: usize,
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) optional: bool,
    pub(crate) grows: bool,
}

/// What outlives one read.
#[derive(Debug, Default)]
pub(crate) struct SchemaMemory {
    schema: Option<SchemaRef>,
    /// Names of fields that grew from `INT32` to `INT64`. They do not shrink again: a schema should not flap.
    grown: BTreeSet<String>,
    /// The columns that were left out when it was last said so.
    left_out: Vec<String>,
    /// Fields of which it was said that a value was not understood.
    pub(crate) complained: BTreeSet<String>,
}

impl SchemaMemory {
    /// The fields of these columns. Columns of unknown types are left out, which is said once for the same columns.
    pub(crate) fn fields(&mut self, columns: &[Column], mapping: &TypeMapping, what: &str) -> Vec<Field> {
        let mut fields = Vec::with_capacity(columns.len());
        let mut left_out = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            let Some(target) = mapping.target(column.sql_type) else {
                left_out.push(column.name.clone());
                continue;
            };
            let has_grown = column.grows && self.grown.contains(&column.name);
            fields.push(Field {
                column: index,
                name: column.name.clone(),
                target: if has_grown { Target::Int64 } else { target },
                optional: column.optional,
                grows: column.grows && !has_grown,
            });
        }
        if left_out != self.left_out {
            if !left_out.is_empty() {
                let columns = left_out.join(", ");
                tracing::warn!(source = what, %columns, "columns of types that have no counterpart are left out");
            }
            self.left_out = left_out;
        }
        fields
    }

    /// Makes an `INT32` field an `INT64` field from now on.
    pub(crate) fn grow(&mut self, field: &mut Field) {
        self.grown.insert(field.name.clone());
        field.target = Target::Int64;
        field.grows = false;
    }

    /// The schema of these fields: the very one of the last read when nothing changed, so that it stays shared.
    pub(crate) fn schema(
        &mut self,
        name: Option<&Arc<str>>,
        fields: &[Field],
        mapping: &TypeMapping,
    ) -> Result<SchemaRef> {
        let mut builder = SchemaBuilder::new_struct();
        if let Some(name) = name {
            builder = builder.name(Arc::clone(name));
        }
        for field in fields {
            builder = builder.field(field.name.as_str(), field_schema(field, mapping)?);
        }
        let schema = builder.build()?;
        if let Some(known) = &self.schema
            && Schema::same(known, &schema)
        {
            return Ok(Arc::clone(known));
        }
        self.schema = Some(Arc::clone(&schema));
        Ok(schema)
    }
}

fn field_schema(field: &Field, mapping: &TypeMapping) -> Result<SchemaRef> {
    let plain = |kind| {
        if field.optional {
            Schema::optional(kind)
        } else {
            Schema::required(kind)
        }
    };
    let built = |builder: SchemaBuilder| builder.with_optional(field.optional).build();
    Ok(match &field.target {
        Target::Boolean => plain(Type::Boolean),
        Target::Int8 => plain(Type::Int8),
        Target::Int16 => plain(Type::Int16),
        Target::Int32 => plain(Type::Int32),
        Target::Int64 => plain(Type::Int64),
        Target::Float32 => plain(Type::Float32),
        Target::Float64 => plain(Type::Float64),
        Target::Text => plain(Type::String),
        Target::Bytes => plain(Type::Bytes),
        Target::Date => built(logical::date())?,
        Target::Time => built(logical::time())?,
        Target::Decimal { scale, precision } => {
            let decimal = logical::decimal(*scale);
            built(if mapping.precision_parameter {
                decimal.parameter(PRECISION, precision.to_string())
            } else {
                decimal
            })?
        }
        Target::Timestamp => match mapping.granularity {
            Granularity::ConnectLogical => built(logical::timestamp())?,
            Granularity::MicrosLong | Granularity::NanosLong => plain(Type::Int64),
            Granularity::MicrosString
            | Granularity::MicrosIso
            | Granularity::NanosString
            | Granularity::NanosIso => plain(Type::String),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::choices::NumericMapping;
    use crate::types::{Digits, SqlType};

    const MAPPING: TypeMapping = TypeMapping {
        numeric: NumericMapping::None,
        decimal_like_numeric: false,
        granularity: Granularity::ConnectLogical,
        precision_parameter: true,
    };

    fn column(name: &str, sql_type: SqlType, optional: bool) -> Column {
        Column {
            name: name.to_owned(),
            sql_type,
            optional,
            grows: true,
        }
    }

    fn schema(memory: &mut SchemaMemory, columns: &[Column]) -> SchemaRef {
        let fields = memory.fields(columns, &MAPPING, "t");
        memory.schema(Some(&Arc::from("t")), &fields, &MAPPING).unwrap()
    }

    #[test]
    fn the_same_columns_give_the_very_same_schema() {
        let mut memory = SchemaMemory::default();
        let columns = [
            column("id", SqlType::BigInt, false),
            column("at", SqlType::Timestamp, true),
        ];
        let first = schema(&mut memory, &columns);
        assert!(Arc::ptr_eq(&first, &schema(&mut memory, &columns)));
        assert_eq!(first.name(), Some("t"));
        assert!(!first.field("id").unwrap().schema.is_optional());
        assert!(first.field("at").unwrap().schema.is_optional());
        let other = schema(&mut memory, &columns[..1]);
        assert_eq!(other.fields().len(), 1);
    }

    #[test]
    fn columns_without_a_counterpart_are_left_out() {
        let mut memory = SchemaMemory::default();
        let columns = [
            column("shape", SqlType::Unsupported, true),
            column("id", SqlType::BigInt, false),
        ];
        let fields = memory.fields(&columns, &MAPPING, "t");
        assert_eq!(fields.iter().map(|field| field.column).collect::<Vec<_>>(), [1]);
        assert_eq!(memory.left_out, ["shape"]);
    }

    #[test]
    fn a_decimal_tells_its_scale_and_precision() {
        let digits = Digits::Fixed {
            precision: 10,
            scale: 2,
        };
        let mut memory = SchemaMemory::default();
        let price = column("price", SqlType::Decimal(digits), true);
        let schema = schema(&mut memory, &[price]);
        let parameters: Vec<_> = schema.fields()[0].schema.parameters().iter().collect();
        let expected = [("scale", "2"), ("connect.decimal.precision", "10")];
        assert_eq!(parameters.len(), 2);
        for ((key, value), expected) in parameters.into_iter().zip(expected) {
            assert_eq!((key.as_ref(), value.as_ref()), expected);
        }
    }

    #[test]
    fn a_field_that_grew_stays_wide() {
        let mut memory = SchemaMemory::default();
        let columns = [column("n", SqlType::Integer { unsigned: false }, true)];
        let mut fields = memory.fields(&columns, &MAPPING, "t");
        assert_eq!(fields[0].target, Target::Int32);
        memory.grow(&mut fields[0]);
        let again = memory.fields(&columns, &MAPPING, "t");
        assert_eq!((&again[0].target, again[0].grows), (&Target::Int64, false));
    }

    #[test]
    fn names_that_are_there_twice_are_an_error() {
        let mut memory = SchemaMemory::default();
        let columns = [
            column("id", SqlType::BigInt, false),
            column("id", SqlType::BigInt, false),
        ];
        let fields = memory.fields(&columns, &MAPPING, "t");
        assert!(memory.schema(None, &fields, &MAPPING).is_err());
    }
}

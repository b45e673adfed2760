//! From the types of the databases, seen as JDBC types, to the types of fields: which target a column has.

use crate::keys::choices::{Granularity, NumericMapping};

/// A column's type as its JDBC driver reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SqlType {
    Boolean,
    Bit,
    TinyInt {
        unsigned: bool,
    },
    SmallInt {
        unsigned: bool,
    },
    Integer {
        unsigned: bool,
    },
    BigInt,
    Real,
    Double,
    Numeric(Digits),
    Decimal(Digits),
    Text,
    Binary,
    Date,
    Time,
    Timestamp,
    /// Has no counterpart: the column is left out.
    Unsupported,
}

/// Size of a decimal column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digits {
    Fixed {
        precision: u32,
        scale: i32,
    },
    /// Any number of digits on either side of the point.
    Any,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The label: the alias if there is one.
    pub(crate) name: String,
    pub(crate) sql_type: SqlType,
    /// Null may come, or nobody knows.
    pub(crate) optional: bool,
    /// An `INT32` field becomes `INT64` once a number does not fit: SQLite's integers know no size.
    pub(crate) grows: bool,
}

/// What a column becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal { scale: i32, precision: u32 },
    Text,
    Bytes,
    Date,
    Time,
    Timestamp,
}

/// Why a value cannot become its target. No variant holds the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldError {
    #[error("holds a number that is too large for its type")]
    TooWide,
    #[error("holds {0}")]
    Unfit(&'static str),
}

/// How types are mapped: what the configuration says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeMapping {
    pub(crate) numeric: NumericMapping,
    /// Whether `numeric` is for `DECIMAL` columns too.
    pub(crate) decimal_like_numeric: bool,
    pub(crate) granularity: Granularity,
    /// Whether decimal schemas tell the precision.
    pub(crate) precision_parameter: bool,
}

/// The scale for numbers of any scale, as Java's connector has it.
const SCALE_OF_ANY: i32 = 127;
/// The most digits that fit a 64-bit integer.
const MOST_INTEGER_DIGITS: u32 = 18;
/// Below this scale `best_fit` leaves a number alone.
const LEAST_SCALE: i32 = -84;

impl TypeMapping {
    /// `None`: the column is left out.
    pub(crate) fn target(&self, sql_type: SqlType) -> Option<Target> {
        Some(match sql_type {
            SqlType::Boolean => Target::Boolean,
            SqlType::Bit | SqlType::TinyInt { unsigned: false } => Target::Int8,
            SqlType::TinyInt { unsigned: true } | SqlType::SmallInt { unsigned: false } => Target::Int16,
            SqlType::SmallInt { unsigned: true } | SqlType::Integer { unsigned: false } => Target::Int32,
            SqlType::Integer { unsigned: true } | SqlType::BigInt => Target::Int64,
            SqlType::Real => Target::Float32,
            SqlType::Double => Target::Float64,
            SqlType::Numeric(digits) => self.numeric_target(digits),
            SqlType::Decimal(digits) if self.decimal_like_numeric => self.numeric_target(digits),
            SqlType::Decimal(digits) => decimal(digits),
            SqlType::Text => Target::Text,
            SqlType::Binary => Target::Bytes,
            SqlType::Date => Target::Date,
            SqlType::Time => Target::Time,
            SqlType::Timestamp => Target::Timestamp,
            SqlType::Unsupported => return None,
        })
    }

    fn numeric_target(&self, digits: Digits) -> Target {
        let Digits::Fixed { precision, scale } = digits else {
            // Java's connector makes INT8 of these under `best_fit`, which loses nearly every number.
            return match self.numeric {
                NumericMapping::BestFitEagerDouble => Target::Float64,
                NumericMapping::None | NumericMapping::PrecisionOnly | NumericMapping::BestFit => {
                    decimal(digits)
                }
            };
        };
        let is_whole = (LEAST_SCALE..1).contains(&scale);
        let fits = precision <= MOST_INTEGER_DIGITS;
        match self.numeric {
            NumericMapping::PrecisionOnly if scale == 0 && fits => integer(precision),
            NumericMapping::BestFit | NumericMapping::BestFitEagerDouble if is_whole && fits => {
                integer(precision)
            }
            NumericMapping::BestFit if scale > 0 && fits => Target::Float64,
            NumericMapping::BestFitEagerDouble if scale > 0 => Target::Float64,
            _ => decimal(digits),
        }
    }
}

fn decimal(digits: Digits) -> Target {
    match digits {
        Digits::Fixed { precision, scale } => Target::Decimal { scale, precision },
        Digits::Any => Target::Decimal {
            scale: SCALE_OF_ANY,
            precision: 0,
        },
    }
}

fn integer(precision: u32) -> Target {
    match precision {
        0..=2 => Target::Int8,
        3..=4 => Target::Int16,
        5..=9 => Target::Int32,
        _ => Target::Int64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(numeric: NumericMapping) -> TypeMapping {
        TypeMapping {
            numeric,
            decimal_like_numeric: false,
            granularity: Granularity::ConnectLogical,
            precision_parameter: true,
        }
    }

    fn digits(precision: u32, scale: i32) -> Digits {
        Digits::Fixed { precision, scale }
    }

    #[test]
    fn numbers_are_mapped_by_the_rule_that_was_asked_for() {
        use NumericMapping::{BestFit, BestFitEagerDouble, None, PrecisionOnly};
        let decimal = |precision, scale| Target::Decimal { scale, precision };
        for (rule, size, target) in [
            (None, digits(5, 0), decimal(5, 0)),
            (PrecisionOnly, digits(2, 0), Target::Int8),
            (PrecisionOnly, digits(4, 0), Target::Int16),
            (PrecisionOnly, digits(9, 0), Target::Int32),
            (PrecisionOnly, digits(18, 0), Target::Int64),
            (PrecisionOnly, digits(19, 0), decimal(19, 0)),
            (PrecisionOnly, digits(5, 2), decimal(5, 2)),
            (PrecisionOnly, digits(5, -2), decimal(5, -2)),
            (BestFit, digits(5, 2), Target::Float64),
            (BestFit, digits(5, -2), Target::Int32),
            (BestFit, digits(19, 2), decimal(19, 2)),
            (BestFit, digits(5, -85), decimal(5, -85)),
            (BestFitEagerDouble, digits(19, 2), Target::Float64),
            (BestFitEagerDouble, digits(19, 0), decimal(19, 0)),
            (BestFitEagerDouble, digits(10, 0), Target::Int64),
            (BestFit, Digits::Any, decimal(0, 127)),
            (BestFitEagerDouble, Digits::Any, Target::Float64),
        ] {
            let found = mapping(rule).target(SqlType::Numeric(size));
            assert_eq!(found, Some(target), "{rule:?} {size:?}");
        }
    }

    #[test]
    fn decimal_columns_keep_their_digits_unless_asked_otherwise() {
        let mut mapping = mapping(NumericMapping::BestFit);
        let column = SqlType::Decimal(digits(5, 2));
        assert_eq!(
            mapping.target(column),
            Some(Target::Decimal {
                scale: 2,
                precision: 5
            })
        );
        mapping.decimal_like_numeric = true;
        assert_eq!(mapping.target(column), Some(Target::Float64));
    }
}

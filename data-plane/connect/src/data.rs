//! The Connect data model: schemas, values, structs, maps and the logical types.

pub mod decimal;
pub mod java_text;
pub mod logical;
pub mod map;
pub mod schema;
pub mod structs;
pub mod validate;
pub mod value;

pub use decimal::Decimal;
pub use map::Map;
pub use schema::{Field, Schema, SchemaBuilder, SchemaRef, Type};
pub use structs::Struct;
pub use value::Value;

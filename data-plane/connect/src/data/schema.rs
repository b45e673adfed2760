//! Schemas: what a value is, shared by every record that has it. Not the values themselves.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::data::Value;

mod builder;

pub use builder::SchemaBuilder;

/// A schema that is shared between records. Compare with [`Schema::same`], which looks at the pointer first.
pub type SchemaRef = Arc<Schema>;

/// The kind of a value. Names as Kafka Connect's `Schema.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named after what it is")]
pub enum Type {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
    Bytes,
    Array,
    Map,
    Struct,
}

impl Type {
    /// The upper-case name that Kafka Connect uses in messages, for example `INT32`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Float32 => "FLOAT32",
            Self::Float64 => "FLOAT64",
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Array => "ARRAY",
            Self::Map => "MAP",
            Self::Struct => "STRUCT",
        }
    }

    /// Neither array, map nor struct.
    pub fn is_primitive(self) -> bool {
        !matches!(self, Self::Array | Self::Map | Self::Struct)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A field of a struct schema. Equality includes the index, as in Kafka Connect.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Unique in its struct.
    pub name: Arc<str>,
    /// Position of the value in [`Struct`](crate::Struct), from 0.
    pub index: usize,
    /// What the field holds.
    pub schema: SchemaRef,
}

/// What a value is: its type, whether it may be null, its default, and for logical types its name.
///
/// Built once by [`SchemaBuilder`] and then immutable and shared.
#[derive(Debug)]
pub struct Schema {
    kind: Type,
    optional: bool,
    default: Option<Value>,
    name: Option<Arc<str>>,
    version: Option<i32>,
    doc: Option<Arc<str>>,
    parameters: IndexMap<Arc<str>, Arc<str>>,
    fields: Vec<Field>,
    index_by_name: HashMap<Arc<str>, usize>,
    key_schema: Option<SchemaRef>,
    value_schema: Option<SchemaRef>,
}

impl Schema {
    /// The type of the values.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// Whether null is a valid value.
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    /// The value that stands for null, if there is one.
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// The name of a logical type or of a struct, for example `org.apache.kafka.connect.data.Timestamp`.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The version that the author of the schema gave it.
    pub fn version(&self) -> Option<i32> {
        self.version
    }

    /// Documentation.
    pub fn doc(&self) -> Option<&str> {
        self.doc.as_deref()
    }

    /// Further text attributes, in the order in which they were given.
    pub fn parameters(&self) -> &IndexMap<Arc<str>, Arc<str>> {
        &self.parameters
    }

    /// One text attribute.
    pub fn parameter(&self, key: &str) -> Option<&str> {
        self.parameters.get(key).map(AsRef::as_ref)
    }

    /// The fields of a struct schema in order; empty for other types.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// One field of a struct schema.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.index_by_name.get(name).map(|&index| &self.fields[index])
    }

    /// The schema of the keys of a map.
    pub fn key_schema(&self) -> Option<&SchemaRef> {
        self.key_schema.as_ref()
    }

    /// The schema of the values of a map or of the elements of an array.
    pub fn value_schema(&self) -> Option<&SchemaRef> {
        self.value_schema.as_ref()
    }

    /// Whether two shared schemas are equal; the pointers are compared first, so the common case costs nothing.
    pub fn same(a: &SchemaRef, b: &SchemaRef) -> bool {
        Arc::ptr_eq(a, b) || a == b
    }

    /// [`Schema::same`] where a record may have no schema.
    pub fn same_option(a: Option<&SchemaRef>, b: Option<&SchemaRef>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => Self::same(a, b),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// A shared required schema of a primitive type without attributes.
    pub fn required(kind: Type) -> SchemaRef {
        plain(kind, false)
    }

    /// A shared optional schema of a primitive type without attributes.
    pub fn optional(kind: Type) -> SchemaRef {
        plain(kind, true)
    }
}

/// The schemas without attributes exist once a process, so that comparing them is comparing pointers.
fn plain(kind: Type, optional: bool) -> SchemaRef {
    use std::sync::OnceLock;
    const KINDS: [Type; 9] = [
        Type::Int8,
        Type::Int16,
        Type::Int32,
        Type::Int64,
        Type::Float32,
        Type::Float64,
        Type::Boolean,
        Type::String,
        Type::Bytes,
    ];
    static PLAIN: OnceLock<Vec<[SchemaRef; 2]>> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| {
        let one = |kind, optional| Arc::new(SchemaBuilder::new(kind).with_optional(optional).into_schema());
        KINDS
            .iter()
            .map(|&kind| [one(kind, false), one(kind, true)])
            .collect()
    });
    match KINDS.iter().position(|&k| k == kind) {
        Some(index) => Arc::clone(&plain[index][usize::from(optional)]),
        None => Arc::new(SchemaBuilder::new(kind).with_optional(optional).into_schema()),
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.optional == other.optional
            && self.version == other.version
            && self.name == other.name
            && self.doc == other.doc
            && self.default == other.default
            && self.fields == other.fields
            && self.key_schema == other.key_schema
            && self.value_schema == other.value_schema
            && self.parameters == other.parameters
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "Schema{{{name}:{}}}", self.kind),
            None => write!(f, "Schema{{{}}}", self.kind),
        }
    }
}

#[cfg(test)]
mod tests;

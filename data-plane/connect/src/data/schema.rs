//! Schemas: what a value is, shared by every record that has it. Not the values themselves.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::data::{Value, validate};
use crate::error::{ConnectorError, Result};

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

/// Builds a [`Schema`]. Setters consume and return the builder; what can go wrong is said by [`SchemaBuilder::build`].
#[derive(Debug)]
pub struct SchemaBuilder {
    schema: Schema,
    /// What was set and may be set once only.
    set: Vec<&'static str>,
    error: Option<String>,
}

impl SchemaBuilder {
    /// A required schema of this type without attributes.
    pub fn new(kind: Type) -> Self {
        let schema = Schema {
            kind,
            optional: false,
            default: None,
            name: None,
            version: None,
            doc: None,
            parameters: IndexMap::new(),
            fields: Vec::new(),
            index_by_name: HashMap::new(),
            key_schema: None,
            value_schema: None,
        };
        Self {
            schema,
            set: Vec::new(),
            error: None,
        }
    }

    /// A struct without fields yet.
    pub fn new_struct() -> Self {
        Self::new(Type::Struct)
    }

    /// An array of these elements.
    pub fn array(elements: SchemaRef) -> Self {
        let mut builder = Self::new(Type::Array);
        builder.schema.value_schema = Some(elements);
        builder
    }

    /// A map from these keys to these values.
    pub fn map(keys: SchemaRef, values: SchemaRef) -> Self {
        let mut builder = Self::new(Type::Map);
        builder.schema.key_schema = Some(keys);
        builder.schema.value_schema = Some(values);
        builder
    }

    /// An array or map whose element schemas are not known: only the header parser makes these.
    pub fn untyped(kind: Type, keys: Option<SchemaRef>, values: Option<SchemaRef>) -> Self {
        let mut builder = Self::new(kind);
        builder.schema.key_schema = keys;
        builder.schema.value_schema = values;
        builder
    }

    /// Everything of `schema` that is not about its fields or elements: name, version, doc, parameters; not optional
    /// and not the default. What Kafka Connect calls `copySchemaBasics`.
    #[doc(alias = "SchemaUtil#copySchemaBasics")]
    pub fn copy_basics(schema: &Schema, mut builder: Self) -> Self {
        builder.schema.name.clone_from(&schema.name);
        builder.schema.version = schema.version;
        builder.schema.doc.clone_from(&schema.doc);
        builder.schema.parameters.clone_from(&schema.parameters);
        builder
    }

    /// Everything of `schema`, to be changed.
    pub fn like(schema: &Schema) -> Self {
        let mut builder = Self::copy_basics(schema, Self::new(schema.kind));
        builder.schema.optional = schema.optional;
        builder.schema.default.clone_from(&schema.default);
        builder.schema.fields.clone_from(&schema.fields);
        builder.schema.index_by_name.clone_from(&schema.index_by_name);
        builder.schema.key_schema.clone_from(&schema.key_schema);
        builder.schema.value_schema.clone_from(&schema.value_schema);
        builder
    }

    /// Null becomes a valid value.
    pub fn optional(self) -> Self {
        self.with_optional(true)
    }

    /// Whether null is a valid value.
    pub fn with_optional(mut self, optional: bool) -> Self {
        self.schema.optional = optional;
        self
    }

    /// The name of the logical type or struct.
    pub fn name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.set_once("name");
        self.schema.name = Some(name.into());
        self
    }

    /// The version.
    pub fn version(mut self, version: i32) -> Self {
        self.set_once("version");
        self.schema.version = Some(version);
        self
    }

    /// The documentation.
    pub fn doc(mut self, doc: impl Into<Arc<str>>) -> Self {
        self.set_once("doc");
        self.schema.doc = Some(doc.into());
        self
    }

    /// Adds or replaces a text attribute.
    pub fn parameter(mut self, key: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.schema.parameters.insert(key.into(), value.into());
        self
    }

    /// The value that stands for null.
    pub fn default_value(mut self, value: Value) -> Self {
        self.set_once("default");
        self.schema.default = Some(value);
        self
    }

    /// Adds a field at the end of a struct.
    pub fn field(mut self, name: impl Into<Arc<str>>, schema: SchemaRef) -> Self {
        let name = name.into();
        let index = self.schema.fields.len();
        if self.schema.kind != Type::Struct {
            self.error
                .get_or_insert(format!("Cannot create fields on type {}", self.schema.kind));
        } else if name.is_empty() {
            self.error.get_or_insert("fieldName cannot be null.".to_owned());
        } else if self
            .schema
            .index_by_name
            .insert(Arc::clone(&name), index)
            .is_some()
        {
            self.error.get_or_insert(format!(
                "Cannot create field because of field name duplication {name}"
            ));
        }
        self.schema.fields.push(Field { name, index, schema });
        self
    }

    fn set_once(&mut self, what: &'static str) {
        if self.set.contains(&what) {
            self.error.get_or_insert(format!(
                "Invalid SchemaBuilder call: {what} has already been set."
            ));
        }
        self.set.push(what);
    }

    /// The finished schema.
    ///
    /// # Errors
    /// `Data` when a field name is empty or there twice, fields were added to something that is no struct, a name,
    /// version, documentation or default was given twice, or the default is no value of the schema. Messages as Kafka Connect's `SchemaBuilderException`.
    pub fn build(mut self) -> Result<SchemaRef> {
        if let Some(error) = self.error {
            return Err(ConnectorError::data(error));
        }
        if self.schema.default.as_ref().is_some_and(Value::is_null) {
            // No value stands for null then; where null is no value, it cannot be the default either.
            self.schema.default = None;
            if !self.schema.optional {
                return Err(ConnectorError::data("Invalid default value"));
            }
        }
        if let Some(default) = &self.schema.default {
            validate::value(&self.schema, default)
                .map_err(|cause| ConnectorError::data("Invalid default value").with_source(cause))?;
        }
        Ok(Arc::new(self.schema))
    }

    /// For schemas made of constants only, which cannot be wrong.
    fn into_schema(self) -> Schema {
        self.schema
    }
}

#[cfg(test)]
mod tests;

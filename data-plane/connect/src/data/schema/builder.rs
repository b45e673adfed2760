//! Building schemas.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Field, Schema, SchemaRef, Type};
use crate::data::{Value, validate};
use crate::error::{ConnectorError, Result};

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
    pub(super) fn into_schema(self) -> Schema {
        self.schema
    }
}

//! Schemas in JSON text.

use std::collections::HashMap;
use std::sync::Arc;

use towpath_connect::{ConnectorError, SchemaBuilder, SchemaRef, Type};

use super::cursor::Cursor;
use super::directed::Directed;
use super::kind::{Kind, ReadError};

/// How deep schemas may be nested: reading values goes as deep on the stack.
const MAX_DEPTH: usize = 200;

const TYPE: &str = "type";
const ITEMS: &str = "items";
const KEYS: &str = "keys";
const VALUES: &str = "values";
const FIELDS: &str = "fields";
const FIELD: &str = "field";
const OPTIONAL: &str = "optional";
const NAME: &str = "name";
const VERSION: &str = "version";
const DOC: &str = "doc";
const PARAMETERS: &str = "parameters";
const DEFAULT: &str = "default";
const MEMBERS: [&str; 12] = [
    TYPE, ITEMS, KEYS, VALUES, FIELDS, FIELD, OPTIONAL, NAME, VERSION, DOC, PARAMETERS, DEFAULT,
];

type Read<T> = Result<T, ReadError>;

/// Reads a schema; `None` for null.
pub(super) fn read(cursor: &mut Cursor<'_>, replace_null_with_default: bool) -> Read<Option<SchemaRef>> {
    read_nested(cursor, replace_null_with_default, 0)
}

fn read_nested(cursor: &mut Cursor<'_>, replace: bool, depth: usize) -> Read<Option<SchemaRef>> {
    match cursor.kind()? {
        Kind::Null => {
            cursor.null()?;
            Ok(None)
        }
        Kind::Object => Object::read(cursor)?.schema(replace, depth).map(Some),
        _ => {
            cursor.skip()?;
            Err(data("Schema must contain 'type' field"))
        }
    }
}

/// A JSON object of a schema: where in the text its members are.
struct Object<'a> {
    members: HashMap<&'static str, Cursor<'a>>,
}

impl<'a> Object<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Read<Self> {
        let mut members = HashMap::new();
        cursor.object::<ReadError>(|cursor, name| {
            if let Some(&name) = MEMBERS.iter().find(|member| **member == name) {
                members.insert(name, cursor.clone());
            }
            Ok(cursor.skip()?)
        })?;
        Ok(Self { members })
    }

    /// The kind of a member and where it is.
    fn get(&self, name: &str) -> Read<Option<(Kind, Cursor<'a>)>> {
        let Some(mut cursor) = self.members.get(name).cloned() else {
            return Ok(None);
        };
        Ok(Some((cursor.kind()?, cursor)))
    }

    /// A member that is text; a member of another kind counts as missing.
    fn text(&self, name: &str) -> Read<Option<Arc<str>>> {
        match self.get(name)? {
            Some((Kind::String, mut cursor)) => Ok(Some(cursor.text()?.into())),
            _ => Ok(None),
        }
    }

    fn schema(&self, replace: bool, depth: usize) -> Read<SchemaRef> {
        if depth >= MAX_DEPTH {
            return Err(data("the schema is nested too deep"));
        }
        let mut builder = self
            .builder(replace, depth)?
            .with_optional(self.is_true(OPTIONAL)?);
        if let Some(name) = self.text(NAME)? {
            builder = builder.name(name);
        }
        if let Some((Kind::Number, mut cursor)) = self.get(VERSION)? {
            let number = cursor.number()?;
            if number.is_integral() {
                builder = builder.version(number.low_int());
            }
        }
        if let Some(doc) = self.text(DOC)? {
            builder = builder.doc(doc);
        }
        builder = self.parameters(builder)?;
        self.default(builder.build()?, replace)
    }

    fn is_true(&self, name: &str) -> Read<bool> {
        match self.get(name)? {
            Some((Kind::Boolean, mut cursor)) => Ok(cursor.boolean()?),
            _ => Ok(false),
        }
    }

    fn builder(&self, replace: bool, depth: usize) -> Read<SchemaBuilder> {
        let kind = self
            .text(TYPE)?
            .ok_or_else(|| data("Schema must contain 'type' field"))?;
        Ok(SchemaBuilder::new(match kind.as_ref() {
            "boolean" => Type::Boolean,
            "int8" => Type::Int8,
            "int16" => Type::Int16,
            "int32" => Type::Int32,
            "int64" => Type::Int64,
            "float" => Type::Float32,
            "double" => Type::Float64,
            "bytes" => Type::Bytes,
            "string" => Type::String,
            "array" => return self.array(replace, depth),
            "map" => return self.map(replace, depth),
            "struct" => return self.structure(replace, depth),
            _ => return Err(data(format!("Unknown schema type: {kind}"))),
        }))
    }

    fn array(&self, replace: bool, depth: usize) -> Read<SchemaBuilder> {
        let items = self
            .part(ITEMS, replace, depth)?
            .flatten()
            .ok_or_else(|| data("Array schema did not specify the element type"))?;
        Ok(SchemaBuilder::array(items))
    }

    fn map(&self, replace: bool, depth: usize) -> Read<SchemaBuilder> {
        let missing = |what| data(format!("Map schema did not specify the {what} type"));
        let null = |what| data(format!("{what}Schema cannot be null."));
        if !self.members.contains_key(KEYS) {
            return Err(missing("key"));
        }
        if !self.members.contains_key(VALUES) {
            return Err(missing("value"));
        }
        let keys = self.part(KEYS, replace, depth)?.flatten();
        let values = self.part(VALUES, replace, depth)?.flatten();
        Ok(SchemaBuilder::map(
            keys.ok_or_else(|| null("key"))?,
            values.ok_or_else(|| null("value"))?,
        ))
    }

    /// A schema within this one: missing, null or there.
    fn part(&self, name: &str, replace: bool, depth: usize) -> Read<Option<Option<SchemaRef>>> {
        match self.get(name)? {
            None => Ok(None),
            Some((_, mut cursor)) => Ok(Some(read_nested(&mut cursor, replace, depth + 1)?)),
        }
    }

    fn structure(&self, replace: bool, depth: usize) -> Read<SchemaBuilder> {
        let Some((Kind::Array, mut cursor)) = self.get(FIELDS)? else {
            return Err(data("Struct schema's \"fields\" argument is not an array."));
        };
        let mut fields = Vec::new();
        cursor.array::<ReadError>(|cursor| {
            let nameless = || data("Struct schema's field name not specified properly");
            if cursor.kind()? != Kind::Object {
                return Err(nameless());
            }
            let object = Object::read(cursor)?;
            let name = object.text(FIELD)?.ok_or_else(nameless)?;
            fields.push((name, object.schema(replace, depth + 1)?));
            Ok(())
        })?;
        Ok(fields
            .into_iter()
            .fold(SchemaBuilder::new_struct(), |builder, (name, schema)| {
                builder.field(name, schema)
            }))
    }

    fn parameters(&self, mut builder: SchemaBuilder) -> Read<SchemaBuilder> {
        let Some((Kind::Object, mut cursor)) = self.get(PARAMETERS)? else {
            return Ok(builder);
        };
        let mut parameters = Vec::new();
        cursor.object::<ReadError>(|cursor, name| {
            if cursor.kind()? != Kind::String {
                return Err(data("Schema parameters must have string values."));
            }
            let value: Arc<str> = cursor.text()?.into();
            parameters.push((Arc::<str>::from(name), value));
            Ok(())
        })?;
        for (name, value) in parameters {
            builder = builder.parameter(name, value);
        }
        Ok(builder)
    }

    /// The default is read by the schema without a default, then added to it.
    fn default(&self, schema: SchemaRef, replace: bool) -> Read<SchemaRef> {
        let Some((_, mut cursor)) = self.get(DEFAULT)? else {
            return Ok(schema);
        };
        let default = Directed::new(&mut cursor, replace).value(Some(&schema))?;
        if default.is_null() && schema.is_optional() {
            return Ok(schema);
        }
        Ok(SchemaBuilder::like(&schema).default_value(default).build()?)
    }
}

fn data(message: impl Into<String>) -> ReadError {
    ReadError::Data(ConnectorError::data(message))
}

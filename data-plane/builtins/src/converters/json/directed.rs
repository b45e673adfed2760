//! JSON text as values of a schema, as leniently as Kafka Connect reads it: text where a number should be is 0, a
//! number too big loses its high bits, a member that no field asks for is ignored.

use bytes::Bytes;
use towpath_connect::data::{logical, validate};
use towpath_connect::{ConnectorError, Map, Schema, SchemaRef, Struct, Type, Value};

use super::base64_text;
use super::cursor::Cursor;
use super::kind::{Kind, ReadError};
use super::schemaless;

type Read<T> = Result<T, ReadError>;

/// Reads values at a place of a text.
pub(super) struct Directed<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    replace_null_with_default: bool,
    /// How many values became null although the text has something there. A field may not accept that.
    unexpected_nulls: usize,
}

impl<'c, 'a> Directed<'c, 'a> {
    pub(super) fn new(cursor: &'c mut Cursor<'a>, replace_null_with_default: bool) -> Self {
        Self {
            cursor,
            replace_null_with_default,
            unexpected_nulls: 0,
        }
    }

    /// Reads the next value.
    pub(super) fn value(&mut self, schema: Option<&SchemaRef>) -> Read<Value> {
        let Some(schema) = schema else {
            return Ok(schemaless::read(self.cursor)?);
        };
        let kind = self.cursor.kind()?;
        self.value_of_kind(schema, kind)
    }

    /// Reads the next value, which is of this kind.
    pub(super) fn value_of_kind(&mut self, schema: &SchemaRef, kind: Kind) -> Read<Value> {
        if kind == Kind::Null {
            self.cursor.null()?;
            return self.null(schema);
        }
        if let Some(value) = self.logical(schema, kind)? {
            return Ok(value);
        }
        match schema.kind() {
            Type::Int8 | Type::Int16 | Type::Int32 | Type::Int64 => {
                let bits = self.integer(kind)?;
                Ok(narrow(schema.kind(), bits))
            }
            Type::Float32 => Ok(Value::Float32(match kind {
                Kind::Number => self.cursor.number()?.float(),
                _ => self.instead(kind, 0.0)?,
            })),
            Type::Float64 => Ok(Value::Float64(match kind {
                Kind::Number => self.cursor.number()?.double(),
                _ => self.instead(kind, 0.0)?,
            })),
            Type::Boolean => Ok(Value::Boolean(match kind {
                Kind::Boolean => self.cursor.boolean()?,
                _ => self.instead(kind, false)?,
            })),
            Type::String if kind == Kind::String => Ok(Value::String(self.cursor.string()?)),
            Type::Bytes if kind == Kind::String => self.bytes(),
            Type::String | Type::Bytes => {
                self.unexpected_nulls += 1;
                self.instead(kind, Value::Null)
            }
            Type::Array => self.array(schema, kind),
            Type::Map => self.map(schema, kind),
            Type::Struct => self.structure(schema, kind),
        }
    }

    /// What stands for a null or for a field that is missing.
    fn null(&self, schema: &Schema) -> Read<Value> {
        match schema.default_value() {
            Some(default) if self.replace_null_with_default => Ok(default.clone()),
            _ if schema.is_optional() => Ok(Value::Null),
            _ => Err(data(format!(
                "Invalid null value for required {} field",
                schema.kind()
            ))),
        }
    }

    /// Passes a value of the wrong kind.
    fn instead<T>(&mut self, kind: Kind, value: T) -> Read<T> {
        if kind != Kind::Missing {
            self.cursor.skip()?;
        }
        Ok(value)
    }

    fn integer(&mut self, kind: Kind) -> Read<i64> {
        match kind {
            Kind::Number => Ok(self.cursor.number()?.low_bits()),
            _ => self.instead(kind, 0),
        }
    }

    fn bytes(&mut self) -> Read<Value> {
        let text = self.cursor.text()?;
        match base64_text::decode(&text) {
            Ok(bytes) => Ok(Value::Bytes(Bytes::from(bytes))),
            Err(cause) => Err(ConnectorError::data("Invalid bytes field")
                .with_source(cause)
                .into()),
        }
    }

    fn array(&mut self, schema: &Schema, kind: Kind) -> Read<Value> {
        let element_schema = schema.value_schema();
        let mut elements = Vec::new();
        let replace = self.replace_null_with_default;
        let mut unexpected_nulls = 0;
        let mut element = |cursor: &mut Cursor<'a>| {
            let mut inner = Directed::new(cursor, replace);
            elements.push(inner.value(element_schema)?);
            unexpected_nulls += inner.unexpected_nulls;
            Ok(())
        };
        match kind {
            Kind::Array => self.cursor.array::<ReadError>(element)?,
            // The values of an object pass for the elements of an array.
            Kind::Object => self.cursor.object::<ReadError>(|cursor, _| element(cursor))?,
            Kind::String | Kind::Number | Kind::Boolean | Kind::Null | Kind::Missing => {
                self.instead(kind, ())?;
            }
        }
        self.unexpected_nulls += unexpected_nulls;
        Ok(Value::Array(elements))
    }

    fn map(&mut self, schema: &Schema, kind: Kind) -> Read<Value> {
        let by_name = schema.key_schema().is_none_or(|key| key.kind() == Type::String);
        match (by_name, kind) {
            (true, Kind::Object) => self.map_of_members(schema),
            (false, Kind::Array) => self.map_of_tuples(schema),
            (true, kind) => Err(data(format!(
                "Maps with string fields should be encoded as JSON objects, but found {}",
                kind.name()
            ))),
            (false, kind) => Err(data(format!(
                "Maps with non-string fields should be encoded as JSON array of tuples, but found {}",
                kind.name()
            ))),
        }
    }

    fn map_of_members(&mut self, schema: &Schema) -> Read<Value> {
        let mut entries = Vec::new();
        if self.cursor.open(b'}', 0)? {
            return Ok(Value::Map(Map::new()));
        }
        loop {
            let name = self.cursor.member_name_slice()?;
            entries.push((Value::String(name), self.value(schema.value_schema())?));
            if self.cursor.closed(b'}')? {
                return Ok(Value::Map(Map::from_entries(entries)));
            }
        }
    }

    fn map_of_tuples(&mut self, schema: &Schema) -> Read<Value> {
        let mut entries = Vec::new();
        if self.cursor.open(b']', 0)? {
            return Ok(Value::Map(Map::new()));
        }
        loop {
            entries.push(self.tuple(schema)?);
            if self.cursor.closed(b']')? {
                return Ok(Value::Map(Map::from_entries(entries)));
            }
        }
    }

    fn tuple(&mut self, schema: &Schema) -> Read<(Value, Value)> {
        let kind = self.cursor.kind()?;
        if kind != Kind::Array {
            return Err(data(format!(
                "Found invalid map entry instead of array tuple: {}",
                kind.name()
            )));
        }
        let mut length = 0;
        self.cursor
            .at(self.cursor.position())
            .array::<ReadError>(|cursor| {
                length += 1;
                Ok(cursor.skip()?)
            })?;
        if length != 2 {
            return Err(data(format!(
                "Found invalid map entry, expected length 2 but found :{length}"
            )));
        }
        self.cursor.open(b']', 0)?;
        let key = self.value(schema.key_schema())?;
        self.cursor.closed(b']')?;
        let value = self.value(schema.value_schema())?;
        self.cursor.closed(b']')?;
        Ok((key, value))
    }

    fn structure(&mut self, schema: &SchemaRef, kind: Kind) -> Read<Value> {
        if kind != Kind::Object {
            return Err(data(format!(
                "Structs should be encoded as JSON objects, but found {}",
                kind.name()
            )));
        }
        let mut fields = FieldsFound::new(schema);
        if !self.cursor.open(b'}', 0)? {
            loop {
                let name = self.cursor.member_name()?;
                match fields.find(&name) {
                    Some(index) => fields.set(index, self.field(schema, index)?),
                    None => self.cursor.skip()?,
                }
                if self.cursor.closed(b'}')? {
                    break;
                }
            }
        }
        for index in 0..fields.values.len() {
            if fields.is_missing(index) {
                fields.values[index] = self.null(&schema.fields()[index].schema)?;
            }
        }
        Ok(Value::Struct(Struct::of(
            SchemaRef::clone(schema),
            fields.values,
        )?))
    }

    /// The value of a field; `None` if the text has null, which is as good as nothing.
    fn field(&mut self, schema: &Schema, index: usize) -> Read<Option<Value>> {
        let field = &schema.fields()[index];
        let kind = self.cursor.kind()?;
        if kind == Kind::Null {
            self.cursor.null()?;
            return Ok(None);
        }
        let nulls_before = self.unexpected_nulls;
        let value = self.value_of_kind(&field.schema, kind)?;
        if self.unexpected_nulls > nulls_before {
            validate::named(&validate::Place::Field(&field.name), &field.schema, &value)?;
        }
        Ok(Some(value))
    }

    /// A value of a logical type; `None` if the schema is of none.
    fn logical(&mut self, schema: &Schema, kind: Kind) -> Read<Option<Value>> {
        let Some(name) = schema.name() else {
            return Ok(None);
        };
        Ok(Some(match name {
            logical::DECIMAL => self.decimal(schema, kind)?,
            logical::DATE => Value::Instant(logical::days_to_date(self.int("Date", kind)?)),
            logical::TIME => Value::Instant(logical::millis_to_time(self.int("Time", kind)?)?),
            logical::TIMESTAMP => {
                let number = (kind == Kind::Number)
                    .then(|| self.cursor.number())
                    .transpose()?
                    .filter(|number| number.is_integral());
                let number = number.ok_or_else(|| wrong_number("Timestamp", "integral", kind))?;
                Value::Instant(number.low_bits())
            }
            _ => return Ok(None),
        }))
    }

    fn int(&mut self, logical: &str, kind: Kind) -> Read<i32> {
        let number = (kind == Kind::Number).then(|| self.cursor.number()).transpose()?;
        number
            .and_then(super::number::Number::int)
            .ok_or_else(|| wrong_number(logical, "integer", kind))
    }

    fn decimal(&mut self, schema: &Schema, kind: Kind) -> Read<Value> {
        match kind {
            Kind::Number => {
                let number = self.cursor.number()?;
                let decimal = number.decimal();
                decimal
                    .map(Value::Decimal)
                    .ok_or_else(|| self.cursor.error("the exponent of a number is too big").into())
            }
            Kind::String => {
                let text = self.cursor.text()?;
                decimal_of_text(schema, &text).map_err(|cause| {
                    ConnectorError::data("Invalid bytes for Decimal field")
                        .with_source(cause)
                        .into()
                })
            }
            Kind::Object | Kind::Array | Kind::Boolean | Kind::Null | Kind::Missing => Err(data(format!(
                "Invalid type for Decimal, underlying representation should be numeric or bytes but was {}",
                kind.name()
            ))),
        }
    }
}

/// The values of the fields of a struct that were found so far.
struct FieldsFound<'s> {
    schema: &'s Schema,
    /// Null where nothing was found.
    values: Vec<Value>,
    /// Fields that became null although something was found. Hardly ever one.
    null: Vec<usize>,
    /// Members mostly come in the order of the fields.
    next: usize,
}

impl<'s> FieldsFound<'s> {
    fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            values: vec![Value::Null; schema.fields().len()],
            null: Vec::new(),
            next: 0,
        }
    }

    fn find(&mut self, name: &str) -> Option<usize> {
        let index = match self.schema.fields().get(self.next) {
            Some(field) if field.name.as_ref() == name => self.next,
            _ => self.schema.field(name)?.index,
        };
        self.next = index + 1;
        Some(index)
    }

    fn set(&mut self, index: usize, value: Option<Value>) {
        self.null.retain(|&null| null != index);
        if value.as_ref().is_some_and(Value::is_null) {
            self.null.push(index);
        }
        self.values[index] = value.unwrap_or_default();
    }

    fn is_missing(&self, index: usize) -> bool {
        self.values[index].is_null() && !self.null.contains(&index)
    }
}

fn decimal_of_text(schema: &Schema, text: &str) -> Result<Value, ConnectorError> {
    let bytes = base64_text::decode(text)
        .map_err(|cause| ConnectorError::data("the text is no Base64").with_source(cause))?;
    if bytes.is_empty() {
        return Err(ConnectorError::data("the text has no bytes of a number"));
    }
    let scale = logical::decimal_scale(schema)?;
    Ok(Value::Decimal(towpath_connect::Decimal::from_bytes(
        &bytes, scale,
    )))
}

fn wrong_number(logical: &str, wanted: &str, kind: Kind) -> ReadError {
    data(format!(
        "Invalid type for {logical}, underlying representation should be {wanted} but was {}",
        kind.name()
    ))
}

fn data(message: String) -> ReadError {
    ReadError::Data(ConnectorError::data(message))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Java narrows by dropping the high bits"
)]
fn narrow(kind: Type, bits: i64) -> Value {
    match kind {
        Type::Int8 => Value::Int8(bits as i8),
        Type::Int16 => Value::Int16(bits as i16),
        Type::Int32 => Value::Int32(bits as i32),
        _ => Value::Int64(bits),
    }
}

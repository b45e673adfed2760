//! JSON text as a value and its schema: bare, in an envelope of `schema` and `payload`, or with a schema that the
//! configuration fixes.

use bytestring::ByteString;
use towpath_connect::{ConnectorError, Result, SchemaAndValue, SchemaRef};

use super::cursor::Cursor;
use super::directed::Directed;
use super::kind::{Kind, ReadError};
use super::schema_cache::SchemaCache;
use super::settings::Settings;
use super::{schema_reader, schemaless};

const SCHEMA: &str = "schema";
const PAYLOAD: &str = "payload";
/// The message for a text that is no JSON; what is wrong with it is the cause.
pub(super) const NO_JSON: &str =
    "Converting byte[] to Kafka Connect data failed due to serialization error: ";

/// Reads records.
#[derive(Debug)]
pub(super) struct Reader {
    form: Form,
    replace_null_with_default: bool,
    schemas: SchemaCache,
}

/// What the text of a record consists of.
#[derive(Debug)]
enum Form {
    Schemaless,
    Envelope,
    /// A payload of this schema.
    Fixed(SchemaRef),
}

type Read<T> = std::result::Result<T, ReadError>;

impl Reader {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let replace_null_with_default = settings.replace_null_with_default;
        let content = settings.schema_content.as_deref().unwrap_or_default();
        let form = if !settings.schemas_enable {
            Form::Schemaless
        } else if content.is_empty() {
            Form::Envelope
        } else {
            fixed_schema(content, replace_null_with_default)?.map_or(Form::Envelope, Form::Fixed)
        };
        Ok(Self {
            form,
            replace_null_with_default,
            schemas: SchemaCache::new(settings.schemas_cache_size),
        })
    }

    pub(super) fn read(&mut self, text: &ByteString) -> Result<SchemaAndValue> {
        let mut cursor = Cursor::new(text);
        let read = match &self.form {
            Form::Schemaless => schemaless_root(&mut cursor),
            Form::Fixed(schema) => fixed_root(&mut cursor, schema, self.replace_null_with_default),
            Form::Envelope => match self.canonical_envelope(&mut cursor) {
                Some(read) => return Ok(read),
                None => self.any_envelope(&mut Cursor::new(text)),
            },
        };
        read.map_err(|error| match error {
            ReadError::Data(error) => error,
            ReadError::Syntax(cause) => ConnectorError::data(NO_JSON).with_source(cause),
        })
    }

    /// Reads an envelope of one schema and then one payload in one pass; `None` if it is anything else, or wrong.
    fn canonical_envelope(&mut self, cursor: &mut Cursor<'_>) -> Option<SchemaAndValue> {
        if !cursor.eat(b'{') || cursor.member_name().ok()? != SCHEMA {
            return None;
        }
        cursor.skip_blanks();
        let schema = self.schema(cursor).ok()?;
        if !cursor.eat(b',') || cursor.member_name().ok()? != PAYLOAD {
            return None;
        }
        let value = Directed::new(cursor, self.replace_null_with_default)
            .value(schema.as_ref())
            .ok()?;
        cursor.eat(b'}').then_some(SchemaAndValue { schema, value })
    }

    /// Reads an envelope whose members come in any order and number: the last of a name counts.
    fn any_envelope(&mut self, cursor: &mut Cursor<'_>) -> Read<SchemaAndValue> {
        let kind = if cursor.is_blank() {
            Kind::Missing
        } else {
            cursor.kind()?
        };
        let (mut schema_at, mut payload_at, mut others) = (None, None, false);
        match kind {
            Kind::Missing => {}
            Kind::Object => cursor.object::<ReadError>(|cursor, name| {
                match name.as_ref() {
                    SCHEMA => schema_at = Some(cursor.position()),
                    PAYLOAD => payload_at = Some(cursor.position()),
                    _ => others = true,
                }
                Ok(cursor.skip()?)
            })?,
            _ => {
                cursor.skip()?;
                cursor.check_root_ended(kind)?;
            }
        }
        let (Some(schema_at), Some(payload_at), false) = (schema_at, payload_at, others) else {
            return Err(ConnectorError::data(
                "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain \
                 additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in \
                 your converter configuration.",
            )
            .into());
        };
        let mut schema_cursor = cursor.at(schema_at);
        schema_cursor.skip_blanks();
        let schema = self.schema(&mut schema_cursor)?;
        let value = Directed::new(&mut cursor.at(payload_at), self.replace_null_with_default)
            .value(schema.as_ref())?;
        Ok(SchemaAndValue { schema, value })
    }

    /// Reads the schema that begins here.
    fn schema(&mut self, cursor: &mut Cursor<'_>) -> Read<Option<SchemaRef>> {
        if let Some((length, schema)) = self.schemas.last_in(cursor.rest()) {
            cursor.advance(length);
            return Ok(Some(schema));
        }
        let start = cursor.position();
        cursor.skip()?;
        let text = cursor.since(start);
        if let Some(schema) = self.schemas.get(text) {
            return Ok(Some(schema));
        }
        let schema = schema_reader::read(&mut cursor.at(start), self.replace_null_with_default)?;
        if let Some(schema) = &schema {
            self.schemas.put(text, schema);
        }
        Ok(schema)
    }
}

fn schemaless_root(cursor: &mut Cursor<'_>) -> Read<SchemaAndValue> {
    if cursor.is_blank() {
        return Ok(SchemaAndValue::default());
    }
    let kind = cursor.kind()?;
    let value = schemaless::read(cursor)?;
    cursor.check_root_ended(kind)?;
    Ok(SchemaAndValue { schema: None, value })
}

fn fixed_root(
    cursor: &mut Cursor<'_>,
    schema: &SchemaRef,
    replace_null_with_default: bool,
) -> Read<SchemaAndValue> {
    let kind = if cursor.is_blank() {
        Kind::Missing
    } else {
        cursor.clone().skip()?;
        cursor.kind()?
    };
    let value = Directed::new(cursor, replace_null_with_default).value_of_kind(schema, kind)?;
    cursor.check_root_ended(kind)?;
    Ok(SchemaAndValue {
        schema: Some(SchemaRef::clone(schema)),
        value,
    })
}

fn fixed_schema(content: &str, replace_null_with_default: bool) -> Result<Option<SchemaRef>> {
    let text = ByteString::from(content);
    let mut cursor = Cursor::new(&text);
    schema_reader::read(&mut cursor, replace_null_with_default).map_err(|error| match error {
        ReadError::Data(error) => error,
        ReadError::Syntax(cause) => {
            ConnectorError::data("Failed to parse schema in converter config due to serialization error: ")
                .with_source(cause)
        }
    })
}

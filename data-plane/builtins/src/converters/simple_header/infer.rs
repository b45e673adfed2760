//! What a text means: a boolean, number, date or time, an array or map of them, or just text.

use bytestring::ByteString;
use towpath_connect::{Map, Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Type, Value};

use super::align::{Common, align};
use super::scalar::{self, Temporals};
use super::tokens::{Tokens, is_blank, trim};

/// How deep arrays and maps may be nested; deeper is text.
const MAX_DEPTH: usize = 200;

/// A value and its schema; the schema of null is none.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) schema: Option<SchemaRef>,
    pub(super) value: Value,
}

impl Typed {
    pub(super) fn of(schema: SchemaRef, value: Value) -> Self {
        Self {
            schema: Some(schema),
            value,
        }
    }

    fn boolean(value: bool) -> Self {
        Self::of(Schema::required(Type::Boolean), Value::Boolean(value))
    }

    fn null() -> Self {
        Self {
            schema: None,
            value: Value::Null,
        }
    }
}

/// The rules, with the formats of dates.
#[derive(Debug)]
pub(super) struct Inference {
    temporals: Temporals,
}

impl Inference {
    pub(super) fn new() -> Self {
        Self {
            temporals: Temporals::new(),
        }
    }

    /// What `text` means; `None` if it is just text.
    pub(super) fn infer(&self, text: &ByteString) -> Option<SchemaAndValue> {
        let typed = word(trim(text)).or_else(|| {
            let mut parser = Parser {
                tokens: Tokens::new(text),
                temporals: &self.temporals,
            };
            parser.whole()
        })?;
        Some(SchemaAndValue {
            schema: typed.schema,
            value: typed.value,
        })
    }
}

fn word(text: &str) -> Option<Typed> {
    match text {
        "null" => Some(Typed::null()),
        "true" => Some(Typed::boolean(true)),
        "false" => Some(Typed::boolean(false)),
        _ => None,
    }
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    temporals: &'a Temporals,
}

impl Parser<'_> {
    fn whole(&mut self) -> Option<Typed> {
        let start = self.tokens.mark();
        if let Some(container) = self.container(0) {
            return Some(container);
        }
        self.tokens.rewind(start);
        self.number_or_temporal()
    }

    /// An element of an array, a key or a value of a map. `None`: the text around it is just text.
    fn embedded(&mut self, depth: usize) -> Option<Typed> {
        if self.tokens.take("\"") {
            return Some(self.quoted());
        }
        for literal in ["null", "true", "false"] {
            if self.tokens.take(literal) {
                return word(literal);
            }
        }
        let start = self.tokens.mark();
        if let Some(container) = self.container(depth) {
            return Some(container);
        }
        self.tokens.rewind(start);
        self.number_or_temporal()
    }

    fn container(&mut self, depth: usize) -> Option<Typed> {
        if depth >= MAX_DEPTH {
            return None;
        }
        if self.tokens.take("[") {
            self.array(depth + 1)
        } else if self.tokens.take("{") {
            self.map(depth + 1)
        } else {
            None
        }
    }

    fn number_or_temporal(&mut self) -> Option<Typed> {
        let token = self.tokens.next();
        if is_blank(token) {
            return None;
        }
        let token = trim(token);
        if !token.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
            return None;
        }
        if token.starts_with(['+', '-']) {
            return scalar::number(token);
        }
        self.temporal(token).or_else(|| scalar::number(token))
    }

    /// Times have colons in them, which divide them into five tokens.
    fn temporal(&mut self, token: &str) -> Option<Typed> {
        let after_token = self.tokens.mark();
        if let Some(rest) = self.tokens.next_many(4)
            && let Some(temporal) = self.temporals.parse(&format!("{token}{rest}"))
        {
            return Some(temporal);
        }
        self.tokens.rewind(after_token);
        self.temporals.parse(token)
    }

    /// Text in quotes, whose opening one was taken. Escapes stay in it. It may be a date or time.
    fn quoted(&mut self) -> Typed {
        let mut content = String::new();
        while self.tokens.has_next() && !self.tokens.take_exactly("\"") {
            content.push_str(self.tokens.next());
        }
        self.temporals
            .parse(&content)
            .unwrap_or_else(|| Typed::of(Schema::required(Type::String), Value::String(content.into())))
    }

    fn array(&mut self, depth: usize) -> Option<Typed> {
        let mut elements = Vec::new();
        let mut common = Common::default();
        while self.tokens.has_next() {
            if self.tokens.take("]") {
                let schema = common.schema();
                if let Some(schema) = &schema {
                    elements = elements
                        .into_iter()
                        .map(|element| align(schema, element))
                        .collect::<Option<_>>()?;
                }
                let schema = SchemaBuilder::untyped(Type::Array, None, schema).build().ok()?;
                return Some(Typed::of(schema, Value::Array(elements)));
            }
            if self.tokens.take(",") {
                return None;
            }
            let element = self.embedded(depth)?;
            common.merge(element.schema);
            elements.push(element.value);
            let after_element = self.tokens.mark();
            if self.tokens.take("]") {
                self.tokens.rewind(after_element);
            } else if !self.tokens.take(",") {
                return None;
            }
        }
        None
    }

    fn map(&mut self, depth: usize) -> Option<Typed> {
        let mut entries = Map::new();
        let (mut keys, mut values) = (Common::default(), Common::default());
        while self.tokens.has_next() {
            if self.tokens.take("}") {
                return typed_map(entries, keys.schema(), values.schema());
            }
            if self.tokens.take(",") {
                return None;
            }
            let key = self.embedded(depth)?;
            if key.value.is_null() || !self.tokens.take(":") {
                return None;
            }
            let value = self.embedded(depth)?;
            keys.merge(key.schema);
            values.merge(value.schema);
            entries.insert(key.value, value.value);
            self.tokens.take(",");
        }
        None
    }
}

/// A map whose keys and values have the common schemas, if they have any. Without one of keys there is none of values.
fn typed_map(entries: Map, keys: Option<SchemaRef>, values: Option<SchemaRef>) -> Option<Typed> {
    let values = values.filter(|_| keys.is_some());
    let fit = |schema: &Option<SchemaRef>, value| match schema {
        Some(schema) => align(schema, value),
        None => Some(value),
    };
    let entries = entries
        .into_iter()
        .map(|(key, value)| Some((fit(&keys, key)?, fit(&values, value)?)))
        .collect::<Option<Map>>()?;
    let schema = SchemaBuilder::untyped(Type::Map, keys, values).build().ok()?;
    Some(Typed::of(schema, Value::Map(entries)))
}

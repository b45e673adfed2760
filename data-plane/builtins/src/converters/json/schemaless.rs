//! JSON text without a schema as values: whole numbers become INT64, other numbers FLOAT64.

use towpath_connect::{Map, Value};

use super::cursor::Cursor;
use super::kind::{Kind, SyntaxError};

/// An array or object whose end was not reached yet.
enum Open {
    Array(Vec<Value>),
    /// The members so far and the name of the next.
    Object(Vec<(Value, Value)>, Value),
}

/// Reads a value. Nested values are kept on a list rather than the stack, so that depth costs memory only.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Value, SyntaxError> {
    let mut open: Vec<Open> = Vec::new();
    loop {
        let value = match cursor.kind()? {
            Kind::Object if cursor.open(b'}', open.len())? => Value::Map(Map::new()),
            Kind::Object => {
                let name = Value::String(cursor.member_name_slice()?);
                open.push(Open::Object(Vec::new(), name));
                continue;
            }
            Kind::Array if cursor.open(b']', open.len())? => Value::Array(Vec::new()),
            Kind::Array => {
                open.push(Open::Array(Vec::new()));
                continue;
            }
            Kind::String => Value::String(cursor.string()?),
            Kind::Number => {
                let number = cursor.number()?;
                if number.is_integral() {
                    Value::Int64(number.low_bits())
                } else {
                    Value::Float64(number.double())
                }
            }
            Kind::Boolean => Value::Boolean(cursor.boolean()?),
            Kind::Null | Kind::Missing => {
                cursor.null()?;
                Value::Null
            }
        };
        if let Some(whole) = close(cursor, &mut open, value)? {
            return Ok(whole);
        }
    }
}

/// Adds a value to what is open, and closes what ends there; the whole value when nothing is open any more.
fn close(cursor: &mut Cursor<'_>, open: &mut Vec<Open>, value: Value) -> Result<Option<Value>, SyntaxError> {
    let mut value = value;
    loop {
        match open.last_mut() {
            None => return Ok(Some(value)),
            Some(Open::Array(elements)) => {
                elements.push(value);
                if !cursor.closed(b']')? {
                    return Ok(None);
                }
            }
            Some(Open::Object(members, name)) => {
                members.push((std::mem::take(name), value));
                if !cursor.closed(b'}')? {
                    *name = Value::String(cursor.member_name_slice()?);
                    return Ok(None);
                }
            }
        }
        value = match open.pop() {
            Some(Open::Array(elements)) => Value::Array(elements),
            Some(Open::Object(members, _)) => Value::Map(Map::from_entries(members)),
            None => Value::Null,
        };
    }
}

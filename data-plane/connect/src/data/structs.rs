//! Structs: values with named fields.

use std::sync::Arc;

use crate::data::{Field, SchemaRef, Type, Value, validate};
use crate::error::{ConnectorError, Result};

/// A value of a struct schema. Fields are positional: `values[field.index]`.
#[derive(Clone, Debug)]
pub struct Struct {
    schema: SchemaRef,
    values: Vec<Value>,
}

impl Struct {
    /// A struct with every field null.
    ///
    /// # Errors
    /// `Data` when the schema is no struct schema.
    pub fn new(schema: SchemaRef) -> Result<Self> {
        if schema.kind() != Type::Struct {
            return Err(ConnectorError::data(format!("Not a struct schema: {schema}")));
        }
        let values = vec![Value::Null; schema.fields().len()];
        Ok(Self { schema, values })
    }

    /// A struct of these values, one for each field in order. The values are not validated: the fast way for a source
    /// that built the schema itself.
    ///
    /// # Errors
    /// `Bug` when the number of values differs from the number of fields.
    pub fn of(schema: SchemaRef, values: Vec<Value>) -> Result<Self> {
        if values.len() != schema.fields().len() {
            return Err(ConnectorError::bug(format!(
                "a struct of {} fields was given {} values",
                schema.fields().len(),
                values.len()
            )));
        }
        Ok(Self { schema, values })
    }

    /// The schema of this struct.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The stored values in field order, defaults not applied.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The stored values in field order, without a copy.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// The value of the field with this index; the field's default when the stored value is null.
    ///
    /// # Panics
    /// When there is no such field; indexes come from the struct's own schema.
    pub fn get_at(&self, index: usize) -> &Value {
        let value = &self.values[index];
        match (value, self.schema.fields()[index].schema.default_value()) {
            (Value::Null, Some(default)) => default,
            _ => value,
        }
    }

    /// The value of a field by name; the field's default when the stored value is null.
    ///
    /// # Errors
    /// `Data` when there is no such field.
    pub fn get(&self, name: &str) -> Result<&Value> {
        Ok(self.get_at(self.lookup(name)?.index))
    }

    /// The stored value of a field, null if it was not set.
    ///
    /// # Errors
    /// `Data` when there is no such field.
    pub fn get_without_default(&self, name: &str) -> Result<&Value> {
        Ok(&self.values[self.lookup(name)?.index])
    }

    /// [`Struct::get`] of a field that has to be of this type.
    ///
    /// # Errors
    /// `Data` when there is no such field or it is of another type.
    pub fn get_of_type(&self, name: &str, kind: Type) -> Result<&Value> {
        let field = self.lookup(name)?;
        if field.schema.kind() != kind {
            return Err(ConnectorError::data(format!(
                "Field '{name}' is not of type {kind}"
            )));
        }
        Ok(self.get_at(field.index))
    }

    /// Sets a field after checking the value against the field's schema.
    ///
    /// # Errors
    /// `Data` when there is no such field or the value does not fit it.
    pub fn put(&mut self, name: &str, value: Value) -> Result<&mut Self> {
        let (index, schema) = {
            let field = self.lookup(name)?;
            (field.index, Arc::clone(&field.schema))
        };
        validate::named(&validate::Place::Field(name), &schema, &value)?;
        self.values[index] = value;
        Ok(self)
    }

    /// Checks that every required field has a value that fits.
    ///
    /// # Errors
    /// `Data` naming the first field that does not fit.
    pub fn validate(&self) -> Result<()> {
        for field in self.schema.fields() {
            validate::named(
                &validate::Place::Field(&field.name),
                &field.schema,
                &self.values[field.index],
            )?;
        }
        Ok(())
    }

    fn lookup(&self, name: &str) -> Result<&Field> {
        self.schema
            .field(name)
            .ok_or_else(|| ConnectorError::data(format!("{name} is not a valid field name")))
    }
}

impl PartialEq for Struct {
    fn eq(&self, other: &Self) -> bool {
        crate::Schema::same(&self.schema, &other.schema) && self.values == other.values
    }
}

#[cfg(test)]
mod tests;

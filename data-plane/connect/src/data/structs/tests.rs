//! Structs.

use super::*;
use crate::data::{Schema, SchemaBuilder, java_text};

fn row_schema() -> SchemaRef {
    let with_default = SchemaBuilder::new(Type::String)
        .optional()
        .default_value("dy".into())
        .build()
        .unwrap();
    SchemaBuilder::new_struct()
        .field("a", Schema::optional(Type::Int32))
        .field("b", with_default)
        .build()
        .unwrap()
}

#[test]
fn a_default_stands_for_null_unless_it_is_asked_for_without() {
    let mut row = Struct::new(row_schema()).unwrap();
    assert_eq!(row.get("b").unwrap(), &Value::from("dy"));
    assert_eq!(row.get_without_default("b").unwrap(), &Value::Null);
    row.put("b", "x".into()).unwrap();
    assert_eq!(row.get("b").unwrap(), &Value::from("x"));
    assert_eq!(
        row.get("zz").unwrap_err().message(),
        "zz is not a valid field name"
    );
}

#[test]
fn a_field_of_another_type_is_not_given() {
    let mut row = Struct::new(row_schema()).unwrap();
    row.put("a", Value::Int32(1)).unwrap();
    assert_eq!(row.get_of_type("a", Type::Int32).unwrap(), &Value::Int32(1));
    let error = row.get_of_type("b", Type::Int32).unwrap_err();
    assert_eq!(error.message(), "Field 'b' is not of type INT32");
}

#[test]
fn only_a_struct_schema_makes_a_struct() {
    let error = Struct::new(Schema::required(Type::String)).unwrap_err();
    assert_eq!(error.message(), "Not a struct schema: Schema{STRING}");
    assert!(
        Struct::of(row_schema(), vec![Value::Null]).is_err(),
        "a value for each field"
    );
}

#[test]
fn a_struct_prints_without_its_nulls() {
    let mut row = Struct::new(row_schema()).unwrap();
    row.put("a", Value::Int32(1)).unwrap();
    assert_eq!(java_text::to_string(&Value::Struct(row.clone())), "Struct{a=1}");
    row.put("b", "x".into()).unwrap();
    assert_eq!(java_text::to_string(&Value::Struct(row)), "Struct{a=1,b=x}");
}

#[test]
fn structs_are_equal_when_schema_and_values_are() {
    let row = |value| Struct::of(row_schema(), vec![Value::Int32(value), Value::Null]).unwrap();
    assert_eq!(row(1), row(1));
    assert_ne!(row(1), row(2));
}

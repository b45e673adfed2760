//! Structs and maps.

use proptest::prelude::*;

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

#[test]
fn a_map_keeps_the_place_of_a_key_that_is_set_again() {
    let mut map = Map::new();
    assert_eq!(map.insert("a".into(), Value::Int8(1)), None);
    map.insert("b".into(), Value::Int8(2));
    assert_eq!(map.insert("a".into(), Value::Int8(3)), Some(Value::Int8(1)));
    let entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    assert_eq!(
        entries,
        [("a".into(), Value::Int8(3)), ("b".into(), Value::Int8(2))]
    );
    assert_eq!(map.remove("a"), Some(Value::Int8(3)));
    assert_eq!((map.get("a"), map.len()), (None, 1));
}

proptest! {
    #[test]
    fn a_map_of_many_entries_is_built_as_one_of_few(keys in prop::collection::vec((0..60_i64, any::<bool>()), 0..200)) {
        let entry = |index: usize, key: i64, is_text: bool| {
            let key = if is_text { Value::from(key.to_string().as_str()) } else { Value::Int64(key) };
            (key, Value::Int64(i64::try_from(index).unwrap()))
        };
        let entries: Vec<_> = keys.iter().enumerate().map(|(index, (key, text))| entry(index, *key, *text)).collect();
        let collected: Map = entries.clone().into_iter().collect();
        let mut inserted = Map::new();
        for (key, value) in entries {
            inserted.insert(key, value);
        }
        let list = |map: &Map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect::<Vec<_>>();
        prop_assert_eq!(list(&collected), list(&inserted));
    }

    #[test]
    fn the_order_of_a_map_does_not_matter_for_equality(mut keys in prop::collection::hash_set(any::<i32>(), 0..40)) {
        let forward: Vec<i32> = keys.drain().collect();
        let map = |keys: &mut dyn Iterator<Item = &i32>| keys.map(|k| (Value::Int32(*k), Value::Null)).collect::<Map>();
        let (a, b) = (map(&mut forward.iter()), map(&mut forward.iter().rev()));
        prop_assert_eq!(&a, &b);
        if let Some(key) = forward.first() {
            let mut other = a.clone();
            other.insert(Value::Int32(*key), Value::Boolean(true));
            prop_assert_ne!(a, other);
        }
    }
}

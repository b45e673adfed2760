//! The mapping of each type of §7 of the connector's contract.

use towpath_connect::SchemaBuilder;

use super::*;

#[test]
fn every_type_has_its_mapping() {
    let keyword =
        json!({ "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } });
    let cases = [
        (Schema::required(Type::Boolean), json!({ "type": "boolean" })),
        (Schema::required(Type::Int8), json!({ "type": "byte" })),
        (Schema::required(Type::Int16), json!({ "type": "short" })),
        (Schema::optional(Type::Int32), json!({ "type": "integer" })),
        (Schema::required(Type::Int64), json!({ "type": "long" })),
        (Schema::required(Type::Float32), json!({ "type": "float" })),
        (Schema::required(Type::Float64), json!({ "type": "double" })),
        (Schema::required(Type::String), keyword.clone()),
        (Schema::required(Type::Bytes), json!({ "type": "binary" })),
        (logical::date().build().unwrap(), json!({ "type": "date" })),
        (logical::time().build().unwrap(), json!({ "type": "date" })),
        (
            logical::timestamp().optional().build().unwrap(),
            json!({ "type": "date" }),
        ),
        (logical::decimal(3).build().unwrap(), json!({ "type": "double" })),
        (
            SchemaBuilder::array(Schema::required(Type::Int32))
                .build()
                .unwrap(),
            json!({ "type": "integer" }),
        ),
        (
            SchemaBuilder::map(Schema::required(Type::String), Schema::required(Type::Int32))
                .build()
                .unwrap(),
            json!({ "properties": { "key": keyword, "value": { "type": "integer" } } }),
        ),
    ];
    for (schema, expected) in cases {
        let whole = SchemaBuilder::new_struct()
            .field("f", schema.clone())
            .build()
            .unwrap();
        assert_eq!(
            of_schema(&whole).unwrap(),
            json!({ "properties": { "f": expected } }),
            "{schema}"
        );
    }
}

#[test]
fn defaults_stand_for_null_but_not_in_texts_and_bytes() {
    let number = SchemaBuilder::new(Type::Int32)
        .default_value(Value::Int32(7))
        .build()
        .unwrap();
    let date = logical::timestamp()
        .default_value(Value::Instant(5))
        .build()
        .unwrap();
    let text = SchemaBuilder::new(Type::String)
        .default_value("x".into())
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .field("n", number)
        .field("d", date)
        .field("t", text)
        .build()
        .unwrap();
    let mapping = of_schema(&schema).unwrap();
    assert_eq!(
        mapping["properties"]["n"],
        json!({ "type": "integer", "null_value": 7 })
    );
    assert_eq!(
        mapping["properties"]["d"],
        json!({ "type": "date", "null_value": 5 })
    );
    assert_eq!(mapping["properties"]["t"]["null_value"], Json::Null);
}

#[test]
fn a_value_that_is_no_document_has_no_mapping() {
    let error = of_schema(&Schema::required(Type::String)).unwrap_err();
    assert!(error.to_string().contains("the value is a STRING"), "{error}");
}

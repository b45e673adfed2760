//! The small converters, row by row of the contract.

use bytes::Bytes;
use towpath_connect::{Schema, SchemaAndValue, SchemaBuilder, SchemaRef, Struct, Type, Value};

use super::*;

fn new<C>(make: impl Fn(&ConfigMap, ConverterRole) -> Result<C>, config: &[(&str, &str)]) -> C {
    make(&config.iter().copied().collect(), ConverterRole::Value).unwrap()
}

fn read(converter: &mut impl Converter, bytes: Option<&[u8]>) -> std::result::Result<SchemaAndValue, String> {
    let bytes = bytes.map(Bytes::copy_from_slice);
    converter
        .to_connect("t", bytes.as_ref())
        .map_err(|error| error.message().to_owned())
}

fn write(
    converter: &mut impl Converter,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> std::result::Result<Option<Vec<u8>>, String> {
    let written = converter.from_connect("t", schema, value);
    written
        .map(|bytes| bytes.map(|bytes| bytes.to_vec()))
        .map_err(|error| error.message().to_owned())
}

fn of(kind: Type, value: Value) -> SchemaAndValue {
    SchemaAndValue {
        schema: Some(Schema::optional(kind)),
        value,
    }
}

fn bytes(bytes: &'static [u8]) -> Value {
    Value::Bytes(Bytes::from_static(bytes))
}

#[test]
fn string_converter_writes_javas_text() {
    let mut converter = new(StringConverter::new, &[]);
    let row = SchemaBuilder::new_struct()
        .field("a", Schema::required(Type::Int32))
        .build()
        .unwrap();
    let row = Struct::of(row, vec![Value::Int32(1)]).unwrap();
    let map = [
        ("a".into(), Value::Int32(1)),
        ("b".into(), Value::Array(vec!["x".into()])),
    ];
    for (value, expected) in [
        (Value::Null, None),
        ("é".into(), Some("é")),
        (Value::Int32(5), Some("5")),
        (Value::Float64(1.0), Some("1.0")),
        (Value::Struct(row), Some("Struct{a=1}")),
        (Value::Map(map.into_iter().collect()), Some("{a=1, b=[x]}")),
        (Value::Instant(0), Some("Thu Jan 01 00:00:00 UTC 1970")),
    ] {
        let expected = expected.map(|text| text.as_bytes().to_vec());
        assert_eq!(write(&mut converter, None, &value), Ok(expected), "{value:?}");
    }
}

#[test]
fn string_converter_reads_optional_text() {
    let mut converter = new(StringConverter::new, &[]);
    assert_eq!(read(&mut converter, None), Ok(of(Type::String, Value::Null)));
    assert_eq!(read(&mut converter, Some(b"")), Ok(of(Type::String, "".into())));
    assert_eq!(
        read(&mut converter, Some("é".as_bytes())),
        Ok(of(Type::String, "é".into()))
    );
    assert_eq!(
        read(&mut converter, Some(b"a\xffb")),
        Ok(of(Type::String, "a\u{fffd}b".into()))
    );
}

#[test]
fn text_passes_through_string_converter_without_a_copy() {
    let mut converter = new(StringConverter::new, &[]);
    let bytes = Bytes::from_static(b"some text");
    let read = converter.to_connect("t", Some(&bytes)).unwrap().value;
    let written = converter.from_connect("t", None, &read).unwrap().unwrap();
    assert_eq!(written.as_ptr(), bytes.as_ptr());
}

#[test]
fn string_converter_knows_javas_standard_character_sets() {
    for (encoding, text, bytes, back) in [
        ("ISO-8859-1", "aé€", &b"a\xe9?"[..], "aé?"),
        ("latin1", "é", b"\xe9", "é"),
        ("US-ASCII", "aé", b"a?", "a?"),
        ("UTF-16", "a😀", b"\xfe\xff\0a\xd8\x3d\xde\0", "a😀"),
        ("UTF-16BE", "é", b"\0\xe9", "é"),
        ("utf-16le", "é", b"\xe9\0", "é"),
        ("utf8", "é", "é".as_bytes(), "é"),
    ] {
        let mut converter = new(StringConverter::new, &[("converter.encoding", encoding)]);
        assert_eq!(
            write(&mut converter, None, &text.into()),
            Ok(Some(bytes.to_vec())),
            "{encoding}"
        );
        assert_eq!(
            read(&mut converter, Some(bytes)),
            Ok(of(Type::String, back.into())),
            "{encoding}"
        );
    }
    let mut utf16 = new(StringConverter::new, &[("converter.encoding", "UTF-16")]);
    assert_eq!(
        read(&mut utf16, Some(b"\xff\xfea\0")),
        Ok(of(Type::String, "a".into()))
    );
    assert_eq!(
        read(&mut utf16, Some(b"\0a\0")),
        Ok(of(Type::String, "a\u{fffd}".into()))
    );
    let mut ascii = new(StringConverter::new, &[("converter.encoding", "US-ASCII")]);
    assert_eq!(
        read(&mut ascii, Some(b"a\xe9")),
        Ok(of(Type::String, "a\u{fffd}".into()))
    );
}

#[test]
fn a_character_set_that_nobody_knows_fails_the_records() {
    let mut converter = new(StringConverter::new, &[("converter.encoding", "KLINGON")]);
    let serialize = "Failed to serialize to a string: ".to_owned();
    assert_eq!(write(&mut converter, None, &"x".into()), Err(serialize));
    assert_eq!(
        read(&mut converter, Some(b"x")),
        Err("Failed to deserialize string: ".to_owned())
    );
    assert_eq!(write(&mut converter, None, &Value::Null), Ok(None));
    assert_eq!(read(&mut converter, None), Ok(of(Type::String, Value::Null)));
}

#[test]
fn byte_array_converter_passes_bytes_through() {
    let mut converter = new(ByteArrayConverter::new, &[]);
    let schema = Schema::required(Type::Bytes);
    for schema in [None, Some(&schema)] {
        assert_eq!(
            write(&mut converter, schema, &bytes(&[1, 2])),
            Ok(Some(vec![1, 2]))
        );
        assert_eq!(write(&mut converter, schema, &Value::Null), Ok(None));
    }
    assert_eq!(read(&mut converter, None), Ok(of(Type::Bytes, Value::Null)));
    assert_eq!(read(&mut converter, Some(b"")), Ok(of(Type::Bytes, bytes(b""))));
    assert_eq!(
        read(&mut converter, Some(b"\0\xff")),
        Ok(of(Type::Bytes, bytes(b"\0\xff")))
    );
    assert_eq!(
        write(&mut converter, Some(&Schema::required(Type::String)), &"x".into()),
        Err("Invalid schema type for ByteArrayConverter: STRING".to_owned())
    );
    assert_eq!(
        write(&mut converter, None, &"x".into()),
        Err("ByteArrayConverter is not compatible with objects of type class java.lang.String".to_owned())
    );
}

#[test]
fn number_converters_write_big_endian_and_read_it_back() {
    for (kind, value, expected, schema_type) in [
        (
            NumberKind::Short,
            Value::Int16(-2),
            &[0xff, 0xfe][..],
            Type::Int16,
        ),
        (NumberKind::Integer, Value::Int32(258), &[0, 0, 1, 2], Type::Int32),
        (NumberKind::Long, Value::Int64(-1), &[0xff; 8], Type::Int64),
        (
            NumberKind::Float,
            Value::Float32(1.0),
            &[0x3f, 0x80, 0, 0],
            Type::Float32,
        ),
        (
            NumberKind::Double,
            Value::Float64(1.0),
            &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
            Type::Float64,
        ),
    ] {
        let mut converter = new(|config, role| NumberConverter::new(kind, config, role), &[]);
        // The schema is not looked at.
        let schema = Schema::required(Type::String);
        assert_eq!(
            write(&mut converter, Some(&schema), &value),
            Ok(Some(expected.to_vec()))
        );
        assert_eq!(read(&mut converter, Some(expected)), Ok(of(schema_type, value)));
        assert_eq!(write(&mut converter, None, &Value::Null), Ok(None));
        assert_eq!(read(&mut converter, None), Ok(of(schema_type, Value::Null)));
    }
}

#[test]
fn number_converters_refuse_other_types_and_lengths() {
    for (kind, name) in [
        (NumberKind::Short, "short"),
        (NumberKind::Integer, "integer"),
        (NumberKind::Long, "long"),
        (NumberKind::Float, "float"),
        (NumberKind::Double, "double"),
    ] {
        let mut converter = new(|config, role| NumberConverter::new(kind, config, role), &[]);
        assert_eq!(
            write(&mut converter, None, &Value::Int8(1)),
            Err(format!(
                "Failed to serialize to {name} (was class java.lang.Byte): "
            ))
        );
        for bad in [&b""[..], b"123", b"123456789"] {
            assert_eq!(
                read(&mut converter, Some(bad)),
                Err(format!("Failed to deserialize {name}: "))
            );
        }
    }
}

#[test]
fn boolean_converter_writes_one_byte() {
    let mut converter = new(BooleanConverter::new, &[]);
    let schema = Schema::optional(Type::Boolean);
    for (value, byte) in [(true, 1), (false, 0)] {
        assert_eq!(
            write(&mut converter, Some(&schema), &Value::Boolean(value)),
            Ok(Some(vec![byte]))
        );
        assert_eq!(
            read(&mut converter, Some(&[byte])),
            Ok(of(Type::Boolean, Value::Boolean(value)))
        );
    }
    assert_eq!(write(&mut converter, None, &Value::Null), Ok(None));
    assert_eq!(read(&mut converter, None), Ok(of(Type::Boolean, Value::Null)));
    for bad in [&[2][..], &[], &[0, 0]] {
        assert_eq!(
            read(&mut converter, Some(bad)),
            Err("Failed to deserialize boolean: ".to_owned())
        );
    }
    assert_eq!(
        write(
            &mut converter,
            Some(&Schema::required(Type::String)),
            &Value::Boolean(true)
        ),
        Err("Invalid schema type for BooleanConverter: STRING".to_owned())
    );
    assert_eq!(
        write(&mut converter, None, &"x".into()),
        Err("BooleanConverter is not compatible with objects of type class java.lang.String".to_owned())
    );
}

#[test]
fn a_converter_of_values_converts_headers_alike() {
    let mut headers = AsHeaderConverter::new(new(StringConverter::new, &[]));
    let written = headers
        .from_connect_header("t", "h", None, &Value::Int32(5))
        .unwrap();
    assert_eq!(written.as_deref(), Some(&b"5"[..]));
    let read = headers.to_connect_header("t", "h", written.as_ref()).unwrap();
    assert_eq!(read, of(Type::String, "5".into()));
}

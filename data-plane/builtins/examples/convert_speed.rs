//! How long the converters take for one record, in nanoseconds of one busy core: `cargo run --release --example
//! convert_speed [part of a name]`.
#![expect(clippy::print_stdout, reason = "a table on the terminal is all it is for")]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use towpath_builtins::converters::{JsonConverter, StringConverter};
use towpath_connect::data::logical;
use towpath_connect::{
    ConfigMap, Converter, ConverterRole, Result, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value,
};

/// A round is so short that on a busy machine some round is not disturbed.
const RECORDS: u32 = 20_000;
const ROUNDS: usize = 200;

fn main() -> Result<()> {
    let text =
        "a line of a log file, of one hundred bytes, without anything in it that has to be escaped in JSON..";
    let string = (Some(Schema::required(Type::String)), Value::from(text));
    let row = row()?;
    for (name, (schema, value)) in [("string of 98 bytes", string), ("struct of 10 fields", row)] {
        let string_converter = StringConverter::new(&ConfigMap::new(), ConverterRole::Value)?;
        measure(
            &format!("{name}: StringConverter"),
            string_converter,
            schema.as_ref(),
            &value,
        )?;
        for enable in ["false", "true"] {
            let config = [("schemas.enable", enable)].into_iter().collect();
            let json = JsonConverter::new(&config, ConverterRole::Value)?;
            measure(
                &format!("{name}: JsonConverter, schemas {enable}"),
                json,
                schema.as_ref(),
                &value,
            )?;
        }
    }
    Ok(())
}

/// A row as a table of articles has it.
fn row() -> Result<(Option<SchemaRef>, Value)> {
    let schema = SchemaBuilder::new_struct()
        .name("articles")
        .field("id", Schema::required(Type::Int64))
        .field("title", Schema::required(Type::String))
        .field("author", Schema::optional(Type::String))
        .field("words", Schema::required(Type::Int32))
        .field("rating", Schema::optional(Type::Float64))
        .field("price", logical::decimal(2).optional().build()?)
        .field("published", Schema::required(Type::Boolean))
        .field("created", logical::timestamp().build()?)
        .field("section", Schema::optional(Type::String))
        .field("note", Schema::optional(Type::String))
        .build()?;
    let values = vec![
        Value::Int64(1_234_567),
        "A title of a usual length for an article".into(),
        "Somebody Or-Other".into(),
        Value::Int32(812),
        Value::Float64(4.35),
        Value::Decimal("12.34".parse()?),
        Value::Boolean(true),
        Value::Instant(1_566_570_894_346),
        "news".into(),
        Value::Null,
    ];
    let row = Struct::of(SchemaRef::clone(&schema), values)?;
    Ok((Some(schema), Value::Struct(row)))
}

/// Prints the best of many rounds of writing and of reading what was written.
fn measure(
    name: &str,
    mut converter: impl Converter,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> Result<()> {
    let written = converter.from_connect("t", schema, value)?;
    if std::env::args().skip(1).any(|part| !name.contains(&part)) {
        return Ok(());
    }
    let write = best(|| {
        converter
            .from_connect("t", black_box(schema), black_box(value))
            .map(|_| ())
    })?;
    let read = best(|| converter.to_connect("t", black_box(written.as_ref())).map(|_| ()))?;
    let bytes = written.as_ref().map_or(0, Bytes::len);
    println!("{name:<45} {bytes:>5} bytes   write {write:>7.1} ns   read {read:>7.1} ns");
    Ok(())
}

fn best(mut convert: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..RECORDS {
            convert()?;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(RECORDS));
    }
    Ok(best)
}

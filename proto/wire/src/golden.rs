//! What older processes know of the schema: a field that one of them reads or writes keeps its number and its type, and a
//! method its place. Nodes and workers of two versions talk to each other during an upgrade.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

const KNOWN: &str = include_str!("../testdata/schema-v1.txt");
const OWN: &str = "towpath.v1";

#[test]
fn what_older_processes_know_of_the_schema_stays() {
    let schema = schema();
    let (now, known) = (lines(&schema), lines(KNOWN));
    let changed: Vec<_> = known.difference(&now).collect();
    assert!(
        changed.is_empty(),
        "an older process reads or writes these, which have another number, name or type now or are gone: {changed:#?}"
    );
    let new: Vec<_> = now.difference(&known).collect();
    assert!(
        new.is_empty(),
        "new: add these to testdata/schema-v1.txt: {new:#?}"
    );
}

#[test]
fn a_number_is_given_once() {
    let schema = schema();
    let mut numbers = BTreeSet::new();
    for line in schema.lines().filter(|line| !line.starts_with("rpc ")) {
        let (path, rest) = line.split_once(" = ").unwrap();
        let number = rest.split_whitespace().next().unwrap();
        assert!(
            numbers.insert((path.rsplit_once('.').unwrap().0, number)),
            "{line}"
        );
    }
}

fn lines(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

/// A line for each method, field and value of an enumeration.
fn schema() -> String {
    let set = FileDescriptorSet::decode(crate::FILE_DESCRIPTOR_SET).unwrap();
    let mut out = String::new();
    for file in set.file.iter().filter(|file| file.package() == OWN) {
        for service in &file.service {
            for method in &service.method {
                let (name, method_name) = (service.name(), method.name());
                let stream = |is_stream| if is_stream { "stream " } else { "" };
                let (asks, answers) = (
                    stream(method.client_streaming()),
                    stream(method.server_streaming()),
                );
                let (input, output) = (method.input_type(), method.output_type());
                writeln!(
                    out,
                    "rpc {name}.{method_name}({asks}{input}) returns ({answers}{output})"
                )
                .unwrap();
            }
        }
        file.message_type
            .iter()
            .for_each(|message| of_message(&mut out, "", message));
        file.enum_type
            .iter()
            .for_each(|values| of_enum(&mut out, "", values));
    }
    out
}

fn of_message(out: &mut String, within: &str, message: &DescriptorProto) {
    let path = format!("{within}{}", message.name());
    for field in &message.field {
        writeln!(
            out,
            "{path}.{} = {} {}",
            field.name(),
            field.number(),
            type_of(field)
        )
        .unwrap();
    }
    let inner = format!("{path}.");
    message
        .nested_type
        .iter()
        .for_each(|nested| of_message(out, &inner, nested));
    message
        .enum_type
        .iter()
        .for_each(|values| of_enum(out, &inner, values));
}

fn of_enum(out: &mut String, within: &str, values: &EnumDescriptorProto) {
    for value in &values.value {
        writeln!(
            out,
            "{within}{}.{} = {}",
            values.name(),
            value.name(),
            value.number()
        )
        .unwrap();
    }
}

fn type_of(field: &FieldDescriptorProto) -> String {
    let kind = match field.r#type() {
        Type::Message | Type::Enum => field.type_name().to_owned(),
        scalar => format!("{scalar:?}").to_lowercase(),
    };
    let repeated = if field.label() == Label::Repeated {
        "repeated "
    } else {
        ""
    };
    format!("{repeated}{kind}")
}

//! What `-o` chooses: tables and sentences, JSON, or YAML.

mod java_json;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::printer::Printer;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    #[value(alias = "text")]
    Table,
    Json,
    Yaml,
}

/// Prints documents of one format, one after the other.
#[derive(Debug)]
pub(crate) struct Documents<'a> {
    printer: &'a Printer,
    format: Format,
    printed: usize,
}

impl<'a> Documents<'a> {
    pub(crate) fn new(printer: &'a Printer, format: Format) -> Self {
        Self {
            printer,
            format,
            printed: 0,
        }
    }

    pub(crate) fn print(&mut self, document: &impl Serialize) {
        let value = serde_json::to_value(document).expect("what kcctl shows has texts as keys");
        if self.format == Format::Yaml {
            if self.printed > 0 {
                self.printer.line("---");
            }
            let text = serde_yaml_ng::to_string(&yaml(value)).expect("a tree of plain values can be written");
            self.printer.line(text.trim_end());
        } else {
            self.printer.line(&java_json::pretty(&value));
        }
        self.printed += 1;
    }
}

/// One document.
pub(crate) fn print(printer: &Printer, format: Format, document: &impl Serialize) {
    Documents::new(printer, format).print(document);
}

/// As JSON in the layout of `-o json`, for files.
pub(crate) fn pretty_json(value: &Value) -> String {
    java_json::pretty(value)
}

/// What a command has done: a sentence at once for each thing, or one document with all of it at the end.
#[derive(Debug)]
pub(crate) struct Outcomes<'a> {
    printer: &'a Printer,
    format: Format,
    done: Vec<Value>,
}

impl<'a> Outcomes<'a> {
    pub(crate) fn new(printer: &'a Printer, format: Format) -> Self {
        Self {
            printer,
            format,
            done: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, sentence: &str, outcome: Value) {
        if self.format == Format::Table {
            self.printer.note(sentence);
        } else {
            self.done.push(outcome);
        }
    }

    /// To be called also when something went wrong on the way.
    pub(crate) fn finish(self) {
        if self.format != Format::Table {
            print(self.printer, self.format, &self.done);
        }
    }
}

/// `serde_json` keeps numbers as their text, which only its own serializer understands.
fn yaml(value: Value) -> serde_yaml_ng::Value {
    use serde_yaml_ng::Value as Yaml;
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(value),
        Value::String(value) => Yaml::String(value),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => Yaml::Number(number.into()),
            (_, Some(number), _) => Yaml::Number(number.into()),
            (_, _, Some(number)) => Yaml::Number(number.into()),
            (None, None, None) => Yaml::String(number.to_string()),
        },
        Value::Array(items) => Yaml::Sequence(items.into_iter().map(yaml).collect()),
        Value::Object(members) => Yaml::Mapping(
            members
                .into_iter()
                .map(|(key, value)| (Yaml::String(key), yaml(value)))
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_keeps_numbers_as_numbers_and_texts_as_texts() {
        let value: Value = serde_json::from_str(r#"{"a":1,"b":"1","c":-2,"d":1.5,"e":[null,true]}"#).unwrap();
        let text = serde_yaml_ng::to_string(&yaml(value)).unwrap();
        assert_eq!(text, "a: 1\nb: '1'\nc: -2\nd: 1.5\ne:\n- null\n- true\n");
    }
}

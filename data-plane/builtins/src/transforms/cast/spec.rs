//! What is to be cast to what.

use indexmap::IndexMap;
use towpath_connect::Type;
use towpath_connect::config_def::{ConfigValue, invalid};

const TARGETS: [Type; 8] = [
    Type::Int8,
    Type::Int16,
    Type::Int32,
    Type::Int64,
    Type::Float32,
    Type::Float64,
    Type::Boolean,
    Type::String,
];

/// The casts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spec {
    Whole(Type),
    Fields(IndexMap<String, Type>),
}

impl Spec {
    /// Reads the list of casts; an error has Kafka Connect's words.
    pub(super) fn parse(key: &str, value: &ConfigValue) -> Result<Self, String> {
        let ConfigValue::List(mappings) = value else {
            return Err(nothing());
        };
        let (mut whole, mut fields) = (None, IndexMap::new());
        for mapping in mappings {
            // Colons at the end do not count.
            let parts: Vec<&str> = mapping.trim_end_matches(':').split(':').collect();
            match parts[..] {
                [kind] => whole = Some(target(kind.trim())?),
                [field, kind] => {
                    fields.insert(field.trim().to_owned(), target(kind.trim())?);
                }
                // Kafka Connect names the key of another transform here.
                _ => {
                    let problem = format!("Invalid rename mapping: {mapping}");
                    return Err(invalid("renames", value, &problem));
                }
            }
        }
        match whole {
            Some(_) if mappings.len() > 1 => Err(format!(
                "Cast transformations that specify a type to cast the entire value to may only specify a single cast in \
                 their {key}"
            )),
            Some(target) => Ok(Self::Whole(target)),
            None if fields.is_empty() => Err(nothing()),
            None => Ok(Self::Fields(fields)),
        }
    }
}

/// The validator of the key.
pub(super) fn check(key: &str, value: &ConfigValue) -> Result<(), String> {
    Spec::parse(key, value).map(|_| ())
}

fn nothing() -> String {
    "Must specify at least one field to cast.".to_owned()
}

fn target(name: &str) -> Result<Type, String> {
    let upper = name.to_uppercase();
    if let Some(target) = TARGETS.into_iter().find(|target| target.name() == upper) {
        return Ok(target);
    }
    if matches!(upper.as_str(), "BYTES" | "ARRAY" | "MAP" | "STRUCT") {
        let targets: Vec<&str> = TARGETS.iter().map(|target| target.name()).collect();
        return Err(format!(
            "Cast transformation does not support casting to {upper}; supported types are [{}]",
            targets.join(", ")
        ));
    }
    // The odd text is Kafka Connect's, and people search for it.
    Err(format!(
        "Invalid value java.lang.IllegalArgumentException: No enum constant \
         org.apache.kafka.connect.data.Schema.Type.{upper} for configuration Invalid type found in casting spec: {name}"
    ))
}

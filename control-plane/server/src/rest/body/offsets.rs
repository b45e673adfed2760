//! The body of `PATCH /connectors/{c}/offsets`. Partitions and offsets are the connector's: they are handed on as they are.

use serde_json::value::RawValue;

use super::{BodyError, Kind, Object, kind, object, parse};
use crate::app::OffsetView;

const KNOWN: &str = r#"1 known property: "offsets""#;
const KNOWN_OF_ENTRY: &str = r#"2 known properties: "partition", "offset""#;
const NULL: &str = "null";

/// Nothing if the body names no offsets: that is refused with the others' mistakes.
pub(crate) fn offsets(body: &[u8]) -> Result<Vec<OffsetView>, BodyError> {
    let mut entries = Vec::new();
    for (member, value) in object(body)? {
        if member != "offsets" {
            return Err(BodyError::UnknownField {
                field: member,
                known: KNOWN,
            });
        }
        entries = match kind(&value) {
            Kind::Null => Vec::new(),
            Kind::Array => parse::<Vec<Box<RawValue>>>(value.get().as_bytes())?,
            other => {
                return Err(BodyError::WrongType {
                    key: member,
                    expected: "a JSON array",
                    found: other.words(),
                });
            }
        };
    }
    entries.iter().map(|entry| offset(entry)).collect()
}

fn offset(entry: &RawValue) -> Result<OffsetView, BodyError> {
    let kind = kind(entry);
    let Kind::Object = kind else {
        return Err(BodyError::NoOffset { found: kind.words() });
    };
    let (mut partition, mut offset) = (None, None);
    for (member, value) in parse::<Object>(entry.get().as_bytes())? {
        match member.as_str() {
            "partition" => partition = object_or_null(member, &value)?,
            "offset" => offset = object_or_null(member, &value)?,
            _ => {
                return Err(BodyError::UnknownField {
                    field: member,
                    known: KNOWN_OF_ENTRY,
                });
            }
        }
    }
    Ok(OffsetView {
        partition: partition.unwrap_or_else(|| NULL.to_owned()),
        offset,
    })
}

fn object_or_null(member: String, value: &RawValue) -> Result<Option<String>, BodyError> {
    match kind(value) {
        Kind::Null => Ok(None),
        Kind::Object => Ok(Some(value.get().to_owned())),
        other => Err(BodyError::WrongType {
            key: member,
            expected: "a JSON object",
            found: other.words(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(String, Option<String>)> {
        let entries = offsets(body.as_bytes()).unwrap();
        entries
            .into_iter()
            .map(|entry| (entry.partition, entry.offset))
            .collect()
    }

    fn refused(body: &str) -> String {
        offsets(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn partitions_and_offsets_are_handed_on_as_written() {
        let body = r#"{"offsets":[{"partition":{"b":1, "a":2},"offset":{"n":1.50}},{"offset":null},{"partition":null}]}"#;
        assert_eq!(
            read(body),
            [
                (r#"{"b":1, "a":2}"#.to_owned(), Some(r#"{"n":1.50}"#.to_owned())),
                ("null".to_owned(), None),
                ("null".to_owned(), None),
            ]
        );
    }

    #[test]
    fn a_body_may_name_no_offsets_so_that_this_is_said_in_the_words_of_kafka_connect() {
        for body in ["{}", r#"{"offsets":null}"#, r#"{"offsets":[]}"#] {
            assert!(read(body).is_empty(), "{body}");
        }
    }

    #[test]
    fn what_has_another_form_is_refused_in_words_that_clients_look_for() {
        for (body, expected) in [
            (
                "[]",
                "Cannot deserialize value: expected a JSON object but got an array",
            ),
            ("", "The request body is missing or null"),
            (
                r#"{"offsets":{}}"#,
                "Cannot deserialize value of key 'offsets': expected a JSON array but got an object",
            ),
            (
                r#"{"offsets":[{"partition":[]}]}"#,
                "Cannot deserialize value of key 'partition': expected a JSON object but got an array",
            ),
            (
                r#"{"offsets":[{"partition":{},"offset":7}]}"#,
                "Cannot deserialize value of key 'offset': expected a JSON object but got a number",
            ),
            (
                r#"{"key":[]}"#,
                r#"Unrecognized field "key" (1 known property: "offsets")"#,
            ),
            (
                r#"{"offsets":[{"key":"v"}]}"#,
                r#"Unrecognized field "key" (2 known properties: "partition", "offset")"#,
            ),
            (
                r#"{"offsets":[123]}"#,
                "Cannot construct instance of an entry of 'offsets': expected a JSON object but got a number",
            ),
            (
                r#"{"offsets":[null]}"#,
                "Cannot construct instance of an entry of 'offsets': expected a JSON object but got null",
            ),
        ] {
            assert_eq!(refused(body), expected, "{body}");
        }
    }
}

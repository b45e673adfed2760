//! Makes two answers comparable: what differs from cluster to cluster becomes a constant, on both sides.

use serde_json::{Map, Value};

use super::wanted::Body;

const RECORDED_BASE_URL: &str = "http://worker-1:8083";
const RECORDED_FOLDER: &str = "/data";

/// Names that the recorded server could not delete.
const UNDELETABLE: &[&str] = &["with/slash", "with%percent"];
/// Lists that hold the names above.
const LISTS: &[u32] = &[87, 88, 89, 90, 91, 92, 216, 221];
/// Lists of plugins: only those that both sides have.
const PLUGIN_LISTS: &[u32] = &[6, 7, 8];
/// Answers that depend on the data that was written: only their shape counts.
const SHAPES: &[u32] = &[97, 98, 107, 108, 138, 162, 180];
/// Read right after the creation: tasks may be there or not yet.
const TASKS_IN_THE_MAKING: &[u32] = &[63, 72, 75, 84];
/// Recorded between the failure of the task that got the only partition and that of the one that got it next.
const ONE_FAILED: u32 = 212;
/// Maps that Kafka Connect keeps unordered (`contract/rest-api.md` section 1): the config of these answers.
const UNORDERED_CONFIG: &[u32] = &[63, 72, 75, 84, 89, 90, 93, 94, 96, 103, 104, 106, 128, 129];

/// A message with a map in it.
const MAP_IN_MESSAGE: u32 = 54;
/// The methods of a path.
const METHODS: u32 = 214;
/// The whole body is a config.
const CONFIGS: &[u32] = &[94, 104, 129];

#[derive(Debug)]
pub(super) struct Normalizer {
    base_url: String,
    folder: String,
}

impl Normalizer {
    pub(super) fn new(base_url: &str, folder: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            folder: folder.to_owned(),
        }
    }

    /// A text of the server in the words of the recording.
    pub(super) fn text(&self, text: &str) -> String {
        text.replace(&self.base_url, RECORDED_BASE_URL)
            .replace(&self.folder, RECORDED_FOLDER)
    }

    pub(super) fn compare(&self, n: u32, expected: &Body, got: &Value) -> Result<(), String> {
        let expected = match expected {
            Body::Same(value) => value,
            Body::ErrorLike { status, prefix } => return error_like(*status, prefix, got),
            Body::Named(name) if got["name"] == **name && got["config"]["name"] == **name => return Ok(()),
            Body::Named(name) => return Err(format!("body: expected the entity {name:?}, got {got}")),
        };
        let (mut expected, mut got) = (expected.clone(), self.in_recorded_words(got));
        prepare(n, &mut expected, &mut got);
        level(&mut expected);
        level(&mut got);
        keep_common_recommendations(&mut expected, &mut got);
        if expected != got {
            return Err(format!("body: expected {expected}\n           got {got}"));
        }
        if LISTS.contains(&n) {
            return Ok(());
        }
        same_order(
            &expected,
            &got,
            &Place {
                n,
                is_config: CONFIGS.contains(&n),
            },
        )
    }

    fn in_recorded_words(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.in_recorded_words(item)).collect(),
            Value::Object(members) => {
                let members = members
                    .iter()
                    .map(|(key, member)| (self.text(key), self.in_recorded_words(member)));
                Value::Object(members.collect())
            }
            other => other.clone(),
        }
    }
}

fn error_like(status: u16, prefix: &str, got: &Value) -> Result<(), String> {
    let message = got["message"].as_str().unwrap_or_default();
    if got["error_code"] == status && message.starts_with(prefix) {
        Ok(())
    } else {
        Err(format!(
            "body: expected error {status} with {prefix:?}…, got {got}"
        ))
    }
}

/// What is particular to a line.
fn prepare(n: u32, expected: &mut Value, got: &mut Value) {
    if LISTS.contains(&n) {
        drop_names(expected);
        sort(expected);
        sort(got);
    }
    if PLUGIN_LISTS.contains(&n) {
        keep_common_plugins(expected, got);
    }
    if n == MAP_IN_MESSAGE {
        sort_parts(&mut expected["message"]);
        sort_parts(&mut got["message"]);
    }
    if n == METHODS {
        sort_parts(expected);
        sort_parts(got);
    }
    if SHAPES.contains(&n) {
        (*expected, *got) = (shape(expected), shape(got));
    }
    if TASKS_IN_THE_MAKING.contains(&n) {
        for side in [&mut *expected, &mut *got] {
            side["tasks"] = Value::Null;
        }
    }
    if n == ONE_FAILED {
        for side in [expected, got] {
            side["tasks"] = one_failed(&side["tasks"]);
        }
    }
}

/// Makes texts whose parts have no order comparable: `{k=v, …}` of a map, methods of a path.
fn sort_parts(value: &mut Value) {
    let text = value.as_str().unwrap_or_default();
    let (before, rest) = text.split_once('{').unwrap_or(("", text));
    let (inside, after) = rest.rsplit_once('}').unwrap_or((rest, ""));
    let mut parts: Vec<&str> = inside.split(", ").collect();
    parts.sort_unstable();
    *value = format!("{before}{}{after}", parts.join(", ")).into();
}

fn one_failed(tasks: &Value) -> Value {
    let states = tasks.as_array().into_iter().flatten().map(|task| &task["state"]);
    Value::String(format!(
        "of {} tasks one FAILED: {}",
        states.clone().count(),
        states.clone().any(|s| s == "FAILED")
    ))
}

fn drop_names(value: &mut Value) {
    match value {
        Value::Array(names) => names.retain(|name| !UNDELETABLE.iter().any(|gone| name == gone)),
        Value::Object(entries) => entries.retain(|name, _| !UNDELETABLE.contains(&name.as_str())),
        _ => {}
    }
}

fn sort(value: &mut Value) {
    if let Value::Array(items) = value {
        items.sort_by_key(ToString::to_string);
    }
}

fn keep_common_plugins(expected: &mut Value, got: &mut Value) {
    let id = |plugin: &Value| (plugin["class"].to_string(), plugin["type"].to_string());
    let ids = |list: &Value| list.as_array().into_iter().flatten().map(id).collect::<Vec<_>>();
    let (known, offered) = (ids(expected), ids(got));
    for (side, other) in [(expected, offered), (got, known)] {
        if let Value::Array(plugins) = side {
            plugins.retain(|plugin| other.contains(&id(plugin)));
        }
    }
}

/// Types instead of values; a list is as its first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
        Value::Array(_) => "list".into(),
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), shape(member)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// What differs from server to server, and from run to run.
fn level(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(level),
        Value::Object(members) => {
            members.shift_remove("towpath_version");
            level_plugin_version(members);
            for (key, member) in members.iter_mut() {
                level_member(key, member);
            }
        }
        _ => {}
    }
}

fn level_member(key: &str, member: &mut Value) {
    let constant = match key {
        "worker_id" | "version" | "commit" | "kafka_cluster_id" | "documentation" => key,
        "trace" => "trace",
        "last_modified" => {
            *member = Value::Null;
            return;
        }
        _ => return level(member),
    };
    if member.is_string() {
        *member = constant.into();
    }
}

/// `*.plugin.version`, in the definition and in the value.
fn level_plugin_version(members: &mut Map<String, Value>) {
    let is_version = members
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| name.ends_with(".plugin.version"));
    if !is_version {
        return;
    }
    for key in ["default_value", "value"] {
        if let Some(Value::String(text)) = members.get_mut(key) {
            *text = "version".to_owned();
        }
    }
    if let Some(Value::Array(versions)) = members.get_mut("recommended_values")
        && !versions.is_empty()
    {
        *versions = vec!["version".into()];
    }
}

/// A server need not have every plugin.
fn keep_common_recommendations(expected: &mut Value, got: &mut Value) {
    match (expected, got) {
        (Value::Array(expected), Value::Array(got)) => {
            for (one, other) in expected.iter_mut().zip(got) {
                keep_common_recommendations(one, other);
            }
        }
        (Value::Object(expected), Value::Object(got)) => {
            for (key, one) in expected.iter_mut() {
                let Some(other) = got.get_mut(key) else { continue };
                match (key.as_str(), one, other) {
                    ("recommended_values", Value::Array(one), Value::Array(other)) => {
                        let (known, offered) = (one.clone(), other.clone());
                        one.retain(|value| offered.contains(value));
                        other.retain(|value| known.contains(value));
                    }
                    (_, one, other) => keep_common_recommendations(one, other),
                }
            }
        }
        _ => {}
    }
}

#[derive(Clone, Copy)]
struct Place {
    n: u32,
    is_config: bool,
}

/// The members of equal values in the same order, where Kafka Connect has one.
fn same_order(expected: &Value, got: &Value, place: &Place) -> Result<(), String> {
    match (expected, got) {
        (Value::Array(expected), Value::Array(got)) => expected
            .iter()
            .zip(got)
            .try_for_each(|(one, other)| same_order(one, other, place)),
        (Value::Object(expected), Value::Object(got)) => {
            let is_free = place.is_config && UNORDERED_CONFIG.contains(&place.n);
            if !is_free && !expected.keys().eq(got.keys()) {
                let (expected, got): (Vec<_>, Vec<_>) = (expected.keys().collect(), got.keys().collect());
                return Err(format!("order of members: expected {expected:?}, got {got:?}"));
            }
            expected.iter().try_for_each(|(key, one)| {
                // Offsets are maps of the connector.
                if key == "partition" || key == "offset" {
                    return Ok(());
                }
                same_order(
                    one,
                    &got[key],
                    &Place {
                        n: place.n,
                        is_config: key == "config",
                    },
                )
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compare(n: u32, expected: Value, got: &Value) -> Result<(), String> {
        Normalizer::new("http://127.0.0.1:9", "/tmp/x").compare(n, &Body::Same(expected), got)
    }

    #[test]
    fn what_differs_from_server_to_server_is_the_same() {
        let recorded =
            json!({"state": "FAILED", "worker_id": "worker-1:8083", "version": "4.3.1", "trace": "a\n…"});
        let ours = json!({"state": "FAILED", "worker_id": "w:1", "version": "0.1.0", "trace": "other"});
        assert_eq!(compare(95, recorded.clone(), &ours), Ok(()));
        let without_trace = json!({"state": "FAILED", "worker_id": "w:1", "version": "0.1.0"});
        assert!(
            compare(95, recorded, &without_trace).is_err(),
            "a trace that is missing is a difference"
        );
    }

    #[test]
    fn folders_and_the_order_of_members_are_compared() {
        assert_eq!(
            compare(
                38,
                json!({"file": "/data/in.txt"}),
                &json!({"file": "/tmp/x/in.txt"})
            ),
            Ok(())
        );
        let error = compare(38, json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})).unwrap_err();
        assert!(error.starts_with("order of members"), "{error}");
        let config = |one: &str, two: &str| json!({"config": {one: "1", two: "1"}});
        assert_eq!(compare(93, config("a", "b"), &config("b", "a")), Ok(()));
        assert!(compare(38, config("a", "b"), &config("b", "a")).is_err());
    }

    #[test]
    fn names_that_could_not_be_deleted_are_dropped() {
        assert_eq!(
            compare(87, json!(["snk", "with/slash", "src"]), &json!(["src", "snk"])),
            Ok(())
        );
        assert!(compare(87, json!(["snk", "src"]), &json!(["src", "with/slash"])).is_err());
    }

    #[test]
    fn only_plugins_of_both_sides_are_compared() {
        let plugin = |class: &str| json!({"class": class, "type": "sink", "version": "1"});
        let expected = json!([plugin("a"), plugin("mirror"), plugin("c")]);
        assert_eq!(
            compare(
                7,
                expected.clone(),
                &json!([plugin("a"), plugin("b"), plugin("c")])
            ),
            Ok(())
        );
        assert!(
            compare(7, expected, &json!([plugin("c"), plugin("a")])).is_err(),
            "in the same order"
        );
    }
}

//! Replays the recorded requests that validate configurations or show plugins, and compares what Kafka Connect 4.3.1
//! answered: status, values and the order of the members.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use towpath_connect::ConfigMap;
use towpath_runtime::plugin_view::{config_keys, plugin_infos};
use towpath_runtime::validation::{ValidationError, check_requested_type};

use crate::fixture::{self, config, plugins};

const RECORDED: &str = include_str!("../../../../tests/golden/rest-4.3.1.jsonl");

struct Line {
    n: u64,
    method: String,
    path: String,
    body: String,
    status: u64,
    answer: Value,
}

fn lines() -> Vec<Line> {
    let lines = RECORDED.lines().map(|line| {
        let recorded: Value = serde_json::from_str(line).unwrap();
        let (method, path) = recorded["request"].as_str().unwrap().split_once(' ').unwrap();
        Line {
            n: recorded["n"].as_u64().unwrap(),
            method: method.to_owned(),
            path: path.to_owned(),
            body: recorded["request_body"].as_str().unwrap_or_default().to_owned(),
            status: recorded["status"].as_u64().unwrap(),
            answer: recorded["body"].clone(),
        }
    });
    lines.collect()
}

fn error(status: u64, message: &str) -> (u64, Value) {
    (status, json!({"error_code": status, "message": message}))
}

fn refused(refusal: &ValidationError) -> (u64, Value) {
    error(u64::from(refusal.status()), &refusal.to_string())
}

/// `PUT /connector-plugins/{plugin}/config/validate`.
fn validated(plugin: &str, submitted: &ConfigMap) -> (u64, Value) {
    let answer = check_requested_type(submitted, plugin)
        .and_then(|()| fixture::run(submitted, submitted, &fixture::worker()));
    match answer {
        Ok(validation) => (200, serde_json::to_value(&validation.infos).unwrap()),
        Err(refusal) => refused(&refusal),
    }
}

/// What creating or changing a connector answers when its configuration is refused.
fn refusal(submitted: &ConfigMap) -> Option<(u64, Value)> {
    match fixture::run(submitted, submitted, &fixture::worker()) {
        Ok(validation) => validation.infos.refusal().map(|message| error(400, &message)),
        Err(refusal) => Some(refused(&refusal)),
    }
}

/// Where Kafka Connect's answer is a defect, the one that is wanted.
fn wanted(line: &Line) -> (u64, Value) {
    let mut answer = line.answer.clone();
    let mut status = line.status;
    if let Some(message) = answer["message"].as_str() {
        let message = message
            .trim_start_matches("org.apache.kafka.connect.runtime.rest.errors.BadRequestException: ")
            .trim_start_matches("org.apache.kafka.connect.errors.ConnectException: ")
            .to_owned();
        if status == 500 {
            status = 400;
            answer["error_code"] = json!(400);
        }
        answer["message"] = json!(message);
    }
    (status, answer)
}

/// Takes out what may differ: documentation, and plugins that only one side has.
fn normalized(mut answer: Value, common: &BTreeSet<String>) -> Value {
    restrict(&mut answer, common);
    answer
}

fn restrict(value: &mut Value, common: &BTreeSet<String>) {
    match value {
        Value::Object(object) => restrict_object(object, common),
        Value::Array(items) => {
            items.retain(|item| item["class"].as_str().is_none_or(|class| common.contains(class)));
            items.iter_mut().for_each(|item| restrict(item, common));
        }
        _ => {}
    }
}

fn restrict_object(object: &mut Map<String, Value>, common: &BTreeSet<String>) {
    for (key, value) in object.iter_mut() {
        match (key.as_str(), &mut *value) {
            ("documentation", _) => *value = json!("…"),
            ("recommended_values", Value::Array(offered)) => offered.retain(|offered| {
                let offered = offered.as_str().unwrap();
                // Else a version.
                !offered.starts_with(char::is_alphabetic) || common.contains(offered)
            }),
            ("message", Value::String(message)) => {
                const LIST: &str = "available connectors are: ";
                if let Some((start, list)) = message.split_once(LIST) {
                    assert!(list.starts_with("PluginDesc{klass=class "), "{list}");
                    *message = format!("{start}{LIST}");
                }
            }
            _ => restrict(value, common),
        }
    }
}

/// The classes that both sides have.
fn common() -> BTreeSet<String> {
    let recorded = lines().into_iter().find(|line| line.n == 7).unwrap().answer;
    let recorded: BTreeSet<String> = recorded
        .as_array()
        .unwrap()
        .iter()
        .map(|plugin| plugin["class"].as_str().unwrap().to_owned())
        .collect();
    let set = plugins();
    let ours = set.list(false).iter().map(|plugin| plugin.class.to_owned());
    ours.filter(|class| recorded.contains(class)).collect()
}

fn assert_same(line: &Line, ours: (u64, Value), common: &BTreeSet<String>) {
    let (status, answer) = wanted(line);
    assert_eq!(ours.0, status, "status of line {}: {}", line.n, ours.1);
    // As text, so that the order of the members counts.
    let text = |answer| serde_json::to_string_pretty(&normalized(answer, common)).unwrap();
    assert_eq!(text(ours.1), text(answer), "line {}", line.n);
}

#[test]
fn recorded_lists_and_keys_of_plugins_are_the_same() {
    let (common, set) = (common(), plugins());
    let mut replayed = Vec::new();
    for line in lines() {
        if line.method != "GET" || !line.path.starts_with("/connector-plugins") {
            continue;
        }
        let path = line.path.trim_start_matches("/connector-plugins");
        let ours = match path.strip_suffix("/config") {
            Some(plugin) => {
                let plugin = plugin.trim_start_matches('/');
                if line.status == 200 && set.find_any(plugin).is_none() {
                    continue;
                }
                match config_keys(&set, plugin, None) {
                    Ok(keys) => (200, serde_json::to_value(keys).unwrap()),
                    Err(missing) => error(u64::from(missing.status()), &missing.to_string()),
                }
            }
            None => {
                let infos = plugin_infos(&set, !path.contains("connectorsOnly"));
                (200, serde_json::to_value(infos).unwrap())
            }
        };
        assert_same(&line, ours, &common);
        replayed.push(line.n);
    }
    assert_eq!(replayed, [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]);
}

#[test]
fn recorded_validations_are_the_same() {
    let common = common();
    let mut replayed = Vec::new();
    for line in lines() {
        let Some(plugin) = line.path.strip_suffix("/config/validate") else {
            continue;
        };
        let body: Value = serde_json::from_str(&line.body).unwrap();
        if body.as_object().unwrap().values().any(Value::is_object) {
            // A nested value is refused where bodies are read.
            continue;
        }
        let plugin = plugin.trim_start_matches("/connector-plugins/");
        assert_same(&line, validated(plugin, &config(&body)), &common);
        replayed.push(line.n);
    }
    assert_eq!(replayed, (19..=36).collect::<Vec<u64>>());
}

/// The configuration of a recorded request, with the connector's name in it; `None` if the body is refused before it is
/// validated.
fn submitted(line: &Line) -> Option<ConfigMap> {
    let body: Value = serde_json::from_str(&line.body).ok()?;
    let (name, mut object) = if line.path == "/connectors" {
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        (name.trim().to_owned(), body.get("config")?.as_object()?.clone())
    } else {
        let name = line
            .path
            .trim_start_matches("/connectors/")
            .strip_suffix("/config")?;
        (name.to_owned(), body.as_object()?.clone())
    };
    if object.get("name").is_some_and(|known| known != name.as_str()) {
        return None;
    }
    object.insert("name".to_owned(), Value::String(name));
    Some(config(&Value::Object(object)))
}

#[test]
fn recorded_configurations_are_accepted_and_refused_alike() {
    let common = common();
    let (mut accepted, mut rejected) = (0, Vec::new());
    for line in lines() {
        let writes = (line.method == "POST" && line.path == "/connectors")
            || (line.method == "PUT" && line.path.ends_with("/config"));
        let Some(submitted) = submitted(&line).filter(|_| writes) else {
            continue;
        };
        match (line.status, refusal(&submitted)) {
            (200 | 201, None) => accepted += 1,
            (200 | 201, Some(ours)) => panic!("line {} is accepted by Kafka Connect: {}", line.n, ours.1),
            // Known bodies, media types and names that are refused for other reasons than the configuration.
            (_, None) => assert!([39, 49, 50, 51, 55].contains(&line.n), "line {}", line.n),
            (_, Some(ours)) => {
                assert_same(&line, ours, &common);
                rejected.push(line.n);
            }
        }
    }
    assert_eq!(accepted, 15);
    assert_eq!(rejected, [41, 42, 43, 52, 53, 54, 80, 125, 126]);
}

#[test]
fn a_recorded_patch_that_takes_a_required_key_away_is_refused() {
    let recorded = lines();
    let before = recorded.iter().find(|line| line.n == 129).unwrap();
    let patch = recorded.iter().find(|line| line.n == 131).unwrap();
    let mut patched = config(&before.answer);
    patched.remove("topic");
    assert_same(patch, refusal(&patched).unwrap(), &common());
}

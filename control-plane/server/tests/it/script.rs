//! What the scripted workers know: the recorded plugins, validation results, and what tasks do.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use towpath_testkit::replay::{self, Line};
use towpath_types::{ConnectorConfig, ConnectorName};
use towpath_wire::v1;

static RECORDED: LazyLock<Vec<Line>> = LazyLock::new(|| replay::recorded().unwrap());

const VERSION: &str = "4.3.1";
/// A sink task with this file cannot start.
const UNUSABLE_FOLDER: &str = "/no/such/dir";

pub(crate) fn recorded() -> &'static [Line] {
    &RECORDED
}

/// Every plugin of the recorded worker, with the keys that were asked for.
pub(crate) fn plugins() -> Vec<v1::RegisteredPlugin> {
    let listed = RECORDED[7].body.as_array().unwrap();
    let plugin = |plugin: &Value| {
        let class = plugin["class"].as_str().unwrap();
        v1::RegisteredPlugin {
            class: class.to_owned(),
            r#type: plugin["type"].as_str().unwrap().to_owned(),
            version: plugin["version"].as_str().unwrap().to_owned(),
            names: names_of(class),
            keys_json: keys_of(class).to_string(),
        }
    };
    listed.iter().map(plugin).collect()
}

fn names_of(class: &str) -> Vec<String> {
    let simple = class.rsplit('.').next().unwrap_or(class);
    let short = simple.strip_suffix("Connector").unwrap_or(simple);
    vec![class.to_owned(), simple.to_owned(), short.to_owned()]
}

fn keys_of(class: &str) -> Value {
    let is_about = |line: &&Line| {
        let name = line
            .request
            .strip_prefix("GET /connector-plugins/")
            .and_then(|rest| rest.strip_suffix("/config"));
        line.status == 200 && name.is_some_and(|name| names_of(class).iter().any(|own| own == name))
    };
    RECORDED
        .iter()
        .find(is_about)
        .map_or_else(|| json!([]), |line| line.body.clone())
}

fn is_sink(config: &ConnectorConfig) -> bool {
    config
        .get("connector.class")
        .is_some_and(|class| class.contains("Sink"))
}

/// As recorded, if this very configuration was; otherwise the few rules that the tests need.
pub(crate) fn validate(config: &ConnectorConfig) -> v1::ValidationAnswer {
    let kind = if is_sink(config) {
        v1::ConnectorKind::Sink
    } else {
        v1::ConnectorKind::Source
    };
    let class = config.get("connector.class").unwrap_or_default().to_owned();
    let same = |line: &&Line| {
        let body = line.request_body.as_deref().unwrap_or_default();
        line.request.ends_with("/config/validate")
            && line.status == 200
            && serde_json::from_str::<Value>(body).is_ok_and(|body| as_texts(&body) == *config)
    };
    let (result, errors) = match RECORDED.iter().find(same) {
        Some(line) => (line.body.clone(), errors_of(&line.body)),
        None => {
            let errors = mistakes(config);
            let result = json!({"name": class, "error_count": errors.len(), "groups": [], "configs": []});
            (result, errors)
        }
    };
    v1::ValidationAnswer {
        error_count: i32::try_from(result["error_count"].as_i64().unwrap()).unwrap(),
        config_infos_json: result.to_string(),
        errors,
        kind: kind.into(),
        class,
    }
}

fn as_texts(body: &Value) -> ConnectorConfig {
    let mut config = ConnectorConfig::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        match value {
            Value::Null => config.insert_null(key),
            Value::String(text) => config.insert(key, text),
            other => config.insert(key, other.to_string()),
        }
    }
    config
}

fn errors_of(result: &Value) -> Vec<String> {
    let configs = result["configs"].as_array().into_iter().flatten();
    let errors = configs.flat_map(|config| config["value"]["errors"].as_array().into_iter().flatten());
    errors.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn mistakes(config: &ConnectorConfig) -> Vec<String> {
    let mut errors = Vec::new();
    match config.get("name").map(ConnectorName::new) {
        None => errors.push("Missing required configuration \"name\" which has no default value.".to_owned()),
        Some(Err(error)) => {
            let name = config.get("name").unwrap_or_default();
            errors.push(format!("Invalid value {name} for configuration name: {error}"));
        }
        Some(Ok(_)) => {}
    }
    if !is_sink(config) && config.get("topic").is_none() {
        errors.push("Missing required configuration \"topic\" which has no default value.".to_owned());
    }
    errors
}

/// A source has one task, a sink as many as it may have.
pub(crate) fn task_configs(config: &ConnectorConfig) -> Vec<v1::Config> {
    let count = if is_sink(config) {
        config.get("tasks.max").map_or(1, |max| max.parse().unwrap_or(1))
    } else {
        1
    };
    let mut task = config.clone();
    let class = if is_sink(config) {
        "FileStreamSinkTask"
    } else {
        "FileStreamSourceTask"
    };
    task.insert("task.class", format!("org.apache.kafka.connect.file.{class}"));
    let task = Arc::new(task);
    (0..count).map(|_| (&*task).into()).collect()
}

/// What a task that starts reports.
pub(crate) fn task_report(unit: v1::UnitId, epoch: u64, config: &ConnectorConfig) -> v1::UnitReport {
    let file = config.get("file").unwrap_or_default();
    let trace = if file.starts_with(UNUSABLE_FOLDER) {
        Some(format!(
            "org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file '{file}'"
        ))
    } else if config
        .get("value.converter")
        .is_some_and(|converter| converter.contains("Json"))
    {
        Some(
            "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler"
                .to_owned(),
        )
    } else {
        None
    };
    let state = if trace.is_some() {
        v1::UnitState::Failed
    } else {
        v1::UnitState::Running
    };
    v1::UnitReport {
        unit: Some(unit),
        epoch,
        state: state.into(),
        trace,
        version: Some(VERSION.to_owned()),
        ended: false,
    }
}

pub(crate) fn group_offsets() -> Vec<v1::Offset> {
    vec![v1::Offset {
        partition_json: r#"{"kafka_partition":0,"kafka_topic":"rec-topic"}"#.to_owned(),
        offset_json: Some(r#"{"kafka_offset":30}"#.to_owned()),
    }]
}

/// Takes every change, as a source that keeps its offsets in Kafka too; a partition with the key `refused` is refused.
pub(crate) fn change_offsets(question: v1::ChangeOffsets) -> v1::worker_answer::Answer {
    use v1::change_offsets::Change;
    use v1::worker_answer::Answer;
    let changes = match question.change.unwrap() {
        Change::Alter(changes) => changes.changes,
        Change::Reset(_) => Vec::new(),
    };
    if changes
        .iter()
        .any(|change| change.partition_json.contains("refused"))
    {
        return Answer::Error(v1::AnswerError {
            status: 500,
            message: "the connector does not like it".to_owned(),
        });
    }
    Answer::OffsetsChanged(v1::OffsetsChanged {
        changes,
        in_kafka: vec!["connect-offsets".to_owned()],
        is_complete: question.kept.is_empty(),
    })
}

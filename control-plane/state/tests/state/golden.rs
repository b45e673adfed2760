//! What is in logs and snapshots of version 1 must stay readable, and must mean the same.

use std::collections::BTreeSet;

use towpath_state::{ClusterState, Command, FORMAT_VERSION, Versioned};

const COMMANDS: &str = include_str!("../golden/commands-v1.jsonl");
const SNAPSHOT: &str = include_str!("../golden/snapshot-v1.json");
/// Written since workers name their process. What is above has no word of it, and must stay readable.
const DRAINED_COMMANDS: &str = include_str!("../golden/drained-commands-v1.jsonl");
const DRAINED_SNAPSHOT: &str = include_str!("../golden/drained-snapshot-v1.json");
/// Written since registrations name what they replace.
const REPLACING_COMMANDS: &str = include_str!("../golden/replacing-commands-v1.jsonl");
const REPLACING_SNAPSHOT: &str = include_str!("../golden/replacing-snapshot-v1.json");
/// Written since it is remembered which offsets are in Kafka.
const KAFKA_COMMANDS: &str = include_str!("../golden/kafka-offsets-commands-v1.jsonl");
const KAFKA_SNAPSHOT: &str = include_str!("../golden/kafka-offsets-snapshot-v1.json");

fn commands(lines: &str) -> Vec<Command> {
    lines
        .lines()
        .map(|line| serde_json::from_str::<Versioned<Command>>(line).expect(line).body)
        .collect()
}

#[test]
fn commands_of_version_1_are_written_as_ever() {
    let lines = [COMMANDS, DRAINED_COMMANDS, REPLACING_COMMANDS, KAFKA_COMMANDS];
    for line in lines.iter().flat_map(|lines| lines.lines()) {
        let command: Versioned<Command> = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&command).unwrap(), line);
    }
}

#[test]
fn every_kind_of_command_is_among_the_golden_ones() {
    let kinds: BTreeSet<&str> = commands(COMMANDS).iter().map(kind).collect();
    assert_eq!(kinds.len(), 17, "{kinds:?}");
}

/// Fails to compile for a new command, which then needs a golden line and one more in the count above.
fn kind(command: &Command) -> &'static str {
    match command {
        Command::PutConnector { .. } => "put_connector",
        Command::DeleteConnector { .. } => "delete_connector",
        Command::SetTargetState { .. } => "set_target_state",
        Command::RestartUnits { .. } => "restart_units",
        Command::RegisterWorker(_) => "register_worker",
        Command::RemoveWorker { .. } => "remove_worker",
        Command::SetDraining { .. } => "set_draining",
        Command::AssignUnits { .. } => "assign_units",
        Command::UnassignUnits { .. } => "unassign_units",
        Command::ReportUnitStates { .. } => "report_unit_states",
        Command::PutTaskConfigs { .. } => "put_task_configs",
        Command::CommitOffsets { .. } => "commit_offsets",
        Command::AlterOffsets { .. } => "alter_offsets",
        Command::ResetOffsets { .. } => "reset_offsets",
        Command::RecordTopics { .. } => "record_topics",
        Command::ResetTopics { .. } => "reset_topics",
        Command::SetLoggerLevel { .. } => "set_logger_level",
    }
}

#[test]
fn the_golden_log_makes_the_golden_snapshot() {
    for (log, snapshot) in [
        (COMMANDS, SNAPSHOT),
        (DRAINED_COMMANDS, DRAINED_SNAPSHOT),
        (REPLACING_COMMANDS, REPLACING_SNAPSHOT),
        (KAFKA_COMMANDS, KAFKA_SNAPSHOT),
    ] {
        let mut state = ClusterState::new();
        for command in commands(log) {
            state
                .apply(&command)
                .unwrap_or_else(|refusal| panic!("{refusal}: {command:?}"));
        }
        assert_eq!(String::from_utf8(state.encode()).unwrap(), snapshot.trim_end());
        assert!(ClusterState::decode(snapshot.as_bytes()).unwrap() == state);
    }
}

#[test]
fn a_snapshot_from_before_exactly_once_sources_is_read() {
    let mut older: serde_json::Value = serde_json::from_str(SNAPSHOT).unwrap();
    let connectors = older["body"]["connectors"].as_object_mut().unwrap();
    for connector in connectors.values_mut() {
        let connector = connector.as_object_mut().unwrap();
        assert!(connector.remove("task_set").is_some() && connector.remove("most_tasks").is_some());
    }
    let state = ClusterState::decode(older.to_string().as_bytes()).unwrap();
    assert_eq!(state.connector("orders").unwrap().most_tasks, 0);
    assert_eq!(state.connector("orders").unwrap().tasks.len(), 3);
}

/// A later minor version may add members, so long as its format is the same.
#[test]
fn members_of_a_later_version_are_skipped() {
    let later = |object: &mut serde_json::Value| {
        if let Some(object) = object.as_object_mut() {
            object.insert(
                "of_a_later_version".to_owned(),
                serde_json::json!([{ "anything": 1 }]),
            );
        }
    };
    for line in COMMANDS.lines() {
        let mut command: serde_json::Value = serde_json::from_str(line).unwrap();
        later(&mut command);
        let kinds = command["body"].as_object_mut().unwrap();
        kinds.values_mut().for_each(later);
        let read: Versioned<Command> = serde_json::from_value(command).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }
    let mut snapshot: serde_json::Value = serde_json::from_str(SNAPSHOT).unwrap();
    later(&mut snapshot);
    later(&mut snapshot["body"]);
    for table in ["connectors", "workers"] {
        let rows = snapshot["body"][table].as_object_mut().unwrap();
        rows.values_mut().for_each(later);
    }
    let read = ClusterState::decode(snapshot.to_string().as_bytes()).unwrap();
    assert_eq!(String::from_utf8(read.encode()).unwrap(), SNAPSHOT.trim_end());
}

#[test]
fn a_newer_version_is_refused_and_says_so() {
    let newer = SNAPSHOT.replacen(&format!(r#"{{"version":{FORMAT_VERSION}"#), r#"{"version":2"#, 1);
    let error = ClusterState::decode(newer.as_bytes()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.starts_with("the format version is 2, but this build reads version 1"),
        "{cause}"
    );
    let line = r#"{"version":2,"body":{"unheard_of":{}}}"#;
    let error = serde_json::from_str::<Versioned<Command>>(line)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("the format version is 2"), "{error}");
}

#[test]
fn a_damaged_snapshot_is_refused() {
    assert!(ClusterState::decode(&SNAPSHOT.as_bytes()[..SNAPSHOT.len() / 2]).is_err());
}

//! The source.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use towpath_connect::config_def::ConfigType;
use towpath_connect::{
    ConfigMap, ErrorKind, ExactlyOnceSupport, Importance, OffsetMap, OffsetReader, OffsetValue, Result,
    Schema, SourceConnector, SourceRecord, SourceTask, SourceTaskContext, Type,
};
use towpath_file::FileStreamSourceConnector;

const DEADLINE: Duration = Duration::from_secs(20);
const WAIT: Duration = Duration::from_millis(50);

struct Stored(Option<OffsetMap>);

#[async_trait]
impl OffsetReader for Stored {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        Ok(vec![self.0.clone(); partitions.len()])
    }
}

fn source_config(file: &Path) -> ConfigMap {
    [
        ("name", "src"),
        ("topic", "lines"),
        ("file", file.to_str().unwrap()),
    ]
    .into_iter()
    .collect()
}

async fn try_source(config: &ConfigMap, stored: Option<OffsetMap>) -> Result<Box<dyn SourceTask>> {
    let mut connector = FileStreamSourceConnector::default();
    connector.start(crate::context(), config).await?;
    let configs = connector.task_configs(7).await?;
    assert_eq!(configs.len(), 1, "a file has one task");
    let mut task = connector.new_task();
    task.start(
        SourceTaskContext::new("src", 0, Arc::new(Stored(stored))),
        &configs[0],
    )
    .await?;
    Ok(task)
}

async fn source(config: &ConfigMap, position: Option<i64>) -> Box<dyn SourceTask> {
    let stored = position.map(|position| OffsetMap::new().with("position", position));
    try_source(config, stored).await.unwrap()
}

/// Polls until there are `count` records.
async fn read(task: &mut Box<dyn SourceTask>, count: usize) -> Vec<SourceRecord> {
    let end = Instant::now() + DEADLINE;
    let mut records = Vec::new();
    while records.len() < count {
        assert!(
            Instant::now() < end,
            "only {} of {count} records came",
            records.len()
        );
        records.extend(task.poll(WAIT).await.unwrap());
    }
    records
}

fn texts(records: &[SourceRecord]) -> Vec<&str> {
    records.iter().map(|r| r.record.value.as_str().unwrap()).collect()
}

fn positions(records: &[SourceRecord]) -> Vec<i64> {
    let position = |r: &SourceRecord| r.source_offset.as_ref().unwrap().get_long("position").unwrap();
    records.iter().map(position).collect()
}

#[tokio::test]
async fn a_line_becomes_a_record_with_its_position_in_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in.txt");
    std::fs::write(&file, "grün\r\nblau\nno end").unwrap();
    let mut task = source(&source_config(&file), None).await;

    let records = read(&mut task, 2).await;
    assert_eq!(texts(&records), ["grün", "blau"]);
    assert_eq!(positions(&records), [7, 12]);
    let first = &records[0];
    let partition = OffsetMap::new().with("filename", file.to_str().unwrap());
    assert_eq!(**first.source_partition.as_ref().unwrap(), partition);
    assert_eq!(&*first.record.topic, "lines");
    assert!(first.record.key.is_null() && first.record.key_schema.is_none());
    assert!(Schema::same(
        first.record.value_schema.as_ref().unwrap(),
        &Schema::required(Type::String)
    ));
    assert_eq!(first.record.partition, None);
    assert!(first.record.timestamp.unwrap() > 1_700_000_000_000);

    assert!(
        task.poll(WAIT).await.unwrap().is_empty(),
        "a line without an end is not given out"
    );
    OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap()
        .write_all(b"ing\n")
        .unwrap();
    assert_eq!(texts(&read(&mut task, 1).await), ["no ending"]);
    task.stop().await;
}

#[tokio::test]
async fn reading_goes_on_at_the_stored_position() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in.txt");
    std::fs::write(&file, "one\ntwo\nthree\n").unwrap();
    let mut task = source(&source_config(&file), Some(4)).await;
    assert_eq!(texts(&read(&mut task, 2).await), ["two", "three"]);
}

#[tokio::test]
async fn a_position_inside_a_character_goes_on_at_the_next_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in.txt");
    std::fs::write(&file, "ää\nnext\n").unwrap();
    let mut task = source(&source_config(&file), Some(3)).await;
    let records = read(&mut task, 1).await;
    assert_eq!((texts(&records), positions(&records)), (vec!["next"], vec![10]));
    // A line of another encoding may begin with such a byte: at the start of a line nothing is left out.
    std::fs::write(&file, b"a\n\xa0b\n").unwrap();
    let mut task = source(&source_config(&file), Some(2)).await;
    assert_eq!(texts(&read(&mut task, 1).await), ["\u{fffd}b"]);
}

#[tokio::test]
async fn a_missing_file_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("later.txt");
    let mut task = source(&source_config(&file), None).await;
    assert!(task.poll(WAIT).await.unwrap().is_empty());
    std::fs::write(&file, "here\n").unwrap();
    assert_eq!(texts(&read(&mut task, 1).await), ["here"]);
}

#[tokio::test]
async fn a_poll_gives_at_most_a_batch_and_a_large_file_comes_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in.txt");
    let lines: Vec<String> = (0..20_000)
        .map(|n| format!("line {n} {}", "x".repeat(n % 90)))
        .collect();
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    let mut config = source_config(&file);
    config.insert("batch.size", "1500");
    let mut task = source(&config, None).await;
    let mut seen = Vec::new();
    while seen.len() < lines.len() {
        let batch = task.poll(WAIT).await.unwrap();
        assert!(
            !batch.is_empty() && batch.len() <= 1500,
            "{} records in a batch",
            batch.len()
        );
        seen.extend(texts(&batch).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_read_without_holding_up_the_runtime() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut task = source(&source_config(&pipe), None).await;
    assert!(task.poll(WAIT).await.unwrap().is_empty(), "nobody writes yet");
    for _ in 0..2 {
        let pipe = pipe.clone();
        let writer = std::thread::spawn(move || {
            File::create(pipe)
                .unwrap()
                .write_all(b"through\nthe\npipe\n")
                .unwrap();
        });
        let records = read(&mut task, 3).await;
        assert_eq!(texts(&records), ["through", "the", "pipe"]);
        writer.join().unwrap();
        let end = task.poll(WAIT).await.unwrap();
        assert!(end.is_empty(), "the end of a pipe is no error");
    }
    assert!(
        task.poll(WAIT).await.unwrap().is_empty(),
        "the end of a pipe is no error"
    );
    task.stop().await;
}

#[tokio::test]
async fn a_stored_position_of_another_type_fails_the_task() {
    let dir = tempfile::tempdir().unwrap();
    let config = source_config(&dir.path().join("in.txt"));
    let stored = OffsetMap::new().with("position", "4");
    let error = try_source(&config, Some(stored)).await.err().unwrap();
    assert_eq!(error.to_string(), "Offset position is the incorrect type");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_fails_the_task() {
    let dir = tempfile::tempdir().unwrap();
    let under_a_file = dir.path().join("plain/in.txt");
    std::fs::write(dir.path().join("plain"), "").unwrap();
    let mut task = source(&source_config(&under_a_file), None).await;
    let error = task.poll(WAIT).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::External);
    assert!(error.to_string().contains("could not be opened"), "{error}");
}

#[tokio::test]
async fn altered_offsets_are_checked() {
    let mut connector = FileStreamSourceConnector::default();
    let config = source_config(Path::new("/x"));
    let partition = OffsetMap::new().with("filename", "/x");
    let mut alter = async |partition: &OffsetMap, offset: Option<OffsetMap>| {
        let outcome = connector
            .alter_offsets(&config, &[(Some(partition.clone()), offset)])
            .await;
        outcome.map_err(|error| error.to_string())
    };
    let position = |value: OffsetValue| Some(OffsetMap::new().with("position", value));
    assert_eq!(alter(&partition, position(OffsetValue::Long(5))).await, Ok(true));
    assert_eq!(
        alter(&OffsetMap::new(), None).await,
        Ok(true),
        "anything may be reset"
    );
    let cases = [
        (
            &partition,
            Some(OffsetMap::new()),
            "Offset objects should either be null or contain the key 'position'",
        ),
        (
            &partition,
            position("a".into()),
            "The value for the 'position' key in the offset is expected to be a Long value",
        ),
        (
            &partition,
            position(OffsetValue::Double(1.5)),
            "The value for the 'position' key in the offset is expected to be a Long value",
        ),
        (
            &partition,
            position(OffsetValue::Long(-1)),
            "The value for the 'position' key in the offset should be a non-negative value",
        ),
        (
            &OffsetMap::new(),
            position(OffsetValue::Long(1)),
            "Partition objects should contain the key 'filename'",
        ),
    ];
    for (partition, offset, message) in cases {
        assert_eq!(alter(partition, offset).await, Err(message.to_owned()));
    }
    let null = [(None, position(OffsetValue::Long(1)))];
    let error = connector.alter_offsets(&config, &null).await.err().unwrap();
    assert_eq!(error.to_string(), "Partition objects cannot be null");
    let stdin: ConfigMap = [("topic", "t")].into_iter().collect();
    let error = connector.alter_offsets(&stdin, &[]).await.err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with("Offsets cannot be modified if the 'file' configuration is unspecified.")
    );
}

#[test]
fn exactly_once_needs_a_file() {
    let connector = FileStreamSourceConnector::default();
    let support = |config: &ConfigMap| connector.exactly_once_support(config).unwrap();
    let file = source_config(Path::new("/x"));
    assert_eq!(support(&file), Some(ExactlyOnceSupport::Supported));
    let stdin: ConfigMap = [("topic", "t"), ("file", "")].into_iter().collect();
    assert_eq!(support(&stdin), Some(ExactlyOnceSupport::Unsupported));
}

fn plugin(class: &str) -> towpath_connect::Plugin {
    towpath_file::plugins()
        .into_iter()
        .find(|plugin| plugin.class.ends_with(class))
        .unwrap()
}

#[test]
fn the_keys_are_those_of_the_contract() {
    let source = plugin("FileStreamSourceConnector");
    assert_eq!(source.version, "4.3.1");
    let def = (source.config_def)();
    let keys: Vec<_> = def
        .keys()
        .iter()
        .map(|k| (k.name.as_str(), k.kind, k.importance))
        .collect();
    assert_eq!(
        keys,
        [
            ("file", ConfigType::String, Importance::High),
            ("topic", ConfigType::String, Importance::High),
            ("batch.size", ConfigType::Int, Importance::Low),
        ]
    );
    let empty: ConfigMap = [("topic", "")].into_iter().collect();
    assert_eq!(
        def.parse(&empty).err().unwrap().to_string(),
        "Invalid value  for configuration topic: String must be non-empty"
    );
    assert_eq!((plugin("FileStreamSinkConnector").config_def)().keys().len(), 1);
}

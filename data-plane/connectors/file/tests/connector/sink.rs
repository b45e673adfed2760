//! The sink.

use std::path::Path;

use bytes::Bytes;
use towpath_connect::{
    ConfigMap, ConnectRecord, Decimal, ErrorKind, Map, Result, Schema, SchemaBuilder, SinkConnector,
    SinkRecord, SinkTask, SinkTaskContext, Struct, TimestampType, TopicPartition, TopicPartitionOffsets,
    Type, Value,
};
use towpath_file::FileStreamSinkConnector;

fn sink_record(value: Value) -> SinkRecord {
    SinkRecord::new(
        ConnectRecord::of_value("t".into(), None, value),
        0,
        1,
        TimestampType::CreateTime,
    )
}

async fn sink(config: &ConfigMap) -> Result<Box<dyn SinkTask>> {
    let mut task = FileStreamSinkConnector::default().new_task();
    task.start(SinkTaskContext::new("snk", 0), config).await?;
    Ok(task)
}

fn sink_config(file: &Path) -> ConfigMap {
    [("file", file.to_str().unwrap())].into_iter().collect()
}

#[tokio::test]
async fn values_are_appended_as_java_prints_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.txt");
    std::fs::write(&file, "before\n").unwrap();
    let schema = SchemaBuilder::new_struct()
        .field("a", Schema::required(Type::Int32))
        .field("b", Schema::optional(Type::String))
        .field("c", Schema::required(Type::String))
        .build()
        .unwrap();
    let inner = Struct::of(schema, vec![Value::Int32(1), Value::Null, Value::from("x")]).unwrap();
    let map: Map = [
        (Value::from("a"), Value::Int64(1)),
        (Value::from("b"), Value::from("x")),
    ]
    .into_iter()
    .collect();
    let values = [
        Value::from("plain ä"),
        Value::Null,
        Value::Struct(inner),
        Value::Map(map),
        Value::Array(vec![Value::Boolean(true), Value::Float64(1.0)]),
        Value::Decimal(Decimal::new(150, 2)),
        Value::Bytes(Bytes::from_static(b"ab")),
    ];
    let records: Vec<SinkRecord> = values.into_iter().map(sink_record).collect();

    let mut task = sink(&sink_config(&file)).await.unwrap();
    task.put(&[]).await.unwrap();
    task.put(&records).await.unwrap();
    let delivered: TopicPartitionOffsets = [(
        TopicPartition {
            topic: "t".into(),
            partition: 0,
        },
        2,
    )]
    .into_iter()
    .collect();
    assert_eq!(task.pre_commit(&delivered).await.unwrap(), delivered);
    task.stop().await;
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        "before\nplain ä\nnull\nStruct{a=1,c=x}\n{a=1, b=x}\n[true, 1.0]\n1.50\n[B@2\n"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn lines_of_several_tasks_stay_whole() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out.txt");
    let mut connector = FileStreamSinkConnector::default();
    connector
        .start(crate::context(), &sink_config(&file))
        .await
        .unwrap();
    let configs = connector.task_configs(3).await.unwrap();
    assert_eq!(configs.len(), 3);
    let mut tasks = tokio::task::JoinSet::new();
    for (number, config) in configs.into_iter().enumerate() {
        tasks.spawn(async move {
            let mut task = sink(&config).await.unwrap();
            for batch in 0..50 {
                let line =
                    |n| sink_record(Value::string(format!("{number}-{batch}-{n}-{}", "y".repeat(200))));
                task.put(&(0..100).map(line).collect::<Vec<_>>()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let content = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<&str> = content.lines().collect();
    assert!(
        lines
            .iter()
            .all(|line| line.ends_with(&format!("-{}", "y".repeat(200))))
    );
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 3 * 50 * 100);
}

#[tokio::test]
async fn a_sink_file_that_cannot_be_opened_or_written_fails_the_task() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("missing/out.txt");
    let error = sink(&sink_config(&file)).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "Couldn't find or create file '{}' for FileStreamSinkTask",
            file.display()
        )
    );
    let mut task = sink(&sink_config(Path::new("/dev/full"))).await.unwrap();
    let error = task.put(&[sink_record(Value::from("x"))]).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::External);
}

//! `info` and `get`.

use serde_json::{Map, Value, json};

use super::Session;
use super::selection::each_once;
use crate::api::{ConnectorStatus, Plugin};
use crate::args::{OffsetsArgs, OutputArgs, PluginType, PluginsArgs};
use crate::failure::Failure;
use crate::output::{self, Documents, Format};
use crate::style::Style;
use crate::table::{self, Column};
use crate::version::{Feature, Version, require};

const ALL_PLUGINS: Feature = Feature::new("Listing plugins other than source and sink", Version::new(3, 2));
const READING_OFFSETS: Feature = Feature::new("Reading connector offsets", Version::new(3, 5));

pub(super) async fn info(session: &Session<'_>, output: OutputArgs) -> Result<(), Failure> {
    let info = session.cluster.info().await?;
    let format = output.output.unwrap_or_default();
    if format != Format::Table {
        let mut document = Map::new();
        document.insert("url".to_owned(), session.url.as_str().into());
        if let Value::Object(members) = json!(info) {
            document.extend(members);
        }
        output::print(session.printer, format, &document);
        return Ok(());
    }
    let mut pairs = table::Pairs::default();
    pairs
        .add("URL", &session.url)
        .add("Version", info.version)
        .add("Commit", info.commit);
    pairs.add("Kafka Cluster ID", info.kafka_cluster_id);
    if let Some(version) = info.towpath_version {
        pairs.add("Towpath Version", version);
    }
    pairs
        .lines(str::to_owned)
        .iter()
        .for_each(|line| session.printer.line(line));
    Ok(())
}

pub(super) async fn connectors(session: &Session<'_>, output: OutputArgs) -> Result<(), Failure> {
    let mut statuses = session.cluster.statuses().await?;
    statuses.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    match output.output.unwrap_or_default() {
        Format::Table => print_table(session, &connector_table(&statuses, session.printer.style())),
        format => output::print(session.printer, format, &statuses),
    }
    Ok(())
}

pub(super) fn connector_table(statuses: &[ConnectorStatus], style: Style) -> String {
    let columns = [
        Column::new("NAME"),
        Column::new("TYPE"),
        Column::states("STATE"),
        Column::states("TASKS"),
    ];
    let row = |status: &ConnectorStatus| {
        let tasks = status
            .tasks
            .iter()
            .map(|task| format!("{}: {}", task.id, task.status.state));
        let tasks = tasks.collect::<Vec<_>>().join(", ");
        vec![
            status.name.clone(),
            status.kind.clone(),
            status.connector.state.clone(),
            tasks,
        ]
    };
    table::render(&columns, &statuses.iter().map(row).collect::<Vec<_>>(), style)
}

pub(super) async fn plugins(session: &Session<'_>, args: &PluginsArgs) -> Result<(), Failure> {
    let common = |kind: &PluginType| matches!(kind, PluginType::Source | PluginType::Sink);
    if !args.types.iter().all(common) {
        require(session.cluster.as_ref(), ALL_PLUGINS).await?;
    }
    let mut plugins = session.cluster.plugins().await?;
    if !args.types.is_empty() {
        plugins.retain(|plugin| args.types.iter().any(|kind| kind.word() == plugin.kind));
    }
    plugins.sort_by(|a, b| (&a.kind, &a.class).cmp(&(&b.kind, &b.class)));
    match args.output.output.unwrap_or_default() {
        Format::Table => print_table(session, &plugin_table(&plugins)),
        format => output::print(session.printer, format, &plugins),
    }
    Ok(())
}

pub(crate) fn plugin_table(plugins: &[Plugin]) -> String {
    let columns = [Column::new("TYPE"), Column::new("CLASS"), Column::new("VERSION")];
    let row = |plugin: &Plugin| {
        let version = plugin.version.as_deref().unwrap_or("n/a");
        vec![plugin.kind.clone(), plugin.class.clone(), version.to_owned()]
    };
    table::render(
        &columns,
        &plugins.iter().map(row).collect::<Vec<_>>(),
        Style::new(false),
    )
}

/// JSON unless asked otherwise: what is printed can be sent back to the server.
pub(super) async fn offsets(session: &Session<'_>, args: &OffsetsArgs) -> Result<(), Failure> {
    require(session.cluster.as_ref(), READING_OFFSETS).await?;
    let format = args.output.output.unwrap_or(Format::Json);
    let mut documents = Documents::new(session.printer, format);
    let mut rows = Vec::new();
    for name in each_once(&args.names) {
        let offsets = session.cluster.offsets(&name).await?;
        if format != Format::Table {
            documents.print(&offsets);
            continue;
        }
        for entry in offsets.offsets {
            rows.push(vec![
                name.clone(),
                entry.partition.to_string(),
                entry.offset.to_string(),
            ]);
        }
    }
    if format == Format::Table {
        let columns = [
            Column::new("NAME"),
            Column::new("PARTITION"),
            Column::new("OFFSET"),
        ];
        print_table(session, &table::render(&columns, &rows, session.printer.style()));
    }
    Ok(())
}

pub(super) fn print_table(session: &Session<'_>, table: &str) {
    session.printer.line("");
    session.printer.line(table);
    session.printer.line("");
}

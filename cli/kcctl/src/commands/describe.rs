//! `describe connector`.

use futures::{StreamExt, TryStreamExt, stream, try_join};
use serde_json::{Map, Value, json};

use super::get::connector_table;
use super::{CONCURRENT_REQUESTS, Session, selection};
use crate::api::{ApiError, ConnectorInfo, ConnectorStatus, TaskConfig, TaskStatus, UnitStatus};
use crate::args::DescribeConnectorArgs;
use crate::failure::Failure;
use crate::output::{Documents, Format};
use crate::style::Style;
use crate::table::Pairs;

/// A connector that was made a moment ago has no status yet.
const NO_STATE: &str = "UNASSIGNED";

/// All that is known about a connector.
struct Description {
    info: ConnectorInfo,
    status: Option<ConnectorStatus>,
    /// `None` when they were not asked for.
    task_configs: Option<Vec<TaskConfig>>,
    /// `None` when the server does not track topics.
    topics: Option<Vec<String>>,
}

pub(super) async fn connectors(session: &Session<'_>, args: &DescribeConnectorArgs) -> Result<(), Failure> {
    let names = selection::names(session, &args.selection).await?;
    let format = args.output.output.unwrap_or_default();
    describe(session, &names, args.tasks_config, format).await
}

/// Describes connectors in the given order.
pub(super) async fn describe(
    session: &Session<'_>,
    names: &[String],
    with_tasks: bool,
    format: Format,
) -> Result<(), Failure> {
    let mut documents = Documents::new(session.printer, format);
    let requests = stream::iter(names)
        .map(|name| ask(session, name, with_tasks))
        .buffered(CONCURRENT_REQUESTS);
    let mut requests = std::pin::pin!(requests);
    while let Some(description) = requests.try_next().await? {
        if format == Format::Table {
            description
                .lines(session.printer.style())
                .iter()
                .for_each(|line| session.printer.line(line));
        } else {
            documents.print(&description.document());
        }
    }
    Ok(())
}

async fn ask(session: &Session<'_>, name: &str, with_tasks: bool) -> Result<Description, Failure> {
    let cluster = session.cluster.as_ref();
    let status = async {
        match cluster.status(name).await {
            Ok(status) => Ok(Some(status)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    };
    let task_configs = async {
        if with_tasks {
            cluster.task_configs(name).await.map(Some)
        } else {
            Ok(None)
        }
    };
    let topics = async {
        match cluster.topics(name).await {
            Ok(mut topics) => {
                topics.sort();
                Ok(Some(topics))
            }
            // Tracking is switched off, or the server is older than Kafka 2.5.
            Err(error) if error.is_forbidden() || error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    };
    match try_join!(cluster.connector(name), status, task_configs, topics) {
        Ok((info, status, task_configs, topics)) => Ok(Description {
            info,
            status,
            task_configs,
            topics,
        }),
        Err(error) => Err(not_found(session, name, error).await),
    }
}

/// An unknown name is answered with those that there are.
async fn not_found(session: &Session<'_>, name: &str, error: ApiError) -> Failure {
    if !error.is_not_found() {
        return error.into();
    }
    match session.cluster.statuses().await {
        Ok(statuses) => Failure::ConnectorNotFound {
            name: name.to_owned(),
            available: format!("\n{}\n", connector_table(&statuses, Style::new(false))),
        },
        Err(error) => error.into(),
    }
}

impl Description {
    /// What kcctl has always printed as JSON, and after that what it has not.
    fn document(&self) -> Map<String, Value> {
        let Value::Object(mut document) = json!(self.info) else {
            return Map::new();
        };
        if let Some(ConnectorStatus { connector, tasks, .. }) = &self.status {
            document.insert(
                "status".to_owned(),
                json!({"connector": connector, "tasks": tasks}),
            );
        }
        if let Some(task_configs) = &self.task_configs {
            document.insert("task_configs".to_owned(), json!(task_configs));
        }
        if let Some(topics) = &self.topics {
            document.insert("topics".to_owned(), json!(topics));
        }
        document
    }

    fn lines(&self, style: Style) -> Vec<String> {
        let mut pairs = Pairs::default();
        let kind = self
            .status
            .as_ref()
            .map_or(&self.info.kind, |status| &status.kind);
        pairs.add("Name", &self.info.name).add("Type", kind);
        match &self.status {
            Some(status) => add_unit(&mut pairs, "", &status.connector, style),
            None => {
                pairs.add("State", style.states(NO_STATE));
            }
        }
        if let Some(status) = &self.status {
            add_trace(&mut pairs, "", &status.connector);
        }
        let mut lines = pairs.lines(str::to_owned);

        lines.push(format!("{}:", style.heading("Config")));
        lines.extend(config_pairs(&self.info.config, "  ").lines(str::to_owned));

        lines.push(format!("{}:", style.heading("Tasks")));
        for task in self.status.iter().flat_map(|status| &status.tasks) {
            lines.push(format!("  {}:", task.id));
            lines.extend(self.task_lines(task, style));
        }

        if let Some(topics) = &self.topics {
            lines.push(format!("{}:", style.heading("Topics")));
            lines.extend(topics.iter().map(|topic| format!("  {topic}")));
        }
        lines
    }

    fn task_lines(&self, task: &TaskStatus, style: Style) -> Vec<String> {
        let mut pairs = Pairs::default();
        add_unit(&mut pairs, "    ", &task.status, style);
        let config = self
            .task_configs
            .iter()
            .flatten()
            .find(|config| config.id.task == task.id);
        if let Some(config) = config {
            pairs.add_heading("    Config");
            for (key, value) in sorted(&config.config) {
                pairs.add(format!("      {key}"), value);
            }
        }
        add_trace(&mut pairs, "    ", &task.status);
        pairs.lines(|key| match key {
            "    Config" => format!("    {}", style.heading("Config")),
            other => other.to_owned(),
        })
    }
}

fn add_unit(pairs: &mut Pairs, indent: &str, unit: &UnitStatus, style: Style) {
    pairs.add(format!("{indent}State"), style.states(&unit.state));
    pairs.add(format!("{indent}Worker ID"), &unit.worker_id);
}

fn add_trace(pairs: &mut Pairs, indent: &str, unit: &UnitStatus) {
    match (&unit.trace, unit.state.as_str()) {
        (Some(trace), "FAILED") => {
            pairs.add(
                format!("{indent}Trace"),
                trace.trim_end().replace("Caused by", "      Caused by"),
            );
        }
        // Why nobody runs it.
        (Some(reason), NO_STATE) => {
            pairs.add(format!("{indent}Reason"), reason);
        }
        _ => {}
    }
}

fn config_pairs(config: &towpath_types::ConnectorConfig, indent: &str) -> Pairs {
    let mut pairs = Pairs::default();
    for (key, value) in sorted(config) {
        pairs.add(format!("{indent}{key}"), value);
    }
    pairs
}

fn sorted(config: &towpath_types::ConnectorConfig) -> Vec<(&str, &str)> {
    let mut entries: Vec<_> = config
        .iter()
        .map(|(key, value)| (key, value.unwrap_or("null")))
        .collect();
    entries.sort_unstable();
    entries
}

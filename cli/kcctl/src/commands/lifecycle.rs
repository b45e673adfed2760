//! `pause`, `resume`, `stop`, `delete` and `restart`: one connector after the other, up to the first failure.

use serde_json::{Value, json};

use super::{Session, selection};
use crate::api::{ApiError, Change, RestartTasks};
use crate::args::{ConnectorNoun, OutputArgs, RestartArgs, RestartTaskArgs, Tasks};
use crate::failure::Failure;
use crate::output::Outcomes;
use crate::version::{Feature, Version, require};

/// A change with its words.
#[derive(Clone, Copy)]
pub(super) struct Verb {
    change: Change,
    /// As a sentence begins with it.
    past: &'static str,
    /// As it stands within a sentence.
    word: &'static str,
    needs: Option<Feature>,
}

pub(super) const PAUSE: Verb = Verb {
    change: Change::Pause,
    past: "Paused",
    word: "paused",
    needs: None,
};
pub(super) const RESUME: Verb = Verb {
    change: Change::Resume,
    past: "Resumed",
    word: "resumed",
    needs: None,
};
pub(super) const STOP: Verb = Verb {
    change: Change::Stop,
    past: "Stopped",
    word: "stopped",
    needs: Some(Feature::new("Stopping connectors", Version::new(3, 5))),
};
pub(super) const DELETE: Verb = Verb {
    change: Change::Delete,
    past: "Deleted",
    word: "deleted",
    needs: None,
};

const RESTARTING_TASKS: Feature = Feature {
    what: "Restarting tasks en masse",
    since: Version::new(3, 0),
    hint: Some("restart single tasks with `kcctl restart task NAME/ID`"),
};

pub(super) async fn change(session: &Session<'_>, verb: Verb, noun: ConnectorNoun) -> Result<(), Failure> {
    let ConnectorNoun::Connector { selection, output } = noun;
    if let Some(feature) = verb.needs {
        require(session.cluster.as_ref(), feature).await?;
    }
    let names = selection::names(session, &selection).await?;
    one_by_one(session, &names, verb.word, output, async |name| {
        session.cluster.change(name, verb.change).await?;
        Ok((
            format!("{} connector {name}", verb.past),
            json!({"name": name, "action": verb.word}),
        ))
    })
    .await
}

pub(super) async fn restart(session: &Session<'_>, args: &RestartArgs) -> Result<(), Failure> {
    let tasks = match args.tasks {
        None => RestartTasks::None,
        Some(Tasks::All) => RestartTasks::All,
        Some(Tasks::Failed) => RestartTasks::Failed,
    };
    if tasks != RestartTasks::None {
        require(session.cluster.as_ref(), RESTARTING_TASKS).await?;
    }
    let names = selection::names(session, &args.selection).await?;
    one_by_one(session, &names, "restarted", args.output, async |name| {
        let status = session.cluster.restart(name, tasks).await?;
        let restarting = |status: crate::api::ConnectorStatus| {
            status
                .tasks
                .iter()
                .filter(|task| task.status.state == "RESTARTING")
                .count()
        };
        Ok(match status.map(restarting) {
            Some(count) => (
                format!("Restarted connector {name} and {count} task(s)"),
                json!({"name": name, "action": "restarted", "tasks": count}),
            ),
            None => (
                format!("Restarted connector {name}"),
                json!({"name": name, "action": "restarted"}),
            ),
        })
    })
    .await
}

pub(super) async fn restart_tasks(session: &Session<'_>, args: &RestartTaskArgs) -> Result<(), Failure> {
    let mut outcomes = Outcomes::new(session.printer, args.output.output.unwrap_or_default());
    let mut result = Ok(());
    for task in &args.tasks {
        result = session.cluster.restart_task(&task.connector, task.number).await;
        if result.is_err() {
            break;
        }
        outcomes.add(
            &format!("Restarted task {task}"),
            json!({"name": task.connector, "task": task.number, "action": "restarted"}),
        );
    }
    outcomes.finish();
    Ok(result?)
}

/// What is printed of a connector that is done: a sentence, or an object.
type Done = (String, Value);

async fn one_by_one(
    session: &Session<'_>,
    names: &[String],
    word: &'static str,
    output: OutputArgs,
    act: impl AsyncFn(&str) -> Result<Done, ApiError>,
) -> Result<(), Failure> {
    let mut outcomes = Outcomes::new(session.printer, output.output.unwrap_or_default());
    for (index, name) in names.iter().enumerate() {
        match act(name).await {
            Ok((sentence, outcome)) => outcomes.add(&sentence, outcome),
            Err(error) => {
                outcomes.finish();
                return Err(Failure::not_done(names, index, word, error.into()));
            }
        }
    }
    outcomes.finish();
    Ok(())
}

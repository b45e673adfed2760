//! Names on one line, for completion scripts.

use super::Session;
use crate::failure::Failure;

pub(super) async fn connectors(session: &Session<'_>) -> Result<(), Failure> {
    let names = session.cluster.names().await?;
    session.printer.line(&names.join(" "));
    Ok(())
}

pub(super) async fn tasks(session: &Session<'_>) -> Result<(), Failure> {
    let statuses = session.cluster.statuses().await?;
    let tasks = statuses.iter().flat_map(|status| {
        status
            .tasks
            .iter()
            .map(|task| format!("{}/{}", status.name, task.id))
    });
    session.printer.line(&tasks.collect::<Vec<_>>().join(" "));
    Ok(())
}

pub(super) async fn plugins(session: &Session<'_>) -> Result<(), Failure> {
    let plugins = session.cluster.plugins().await?;
    let classes: Vec<&str> = plugins.iter().map(|plugin| plugin.class.as_str()).collect();
    session.printer.line(&classes.join(" "));
    Ok(())
}

pub(super) async fn workers(session: &Session<'_>) -> Result<(), Failure> {
    let workers = session.cluster.workers().await?;
    let names: Vec<&str> = workers.iter().map(|worker| worker.name.as_str()).collect();
    session.printer.line(&names.join(" "));
    Ok(())
}

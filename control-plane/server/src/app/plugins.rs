//! What the connected workers can run.

use std::sync::Arc;

use serde_json::value::RawValue;
use towpath_types::PluginKind;

use super::{ApiError, App};
use crate::sessions::{LiveSession, OfferedPlugin};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PluginView {
    /// First, because lists are in its order.
    pub(crate) kind: PluginKind,
    pub(crate) class: String,
    pub(crate) version: Option<String>,
}

impl App {
    /// By kind, class and version. Nothing while no worker is connected.
    pub(crate) async fn plugins(&self, connectors_only: bool) -> Result<Vec<PluginView>, ApiError> {
        self.await_workers(|_| true).await?;
        let workers = self.directory.sessions();
        let mut views: Vec<PluginView> = offered(&workers)
            .filter(|plugin| !connectors_only || plugin.kind.is_connector())
            .map(|plugin| PluginView {
                kind: plugin.kind,
                class: plugin.class.clone(),
                version: plugin.version.clone(),
            })
            .collect();
        views.sort();
        views.dedup();
        Ok(views)
    }

    /// The configuration keys of a plugin, a JSON array.
    pub(crate) async fn plugin_keys(
        &self,
        name: &str,
        version: Option<&str>,
    ) -> Result<Arc<RawValue>, ApiError> {
        let workers = self.connected_workers().await?;
        let mut named: Vec<&OfferedPlugin> = offered(&workers)
            .filter(|plugin| plugin.is_called(name))
            .collect();
        // The order of the list decides between kinds that share a name; the newest version is the one in effect.
        named.sort_by(|a, b| {
            (a.kind, &a.class)
                .cmp(&(b.kind, &b.class))
                .then_with(|| b.version.cmp(&a.version))
        });
        let first = *named
            .first()
            .ok_or_else(|| ApiError::UnknownPlugin(name.to_owned()))?;
        let Some(wanted) = version else {
            return Ok(Arc::clone(&first.keys));
        };
        let found = named
            .iter()
            .find(|plugin| plugin.version.as_deref() == Some(wanted));
        let found = found.ok_or_else(|| ApiError::NoSuchPluginVersion {
            class: first.class.clone(),
            range: format!("[{wanted},{wanted}]"),
            available: versions_of(&first.class, &named),
        })?;
        Ok(Arc::clone(&found.keys))
    }
}

fn offered(workers: &[Arc<LiveSession>]) -> impl Iterator<Item = &OfferedPlugin> {
    workers.iter().flat_map(|worker| &worker.offer.plugins)
}

/// A class that is of two kinds is listed twice, as Kafka Connect does it.
fn versions_of(class: &str, named: &[&OfferedPlugin]) -> String {
    let same = named.iter().filter(|plugin| plugin.class == class);
    let mut versions: Vec<(&PluginKind, &str)> = same
        .map(|plugin| (&plugin.kind, plugin.version.as_deref().unwrap_or("undefined")))
        .collect();
    versions.sort();
    versions.dedup();
    versions
        .into_iter()
        .map(|(_, version)| version)
        .collect::<Vec<_>>()
        .join(", ")
}

//! Every plugin that a process knows, and the names by which a configuration may call them: the class name, the simple
//! name, the simple name without its kind, and the aliases that a plugin brings along.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::plugin::{Plugin, PluginKind};

/// Why a name leads to no plugin. `Display` has Kafka Connect's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No plugin has this name.
    #[error("{}", not_found(.connectors.as_deref(), .name))]
    NotFound {
        /// The name as given.
        name: String,
        /// The descriptions of all connectors, if a connector was looked for.
        connectors: Option<String>,
    },
    /// The name fits several connectors.
    #[error(
        "More than one connector matches alias {name}. Please use full package and class name instead. Classes found: {matches}"
    )]
    Ambiguous {
        /// The name as given.
        name: String,
        /// The descriptions of the connectors it fits.
        matches: String,
    },
    /// The name is that of a plugin of another kind.
    #[error("Class class {class} does not implement the {} interface", .wanted.interface())]
    WrongKind {
        /// The class that has this name.
        class: &'static str,
        /// The kind that was looked for.
        wanted: PluginKind,
    },
    /// The name is that of the outer class of plugins with variants, for example `…ReplaceField`.
    #[error("This class is abstract and cannot be created. Did you mean {}?", .variants.join(", "))]
    Abstract {
        /// The class names of the variants.
        variants: Vec<&'static str>,
    },
}

fn not_found(connectors: Option<&str>, name: &str) -> String {
    match connectors {
        Some(connectors) => format!(
            "Failed to find any class that implements Connector and which name matches {name}, available connectors are: {connectors}"
        ),
        None => format!("Class {name} could not be found."),
    }
}

/// All plugins of a process, sorted by kind and class.
#[derive(Clone, Debug, Default)]
pub struct PluginSet {
    plugins: Vec<Plugin>,
    /// Short names and aliases, without those that would mean two classes.
    classes: HashMap<&'static str, &'static str>,
}

impl PluginSet {
    /// A set of these plugins.
    pub fn new(mut plugins: Vec<Plugin>) -> Self {
        plugins.sort_by_key(|plugin| (plugin.kind(), plugin.class));
        let classes = short_names(&plugins);
        Self { plugins, classes }
    }

    /// The plugins in the order of `GET /connector-plugins`: sinks, sources, and unless `connectors_only`
    /// transformations, predicates, converters and header converters.
    pub fn list(&self, connectors_only: bool) -> &[Plugin] {
        let end = if connectors_only {
            self.plugins
                .partition_point(|plugin| plugin.kind() <= PluginKind::Source)
        } else {
            self.plugins.len()
        };
        &self.plugins[..end]
    }

    /// The class names of all plugins of a kind, sorted: what a form offers.
    pub fn classes(&self, kind: PluginKind) -> impl Iterator<Item = &'static str> {
        self.of_kind(kind).map(|plugin| plugin.class)
    }

    /// Every name that leads to this class, its own first.
    pub fn names_of(&self, class: &'static str) -> impl Iterator<Item = &'static str> {
        let mut short: Vec<&'static str> = self
            .classes
            .iter()
            .filter(|(_, known)| **known == class)
            .map(|(name, _)| *name)
            .collect();
        short.sort_unstable();
        std::iter::once(class).chain(short.into_iter().filter(move |name| *name != class))
    }

    /// The plugin of this kind and name. For a connector of either kind use [`PluginSet::find_connector`].
    ///
    /// # Errors
    /// When there is none, the name fits several, or it is the name of something else.
    pub fn find(&self, kind: PluginKind, name: &str) -> Result<&Plugin, LookupError> {
        if matches!(kind, PluginKind::Sink | PluginKind::Source) {
            let connector = self.find_connector(name)?;
            return if connector.kind() == kind {
                Ok(connector)
            } else {
                Err(LookupError::WrongKind {
                    class: connector.class,
                    wanted: kind,
                })
            };
        }
        let class = self.class_of(name);
        if let Some(plugin) = self.of_kind(kind).find(|plugin| plugin.class == class) {
            return Ok(plugin);
        }
        if let Some(other) = self.plugins.iter().find(|plugin| plugin.class == class) {
            return Err(LookupError::WrongKind {
                class: other.class,
                wanted: kind,
            });
        }
        let variants = self.variants_of(kind, name);
        if !variants.is_empty() {
            return Err(LookupError::Abstract { variants });
        }
        Err(LookupError::NotFound {
            name: name.to_owned(),
            connectors: None,
        })
    }

    /// The source or sink connector of this name.
    ///
    /// # Errors
    /// When there is none or the name fits several.
    pub fn find_connector(&self, name: &str) -> Result<&Plugin, LookupError> {
        let connectors = self.list(true);
        let class = self.class_of(name);
        if let Some(plugin) = connectors.iter().find(|plugin| plugin.class == class) {
            return Ok(plugin);
        }
        let matches: Vec<&Plugin> = connectors
            .iter()
            .filter(|plugin| {
                let simple = simple_name(plugin.class);
                simple == name || simple.strip_suffix("Connector") == Some(name)
            })
            .collect();
        match matches[..] {
            [plugin] => Ok(plugin),
            [] => Err(LookupError::NotFound {
                name: name.to_owned(),
                connectors: Some(describe(connectors.iter())),
            }),
            [_, ..] => Err(LookupError::Ambiguous {
                name: name.to_owned(),
                matches: describe(matches.iter().copied()),
            }),
        }
    }

    /// The plugin of this name, of whatever kind; of a class of several kinds the first in the order of
    /// [`PluginSet::list`].
    pub fn find_any(&self, name: &str) -> Option<&Plugin> {
        let class = self.class_of(name);
        self.plugins.iter().find(|plugin| plugin.class == class)
    }

    fn class_of<'a>(&self, name: &'a str) -> &'a str {
        self.classes.get(name).copied().unwrap_or(name)
    }

    fn of_kind(&self, kind: PluginKind) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter().filter(move |plugin| plugin.kind() == kind)
    }

    fn variants_of(&self, kind: PluginKind, outer: &str) -> Vec<&'static str> {
        self.classes(kind)
            .filter(|class| class.rsplit_once('$').is_some_and(|(start, _)| start == outer))
            .collect()
    }
}

/// Every short name and alias that leads to one class only. A name that is itself a class leads there.
fn short_names(plugins: &[Plugin]) -> HashMap<&'static str, &'static str> {
    let mut classes: HashMap<&'static str, BTreeSet<&'static str>> = HashMap::new();
    for plugin in plugins {
        let simple = simple_name(plugin.class);
        for name in [simple, pruned(simple, plugin.kind())] {
            classes.entry(name).or_default().insert(plugin.class);
        }
    }
    // What an alias says outright beats what only follows from the names of classes.
    let aliases = || {
        plugins
            .iter()
            .flat_map(|plugin| plugin.aliases.iter().map(|&alias| (alias, plugin.class)))
    };
    for (alias, _) in aliases() {
        classes.insert(alias, BTreeSet::new());
    }
    for (alias, class) in aliases() {
        classes.entry(alias).or_default().insert(class);
    }
    for plugin in plugins {
        classes.insert(plugin.class, BTreeSet::from([plugin.class]));
    }
    classes
        .into_iter()
        .filter(|(_, classes)| classes.len() == 1)
        .filter_map(|(name, classes)| Some((name, *classes.first()?)))
        .collect()
}

/// The part after the last `.` and `$`.
fn simple_name(class: &'static str) -> &'static str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

/// A simple name up to the last occurrence of the word for its kind, unless it begins with that.
fn pruned(simple: &'static str, kind: PluginKind) -> &'static str {
    let word = match kind {
        PluginKind::Sink | PluginKind::Source => "Connector",
        PluginKind::Transformation
        | PluginKind::Predicate
        | PluginKind::Converter
        | PluginKind::HeaderConverter => kind.interface(),
    };
    match simple.rsplit_once(word) {
        Some((start, _)) if !start.is_empty() => start,
        _ => simple,
    }
}

fn describe<'a>(plugins: impl Iterator<Item = &'a Plugin>) -> String {
    plugins
        .map(|plugin| Description(plugin).to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

struct Description<'a>(&'a Plugin);

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plugin { class, version, .. } = self.0;
        let kind = self.0.kind().name();
        write!(
            f,
            "PluginDesc{{klass=class {class}, name='{class}', version='{version}', encodedVersion={version}, type={kind}, typeName='{kind}', location='classpath'}}"
        )
    }
}

#[cfg(test)]
mod tests;

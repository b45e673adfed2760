//! A translation under way.

use std::collections::BTreeMap;

use towpath_runtime::validation::Client;

use super::{ConfigError, Layer, Ours, Problem, Settings, Translated, Warning};

/// A value and where it was written.
#[derive(Clone, Copy, Debug)]
struct Given<'a> {
    value: &'a str,
    prefix: &'a str,
    is_default: bool,
}

pub(super) struct Draft<'a> {
    pub(super) client: Client,
    given: BTreeMap<&'a str, Given<'a>>,
    pub(super) settings: Settings,
    pub(super) ours: Ours,
    warnings: Vec<Warning>,
    problems: Vec<Problem>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(client: Client, defaults: &[(&'a str, &'a str)], layers: &[Layer<'a>]) -> Self {
        let mut given = BTreeMap::new();
        for &(key, value) in defaults {
            given.insert(
                key,
                Given {
                    value,
                    prefix: "",
                    is_default: true,
                },
            );
        }
        for layer in layers {
            for (key, value) in layer.settings.iter() {
                // Java's parser trims too. A null is as good as no setting.
                let Some(value) = value.map(str::trim) else {
                    continue;
                };
                given.insert(
                    key,
                    Given {
                        value,
                        prefix: layer.prefix,
                        is_default: false,
                    },
                );
            }
        }
        let (settings, ours) = (Settings::default(), Ours::default());
        Self {
            client,
            given,
            settings,
            ours,
            warnings: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The keys that have a value.
    pub(super) fn keys(&self) -> Vec<&'a str> {
        self.given.keys().copied().collect()
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.given.get(key).map(|given| given.value)
    }

    /// The value that the user gave, not a default of ours.
    pub(super) fn chosen(&self, key: &str) -> Option<&'a str> {
        self.given
            .get(key)
            .filter(|given| !given.is_default)
            .map(|given| given.value)
    }

    /// A value that is not empty.
    pub(super) fn filled(&self, key: &str) -> Option<&'a str> {
        self.get(key).filter(|value| !value.is_empty())
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.settings.set(name, value);
    }

    /// Notes what happens instead of what the user asked for. Defaults of ours are nobody's surprise.
    pub(super) fn warn(&mut self, key: &str, what_happens: impl Into<String>) {
        if self.chosen(key).is_some() {
            let (key, what_happens) = (self.full(key), what_happens.into());
            self.warnings.push(Warning { key, what_happens });
        }
    }

    pub(super) fn problem(&mut self, key: &str, message: impl Into<String>) {
        let (key, message) = (self.full(key), message.into());
        self.problems.push(Problem { key, message });
    }

    pub(super) fn finish(self) -> Result<Translated, ConfigError> {
        if !self.problems.is_empty() {
            return Err(ConfigError {
                problems: self.problems,
            });
        }
        Ok(Translated {
            librdkafka: self.settings,
            ours: self.ours,
            warnings: self.warnings,
        })
    }

    fn full(&self, key: &str) -> String {
        let prefix = self.given.get(key).map_or("", |given| given.prefix);
        format!("{prefix}{key}")
    }
}

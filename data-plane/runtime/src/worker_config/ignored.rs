//! Keys that are known, that a user would expect to have an effect, and that have none.

use super::{Listener, Scheme, WorkerConfig, keys, providers_of};

/// Why keys of the REST API have no effect.
const NO_HEADERS: &str = "the REST API sets no such headers: put a proxy in front of it that does";
const NO_TLS: &str =
    "the REST API is served without TLS: put a proxy in front of it that has the certificate";

impl WorkerConfig {
    /// Keys that a user would expect to have an effect, and what happens instead. Not those that ask for what happens.
    pub fn keys_without_effect(&self) -> Vec<(String, &'static str)> {
        let keys = self.file.iter();
        let mut found: Vec<(String, &'static str)> = keys
            .filter_map(|(key, value)| {
                Some((
                    key.to_owned(),
                    self.instead_of(key, value.unwrap_or_default().trim())?,
                ))
            })
            .collect();
        let providers = providers_of(&self.file).filter(|(_, class, _)| class.is_none());
        found.extend(providers.map(|(alias, ..)| {
            (
                format!("{}.{alias}.class", keys::CONFIG_PROVIDERS),
                "it is not set",
            )
        }));
        found
    }

    fn instead_of(&self, key: &str, value: &str) -> Option<&'static str> {
        if keys::is_removed(key) {
            return Some("Kafka Connect removed it in version 3.0");
        }
        if key.starts_with("listeners.https.") {
            return has_https(&self.listeners).then_some(NO_TLS);
        }
        if key.starts_with("admin.listeners.https.") {
            return has_https(self.admin_listeners.as_deref().unwrap_or_default()).then_some(NO_TLS);
        }
        match key {
            keys::REST_EXTENSIONS if !value.is_empty() => Some(
                "extensions of the REST API are Java code: put a proxy in front of it, for example to log users in",
            ),
            keys::LISTENERS if has_https(&self.listeners) => Some(NO_TLS),
            keys::ADMIN_LISTENERS => Some("the loggers are served where the rest of the REST API is"),
            "access.control.allow.origin"
            | "access.control.allow.methods"
            | "response.http.headers.config"
                if !value.is_empty() =>
            {
                Some(NO_HEADERS)
            }
            "topic.creation.enable" if self.topic_creation => Some(
                "topics are not created for sources: the brokers do it if `auto.create.topics.enable` says so, with \
                 their defaults; create others before",
            ),
            "topic.tracking.allow.reset" if !self.topic_tracking_reset => {
                Some("the topics of a connector can always be reset: have a proxy refuse `/topics/reset`")
            }
            _ => None,
        }
    }
}

fn has_https(listeners: &[Listener]) -> bool {
    listeners.iter().any(|listener| listener.scheme == Scheme::Https)
}

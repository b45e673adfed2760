//! What a worker says when it opens a session, checked.

use std::sync::Arc;

use serde_json::value::RawValue;
use towpath_state::{HeldUnit, Plugin, Registration, Replaces, Reporter};
use towpath_types::{Epoch, PluginKind, ProcessId, SessionId, UnitId, WorkerId};
use towpath_wire::convert::{WireError, required_unit};
use towpath_wire::v1;

#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistrationError {
    #[error("a session begins with `register`, but the worker sent something else or nothing")]
    NotFirst,
    #[error("a session has one `register`, but the worker sent a second one: open a new session instead")]
    Twice,
    #[error(
        "a worker that was asked to `confirm` its registration has to answer `confirmed` before anything else, but this one \
         sent something else"
    )]
    NotConfirmed,
    #[error("a worker cannot register without a `worker_id`: it is the host:port that statuses show")]
    NoWorkerId,
    #[error("the configuration keys of plugin `{class}` are not JSON")]
    Keys {
        class: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("a unit that the worker runs cannot be read")]
    Unit(#[from] WireError),
}

/// What stays in memory of a registration, because it is not replicated.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) plugins: Vec<OfferedPlugin>,
}

#[derive(Debug)]
pub(crate) struct OfferedPlugin {
    pub(crate) class: String,
    pub(crate) kind: PluginKind,
    /// `None` when the worker does not know it.
    pub(crate) version: Option<String>,
    names: Vec<String>,
    /// The answer of the REST API to the question for its keys.
    pub(crate) keys: Arc<RawValue>,
}

impl OfferedPlugin {
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.class == name || self.names.iter().any(|own| own == name)
    }
}

#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) registration: Registration,
    pub(crate) offer: Offer,
    /// Empty if the worker does not know it yet.
    pub(crate) kafka_cluster_id: String,
    /// Whether the worker answers `confirm`.
    pub(crate) confirms: bool,
}

impl Registered {
    pub(crate) fn reporter(&self) -> Reporter {
        Reporter {
            worker: self.registration.worker.clone(),
            session: self.registration.session.clone(),
        }
    }
}

pub(crate) fn read(
    message: Option<v1::WorkerMessage>,
    session: SessionId,
) -> Result<Registered, RegistrationError> {
    let Some(v1::worker_message::Message::Register(register)) = message.and_then(|message| message.message)
    else {
        return Err(RegistrationError::NotFirst);
    };
    if register.worker_id.is_empty() {
        return Err(RegistrationError::NoWorkerId);
    }
    let plugins = register
        .plugins
        .into_iter()
        .filter_map(offered)
        .collect::<Result<Vec<_>, _>>()?;
    let registration = Registration {
        worker: WorkerId::new(&register.worker_id),
        session,
        resumes: None,
        process: Some(register.process_id)
            .filter(|id| !id.is_empty())
            .map(ProcessId::from),
        replaces: Replaces::Anyone,
        address: register.worker_id,
        version: register.version,
        labels: register.labels.into_iter().collect(),
        plugins: plugins.iter().map(replicated).collect(),
        held: register.running.into_iter().map(held).collect::<Result<_, _>>()?,
    };
    Ok(Registered {
        registration,
        offer: Offer { plugins },
        kafka_cluster_id: register.kafka_cluster_id,
        confirms: register.confirms,
    })
}

/// `None` for a kind that this control plane does not know: a newer worker may have some.
fn offered(plugin: v1::RegisteredPlugin) -> Option<Result<OfferedPlugin, RegistrationError>> {
    let Ok(kind) = plugin.r#type.parse() else {
        tracing::warn!(
            class = plugin.class,
            kind = plugin.r#type,
            "plugin of an unknown kind ignored"
        );
        return None;
    };
    let keys = match RawValue::from_string(plugin.keys_json) {
        Ok(keys) => keys.into(),
        Err(source) => {
            return Some(Err(RegistrationError::Keys {
                class: plugin.class,
                source,
            }));
        }
    };
    Some(Ok(OfferedPlugin {
        class: plugin.class,
        kind,
        version: Some(plugin.version).filter(|version| !version.is_empty() && version != "undefined"),
        names: plugin.names,
        keys,
    }))
}

fn replicated(plugin: &OfferedPlugin) -> Plugin {
    Plugin {
        class: plugin.class.clone(),
        aliases: plugin
            .names
            .iter()
            .filter(|name| **name != plugin.class)
            .cloned()
            .collect(),
        kind: plugin.kind,
        version: plugin.version.clone().unwrap_or_default(),
    }
}

fn held(running: v1::RunningUnit) -> Result<HeldUnit, WireError> {
    let unit: UnitId = required_unit(running.unit)?;
    Ok(HeldUnit {
        unit,
        epoch: Epoch(running.epoch),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(plugins: Vec<v1::RegisteredPlugin>) -> v1::WorkerMessage {
        v1::WorkerMessage {
            message: Some(v1::worker_message::Message::Register(v1::Register {
                worker_id: "w1:8083".into(),
                plugins,
                running: vec![v1::RunningUnit {
                    unit: Some(v1::UnitId {
                        connector: "orders".into(),
                        task: Some(0),
                    }),
                    epoch: 7,
                }],
                ..Default::default()
            })),
        }
    }

    fn plugin(kind: &str, keys: &str) -> v1::RegisteredPlugin {
        v1::RegisteredPlugin {
            class: "a.b.C".into(),
            r#type: kind.into(),
            version: "undefined".into(),
            names: vec!["a.b.C".into(), "C".into()],
            keys_json: keys.into(),
        }
    }

    #[test]
    fn names_and_running_units_are_read_and_an_unknown_kind_is_left_out() {
        let message = register(vec![plugin("source", "[]"), plugin("teleporter", "[]")]);
        let Registered {
            registration, offer, ..
        } = read(Some(message), "s1".into()).unwrap();
        assert_eq!(registration.plugins.len(), 1);
        assert_eq!(registration.plugins[0].aliases, ["C"]);
        assert_eq!(registration.held[0].epoch, Epoch(7));
        assert!(offer.plugins[0].is_called("C") && offer.plugins[0].version.is_none());
    }

    #[test]
    fn keys_that_are_no_json_are_refused_before_they_reach_an_answer() {
        let error = read(Some(register(vec![plugin("sink", "[")])), "s1".into()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the configuration keys of plugin `a.b.C` are not JSON"
        );
    }

    #[test]
    fn a_session_begins_with_a_registration() {
        assert!(matches!(
            read(None, "s1".into()),
            Err(RegistrationError::NotFirst)
        ));
        let heartbeat = v1::worker_message::Message::Heartbeat(v1::Heartbeat {
            sequence: 1,
            ..v1::Heartbeat::default()
        });
        let message = v1::WorkerMessage {
            message: Some(heartbeat),
        };
        assert!(matches!(
            read(Some(message), "s1".into()),
            Err(RegistrationError::NotFirst)
        ));
    }
}

//! Between wire and domain types. What comes from the wire is checked here, once.

use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, NameError, TargetState, TaskNumber, UnitId, UnitState,
};

use crate::v1;

/// A message that is no value of the domain.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the connector name `{name}` cannot be used")]
    Name {
        name: String,
        #[source]
        source: NameError,
    },
    #[error("the member `{member}` is missing from the message")]
    Missing { member: &'static str },
}

impl From<&ConnectorConfig> for v1::Config {
    fn from(config: &ConnectorConfig) -> Self {
        let entries = config
            .iter()
            .map(|(key, value)| v1::ConfigEntry {
                key: key.to_owned(),
                value: value.map(str::to_owned),
            })
            .collect();
        Self { entries }
    }
}

impl From<v1::Config> for ConnectorConfig {
    fn from(config: v1::Config) -> Self {
        let mut out = Self::new();
        out.extend(config.entries.into_iter().map(|entry| (entry.key, entry.value)));
        out
    }
}

impl From<&UnitId> for v1::UnitId {
    fn from(unit: &UnitId) -> Self {
        Self {
            connector: unit.connector_name().as_str().to_owned(),
            task: unit.task_number().map(TaskNumber::get),
        }
    }
}

impl TryFrom<v1::UnitId> for UnitId {
    type Error = WireError;

    fn try_from(unit: v1::UnitId) -> Result<Self, WireError> {
        let name = connector_name(&unit.connector)?;
        Ok(match unit.task {
            None => Self::Connector(name),
            Some(number) => Self::Task(name, TaskNumber(number)),
        })
    }
}

/// Checks a connector name from the wire.
///
/// # Errors
/// When it is empty or holds control characters.
pub fn connector_name(name: &str) -> Result<ConnectorName, WireError> {
    ConnectorName::new(name).map_err(|source| WireError::Name {
        name: name.to_owned(),
        source,
    })
}

/// A unit that must be there.
///
/// # Errors
/// When it is absent or its name is none.
pub fn required_unit(unit: Option<v1::UnitId>) -> Result<UnitId, WireError> {
    unit.ok_or(WireError::Missing { member: "unit" })?.try_into()
}

impl From<TargetState> for v1::TargetState {
    fn from(state: TargetState) -> Self {
        match state {
            TargetState::Running => Self::Running,
            TargetState::Paused => Self::Paused,
            TargetState::Stopped => Self::Stopped,
        }
    }
}

/// Unspecified means RUNNING, as in `initial_state` of a request.
impl From<v1::TargetState> for TargetState {
    fn from(state: v1::TargetState) -> Self {
        match state {
            v1::TargetState::Unspecified | v1::TargetState::Running => Self::Running,
            v1::TargetState::Paused => Self::Paused,
            v1::TargetState::Stopped => Self::Stopped,
        }
    }
}

impl From<UnitState> for v1::UnitState {
    fn from(state: UnitState) -> Self {
        match state {
            UnitState::Unassigned => Self::Unassigned,
            UnitState::Running => Self::Running,
            UnitState::Paused => Self::Paused,
            UnitState::Failed => Self::Failed,
            UnitState::Restarting => Self::Restarting,
            UnitState::Stopped => Self::Stopped,
        }
    }
}

impl From<v1::UnitState> for UnitState {
    fn from(state: v1::UnitState) -> Self {
        match state {
            v1::UnitState::Unspecified | v1::UnitState::Unassigned => Self::Unassigned,
            v1::UnitState::Running => Self::Running,
            v1::UnitState::Paused => Self::Paused,
            v1::UnitState::Failed => Self::Failed,
            v1::UnitState::Restarting => Self::Restarting,
            v1::UnitState::Stopped => Self::Stopped,
        }
    }
}

impl From<ConnectorKind> for v1::ConnectorKind {
    fn from(kind: ConnectorKind) -> Self {
        match kind {
            ConnectorKind::Source => Self::Source,
            ConnectorKind::Sink => Self::Sink,
            ConnectorKind::Unknown => Self::Unspecified,
        }
    }
}

impl From<v1::ConnectorKind> for ConnectorKind {
    fn from(kind: v1::ConnectorKind) -> Self {
        match kind {
            v1::ConnectorKind::Unspecified => Self::Unknown,
            v1::ConnectorKind::Source => Self::Source,
            v1::ConnectorKind::Sink => Self::Sink,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_keeps_its_order_and_nulls_over_the_wire() {
        let config: ConnectorConfig = serde_json::from_str(r#"{"z":"1","a":null,"m":""}"#).unwrap();
        let back = ConnectorConfig::from(v1::Config::from(&config));
        assert_eq!(
            serde_json::to_string(&back).unwrap(),
            r#"{"z":"1","a":null,"m":""}"#
        );
    }

    #[test]
    fn a_unit_with_a_bad_name_is_refused_and_named() {
        let error = UnitId::try_from(v1::UnitId {
            connector: "a\nb".into(),
            task: None,
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "the connector name `a\nb` cannot be used");
        assert!(required_unit(None).is_err());
    }

    #[test]
    fn every_state_survives_the_wire() {
        for state in UnitState::ALL {
            assert_eq!(UnitState::from(v1::UnitState::from(*state)), *state);
        }
        for state in TargetState::ALL {
            assert_eq!(TargetState::from(v1::TargetState::from(*state)), *state);
        }
    }
}

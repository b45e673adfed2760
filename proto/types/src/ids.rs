//! Ids: of workers and their sessions, of control-plane nodes, of units, and the counters that order changes.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ConnectorName;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn new(id: impl AsRef<str>) -> Self {
                Self(id.as_ref().into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            pub const fn get(self) -> $int {
                self.0
            }
        }

        impl From<$int> for $name {
            fn from(id: $int) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

text_id! {
    /// Which worker: stays the same when the process is restarted.
    WorkerId
}

text_id! {
    /// Which life of a worker: a new one for every registration, so that what an earlier life still sends is refused.
    SessionId
}

text_id! {
    /// Which process of a worker: stays the same when it loses its connection, and is another one after a restart.
    ProcessId
}

number_id! {
    /// A node of the control plane.
    NodeId(u64)
}

number_id! {
    /// The number of a task within its connector, from 0.
    TaskNumber(u32)
}

number_id! {
    /// Which run of a unit. Taken from the revision of the change that asked for the run, so it never goes back, not
    /// even for a connector that was deleted and created again.
    Epoch(u64)
}

number_id! {
    /// Counts the changes of the replicated state.
    Revision(u64)
}

/// What is assigned to a worker: one connector instance or one task.
///
/// Ordered by connector first, the connector instance before its tasks, tasks by number: the units of one connector
/// stand together in an ordered map.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitId {
    Connector(ConnectorName),
    Task(ConnectorName, TaskNumber),
}

impl UnitId {
    pub fn task(connector: &ConnectorName, number: u32) -> Self {
        Self::Task(connector.clone(), TaskNumber(number))
    }

    pub fn connector_name(&self) -> &ConnectorName {
        match self {
            Self::Connector(name) | Self::Task(name, _) => name,
        }
    }

    pub fn task_number(&self) -> Option<TaskNumber> {
        match self {
            Self::Connector(_) => None,
            Self::Task(_, number) => Some(*number),
        }
    }

    fn key(&self) -> (&ConnectorName, Option<TaskNumber>) {
        (self.connector_name(), self.task_number())
    }
}

impl Ord for UnitId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for UnitId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `orders` for the connector instance, `orders-0` for its first task.
impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connector(name) => name.fmt(f),
            Self::Task(name, number) => write!(f, "{name}-{number}"),
        }
    }
}

impl fmt::Debug for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connector(_) => write!(f, "connector({self})"),
            Self::Task(..) => write!(f, "task({self})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ConnectorName {
        ConnectorName::new(text).unwrap()
    }

    #[test]
    fn a_unit_is_shown_as_kafka_connect_shows_it() {
        assert_eq!(UnitId::Connector(name("orders")).to_string(), "orders");
        assert_eq!(UnitId::task(&name("orders"), 0).to_string(), "orders-0");
    }

    #[test]
    fn the_units_of_one_connector_stand_together_in_order() {
        let (a, b) = (name("a"), name("b"));
        let sorted = [
            UnitId::Connector(a.clone()),
            UnitId::task(&a, 0),
            UnitId::task(&a, 2),
            UnitId::task(&a, 10),
            UnitId::Connector(b.clone()),
            UnitId::task(&b, 0),
        ];
        let mut shuffled = sorted.clone();
        shuffled.reverse();
        shuffled.sort();
        assert_eq!(shuffled, sorted);
    }

    #[test]
    fn ids_are_plain_texts_and_numbers_in_json() {
        assert_eq!(
            serde_json::to_string(&WorkerId::new("w1:8083")).unwrap(),
            r#""w1:8083""#
        );
        assert_eq!(serde_json::to_string(&Epoch(7)).unwrap(), "7");
        let unit = UnitId::task(&name("orders"), 3);
        let json = serde_json::to_string(&unit).unwrap();
        assert_eq!(json, r#"{"task":["orders",3]}"#);
        assert_eq!(serde_json::from_str::<UnitId>(&json).unwrap(), unit);
    }
}

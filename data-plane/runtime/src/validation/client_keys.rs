//! The configuration keys of Kafka's Java clients, which people override per connector. Only to read and describe them:
//! what our client makes of them is decided where it is configured.

use std::sync::LazyLock;

use towpath_connect::config_def::ConfigType;
use towpath_connect::{ConfigDef, ConfigKey, Importance};

const TABLE: &str = include_str!("client_keys.txt");

static PRODUCER: LazyLock<ConfigDef> = LazyLock::new(|| read('p'));
static CONSUMER: LazyLock<ConfigDef> = LazyLock::new(|| read('c'));
static ADMIN: LazyLock<ConfigDef> = LazyLock::new(|| read('a'));

/// A sort of Kafka client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Producer,
    Consumer,
    Admin,
}

impl Client {
    /// The keys of this client.
    pub fn keys(self) -> &'static ConfigDef {
        match self {
            Self::Producer => &PRODUCER,
            Self::Consumer => &CONSUMER,
            Self::Admin => &ADMIN,
        }
    }

    /// What the keys of a connector begin with that are meant for this client.
    pub fn override_prefix(self) -> &'static str {
        match self {
            Self::Producer => "producer.override.",
            Self::Consumer => "consumer.override.",
            Self::Admin => "admin.override.",
        }
    }
}

fn read(client: char) -> ConfigDef {
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| key(line, client))
        .fold(ConfigDef::new(), ConfigDef::define)
}

fn key(line: &str, client: char) -> Option<ConfigKey> {
    let mut fields = line.splitn(5, ' ');
    fields.next().filter(|clients| clients.contains(client))?;
    let kind = kind(fields.next()?)?;
    let importance = importance(fields.next()?)?;
    let key = ConfigKey::new(fields.next()?, kind).importance(importance);
    Some(match fields.next()? {
        "required" => key,
        "null" => key.default_null(),
        default => key.default(default.strip_prefix('=')?),
    })
}

fn kind(name: &str) -> Option<ConfigType> {
    [
        ConfigType::Boolean,
        ConfigType::String,
        ConfigType::Int,
        ConfigType::Short,
        ConfigType::Long,
        ConfigType::Double,
        ConfigType::List,
        ConfigType::Class,
        ConfigType::Password,
    ]
    .into_iter()
    .find(|kind| kind.name() == name)
}

fn importance(name: &str) -> Option<Importance> {
    [Importance::High, Importance::Medium, Importance::Low]
        .into_iter()
        .find(|importance| importance.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_key() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let clients = line.split(' ').next().unwrap();
            for client in clients.chars() {
                assert!(key(line, client).is_some(), "{line}");
            }
        }
        // The consumer's only internal key is left out.
        assert_eq!(Client::Producer.keys().keys().len(), 113);
        assert_eq!(Client::Consumer.keys().keys().len(), 115);
        assert_eq!(Client::Admin.keys().keys().len(), 91);
    }

    #[test]
    fn clients_differ_in_their_defaults() {
        let default = |client: Client, name: &str| client.keys().key(name).unwrap().default.clone();
        assert_ne!(
            default(Client::Producer, "receive.buffer.bytes"),
            default(Client::Consumer, "receive.buffer.bytes")
        );
        assert!(Client::Producer.keys().key("max.poll.records").is_none());
    }
}

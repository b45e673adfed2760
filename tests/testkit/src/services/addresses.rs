//! Where the servers are, read from the variables that `tests/services env` exports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Service, Services, ServicesError};

/// A database server and a user who may do everything a test needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
}

/// A search engine behind TLS and basic authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureSearch {
    pub url: String,
    pub user: String,
    pub password: String,
    /// The PEM file of the authority that signed its certificate.
    pub certificate_authority: PathBuf,
}

/// Kafka behind TLS. Users: `alice`/`alice-secret` (PLAIN), `bob`/`bob-secret` (SCRAM-SHA-512), anybody (OAUTHBEARER
/// with unsecured tokens).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureKafka {
    /// `host:port` of the listener with SASL.
    pub sasl: String,
    /// `host:port` of the listener that asks for a client certificate.
    pub tls: String,
    /// Holds `ca.pem`, and `client.pem` and `client.p12` with the password `secret`.
    pub keys: PathBuf,
}

/// Each of these panics when the test did not require that server: a mistake in the test.
impl Services {
    /// `host:port`, for `bootstrap.servers`.
    pub fn kafka_bootstrap(&self) -> &str {
        self.get("KAFKA_BOOTSTRAP")
    }

    pub fn kafka_secure(&self) -> SecureKafka {
        SecureKafka {
            sasl: self.get("KAFKA_SECURE_SASL").to_owned(),
            tls: self.get("KAFKA_SECURE_TLS").to_owned(),
            keys: self.get("KAFKA_SECURE_KEYS").into(),
        }
    }

    /// The REST address of the Java Kafka Connect runtime, without a slash at its end.
    pub fn connect_url(&self) -> &str {
        self.get("CONNECT_URL")
    }

    pub fn mariadb(&self) -> Database {
        self.database("MARIADB")
    }

    /// The user owns the database `app` and may create others.
    pub fn postgres(&self) -> Database {
        self.database("POSTGRES")
    }

    /// Without a slash at its end.
    pub fn opensearch_url(&self) -> &str {
        self.get("OPENSEARCH_URL")
    }

    pub fn opensearch_secure(&self) -> SecureSearch {
        SecureSearch {
            url: self.get("OPENSEARCH_SECURE_URL").to_owned(),
            user: self.get("OPENSEARCH_SECURE_USER").to_owned(),
            password: self.get("OPENSEARCH_SECURE_PASSWORD").to_owned(),
            certificate_authority: self.get("OPENSEARCH_SECURE_CA").into(),
        }
    }

    fn database(&self, prefix: &str) -> Database {
        Database {
            host: self.get(&format!("{prefix}_HOST")).to_owned(),
            port: self
                .get(&format!("{prefix}_PORT"))
                .parse()
                .expect("the launcher writes port numbers"),
            user: self.get(&format!("{prefix}_USER")).to_owned(),
            password: self.get(&format!("{prefix}_PASSWORD")).to_owned(),
        }
    }

    fn get(&self, variable: &str) -> &str {
        let value = self.addresses.get(variable);
        value.expect("a test asks for the address of a server only after it has required that server")
    }
}

fn variables(service: Service) -> &'static [&'static str] {
    match service {
        Service::Kafka => &["KAFKA_BOOTSTRAP"],
        Service::KafkaSecure => &["KAFKA_SECURE_SASL", "KAFKA_SECURE_TLS", "KAFKA_SECURE_KEYS"],
        Service::Connect => &["CONNECT_URL"],
        Service::MariaDb => &["MARIADB_HOST", "MARIADB_PORT", "MARIADB_USER", "MARIADB_PASSWORD"],
        Service::Postgres => &[
            "POSTGRES_HOST",
            "POSTGRES_PORT",
            "POSTGRES_USER",
            "POSTGRES_PASSWORD",
        ],
        Service::OpenSearch => &["OPENSEARCH_URL"],
        Service::OpenSearchSecure => &[
            "OPENSEARCH_SECURE_URL",
            "OPENSEARCH_SECURE_USER",
            "OPENSEARCH_SECURE_PASSWORD",
            "OPENSEARCH_SECURE_CA",
        ],
    }
}

pub(super) fn are_known(addresses: &BTreeMap<String, String>, service: Service) -> bool {
    variables(service)
        .iter()
        .all(|variable| addresses.contains_key(*variable))
}

pub(super) fn of_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// One `NAME=value` a line.
pub(super) fn of_file(file: &Path) -> Result<BTreeMap<String, String>, ServicesError> {
    let text = std::fs::read_to_string(file).map_err(|source| ServicesError::Addresses {
        file: file.to_owned(),
        source,
    })?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

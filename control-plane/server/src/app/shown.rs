//! A configuration inside an error message, as Java shows a map.

use towpath_types::ConnectorConfig;

const HIDDEN: &str = "[hidden]";

/// Parts of keys whose values are never shown. The message that holds the dump is about a configuration without a
/// class, so nobody can say which keys are passwords.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "jaas",
    "apikey",
    "api.key",
    "access.key",
    "private.key",
];

/// `{name=x, file=/data/in.txt}`
pub(crate) fn shown(config: &ConnectorConfig) -> String {
    let entries = config.iter().map(|(key, value)| {
        let value = match value {
            None => "null",
            Some(value) if is_secret(key, value) => HIDDEN,
            Some(value) => value,
        };
        format!("{key}={value}")
    });
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

/// Invariant 8: better a value too many hidden than a password shown. URLs often carry one.
fn is_secret(key: &str, value: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
        || value.to_ascii_lowercase().contains("password")
        || (value.contains("://") && value.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_shown_as_java_shows_a_map() {
        let config: ConnectorConfig =
            serde_json::from_str(r#"{"name":"x","file":"/data/in.txt","topic":null}"#).unwrap();
        assert_eq!(shown(&config), "{name=x, file=/data/in.txt, topic=null}");
        assert_eq!(shown(&ConnectorConfig::new()), "{}");
    }

    #[test]
    fn what_may_be_a_password_is_not_shown() {
        let config: ConnectorConfig = [
            ("connection.password", "s3cret"),
            ("aws.secret.access.key", "s3cret"),
            ("sasl.jaas.config", "user s3cret"),
            ("connection.url", "jdbc:mysql://u:s3cret@host/db"),
            ("connection.string", "host=h;Password=s3cret"),
        ]
        .into_iter()
        .collect();
        assert!(!shown(&config).contains("s3cret"));
    }
}

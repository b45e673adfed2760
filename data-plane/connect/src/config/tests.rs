//! Configurations and secrets.

use super::*;

#[test]
fn a_configuration_keeps_its_order_and_its_nulls() {
    let mut config: ConfigMap = [("b", "1"), ("a", "2")].into_iter().collect();
    config.insert_null("n");
    config.insert("b", "3");
    let entries: Vec<_> = config.iter().collect();
    assert_eq!(entries, [("b", Some("3")), ("a", Some("2")), ("n", None)]);
    assert_eq!((config.get("n"), config.contains_key("n")), (None, true));
    assert_eq!(config.remove("b"), Some("3".to_owned()));
    assert_eq!(config.len(), 2);
}

#[test]
fn a_prefix_is_cut_off() {
    let config: ConfigMap = [
        ("value.converter", "x"),
        ("value.converter.a", "1"),
        ("key.a", "2"),
    ]
    .into_iter()
    .collect();
    let found = config.with_prefix("value.converter.");
    assert_eq!(found.iter().collect::<Vec<_>>(), [("a", Some("1"))]);
    assert!(config.with_prefix("zz").is_empty());
}

#[test]
fn neither_values_nor_secrets_are_printed() {
    let config: ConfigMap = [("password", "hunter2")].into_iter().collect();
    assert_eq!(format!("{config:?}"), r#"{"password"}"#);
    let secret = Password::new("hunter2");
    assert_eq!(format!("{secret} {secret:?}"), "[hidden] [hidden]");
    assert_eq!(secret.expose(), "hunter2");
}

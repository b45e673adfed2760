//! No answer and no message shows what a config provider gave, nor a password in a configuration that is printed
//! (invariant 8).

use serde_json::{Value, json};

use crate::fixture::{config, run, source_config, worker};

const SECRET: &str = "s3cret-text";

/// Validates with the secret in the place of `${file:/f:k}` and gives the answer as text.
fn answered(more: Value) -> String {
    let raw = config(&source_config(&more));
    let mut resolved = raw.clone();
    for (key, value) in raw.iter() {
        if let Some(value) = value {
            resolved.insert(key, value.replace("${file:/f:k}", SECRET));
        }
    }
    match run(&raw, &resolved, &worker()) {
        Ok(validation) => serde_json::to_string(&validation.infos).unwrap(),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn resolved_values_are_shown_as_submitted() {
    for (key, value) in [
        ("file", "${file:/f:k}"),
        ("name", "a-${file:/f:k}"),
        ("tasks.max", "${file:/f:k}"),
        ("errors.tolerance", "${file:/f:k}"),
        ("key.converter", "${file:/f:k}"),
        ("topic.creation.groups", "${file:/f:k},${file:/f:k}"),
        ("producer.override.client.id", "${file:/f:k}"),
        ("producer.override.linger.ms", "${file:/f:k}"),
    ] {
        let answer = answered(json!({key: value}));
        assert!(!answer.contains(SECRET), "{key}: {answer}");
        assert!(answer.contains("${file:/f:k}"), "{key}: {answer}");
    }
}

#[test]
fn resolved_secrets_of_passwords_stay_hidden() {
    let answer = answered(json!({"producer.override.sasl.jaas.config": "${file:/f:k}"}));
    assert!(
        !answer.contains(SECRET) && answer.contains("[hidden]"),
        "{answer}"
    );
}

#[test]
fn what_is_wrong_with_a_resolved_value_is_still_said() {
    let answer = answered(json!({"tasks.max": "${file:/f:k}"}));
    assert!(
        answer.contains("Invalid value ${file:/f:k} for configuration tasks.max: Not a number of type INT"),
        "{answer}"
    );
}

#[test]
fn a_printed_configuration_has_no_passwords() {
    let config = config(&json!({
        "name": "x", "connection.password": SECRET, "a.secret": SECRET, "sasl.jaas.config": SECRET, "file": "f",
    }));
    let message = run(&config, &config, &worker()).unwrap_err().to_string();
    assert!(!message.contains(SECRET), "{message}");
    assert!(
        message.contains("connection.password=[hidden]") && message.contains("file=f"),
        "{message}"
    );
}

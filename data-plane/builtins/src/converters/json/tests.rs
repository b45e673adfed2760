//! JsonConverter, row by row of the contract and against what Kafka Connect answered.

mod read;
mod write;

use towpath_connect::ConverterRole;

use super::*;

fn converter(config: &[(&str, &str)]) -> JsonConverter {
    JsonConverter::new(&config.iter().copied().collect(), ConverterRole::Value).unwrap()
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    let config = [("decimal.format", "y"), ("schemas.cache.size", "z")]
        .into_iter()
        .collect();
    let error = JsonConverter::new(&config, ConverterRole::Key).unwrap_err();
    assert_eq!(
        error.message(),
        "Invalid value z for configuration schemas.cache.size: Not a number of type INT\nInvalid value y for \
         configuration decimal.format: String must be one of (case insensitive): NUMERIC, BASE64"
    );
}

#[test]
fn the_role_is_not_for_the_user_to_choose() {
    let config = [("converter.type", "x")].into_iter().collect();
    assert!(JsonConverter::new(&config, ConverterRole::Header).is_ok());
}

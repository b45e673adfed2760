//! Checking a configuration against a live search engine.

use towpath_connect::ConfigMap;
use towpath_connect::config_def::KeyResult;

use crate::harness::{CONFLUENT, Search, connector};

async fn validate(config: &ConfigMap) -> Vec<KeyResult> {
    let mut results = (towpath_elasticsearch::plugins()[0].config_def)().validate(config);
    connector(CONFLUENT).validate(config, &mut results).await;
    results.retain(|result| !result.errors.is_empty());
    results
}

#[tokio::test]
async fn a_good_configuration_has_no_problems() {
    let search = Search::shared("valid").await;
    assert_eq!(validate(&search.config(&[])).await, []);
    let streams = search.config(&[("data.stream.type", "LOGS"), ("data.stream.dataset", "shop")]);
    assert_eq!(validate(&streams).await, []);
    let dead = format!(
        "http://127.0.0.1:{},{}",
        towpath_testkit::free_port().unwrap(),
        search.url
    );
    assert_eq!(
        validate(&search.config(&[("connection.url", &dead)])).await,
        [],
        "one address is enough"
    );
}

#[tokio::test]
async fn an_address_where_nothing_answers_is_named() {
    let address = format!(
        "http://me:s3cret@127.0.0.1:{}",
        towpath_testkit::free_port().unwrap()
    );
    let found = validate(&Search::at(&address, "dead").config(&[])).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let message = &found[0].errors[0];
    assert!(
        found[0].name == "connection.url" && message.contains("cannot be connected to"),
        "{message}"
    );
    assert!(!message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn problems_between_keys_come_before_the_search_engine_is_asked() {
    let address = format!("http://127.0.0.1:{}", towpath_testkit::free_port().unwrap());
    let found = validate(&Search::at(&address, "keys").config(&[("connection.username", "u")])).await;
    let names: Vec<&str> = found.iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["connection.username", "connection.password"]);
}

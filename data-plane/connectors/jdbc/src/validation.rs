//! What `validate` finds beyond single keys: keys against each other, and whether the database can be reached and
//! understands the query.

use std::time::Duration;

use tokio::time::timeout;
use towpath_connect::config_def::{Default, KeyResult};
use towpath_connect::error::Chain;
use towpath_connect::{ConfigMap, ParsedConfig};

use crate::Flavour;
use crate::error::DbError;
use crate::keys;
use crate::session;
use crate::settings;

/// The whole conversation with the database; whoever asks for a validation waits for it.
const DEADLINE: Duration = Duration::from_secs(20);

/// Adds what is wrong to the results of the keys.
pub(crate) async fn validate(flavour: Flavour, config: &ConfigMap, results: &mut [KeyResult]) {
    let Some(parsed) = parse_what_is_right(flavour, config, results) else {
        return;
    };
    let wrong = results.iter().filter(|result| !result.errors.is_empty());
    let left_out: Vec<String> = wrong.map(|result| result.name.clone()).collect();
    for (key, message) in settings::problems(&parsed, config) {
        // A key that is wrong by itself was left out above; that it is missing now is no news.
        if !left_out.iter().any(|name| name == key) {
            add(results, key, message);
        }
    }
    let is_wrong = |result: &KeyResult| {
        let concerns_connection =
            result.name == keys::URL || result.name.starts_with(keys::CONNECTION_PREFIX);
        concerns_connection && !result.errors.is_empty()
    };
    if !results.iter().any(is_wrong) {
        ask_the_database(&parsed, config, results).await;
    }
}

fn add(results: &mut [KeyResult], key: &str, message: String) {
    if let Some(result) = results.iter_mut().find(|result| result.name == key) {
        result.errors.push(message);
    }
}

/// The configuration without the keys that are wrong by themselves.
fn parse_what_is_right(flavour: Flavour, config: &ConfigMap, results: &[KeyResult]) -> Option<ParsedConfig> {
    let definition = keys::definition(flavour);
    let mut right = config.clone();
    for result in results.iter().filter(|result| !result.errors.is_empty()) {
        match definition.key(&result.name).map(|key| &key.default) {
            Some(Default::Required) => right.insert(&result.name, ""),
            Some(Default::Null | Default::Text(_)) | None => {
                right.remove(&result.name);
            }
        }
    }
    definition.parse(&right).ok()
}

async fn ask_the_database(parsed: &ParsedConfig, config: &ConfigMap, results: &mut [KeyResult]) {
    let Some(connection) = settings::connection(parsed, config) else {
        return;
    };
    let query = settings::query(parsed);
    let conversation = async {
        let mut session = session::open(&connection)
            .await
            .map_err(|error| (keys::URL, error))?;
        let answer = match &query {
            Some(query) if query.is_masked => {
                let answer = session.prepare(&query.text).await;
                answer.map_err(|error| (keys::QUERY_MASKED, error.without_statement()))
            }
            Some(query) => session
                .prepare(&query.text)
                .await
                .map_err(|error| (keys::QUERY, error)),
            None => Ok(()),
        };
        session.close().await;
        answer
    };
    let problem: Option<(&str, DbError)> = match timeout(DEADLINE, conversation).await {
        Ok(answer) => answer.err(),
        Err(error) => Some((
            keys::URL,
            DbError::Unreachable {
                database: connection.url.to_string(),
                source: error.into(),
            },
        )),
    };
    if let Some((key, error)) = problem {
        add(results, key, Chain(&error).to_string());
    }
}

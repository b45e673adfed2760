//! What single keys cannot show: keys against each other, and keys that cannot be followed.

use towpath_connect::config_def::{ConfigValue, KeyResult};

use super::tls;
use crate::flavour::Flavour;

/// A key and what is wrong with it.
type Problem = (String, String);

/// Adds what is wrong between keys to their results.
pub(crate) fn add_problems(flavour: Flavour, topics: &[String], results: &mut [KeyResult]) {
    let problems = problems(flavour, topics, Values(results));
    for (key, message) in problems {
        if let Some(result) = results.iter_mut().find(|result| result.name == key) {
            result.errors.push(message);
        }
    }
}

/// The parsed values; a key that could not be read counts as not set.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a>(pub(crate) &'a [KeyResult]);

impl<'a> Values<'a> {
    fn get(self, key: &str) -> &'a ConfigValue {
        let result = self.0.iter().find(|result| result.name == key);
        result.map_or(&ConfigValue::Null, |result| &result.value)
    }

    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        match self.get(key) {
            ConfigValue::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
            ConfigValue::Password(secret) => Some(secret.expose()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    pub(crate) fn is(self, key: &str, wanted: &str) -> bool {
        self.text(key)
            .is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    }

    fn number(self, key: &str) -> Option<i64> {
        match self.get(key) {
            ConfigValue::Int(n) => Some(i64::from(*n)),
            ConfigValue::Long(n) => Some(*n),
            _ => None,
        }
    }

    fn is_true(self, key: &str) -> bool {
        matches!(self.get(key), ConfigValue::Boolean(true))
    }

    pub(crate) fn list(self, key: &str) -> &'a [String] {
        match self.get(key) {
            ConfigValue::List(items) => items,
            _ => &[],
        }
    }
}

fn problems(flavour: Flavour, topics: &[String], values: Values<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    credentials(values, &mut found);
    map_of_topics("topic.index.map", values, &mut found);
    let existing = match flavour {
        Flavour::Confluent => {
            sizes(values, &mut found);
            ids(values, &mut found);
            confluent_security(values, &mut found);
            confluent_data_streams(values, &mut found);
            too_many_mappings(values, &mut found);
            Existing {
                usage: "external.resource.usage",
                off: "DISABLED",
                mapping: "topic.to.external.resource.mapping",
            }
        }
        Flavour::OpenSearch => {
            opensearch_only(values, &mut found);
            Existing {
                usage: "existing.resource.type",
                off: "none",
                mapping: "topic.to.existing.resource.mapping",
            }
        }
    };
    existing_resources(&existing, topics, values, &mut found);
    found.extend(tls::check(flavour, values).err());
    found
}

fn on_each(keys: &[&str], message: &str, found: &mut Vec<Problem>) {
    found.extend(keys.iter().map(|&key| (key.to_owned(), message.to_owned())));
}

fn credentials(values: Values<'_>, found: &mut Vec<Problem>) {
    for (user, password) in [
        ("connection.username", "connection.password"),
        ("proxy.username", "proxy.password"),
    ] {
        if values.text(user).is_some() != values.text(password).is_some() {
            let message = format!("`{user}` and `{password}` belong together: set both, or none of them");
            on_each(&[user, password], &message, found);
        }
    }
    if values.text("proxy.username").is_some() && values.text("proxy.host").is_none() {
        on_each(
            &["proxy.host"],
            "`proxy.username` is set, so `proxy.host` must be set too",
            found,
        );
    }
}

fn sizes(values: Values<'_>, found: &mut Vec<Problem>) {
    let numbers =
        ["batch.size", "max.in.flight.requests", "max.buffered.records"].map(|key| values.number(key));
    if let [Some(batch), Some(in_flight), Some(buffered)] = numbers
        && buffered < batch * in_flight
    {
        let message = format!(
            "`max.buffered.records` ({buffered}) must be at least `batch.size` ({batch}) times `max.in.flight.requests` ({in_flight})"
        );
        on_each(
            &["max.buffered.records", "batch.size", "max.in.flight.requests"],
            &message,
            found,
        );
    }
    if let (Some(linger), Some(flush)) = (values.number("linger.ms"), values.number("flush.timeout.ms"))
        && linger > flush
    {
        let message = format!("`linger.ms` ({linger}) may not be more than `flush.timeout.ms` ({flush})");
        on_each(&["linger.ms", "flush.timeout.ms"], &message, found);
    }
}

fn ids(values: Values<'_>, found: &mut Vec<Problem>) {
    for (all, listed) in [
        ("key.ignore", "topic.key.ignore"),
        ("schema.ignore", "topic.schema.ignore"),
    ] {
        if values.is_true(all) && !values.list(listed).is_empty() {
            let message = format!(
                "`{listed}` has no meaning when `{all}` is `true`; set `{all}` to `false` or leave `{listed}` out"
            );
            on_each(&[all, listed], &message, found);
        }
    }
    if values.is_true("use.autogenerated.ids") && values.is("write.method", "upsert") {
        on_each(
            &["use.autogenerated.ids", "write.method"],
            "a document without an id of its own cannot be merged: set `use.autogenerated.ids` to `false` or `write.method` to `insert`",
            found,
        );
    }
}

/// Entries must be `topic:name`.
fn map_of_topics(key: &str, values: Values<'_>, found: &mut Vec<Problem>) {
    let is_entry = |entry: &String| matches!(entry.split_once(':'), Some((topic, name)) if !topic.trim().is_empty() && !name.trim().is_empty());
    for entry in values.list(key).iter().filter(|entry| !is_entry(entry)) {
        found.push((
            key.to_owned(),
            format!("`{entry}` must have the form `topic:name`"),
        ));
    }
}

fn confluent_security(values: Values<'_>, found: &mut Vec<Problem>) {
    let kerberos = ["kerberos.user.principal", "kerberos.keytab.path"];
    for key in kerberos.into_iter().filter(|key| values.text(key).is_some()) {
        found.push((key.to_owned(), format!("Kerberos is not supported; remove `{key}` and use `connection.username` and `connection.password`")));
    }
    let ssl = values.is("elastic.security.protocol", "SSL");
    let plain = |url: &&String| url.starts_with("http:");
    if ssl && values.list("connection.url").iter().any(|url| plain(&url)) {
        on_each(
            &["connection.url", "elastic.security.protocol"],
            "`elastic.security.protocol` is `SSL`, so every URL must begin with https://",
            found,
        );
    }
    if !ssl && tls::is_configured(Flavour::Confluent, values) {
        on_each(
            &["elastic.security.protocol"],
            "keys that begin with `elastic.https.` are set, so it must be `SSL`",
            found,
        );
    }
}

fn confluent_data_streams(values: Values<'_>, found: &mut Vec<Problem>) {
    let has_type = !values.is("data.stream.type", "NONE") && values.text("data.stream.type").is_some();
    let has_dataset = values.text("data.stream.dataset").is_some();
    let external = ["DATASTREAM", "ALIAS_DATASTREAM"]
        .iter()
        .any(|usage| values.is("external.resource.usage", usage));
    if has_type != has_dataset {
        on_each(
            &["data.stream.type", "data.stream.dataset"],
            "`data.stream.type` and `data.stream.dataset` belong together: set both, or none of them",
            found,
        );
    }
    if (has_type || has_dataset) && !values.is("external.resource.usage", "DISABLED") {
        on_each(
            &[
                "data.stream.type",
                "data.stream.dataset",
                "external.resource.usage",
            ],
            "with `external.resource.usage` the mapping names the data stream; leave `data.stream.type` and `data.stream.dataset` out",
            found,
        );
    }
    let streams = (has_type && has_dataset) || external;
    if !streams && !values.list("data.stream.timestamp.field").is_empty() {
        on_each(
            &["data.stream.timestamp.field"],
            "it is for data streams only: set `data.stream.type` and `data.stream.dataset` too",
            found,
        );
    }
    if streams && values.is("write.method", "upsert") {
        on_each(
            &["write.method"],
            "a data stream only takes new documents; it must be `insert`",
            found,
        );
    }
    if streams && values.is("behavior.on.null.values", "delete") {
        on_each(
            &["behavior.on.null.values"],
            "nothing can be deleted from a data stream; it must be `ignore` or `fail`",
            found,
        );
    }
}

/// The keys with which a flavour names what exists.
struct Existing {
    usage: &'static str,
    off: &'static str,
    mapping: &'static str,
}

fn existing_resources(keys: &Existing, topics: &[String], values: Values<'_>, found: &mut Vec<Problem>) {
    let Existing { usage, off, mapping } = *keys;
    let entries = values.list(mapping);
    if values.is(usage, off) {
        if !entries.is_empty() {
            let message = format!("`{mapping}` is set, so `{usage}` must say what it names");
            on_each(&[usage, mapping], &message, found);
        }
        return;
    }
    let before = found.len();
    map_of_topics(mapping, values, found);
    if found.len() > before {
        return;
    }
    let pairs: Vec<(&str, &str)> = entries.iter().filter_map(|entry| entry.split_once(':')).collect();
    let is_mapped = |topic: &String| pairs.iter().filter(|(from, _)| from.trim() == topic).count() == 1;
    // With a pattern of topics nobody knows yet which there will be.
    let covers_topics = topics.is_empty() || (topics.len() == pairs.len() && topics.iter().all(is_mapped));
    if !covers_topics {
        let message =
            format!("`{mapping}` must have one entry for each of the topics in `topics`, and no other");
        on_each(&[mapping], &message, found);
    }
    let mut resources: Vec<&str> = pairs.iter().map(|(_, name)| name.trim()).collect();
    resources.sort_unstable();
    if pairs.is_empty() || resources.windows(2).any(|pair| pair[0] == pair[1]) {
        on_each(
            &[mapping],
            &format!("`{mapping}` must name a resource of its own for each topic"),
            found,
        );
    }
}

fn too_many_mappings(values: Values<'_>, found: &mut Vec<Problem>) {
    let key = "topic.to.external.resource.mapping";
    let count = i64::try_from(values.list(key).len()).unwrap_or(i64::MAX);
    if let Some(most) = values.number("max.external.resource.mappings")
        && count > most
    {
        on_each(
            &[key],
            &format!("it has {count} entries, but `max.external.resource.mappings` allows {most}"),
            found,
        );
    }
}

fn opensearch_only(values: Values<'_>, found: &mut Vec<Problem>) {
    for key in [
        "aws.access_key_id",
        "aws.secret_access_key",
        "aws.region",
        "aws.sts.role.arn",
    ] {
        if values.text(key).is_some() {
            on_each(
                &[key],
                &format!(
                    "signing requests for AWS is not supported; remove `{key}` and use `connection.username` and `connection.password`"
                ),
                found,
            );
        }
    }
    let streams = values.is_true("data.stream.enabled")
        || ["data_stream", "data_stream_alias"]
            .iter()
            .any(|kind| values.is("existing.resource.type", kind));
    if streams && values.is("index.write.method", "upsert") {
        on_each(
            &["index.write.method"],
            "a data stream only takes new documents; it must be `insert`",
            found,
        );
    }
    if streams && values.is("behavior.on.null.values", "delete") {
        on_each(
            &["behavior.on.null.values"],
            "nothing can be deleted from a data stream; it must be `ignore` or `fail`",
            found,
        );
    }
    let path = "routing.type.record.value.path";
    if values.is("routing.type", "value") && values.text(path).is_none_or(|path| !path.starts_with('/')) {
        on_each(
            &[path],
            "`routing.type` is `value`, so it must be a JSON pointer such as `/customer/id`",
            found,
        );
    }
}

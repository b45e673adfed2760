//! The single message transforms and predicates of Kafka Connect itself.

mod cast;
mod extract_field;
mod predicates;
mod regex_router;
mod replace_field;
mod schema_cache;
mod side;
mod timestamp_converter;
mod value_to_key;

pub use cast::Cast;
pub use extract_field::ExtractField;
pub use predicates::{HasHeaderKey, RecordIsTombstone, TopicNameMatches};
pub use regex_router::RegexRouter;
pub use replace_field::ReplaceField;
pub use side::Side;
pub use timestamp_converter::TimestampConverter;
pub use value_to_key::ValueToKey;

use towpath_connect::transform::NewTransform;
use towpath_connect::{ConfigDef, ConfigKey, Field, KAFKA_CONNECT_VERSION, Plugin, PluginFactory, Value};

const REPLACE_NULL: &str = "replace.null.with.default";

/// The plugins of this module.
pub fn plugins() -> Vec<Plugin> {
    let mut plugins = vec![
        transform(
            "org.apache.kafka.connect.transforms.Cast$Key",
            cast::config_def,
            |config| Ok(Box::new(Cast::new(Side::Key, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.Cast$Value",
            cast::config_def,
            |config| Ok(Box::new(Cast::new(Side::Value, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.ExtractField$Key",
            extract_field::config_def,
            |config| Ok(Box::new(ExtractField::new(Side::Key, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.ExtractField$Value",
            extract_field::config_def,
            |config| Ok(Box::new(ExtractField::new(Side::Value, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.RegexRouter",
            regex_router::config_def,
            |config| Ok(Box::new(RegexRouter::new(config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.ReplaceField$Key",
            replace_field::config_def,
            |config| Ok(Box::new(ReplaceField::new(Side::Key, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.ReplaceField$Value",
            replace_field::config_def,
            |config| Ok(Box::new(ReplaceField::new(Side::Value, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.TimestampConverter$Key",
            timestamp_converter::config_def,
            |config| Ok(Box::new(TimestampConverter::new(Side::Key, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.TimestampConverter$Value",
            timestamp_converter::config_def,
            |config| Ok(Box::new(TimestampConverter::new(Side::Value, config)?)),
        ),
        transform(
            "org.apache.kafka.connect.transforms.ValueToKey",
            value_to_key::config_def,
            |config| Ok(Box::new(ValueToKey::new(config)?)),
        ),
    ];
    plugins.extend(predicates::plugins());
    plugins
}

fn transform(class: &'static str, config_def: fn() -> ConfigDef, new: NewTransform) -> Plugin {
    Plugin {
        class,
        aliases: &[],
        version: KAFKA_CONNECT_VERSION,
        config_def,
        factory: PluginFactory::Transform(new),
    }
}

/// The key that several transforms have: what becomes of nulls in fields that have a default.
fn replace_null() -> ConfigKey {
    ConfigKey::boolean(REPLACE_NULL).default("true").doc(
        "Whether a null in a field becomes the default of the field, if that has one, when it is copied.",
    )
}

/// Puts the default of its field in place of each null.
fn replace_nulls(fields: &[Field], values: &mut [Value]) {
    for (field, value) in fields.iter().zip(values) {
        if value.is_null()
            && let Some(default) = field.schema.default_value()
        {
            value.clone_from(default);
        }
    }
}

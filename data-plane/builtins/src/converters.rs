//! The converters of Kafka Connect itself. Each is a header converter too.

mod boolean;
mod byte_array;
mod charset;
mod header;
mod json;
mod number;
pub(crate) mod simple_header;
mod string;

pub use boolean::BooleanConverter;
pub use byte_array::ByteArrayConverter;
pub use header::AsHeaderConverter;
pub use json::JsonConverter;
pub use number::{NumberConverter, NumberKind};
pub use simple_header::SimpleHeaderConverter;
pub use string::StringConverter;

use towpath_connect::config_def::Validator;
use towpath_connect::converter::{NewConverter, NewHeaderConverter};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, Converter, ConverterRole, HeaderConverter, KAFKA_CONNECT_VERSION,
    ParsedConfig, Plugin, PluginFactory, Result,
};

const CONVERTER_TYPE: &str = "converter.type";

/// The plugins of this module: SimpleHeaderConverter, and each other class once as a converter and once as a header
/// converter.
pub fn plugins() -> Vec<Plugin> {
    let mut plugins = Vec::new();
    for class in classes() {
        let plugin = |factory| Plugin {
            class: class.name,
            aliases: &[],
            version: KAFKA_CONNECT_VERSION,
            config_def: class.config_def,
            factory,
        };
        plugins.push(plugin(PluginFactory::Converter(class.converter)));
        plugins.push(plugin(PluginFactory::HeaderConverter(class.header_converter)));
    }
    plugins.push(Plugin {
        class: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        aliases: &[],
        version: KAFKA_CONNECT_VERSION,
        config_def: simple_header::config_def,
        factory: PluginFactory::HeaderConverter(|config| Ok(Box::new(SimpleHeaderConverter::new(config)?))),
    });
    plugins
}

struct Class {
    name: &'static str,
    config_def: fn() -> ConfigDef,
    converter: NewConverter,
    header_converter: NewHeaderConverter,
}

/// Makes the two constructors of a converter from the one that takes configuration and role.
macro_rules! class {
    ($name:literal, $config_def:expr, $new:expr) => {
        Class {
            name: $name,
            config_def: $config_def,
            converter: |config, role| boxed($new(config, role)?),
            header_converter: |config| boxed_header($new(config, ConverterRole::Header)?),
        }
    };
}

fn classes() -> Vec<Class> {
    vec![
        class!(
            "org.apache.kafka.connect.json.JsonConverter",
            json::config_def,
            JsonConverter::new
        ),
        class!(
            "org.apache.kafka.connect.storage.StringConverter",
            string::config_def,
            StringConverter::new
        ),
        class!(
            "org.apache.kafka.connect.converters.ByteArrayConverter",
            plain_config_def,
            ByteArrayConverter::new
        ),
        class!(
            "org.apache.kafka.connect.converters.BooleanConverter",
            plain_config_def,
            BooleanConverter::new
        ),
        class!(
            "org.apache.kafka.connect.converters.ShortConverter",
            plain_config_def,
            |config, role| NumberConverter::new(NumberKind::Short, config, role)
        ),
        class!(
            "org.apache.kafka.connect.converters.IntegerConverter",
            plain_config_def,
            |config, role| NumberConverter::new(NumberKind::Integer, config, role)
        ),
        class!(
            "org.apache.kafka.connect.converters.LongConverter",
            plain_config_def,
            |config, role| NumberConverter::new(NumberKind::Long, config, role)
        ),
        class!(
            "org.apache.kafka.connect.converters.FloatConverter",
            plain_config_def,
            |config, role| NumberConverter::new(NumberKind::Float, config, role)
        ),
        class!(
            "org.apache.kafka.connect.converters.DoubleConverter",
            plain_config_def,
            |config, role| NumberConverter::new(NumberKind::Double, config, role)
        ),
    ]
}

fn boxed(converter: impl Converter + 'static) -> Result<Box<dyn Converter>> {
    Ok(Box::new(converter))
}

fn boxed_header(converter: impl Converter + 'static) -> Result<Box<dyn HeaderConverter>> {
    Ok(Box::new(AsHeaderConverter::new(converter)))
}

/// The key that says what a converter is used for. Nobody sets it: the worker knows.
fn converter_type() -> ConfigKey {
    ConfigKey::string(CONVERTER_TYPE)
        .low()
        .valid(Validator::OneOf(&["key", "value", "header"]))
        .doc("What the converter is used for: keys, values or headers. Follows from where it is configured.")
}

/// The definition of converters that have no key of their own.
fn plain_config_def() -> ConfigDef {
    ConfigDef::new().define(converter_type())
}

/// Parses the configuration of a converter, to which the role is added.
fn parse(def: &ConfigDef, config: &ConfigMap, role: ConverterRole) -> Result<ParsedConfig> {
    let mut config = config.clone();
    config.insert(CONVERTER_TYPE, role.name());
    def.parse(&config)
}

#[cfg(test)]
mod tests;

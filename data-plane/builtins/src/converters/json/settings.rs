//! The configuration of JsonConverter.

use towpath_connect::config_def::Validator;
use towpath_connect::{ConfigDef, ConfigKey, ConfigMap, ConverterRole, Result, Width};

const SCHEMAS_ENABLE: &str = "schemas.enable";
const SCHEMAS_CACHE_SIZE: &str = "schemas.cache.size";
const SCHEMA_CONTENT: &str = "schema.content";
const DECIMAL_FORMAT: &str = "decimal.format";
const REPLACE_NULL: &str = "replace.null.with.default";

/// How the logical type Decimal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DecimalFormat {
    Base64,
    Numeric,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) schemas_enable: bool,
    pub(super) schemas_cache_size: usize,
    pub(super) schema_content: Option<String>,
    pub(super) decimal_format: DecimalFormat,
    pub(super) replace_null_with_default: bool,
}

pub(in crate::converters) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(crate::converters::converter_type())
        .define(
            ConfigKey::boolean(SCHEMAS_ENABLE)
                .default("true")
                .high()
                .shown("Schemas", 0, Width::Medium, "Enable Schemas")
                .doc("Whether each message is an object with its `schema` and its `payload`."),
        )
        .define(
            ConfigKey::int(SCHEMAS_CACHE_SIZE)
                .default("1000")
                .high()
                .shown("Schemas", 1, Width::Medium, "Schema Cache Size")
                .doc("How many schemas are remembered in each direction."),
        )
        .define(
            ConfigKey::string(SCHEMA_CONTENT)
                .default_null()
                .high()
                .shown("Schemas", 2, Width::Medium, "Schema Content")
                .doc(
                    "The schema, in JSON, of all messages that are read. They are then bare payloads. Used with \
                     `schemas.enable` only.",
                ),
        )
        .define(
            ConfigKey::string(DECIMAL_FORMAT)
                .default("BASE64")
                .valid(Validator::OneOfIgnoreCase(&["NUMERIC", "BASE64"]))
                .low()
                .shown("Serialization", 0, Width::Medium, "Decimal Format")
                .doc("How decimals are written: as BASE64 text of their bytes, or NUMERIC as a JSON number."),
        )
        .define(
            ConfigKey::boolean(REPLACE_NULL)
                .default("true")
                .low()
                .shown("Serialization", 1, Width::Medium, "Replace null with default")
                .doc("Whether a null becomes the default of its schema, if that has one."),
        )
}

impl Settings {
    pub(super) fn parse(config: &ConfigMap, role: ConverterRole) -> Result<Self> {
        let parsed = crate::converters::parse(&config_def(), config, role)?;
        let numeric = parsed.string(DECIMAL_FORMAT).eq_ignore_ascii_case("NUMERIC");
        Ok(Self {
            schemas_enable: parsed.boolean(SCHEMAS_ENABLE),
            schemas_cache_size: parsed.count(SCHEMAS_CACHE_SIZE).max(1),
            schema_content: parsed.optional_string(SCHEMA_CONTENT).map(str::to_owned),
            decimal_format: if numeric {
                DecimalFormat::Numeric
            } else {
                DecimalFormat::Base64
            },
            replace_null_with_default: parsed.boolean(REPLACE_NULL),
        })
    }
}

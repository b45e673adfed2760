//! ReplaceField: drops and renames the fields of a struct or map.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use towpath_connect::config_def::{ConfigValue, Validator, invalid};
use towpath_connect::transform::{RecordOrigin, Transform};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, Map, Result, SchemaBuilder, SchemaRef,
    Struct, Value,
};

use super::schema_cache::SchemaCache;
use super::side::{Side, require_map, require_struct};

const EXCLUDE: &str = "exclude";
const INCLUDE: &str = "include";
const RENAMES: &str = "renames";
const PURPOSE: &str = "field replacement";

/// Drops and renames fields.
#[derive(Debug)]
pub struct ReplaceField {
    side: Side,
    fields: Fields,
    replace_null_with_default: bool,
    plans: SchemaCache<Arc<Plan>>,
}

/// Which fields are kept, by their old names, and what they are called then.
#[derive(Debug)]
struct Fields {
    exclude: HashSet<String>,
    include: HashSet<String>,
    renames: HashMap<String, Arc<str>>,
}

/// What becomes of structs of one schema.
#[derive(Debug)]
struct Plan {
    schema: SchemaRef,
    /// The old index of each field.
    kept: Vec<usize>,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::list(EXCLUDE)
                .default("")
                .valid(Validator::UniqueItems)
                .doc("Fields to drop. A field that is also in `include` is dropped."),
        )
        .define(
            ConfigKey::list(INCLUDE)
                .default("")
                .valid(Validator::UniqueItems)
                .doc("Fields to keep. When empty, every field is kept that is not in `exclude`."),
        )
        .define(
            ConfigKey::list(RENAMES)
                .default("")
                .valid(Validator::Custom(check_renames))
                .doc("Fields to rename, each as `old:new`. `exclude` and `include` name fields by their old names."),
        )
        .define(super::replace_null())
}

impl ReplaceField {
    /// A transform with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(side: Side, config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        let set = |key| parsed.list(key).iter().cloned().collect();
        let renames = parsed
            .list(RENAMES)
            .iter()
            .filter_map(|mapping| rename(mapping))
            .map(|(old, new)| (old.to_owned(), Arc::from(new)))
            .collect();
        Ok(Self {
            side,
            fields: Fields {
                exclude: set(EXCLUDE),
                include: set(INCLUDE),
                renames,
            },
            replace_null_with_default: parsed.boolean(super::REPLACE_NULL),
            plans: SchemaCache::new(),
        })
    }

    fn replace_struct(&mut self, schema: &SchemaRef, value: Struct) -> Result<(SchemaRef, Struct)> {
        let fields = &self.fields;
        let plan = self.plans.get_or_make(schema, |schema| fields.plan(schema))?;
        let mut old = value.into_values();
        let values = plan
            .kept
            .iter()
            .map(|&index| match schema.fields()[index].schema.default_value() {
                Some(default) if self.replace_null_with_default && old[index].is_null() => default.clone(),
                _ => std::mem::take(&mut old[index]),
            })
            .collect();
        Ok((
            SchemaRef::clone(&plan.schema),
            Struct::of(SchemaRef::clone(&plan.schema), values)?,
        ))
    }
}

impl Transform for ReplaceField {
    fn apply(&mut self, mut record: ConnectRecord, _origin: RecordOrigin) -> Result<Option<ConnectRecord>> {
        if self.side.is_null(&record) {
            return Ok(Some(record));
        }
        let (schema, value) = self.side.take(&mut record);
        let (schema, value) = match schema {
            None => (
                None,
                Value::Map(self.fields.replace(require_map(value, PURPOSE)?)?),
            ),
            Some(schema) => {
                let (schema, value) = self.replace_struct(&schema, require_struct(value, PURPOSE)?)?;
                (Some(schema), Value::Struct(value))
            }
        };
        self.side.put(&mut record, schema, value);
        Ok(Some(record))
    }
}

impl Fields {
    fn keeps(&self, name: &str) -> bool {
        !self.exclude.contains(name) && (self.include.is_empty() || self.include.contains(name))
    }

    fn plan(&self, schema: &SchemaRef) -> Result<Arc<Plan>> {
        let mut builder = SchemaBuilder::copy_basics(schema, SchemaBuilder::new_struct());
        let mut kept = Vec::new();
        for field in schema.fields().iter().filter(|field| self.keeps(&field.name)) {
            let name = self.renames.get(field.name.as_ref()).unwrap_or(&field.name);
            builder = builder.field(Arc::clone(name), SchemaRef::clone(&field.schema));
            kept.push(field.index);
        }
        Ok(Arc::new(Plan {
            schema: builder.build()?,
            kept,
        }))
    }

    fn replace(&self, map: Map) -> Result<Map> {
        map.into_iter()
            .filter_map(|(key, value)| match key.as_str() {
                None => Some(Err(ConnectorError::data(format!(
                    "Only Map objects with String keys supported in absence of schema for [{PURPOSE}], found: {}",
                    key.java_class()
                )))),
                Some(name) if !self.keeps(name) => None,
                Some(name) => match self.renames.get(name) {
                    Some(new) => Some(Ok((Value::from(new.as_ref()), value))),
                    None => Some(Ok((key, value))),
                },
            })
            .collect()
    }
}

/// `old` and `new` of `old:new`. Colons at the end do not count.
fn rename(mapping: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = mapping.trim_end_matches(':').split(':').collect();
    match parts[..] {
        [old, new] => Some((old, new)),
        _ => None,
    }
}

fn check_renames(key: &str, value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::List(mappings) = value else {
        return Err(format!("Configuration '{key}' values must not be null."));
    };
    match mappings.iter().find(|mapping| rename(mapping).is_none()) {
        Some(bad) => Err(invalid(key, value, &format!("Invalid rename mapping: {bad}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

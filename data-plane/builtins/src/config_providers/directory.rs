//! DirectoryConfigProvider: values that are each a file of their own, as secrets are mounted in containers.

use std::collections::{BTreeSet, HashMap};
use std::path::Component;

use towpath_connect::{ConfigMap, ConnectorError, Result};

use super::allowed_paths::AllowedPaths;
use super::{ConfigProvider, file};

/// The path is that of a directory, the key the name of a file in it; the value is all of the file's text.
#[derive(Debug)]
pub struct DirectoryConfigProvider {
    allowed: AllowedPaths,
}

impl DirectoryConfigProvider {
    /// A provider with these parameters: `allowed.paths`.
    ///
    /// # Errors
    /// `Config` when an allowed path is not absolute or does not exist.
    pub fn new(params: &ConfigMap) -> Result<Self> {
        Ok(Self {
            allowed: AllowedPaths::parse(params)?,
        })
    }
}

impl ConfigProvider for DirectoryConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<HashMap<String, String>> {
        let mut found = HashMap::new();
        let directory = match self.allowed.check(path) {
            Some(directory) if !path.is_empty() && directory.is_dir() => directory,
            _ => return Ok(found),
        };
        for key in keys.iter().filter(|key| is_file_name(key)) {
            let file = directory.join(key);
            if !file.is_file() {
                continue;
            }
            let text = file::read(&file).map_err(|cause| {
                let message = format!("Could not read file {} for property {key}", file.display());
                ConnectorError::config(message).with_source(cause)
            })?;
            found.insert((*key).to_owned(), text);
        }
        Ok(found)
    }
}

/// Whether the key is the name of a file and not a way out of the directory.
fn is_file_name(key: &str) -> bool {
    let mut components = std::path::Path::new(key).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(name)), None) if name == key)
}

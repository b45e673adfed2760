//! FileConfigProvider: values from Java properties files.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use towpath_connect::{ConfigMap, ConnectorError, Result, properties};

use super::allowed_paths::AllowedPaths;
use super::{ConfigProvider, MAX_FILE_BYTES};

/// The path is that of a properties file, the key one of its keys.
#[derive(Debug)]
pub struct FileConfigProvider {
    allowed: AllowedPaths,
}

impl FileConfigProvider {
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

impl ConfigProvider for FileConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<HashMap<String, String>> {
        if path.is_empty() {
            return Ok(HashMap::new());
        }
        let Some(file) = self.allowed.check(path) else {
            return Ok(HashMap::new());
        };
        let failed = || ConnectorError::config(format!("Could not read properties from file {path}"));
        let text = read(&file).map_err(|cause| failed().with_source(cause))?;
        let found = properties::parse(&text).map_err(|cause| failed().with_source(cause))?;
        let value = |key: &&str| Some(((*key).to_owned(), found.get(key)?.to_owned()));
        Ok(keys.iter().filter_map(value).collect())
    }
}

/// The text of a file that is not unreasonably long.
pub(super) fn read(file: &Path) -> std::io::Result<String> {
    let length = std::fs::metadata(file)?.len();
    if length > MAX_FILE_BYTES {
        return Err(std::io::Error::other(format!(
            "the file has {length} bytes, but at most {MAX_FILE_BYTES} are read"
        )));
    }
    std::fs::read_to_string(file)
}

//! The parameter `allowed.paths`: which files a provider may read.

use std::path::{Component, Path, PathBuf};

use towpath_connect::{ConfigMap, ConnectorError, Result};

const ALLOWED_PATHS: &str = "allowed.paths";

/// The directories and files that may be read.
#[derive(Debug)]
pub(super) struct AllowedPaths {
    /// `None`: all.
    paths: Option<Vec<PathBuf>>,
}

impl AllowedPaths {
    pub(super) fn parse(params: &ConfigMap) -> Result<Self> {
        let Some(list) = params.get(ALLOWED_PATHS).filter(|list| !list.is_empty()) else {
            return Ok(Self { paths: None });
        };
        let paths = list
            .split(',')
            .map(|path| allowed(path.trim()))
            .collect::<Result<_>>()?;
        Ok(Self { paths: Some(paths) })
    }

    /// The path without detours, or `None` if it must not be read.
    pub(super) fn check(&self, path: &str) -> Option<PathBuf> {
        let path = Path::new(path);
        match &self.paths {
            None => Some(path.to_owned()),
            Some(allowed) => {
                let path = normalized(path);
                allowed
                    .iter()
                    .any(|allowed| path.starts_with(allowed))
                    .then_some(path)
            }
        }
    }
}

fn allowed(text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(ConnectorError::config(format!("Path {text} is not absolute")));
    }
    if !path.exists() {
        return Err(ConnectorError::config(format!("Path {text} does not exist")));
    }
    Ok(normalized(path))
}

/// Without `.` and `..`, by the text alone.
fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

//! The only place that reads the environment, beside the options that `args` ties to variables.

use std::path::PathBuf;

/// Whether colours are unwanted: <https://no-color.org>.
pub(crate) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Where the contexts are unless an option says otherwise.
pub(crate) fn default_contexts_file() -> Option<PathBuf> {
    Some(std::env::home_dir()?.join(".kcctl"))
}

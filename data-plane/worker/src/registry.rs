//! Every plugin of this build: one line a connector family, each behind its cargo feature (rule D5).

use towpath_connect::{Plugin, PluginSet};

/// The plugins that this build holds.
pub fn plugins() -> PluginSet {
    let mut all: Vec<Plugin> = towpath_builtins::plugins();
    #[cfg(feature = "elasticsearch")]
    all.extend(towpath_elasticsearch::plugins());
    #[cfg(feature = "file")]
    all.extend(towpath_file::plugins());
    #[cfg(feature = "jdbc")]
    all.extend(towpath_jdbc::plugins());
    PluginSet::new(all)
}

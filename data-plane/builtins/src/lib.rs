//! What every worker has without a connector: converters, header converters, transforms, predicates and config
//! providers. Connectors are crates of their own.

pub mod converters;

use towpath_connect::Plugin;

/// The plugins of this crate.
pub fn plugins() -> Vec<Plugin> {
    converters::plugins()
}

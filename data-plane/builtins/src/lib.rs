//! What every worker has without a connector: converters, header converters, transforms, predicates and config
//! providers. Connectors are crates of their own.

mod clock;
pub mod config_providers;
pub mod converters;
#[cfg(test)]
mod describe;
pub mod java_date_format;
pub mod transforms;

use towpath_connect::Plugin;

/// The plugins of this crate.
pub fn plugins() -> Vec<Plugin> {
    let mut plugins = converters::plugins();
    plugins.extend(transforms::plugins());
    plugins
}

#[cfg(test)]
mod tests;

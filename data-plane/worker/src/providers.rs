//! Config providers of a worker: what replaces `${provider:path:key}` in configurations.

use std::sync::Arc;

use towpath_builtins::config_providers::{ConfigProviders, Environment};
use towpath_connect::{ConfigMap, Result};
use towpath_runtime::unit::Resolve;

/// The resolver that the worker's file declares.
///
/// # Errors
/// When a provider's class is not known or its parameters are wrong.
pub(crate) fn resolver(file: &ConfigMap) -> Result<Arc<Resolve>> {
    // The one place that reads variables by names that users choose.
    let environment = Environment::new(|name| std::env::var_os(name)?.into_string().ok());
    let providers = ConfigProviders::from_worker(file, &environment)?;
    Ok(Arc::new(move |config| providers.resolve(config)))
}

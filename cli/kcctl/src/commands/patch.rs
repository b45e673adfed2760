//! `patch connector`.

use towpath_types::ConnectorConfig;

use super::{Session, describe, selection};
use crate::args::PatchArgs;
use crate::failure::Failure;
use crate::output::Format;

pub(super) async fn connectors(session: &Session<'_>, args: &PatchArgs) -> Result<(), Failure> {
    if args.set.is_empty() && args.remove.is_empty() {
        return Err(Failure::NothingToPatch);
    }
    let mut patch: ConnectorConfig = args.set.iter().cloned().collect();
    for key in &args.remove {
        patch.insert_null(key);
    }
    let names = selection::names(session, &args.selection).await?;
    let format = args.output.output.unwrap_or_default();
    for (index, name) in names.iter().enumerate() {
        if let Err(error) = session.cluster.patch_config(name, &patch).await {
            return Err(Failure::not_done(&names, index, "patched", error.into()));
        }
        if format == Format::Table {
            session.printer.note("New connector configuration:");
        }
        describe::describe(session, std::slice::from_ref(name), false, format).await?;
    }
    Ok(())
}

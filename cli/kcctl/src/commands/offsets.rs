//! `patch offsets` and `reset offsets`.

use serde_json::json;

use super::Session;
use super::selection::each_once;
use crate::apply;
use crate::args::{PatchOffsetsArgs, ResetOffsetsArgs};
use crate::failure::Failure;
use crate::output::Outcomes;
use crate::version::{Feature, Version, require};

const CHANGING_OFFSETS: Feature = Feature::new("Changing connector offsets", Version::new(3, 6));

pub(super) async fn patch(session: &Session<'_>, args: &PatchOffsetsArgs) -> Result<(), Failure> {
    let offsets = apply::read_json(&args.file)?;
    require(session.cluster.as_ref(), CHANGING_OFFSETS).await?;
    let name = &args.name;
    let names = std::slice::from_ref(name);
    let altered = session.cluster.alter_offsets(name, &offsets).await;
    let message = altered.map_err(|error| Failure::not_done(names, 0, "altered", error.into()))?;
    let mut outcomes = Outcomes::new(session.printer, args.output.output.unwrap_or_default());
    outcomes.add(
        &message,
        json!({"name": name, "action": "altered", "message": message}),
    );
    outcomes.finish();
    Ok(())
}

pub(super) async fn reset(session: &Session<'_>, args: &ResetOffsetsArgs) -> Result<(), Failure> {
    require(session.cluster.as_ref(), CHANGING_OFFSETS).await?;
    let names = each_once(&args.names);
    let mut outcomes = Outcomes::new(session.printer, args.output.output.unwrap_or_default());
    for (index, name) in names.iter().enumerate() {
        match session.cluster.reset_offsets(name).await {
            Ok(message) => outcomes.add(
                &format!("{name}: {message}"),
                json!({"name": name, "action": "reset", "message": message}),
            ),
            Err(error) => {
                outcomes.finish();
                return Err(Failure::not_done(&names, index, "reset", error.into()));
            }
        }
    }
    outcomes.finish();
    Ok(())
}

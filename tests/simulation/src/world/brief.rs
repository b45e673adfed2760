//! What was written, in a line of the trail.

use towpath_state::Command;

/// Without session ids, which differ from run to run.
pub(super) fn brief(command: &Command) -> String {
    match command {
        Command::RegisterWorker(registration) => {
            let held: Vec<String> = registration
                .held
                .iter()
                .map(|held| format!("{}@{}", held.unit, held.epoch))
                .collect();
            format!(
                "{} registers, resumes {}, holds {held:?}",
                registration.worker,
                registration.resumes.is_some()
            )
        }
        Command::RemoveWorker { from, reason } => format!("{} is removed: {reason:?}", from.worker),
        Command::ReportUnitStates { from, reports } => {
            let reports: Vec<String> = reports
                .iter()
                .map(|report| format!("{}@{} {}", report.unit, report.epoch, report.state))
                .collect();
            format!("{} reports {reports:?}", from.worker)
        }
        Command::PutTaskConfigs {
            from,
            connector,
            epoch,
            configs,
        } => {
            format!(
                "{} makes {} tasks of {connector}@{epoch}",
                from.worker,
                configs.len()
            )
        }
        Command::CommitOffsets { from, commits } => {
            let commits: Vec<String> = commits
                .iter()
                .map(|commit| format!("{}@{}", commit.unit, commit.epoch))
                .collect();
            format!("{} commits {commits:?}", from.worker)
        }
        Command::RecordTopics { from, .. } => format!("{} names topics", from.worker),
        other => format!("{other:?}"),
    }
}

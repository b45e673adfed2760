//! What each command does.

mod backup;
mod config;
mod describe;
mod get;
mod lifecycle;
mod members;
mod names;
mod offsets;
mod patch;
mod plugin;
mod selection;
mod worker;

use crate::api::{self, Cluster};
use crate::args::{
    Cli, Command, DescribeCommand, GetCommand, MembersCommand, PatchCommand, ResetCommand, RestartCommand,
};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::target::Target;
use crate::{apply, completion};

pub(crate) use get::plugin_table;

/// Requests that run at the same time when their order does not matter.
pub(crate) const CONCURRENT_REQUESTS: usize = 16;

/// What a command works with.
pub(crate) struct Session<'a> {
    pub(crate) printer: &'a Printer,
    pub(crate) cluster: Box<dyn Cluster>,
    /// As it is shown.
    pub(crate) url: String,
}

pub(crate) async fn run(printer: &Printer, cli: Cli) -> Result<(), Failure> {
    let Cli { global, command } = cli;
    match command {
        Command::Config(command) => return config::run(printer, &global, command),
        Command::ContextNameCompletions => return config::print_names(printer, &global),
        Command::Completion { shell } => {
            completion::print(printer, shell);
            return Ok(());
        }
        Command::Delete(ref args) if args.noun.is_none() => return Err(Failure::DeleteWithoutNoun),
        Command::Cluster(MembersCommand::Restore { file }) => {
            return Err(Failure::RestoredElsewhere { file });
        }
        _ => {}
    }
    let target = Target::choose(&global, printer)?;
    printer.waiting_for(target.shown.clone());
    let cluster = api::connect(&target, global.timeout).await?;
    with_cluster(
        &Session {
            printer,
            cluster,
            url: target.shown,
        },
        command,
    )
    .await
}

async fn with_cluster(session: &Session<'_>, command: Command) -> Result<(), Failure> {
    match command {
        Command::Info(output) => get::info(session, output).await,
        Command::Get(GetCommand::Connectors(output)) => get::connectors(session, output).await,
        Command::Get(GetCommand::Plugins(args)) => get::plugins(session, &args).await,
        Command::Get(GetCommand::Offsets(args)) => get::offsets(session, &args).await,
        Command::Get(GetCommand::Workers(output)) => worker::list(session, output).await,
        Command::Describe(DescribeCommand::Worker(args)) => worker::describe(session, &args).await,
        Command::Worker(command) => worker::run(session, command).await,
        Command::Cluster(command) => members::run(session, command).await,
        Command::Describe(DescribeCommand::Connector(args)) => describe::connectors(session, &args).await,
        Command::Describe(DescribeCommand::Plugin(args)) => plugin::describe(session, &args).await,
        Command::Apply(args) => apply::run(session, &args).await,
        Command::Patch(PatchCommand::Connector(args)) => patch::connectors(session, &args).await,
        Command::Patch(PatchCommand::Offsets(args)) => offsets::patch(session, &args).await,
        Command::Reset(ResetCommand::Offsets(args)) => offsets::reset(session, &args).await,
        Command::Restart(RestartCommand::Connector(args)) => lifecycle::restart(session, &args).await,
        Command::Restart(RestartCommand::Task(args)) => lifecycle::restart_tasks(session, &args).await,
        Command::Pause(noun) => lifecycle::change(session, lifecycle::PAUSE, noun).await,
        Command::Resume(noun) => lifecycle::change(session, lifecycle::RESUME, noun).await,
        Command::Stop(noun) => lifecycle::change(session, lifecycle::STOP, noun).await,
        Command::Delete(args) => match args.noun {
            Some(noun) => lifecycle::change(session, lifecycle::DELETE, noun).await,
            None => Err(Failure::DeleteWithoutNoun),
        },
        Command::ConnectorNameCompletions => names::connectors(session).await,
        Command::TaskNameCompletions => names::tasks(session).await,
        Command::PluginNameCompletions => names::plugins(session).await,
        Command::WorkerNameCompletions => names::workers(session).await,
        // They need no cluster: `run` has seen to them.
        Command::Config(_) | Command::ContextNameCompletions | Command::Completion { .. } => Ok(()),
    }
}

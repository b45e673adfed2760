//! `cluster members`, `cluster add` and `cluster remove`.

use super::get::print_table;
use super::{Session, backup};
use crate::api::{Member, MemberChange};
use crate::args::{AddArgs, MembersCommand, OutputArgs};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::style::Style;
use crate::table::{self, Column};

pub(super) async fn run(session: &Session<'_>, command: MembersCommand) -> Result<(), Failure> {
    match command {
        MembersCommand::Members(output) => list(session, output).await,
        MembersCommand::Add(args) => add(session, args).await,
        MembersCommand::Backup { file } => backup::save(session, &file).await,
        // It needs no cluster: `run` has seen to it.
        MembersCommand::Restore { .. } => Ok(()),
        MembersCommand::Remove { node } => {
            session
                .cluster
                .change_members(MemberChange::Remove { node })
                .await?;
            session.printer.note(&format!("Node {node} is not in the group"));
            Ok(())
        }
    }
}

async fn list(session: &Session<'_>, output: OutputArgs) -> Result<(), Failure> {
    let members = session.cluster.members().await?;
    match output.output.unwrap_or_default() {
        Format::Table => print_table(session, &member_table(&members, session.printer.style())),
        format => output::print(session.printer, format, &members),
    }
    Ok(())
}

fn member_table(members: &[Member], style: Style) -> String {
    let columns = [
        Column::new("NODE"),
        Column::new("ROLE"),
        Column::new("PEER ADDRESS"),
        Column::new("GRPC ADDRESS"),
    ];
    let row = |member: &Member| {
        let role = match (member.leader, member.votes) {
            (true, _) => "LEADER",
            (false, true) => "FOLLOWER",
            (false, false) => "LEARNER",
        };
        vec![
            member.node.to_string(),
            role.to_owned(),
            member.peer_address.clone(),
            member.api_address.clone(),
        ]
    };
    table::render(&columns, &members.iter().map(row).collect::<Vec<_>>(), style)
}

async fn add(session: &Session<'_>, args: AddArgs) -> Result<(), Failure> {
    let AddArgs {
        node,
        peer_address,
        api_address,
    } = args;
    session.printer.waiting_for(format!("node {node} to catch up"));
    let change = MemberChange::Add {
        node,
        peer_address,
        api_address,
    };
    session.cluster.change_members(change).await?;
    session
        .printer
        .note(&format!("Node {node} is a member of the group"));
    Ok(())
}

//! `completion`: a script for a shell. What is in the command line comes from clap; names of connectors, tasks,
//! contexts and plugins are asked for when they are needed, with kcctl's hidden commands.

use clap::{CommandFactory, ValueEnum};
use clap_complete::shells;

use crate::args::Cli;
use crate::printer::Printer;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(crate) fn print(printer: &Printer, shell: Shell) {
    printer.line(script(shell).trim_end());
}

fn script(shell: Shell) -> String {
    let mut command = Cli::command();
    let mut script = Vec::new();
    let names = match shell {
        Shell::Bash => {
            clap_complete::generate(shells::Bash, &mut command, "kcctl", &mut script);
            include_str!("completion/names.bash")
        }
        Shell::Zsh => {
            clap_complete::generate(shells::Zsh, &mut command, "kcctl", &mut script);
            include_str!("completion/names.zsh")
        }
        Shell::Fish => {
            clap_complete::generate(shells::Fish, &mut command, "kcctl", &mut script);
            include_str!("completion/names.fish")
        }
    };
    format!("{}\n{names}", String::from_utf8_lossy(&script).trim_end())
}

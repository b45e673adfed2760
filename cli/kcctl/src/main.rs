//! `kcctl`: a command-line client that knows nothing but the public API.

mod api;
mod apply;
mod args;
mod commands;
mod completion;
mod config;
mod contexts;
mod failure;
mod output;
mod printer;
mod properties;
mod style;
mod table;
mod target;
mod version;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use failure::{Exit, Failure};
use printer::Printer;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let printer = Printer::new(cli.global.quiet, config::no_color());
    let result = run(&printer, cli);
    let written = printer.finish().map_err(Failure::Output);
    let exit = match result.and(written) {
        Ok(()) => Exit::Success,
        Err(Failure::Reported) => Exit::Failure,
        Err(failure) => {
            printer.error(&failure.message(), &failure.details(), failure.hint().as_deref());
            failure.exit()
        }
    };
    ExitCode::from(exit as u8)
}

fn run(printer: &Printer, cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime of one thread needs nothing that could be missing");
    runtime.block_on(async {
        tokio::select! {
            biased;
            result = commands::run(printer, cli) => result,
            never = printer.animate() => match never {},
        }
    })
}

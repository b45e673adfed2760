//! `config`: the contexts of this client.

use serde_json::json;

use crate::args::{ConfigCommand, GlobalArgs, OutputArgs, SetContextArgs};
use crate::contexts::{Context, Contexts};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::printer::Printer;
use crate::properties;
use crate::style::Style;
use crate::table::{self, Column};
use crate::target::{self, DEFAULT_CLUSTER, Target};

pub(super) fn run(printer: &Printer, global: &GlobalArgs, command: ConfigCommand) -> Result<(), Failure> {
    let contexts = Contexts::load(global.config.clone())?;
    match command {
        ConfigCommand::SetContext(args) => set_context(printer, contexts, global, args),
        ConfigCommand::GetContexts(output) => {
            get_contexts(printer, &contexts, output);
            Ok(())
        }
        ConfigCommand::CurrentContext(output) => current_context(printer, &contexts, global, output),
        ConfigCommand::UseContext { name } => use_context(printer, contexts, name),
        ConfigCommand::RemoveContext { name } => remove_context(printer, contexts, name),
    }
}

/// Names on one line, for completion scripts.
pub(super) fn print_names(printer: &Printer, global: &GlobalArgs) -> Result<(), Failure> {
    let contexts = Contexts::load(global.config.clone())?;
    let names: Vec<&str> = contexts.list().iter().map(|(name, _)| *name).collect();
    printer.line(&names.join(" "));
    Ok(())
}

fn set_context(
    printer: &Printer,
    mut contexts: Contexts,
    global: &GlobalArgs,
    args: SetContextArgs,
) -> Result<(), Failure> {
    let cluster = global.cluster.as_deref().unwrap_or(DEFAULT_CLUSTER);
    Target::parse(cluster)?;
    let context = Context {
        cluster: cluster.to_owned(),
        client_config: client_config(&args)?,
        bootstrap_servers: Some(args.bootstrap_servers),
        offset_topic: args.offset_topic,
        username: args.username,
        password: args.password,
    };
    contexts.set(&args.name, &context)?;
    printer.note(&format!("Configured context {}", args.name));
    if contexts.current_name() != Some(&args.name) {
        printer.note(&format!(
            "Run kcctl config use-context {} for using this context",
            args.name
        ));
    }
    Ok(())
}

fn client_config(args: &SetContextArgs) -> Result<Vec<(String, String)>, Failure> {
    let mut entries = Vec::new();
    if let Some(path) = &args.client_config_file {
        let text = std::fs::read_to_string(path).map_err(|source| Failure::PropertiesFile {
            path: path.clone(),
            source,
        })?;
        entries.extend(properties::parse(&text).map_err(Failure::ClientConfig)?);
    }
    for setting in &args.client_config {
        entries.extend(properties::parse(&setting.replace(',', "\n")).map_err(Failure::ClientConfig)?);
    }
    Ok(entries)
}

fn get_contexts(printer: &Printer, contexts: &Contexts, output: OutputArgs) {
    warn_if_none(printer, contexts);
    let is_current = |name: &str| contexts.current_name() == Some(name);
    let list = contexts.list();
    match output.output.unwrap_or_default() {
        Format::Table => {
            let row = |&(name, cluster): &(&str, &str)| {
                let mark = if is_current(name) { "*" } else { "" };
                vec![format!("{name}{mark}"), without_credentials(cluster)]
            };
            let columns = [Column::new("NAME"), Column::new("KAFKA CONNECT URI")];
            printer.line(&table::render(
                &columns,
                &list.iter().map(row).collect::<Vec<_>>(),
                Style::new(false),
            ));
        }
        format => {
            let entry = |&(name, cluster): &(&str, &str)| json!({"name": name, "cluster": without_credentials(cluster), "current": is_current(name)});
            output::print(printer, format, &list.iter().map(entry).collect::<Vec<_>>());
        }
    }
}

fn current_context(
    printer: &Printer,
    contexts: &Contexts,
    global: &GlobalArgs,
    output: OutputArgs,
) -> Result<(), Failure> {
    let mut name = "";
    let mut context = Context {
        cluster: DEFAULT_CLUSTER.to_owned(),
        ..Context::default()
    };
    if contexts.file_exists() || global.context.is_some() {
        name = contexts.name_in_use(global.context.as_deref())?;
        context = contexts.get(name)?;
    } else {
        warn_if_none(printer, contexts);
    }
    let cluster = without_credentials(&context.cluster);
    let password = context.password.as_ref().map(|_| "***");
    let format = output.output.unwrap_or_default();
    if format != Format::Table {
        let document = json!({
            "name": name,
            "cluster": cluster,
            "username": context.username,
            "password": password,
            "bootstrapServers": context.bootstrap_servers,
            "offsetTopic": context.offset_topic,
        });
        output::print(printer, format, &document);
        return Ok(());
    }
    let rows = [
        ("Kafka Connect URI", Some(cluster)),
        ("User", context.username),
        ("Password", password.map(str::to_owned)),
        ("Bootstrap servers", context.bootstrap_servers),
        ("Offset topic", context.offset_topic),
    ];
    let rows = rows.map(|(key, value)| vec![key.to_owned(), value.unwrap_or_default()]);
    printer.line(&format!("Using context '{name}'"));
    printer.line("");
    printer.line(&table::render(
        &[Column::new("KEY"), Column::new("VALUE")],
        &rows,
        Style::new(false),
    ));
    Ok(())
}

fn use_context(printer: &Printer, mut contexts: Contexts, name: String) -> Result<(), Failure> {
    if contexts.current_name() == Some(&name) {
        printer.note(&format!("Already using context {name}"));
    } else if contexts.use_context(&name)? {
        printer.note(&format!("Using context '{name}'"));
    } else {
        return Err(Failure::NoContextToUse(name));
    }
    Ok(())
}

fn remove_context(printer: &Printer, mut contexts: Contexts, name: String) -> Result<(), Failure> {
    if contexts.current_name() == Some(&name) {
        return Err(Failure::CurrentContext);
    }
    if !contexts.remove(&name)? {
        return Err(Failure::NoContextToRemove(name));
    }
    printer.note(&format!("Removed context '{name}'"));
    Ok(())
}

fn warn_if_none(printer: &Printer, contexts: &Contexts) {
    if !contexts.file_exists() {
        printer.warning(&target::no_context());
    }
}

/// A URL may hold a password; what is no URL is shown as it is.
fn without_credentials(cluster: &str) -> String {
    Target::parse(cluster).map_or_else(|_| cluster.to_owned(), |target| target.shown)
}

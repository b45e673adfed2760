//! Who may depend on whom: the rules D1 to D7 of the architecture, each with an example that breaks it.

use std::collections::BTreeSet;

use crate::workspace::{Package, Workspace};

mod examples;

/// Heavy crates and the only packages that may name them.
const OWNERS: [(&str, &[&str]); 5] = [
    ("rdkafka", &["towpath-kafka", "towpath-librdkafka"]),
    ("rdkafka-sys", &["towpath-kafka", "towpath-librdkafka"]),
    ("openraft", &["towpath-raft"]),
    ("sled", &["towpath-raft"]),
    // The REST API, and the worker's admin port.
    ("axum", &["towpath-server", "towpath-worker"]),
];

/// What a connector author's crate must not bring along: a Kafka client, an HTTP stack, a runtime.
const NOT_IN_CONNECT: [&str; 7] = [
    "rdkafka",
    "rdkafka-sys",
    "axum",
    "hyper",
    "reqwest",
    "tonic",
    "tokio",
];

/// Takes a workspace, returns what is wrong with it.
type Rule = fn(&Workspace) -> Vec<String>;

/// D1: the planes meet in proto/; only cli/towpath and tests/ link both.
fn planes_are_apart(workspace: &Workspace) -> Vec<String> {
    let may_link_both = |package: &Package| package.folder == "cli/towpath" || package.is_in("tests");
    let mut broken = Vec::new();
    for package in workspace
        .packages
        .iter()
        .filter(|package| !may_link_both(package))
    {
        let mut reached: Vec<&Package> = workspace
            .closure(&package.name)
            .into_iter()
            .filter_map(|name| workspace.package(name))
            .collect();
        reached.push(package);
        let in_plane = |plane| {
            reached
                .iter()
                .find(|reached| reached.is_in(plane))
                .map(|reached| &reached.name)
        };
        if let (Some(control), Some(data)) = (in_plane("control-plane"), in_plane("data-plane")) {
            broken.push(format!(
                "D1: {} links both planes: {control} and {data}",
                package.name
            ));
        }
    }
    broken
}

/// D2: of this workspace, a connector knows towpath-connect only.
fn connectors_know_connect_only(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    for connector in workspace.packages.iter().filter(|package| package.is_connector()) {
        for dependency in &connector.dependencies {
            if dependency != "towpath-connect" && workspace.package(dependency).is_some() {
                broken.push(format!(
                    "D2: connector {} depends on {dependency}",
                    connector.name
                ));
            }
        }
    }
    broken
}

/// D3: towpath-connect stays light.
fn connect_is_light(workspace: &Workspace) -> Vec<String> {
    let reached = workspace.closure("towpath-connect");
    let heavy = NOT_IN_CONNECT.iter().filter(|name| reached.contains(*name));
    heavy
        .map(|name| format!("D3: towpath-connect links {name}"))
        .collect()
}

/// D4: one owner for each heavy crate, and command lines only in binaries.
fn heavy_crates_have_owners(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    for package in &workspace.packages {
        for (heavy, owners) in OWNERS {
            if package.dependencies.contains(heavy) && !owners.contains(&package.name.as_str()) {
                broken.push(format!(
                    "D4: {} depends on {heavy}, which belongs to {}",
                    package.name,
                    owners.join(", ")
                ));
            }
        }
        if !package.has_binary && package.dependencies.contains("clap") {
            broken.push(format!("D4: {} depends on clap, but has no binary", package.name));
        }
    }
    broken
}

/// D5: only the worker names connectors, each behind a feature; a connector has no switches of its own.
fn only_the_worker_lists_connectors(workspace: &Workspace) -> Vec<String> {
    let mut broken = Vec::new();
    let connectors: BTreeSet<&String> = workspace
        .packages
        .iter()
        .filter(|package| package.is_connector())
        .map(|package| &package.name)
        .collect();
    for package in &workspace.packages {
        for connector in package
            .dependencies
            .iter()
            .filter(|name| connectors.contains(name))
        {
            if package.name != "towpath-worker" {
                broken.push(format!(
                    "D5: {} depends on the connector {connector}",
                    package.name
                ));
            } else if !package.optional.contains(connector) {
                broken.push(format!(
                    "D5: the worker links {connector} always: put it behind a feature"
                ));
            }
        }
        if package.is_connector() && !package.features.is_empty() {
            broken.push(format!(
                "D5: connector {} has features: {:?}",
                package.name, package.features
            ));
        }
    }
    broken
}

/// D6: kcctl knows the public API only.
fn kcctl_knows_the_api_only(workspace: &Workspace) -> Vec<String> {
    let known = workspace
        .package("towpath-kcctl")
        .into_iter()
        .flat_map(|package| &package.dependencies);
    let inner = known.filter(|name| {
        workspace
            .package(name)
            .is_some_and(|package| !package.is_in("proto"))
    });
    inner.map(|name| format!("D6: kcctl depends on {name}")).collect()
}

/// D7: no crate has a name that says nothing. Modules and folders are looked at in sources.rs.
fn crates_have_telling_names(workspace: &Workspace) -> Vec<String> {
    let says_nothing = |package: &&Package| {
        let name = package.name.strip_prefix("towpath-").unwrap_or(&package.name);
        crate::sources::NAMES_THAT_SAY_NOTHING.contains(&name)
    };
    workspace
        .packages
        .iter()
        .filter(says_nothing)
        .map(|package| format!("D7: a crate is called {}", package.name))
        .collect()
}

const RULES: [Rule; 7] = [
    planes_are_apart,
    connectors_know_connect_only,
    connect_is_light,
    heavy_crates_have_owners,
    only_the_worker_lists_connectors,
    kcctl_knows_the_api_only,
    crates_have_telling_names,
];

#[test]
fn the_workspace_keeps_the_dependency_rules() {
    let workspace = Workspace::load();
    assert!(
        workspace.package("towpath-connect").is_some(),
        "cargo metadata names the packages"
    );
    let broken: Vec<String> = RULES.iter().flat_map(|rule| rule(&workspace)).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

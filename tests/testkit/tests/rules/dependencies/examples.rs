//! For each dependency rule, the smallest workspace that breaks it: a check that cannot fail checks nothing.

use super::*;

/// A package of a made-up workspace: its name, its folder, what it depends on.
type Example = (&'static str, &'static str, &'static [&'static str]);

/// Keeps all rules; each test adds one package, or puts one in the place of another.
const GOOD: [Example; 9] = [
    ("towpath-types", "proto/types", &["serde"]),
    ("towpath-wire", "proto/wire", &["towpath-types", "tonic"]),
    ("towpath-raft", "control-plane/raft", &["openraft", "sled"]),
    (
        "towpath-server",
        "control-plane/server",
        &["towpath-raft", "towpath-wire", "axum"],
    ),
    ("towpath-connect", "data-plane/connect", &["bytes"]),
    (
        "towpath-kafka",
        "data-plane/kafka",
        &["towpath-connect", "rdkafka"],
    ),
    ("towpath-file", "data-plane/connectors/file", &["towpath-connect"]),
    ("towpath-kcctl", "cli/kcctl", &["towpath-wire", "towpath-types"]),
    ("towpath", "cli/towpath", &["towpath-server", "towpath-kafka"]),
];

fn workspace(changes: &[Example]) -> Workspace {
    let changed = |name: &str| changes.iter().any(|change| change.0 == name);
    let examples = GOOD.iter().filter(|example| !changed(example.0)).chain(changes);
    let mut workspace = Workspace::default();
    for (name, folder, dependencies) in examples {
        let dependencies: BTreeSet<String> = dependencies.iter().map(ToString::to_string).collect();
        workspace.links.insert(name.to_string(), dependencies.clone());
        workspace.packages.push(Package {
            name: name.to_string(),
            folder: folder.to_string(),
            dependencies,
            ..Package::default()
        });
    }
    workspace
}

#[track_caller]
fn assert_broken(workspace: &Workspace, expected: &[&str]) {
    let broken: Vec<String> = RULES.iter().flat_map(|rule| rule(workspace)).collect();
    assert_eq!(broken, expected);
}

#[test]
fn a_workspace_that_keeps_the_rules_is_not_complained_about() {
    assert_broken(&workspace(&[]), &[]);
}

#[test]
fn planes_that_meet_are_found_even_through_another_crate() {
    let between = ("towpath-between", "proto/between", &["towpath-kafka"][..]);
    let server = ("towpath-server", "control-plane/server", &["towpath-between"][..]);
    assert_broken(
        &workspace(&[between, server]),
        &["D1: towpath-server links both planes: towpath-server and towpath-connect"],
    );
}

#[test]
fn a_connector_that_knows_the_inside_is_found() {
    let connector = (
        "towpath-file",
        "data-plane/connectors/file",
        &["towpath-connect", "towpath-types"][..],
    );
    assert_broken(
        &workspace(&[connector]),
        &["D2: connector towpath-file depends on towpath-types"],
    );
}

#[test]
fn a_heavy_crate_below_connect_is_found() {
    let mut workspace = workspace(&[]);
    workspace
        .links
        .insert("bytes".to_owned(), BTreeSet::from(["tokio".to_owned()]));
    assert_broken(&workspace, &["D3: towpath-connect links tokio"]);
}

#[test]
fn a_heavy_crate_in_another_hand_is_found() {
    let server = ("towpath-server", "control-plane/server", &["sled", "clap"][..]);
    assert_broken(
        &workspace(&[server]),
        &[
            "D4: towpath-server depends on sled, which belongs to towpath-raft",
            "D4: towpath-server depends on clap, but has no binary",
        ],
    );
}

#[test]
fn a_connector_that_is_linked_outside_the_worker_is_found() {
    let kafka = ("towpath-kafka", "data-plane/kafka", &["towpath-file"][..]);
    assert_broken(
        &workspace(&[kafka]),
        &["D5: towpath-kafka depends on the connector towpath-file"],
    );
}

#[test]
fn a_connector_without_a_feature_is_found() {
    let worker = ("towpath-worker", "data-plane/worker", &["towpath-file"][..]);
    let mut broken = workspace(&[worker]);
    assert_broken(
        &broken,
        &["D5: the worker links towpath-file always: put it behind a feature"],
    );

    let worker = broken
        .packages
        .iter_mut()
        .find(|package| package.name == "towpath-worker");
    worker.unwrap().optional = BTreeSet::from(["towpath-file".to_owned()]);
    assert_broken(&broken, &[]);
}

#[test]
fn a_switch_inside_a_connector_is_found() {
    let mut workspace = workspace(&[]);
    let connector = workspace
        .packages
        .iter_mut()
        .find(|package| package.is_connector());
    connector.unwrap().features = BTreeSet::from(["gzip".to_owned()]);
    assert_broken(
        &workspace,
        &["D5: connector towpath-file has features: {\"gzip\"}"],
    );
}

#[test]
fn a_client_that_knows_the_server_is_found() {
    let kcctl = ("towpath-kcctl", "cli/kcctl", &["towpath-raft"][..]);
    assert_broken(&workspace(&[kcctl]), &["D6: kcctl depends on towpath-raft"]);
}

#[test]
fn a_crate_that_is_called_nothing_is_found() {
    let nothing = ("towpath-util", "proto/types2", &[][..]);
    assert_broken(&workspace(&[nothing]), &["D7: a crate is called towpath-util"]);
}

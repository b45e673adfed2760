//! The workspace as cargo describes it, cut down to what the rules ask about.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;
use towpath_testkit::repository_root;

/// Every package by its folder (`data-plane/kafka`), and every crate's dependencies by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    /// What each crate of the lock file links, by name: normal and build dependencies, the features of this workspace.
    pub(crate) links: BTreeMap<String, BTreeSet<String>>,
    /// The programs that `cargo run` without a name chooses from.
    pub(crate) default_binaries: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: String,
    /// Normal and build dependencies as declared, optional ones included. Tests may link what they like.
    pub(crate) dependencies: BTreeSet<String>,
    pub(crate) optional: BTreeSet<String>,
    pub(crate) features: BTreeSet<String>,
    pub(crate) has_binary: bool,
}

impl Package {
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        self.folder
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    pub(crate) fn is_connector(&self) -> bool {
        self.is_in("data-plane/connectors")
    }
}

impl Workspace {
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// What this crate links, directly or through others.
    pub(crate) fn closure<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            for link in self.links.get(next).into_iter().flatten() {
                if reached.insert(link.as_str()) {
                    open.push(link);
                }
            }
        }
        reached
    }

    pub(crate) fn load() -> Self {
        let metadata: Metadata = serde_json::from_slice(&cargo_metadata()).unwrap();
        let root = repository_root();
        let member_ids: BTreeSet<&String> = metadata.workspace_members.iter().collect();
        let names: BTreeMap<&String, &String> = metadata
            .packages
            .iter()
            .map(|package| (&package.id, &package.name))
            .collect();
        let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let linked = node
                .deps
                .iter()
                .filter(|link| link.dep_kinds.iter().any(DepKind::is_linked));
            let linked = linked.map(|link| names[&link.pkg].clone());
            links.entry(names[&node.id].clone()).or_default().extend(linked);
        }
        let members = metadata
            .packages
            .iter()
            .filter(|package| member_ids.contains(&package.id));
        let defaults = metadata
            .packages
            .iter()
            .filter(|package| metadata.workspace_default_members.contains(&package.id));
        Self {
            packages: members
                .map(|package| package.simplified(root.to_str().unwrap()))
                .collect(),
            links,
            default_binaries: defaults.flat_map(RawPackage::binaries).collect(),
        }
    }
}

/// `--locked`: a check does not change the lock file.
fn cargo_metadata() -> Vec<u8> {
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        "x86_64-unknown-linux-gnu",
    ];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(repository_root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<RawPackage>,
    workspace_members: Vec<String>,
    workspace_default_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct RawPackage {
    id: String,
    name: String,
    manifest_path: String,
    dependencies: Vec<RawDependency>,
    features: BTreeMap<String, Vec<String>>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct RawDependency {
    name: String,
    kind: Option<String>,
    optional: bool,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    pkg: String,
    dep_kinds: Vec<DepKind>,
}

#[derive(Debug, Deserialize)]
struct DepKind {
    kind: Option<String>,
}

impl DepKind {
    fn is_linked(&self) -> bool {
        is_linked(self.kind.as_deref())
    }
}

/// Cargo gives normal dependencies no kind.
fn is_linked(kind: Option<&str>) -> bool {
    kind != Some("dev")
}

impl RawPackage {
    fn binaries(&self) -> impl Iterator<Item = String> {
        let binaries = self
            .targets
            .iter()
            .filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        binaries.map(|target| target.name.clone())
    }

    fn simplified(&self, root: &str) -> Package {
        let folder = self
            .manifest_path
            .strip_prefix(root)
            .unwrap()
            .trim_end_matches("Cargo.toml");
        let linked = || {
            self.dependencies
                .iter()
                .filter(|dependency| is_linked(dependency.kind.as_deref()))
        };
        Package {
            name: self.name.clone(),
            folder: folder.trim_matches('/').to_owned(),
            dependencies: linked().map(|dependency| dependency.name.clone()).collect(),
            optional: linked()
                .filter(|link| link.optional)
                .map(|link| link.name.clone())
                .collect(),
            features: self.features.keys().cloned().collect(),
            has_binary: self.binaries().next().is_some(),
        }
    }
}

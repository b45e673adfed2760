//! What the README promises of the workspace itself.

use towpath_testkit::repository_root;

use crate::workspace::Workspace;

/// The first command that a newcomer runs names no program.
#[test]
fn the_first_command_of_the_readme_has_one_program_to_run() {
    let readme = std::fs::read_to_string(repository_root().join("README.md")).unwrap();
    let (_, commands) = readme.split_once("```sh\n").unwrap();
    assert_eq!(
        commands.lines().next(),
        Some("cargo run -- dev --demo --rows 1000 --exit-when-done")
    );
    assert_eq!(Workspace::load().default_binaries, ["towpath"]);
}

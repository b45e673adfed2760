//! `cluster members`, `cluster add`, `cluster remove` and `cluster backup`.

use std::os::unix::fs::PermissionsExt as _;

use crate::grpc_server::GrpcServer;
use crate::kcctl::Kcctl;
use crate::member_service::PARTS;
use crate::rest_server::RestServer;

#[test]
fn the_nodes_of_the_group_are_listed() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    kcctl.run(&["cluster", "members"]).succeeds(
        "\n NODE   ROLE       PEER ADDRESS   GRPC ADDRESS\n \
         1      LEADER     n1:7084        n1:7083\n \
         2      FOLLOWER   n2:7084        n2:7083\n \
         3      LEARNER    n3:7084        n3:7083\n\n",
    );
    let output = kcctl.run(&["cluster", "members", "-o", "json"]);
    let members: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        members[0],
        serde_json::json!({"node": 1, "peer_address": "n1:7084", "api_address": "n1:7083", "leader": true, "votes": true})
    );
}

#[test]
fn nodes_are_added_and_removed() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    kcctl
        .run(&["cluster", "add", "4", "n4:7084", "n4:7083"])
        .succeeds("Node 4 is a member of the group\n");
    kcctl
        .run(&["cluster", "remove", "2"])
        .succeeds("Node 2 is not in the group\n");
    let left = kcctl.run(&["cluster", "members", "-o", "json"]);
    let left: Vec<serde_json::Value> = serde_json::from_str(&left.stdout).unwrap();
    let left: Vec<_> = left
        .iter()
        .map(|member| member["node"].as_u64().unwrap())
        .collect();
    assert_eq!(left, [1, 3, 4]);
    let refused = kcctl.run(&["cluster", "remove", "1"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("node 1 is the last one with a vote"),
        "{refused:?}"
    );
}

#[test]
fn plain_kafka_connect_has_no_members() {
    let server = RestServer::golden(&[]);
    let output = Kcctl::of(&server).run(&["cluster", "members"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("needs Towpath's gRPC API"), "{output:?}");
}

#[test]
fn a_backup_is_saved_whole_and_for_its_owner_only() {
    let server = GrpcServer::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("towpath.backup");
    std::fs::write(&file, "an older one").unwrap();
    let path = file.to_str().unwrap();
    Kcctl::at(&server.url())
        .run(&["cluster", "backup", path])
        .succeeds(&format!("Saved the state at revision 26 to {path} (27 bytes)\n"));
    assert_eq!(std::fs::read(&file).unwrap(), PARTS.concat());
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "there are secrets in it");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_backup_that_is_cut_off_replaces_nothing() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("towpath.backup");
    std::fs::write(&file, "an older one").unwrap();
    let path = file.to_str().unwrap();
    kcctl.run(&["cluster", "remove", "2", "-q"]).succeeds("");
    let output = kcctl.run(&["cluster", "backup", path]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("was lost"), "{output:?}");
    assert!(
        output
            .stderr
            .contains("it ended after 19 of 27 bytes of the backup"),
        "{output:?}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "an older one");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no rest of it"
    );
}

#[test]
fn a_backup_that_cannot_be_written_is_said_with_the_file() {
    let server = GrpcServer::start();
    let output = Kcctl::at(&server.url()).run(&["cluster", "backup", "/nowhere/towpath.backup"]);
    assert_eq!(output.code, 1);
    assert!(
        output
            .stderr
            .contains("the backup cannot be written to `/nowhere/towpath.backup`: No such file"),
        "{output:?}"
    );
}

#[test]
fn whoever_wants_to_restore_is_told_how() {
    let output = Kcctl::at("grpc://127.0.0.1:1").run(&["cluster", "restore", "towpath.backup"]);
    assert_eq!(output.code, 2);
    assert!(
        output
            .stderr
            .contains("`towpath-control-plane --restore towpath.backup --data-dir FOLDER`"),
        "{output:?}"
    );
}

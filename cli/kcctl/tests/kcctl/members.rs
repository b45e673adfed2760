//! `cluster members`, `cluster add` and `cluster remove`.

use crate::grpc_server::GrpcServer;
use crate::kcctl::Kcctl;
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

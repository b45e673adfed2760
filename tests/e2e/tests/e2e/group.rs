//! A control plane of three nodes: any of them takes any request, and losing one loses nothing.

use reqwest::{Method, StatusCode};
use serde_json::json;
use towpath_testkit::{Service, Services, wait_until};

use crate::nodes::{Group, READY, kcctl, kcctl_members, source};

#[tokio::test(flavor = "multi_thread")]
async fn any_node_takes_any_request_and_a_killed_leader_loses_nothing() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    std::fs::write(group.file("in.txt"), "one\n").unwrap();

    // Each node creates one, and shows those of the others at once.
    for number in 0..3 {
        let config = source(&group.file("in.txt"), &format!("group-{number}"));
        let name = format!("source-{number}");
        let rest = &group.nodes[number].rest;
        rest.create(&name, config.clone()).await;
        for node in &group.nodes {
            let mut expected = config.clone();
            expected["name"] = json!(name);
            assert_eq!(
                node.rest.get(&format!("/connectors/{name}/config")).await,
                expected
            );
        }
        rest.wait_running(&name, 1).await;
    }

    let leader = group.leader().await;
    group.nodes[leader - 1].process.kill().unwrap();
    group.nodes.remove(leader - 1);
    // A request that only reads waits for the new leader; it does not fail.
    let read = group.nodes[0].rest.get("/connectors").await;
    assert_eq!(read, json!(["source-0", "source-1", "source-2"]));
    let config = source(&group.file("in.txt"), "group-3");
    let path = "/connectors/source-3/config";
    let (status, body) = group.nodes[0].rest.call(Method::PUT, path, Some(&config)).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    for node in &group.nodes {
        assert_eq!(
            node.rest.get("/connectors").await,
            json!(["source-0", "source-1", "source-2", "source-3"])
        );
    }
    group.nodes[1].rest.wait_running("source-3", 1).await;
    group.nodes[1].rest.wait_running("source-0", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_replaced_by_one_that_joins_unattended() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    let dead = group.leader().await;
    group.nodes[dead - 1].process.kill().unwrap();
    group.nodes.remove(dead - 1);

    let join = [format!("--join=127.0.0.1:{}", group.nodes[0].grpc_port)];
    let joining = group.spawn(4, &join);
    wait_until("the new node to have a vote", READY, || async {
        kcctl_members(&group.nodes[0]).is_some_and(|members| {
            members
                .iter()
                .any(|member| member["node"] == json!(4) && member["votes"] == json!(true))
        })
    })
    .await
    .unwrap();
    let removed = kcctl(&joining, &["cluster", "remove", &dead.to_string()]);
    assert!(
        removed.status.success(),
        "{}",
        String::from_utf8_lossy(&removed.stderr)
    );
    assert_eq!(kcctl_members(&joining).unwrap().len(), 3);
    std::fs::write(group.file("in.txt"), "one\n").unwrap();
    let config = source(&group.file("in.txt"), "group-joined");
    joining.rest.create("through-the-new-node", config).await;
    joining.rest.wait_running("through-the-new-node", 1).await;
}

//! The gRPC face: the same operations and errors, a stream of changes, reflection and health.

use tonic::Code;
use tonic::transport::Channel;
use towpath_wire::v1;
use towpath_wire::v1::connectors_client::ConnectorsClient;
use towpath_wire::v1::{cluster_client::ClusterClient, plugins_client::PluginsClient};

use crate::cluster::{Cluster, DEADLINE};

pub(crate) async fn channel(cluster: &Cluster) -> Channel {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", cluster.grpc)).unwrap();
    endpoint.connect().await.unwrap()
}

fn config(topic: &str) -> v1::Config {
    let entry = |key: &str, value: &str| v1::ConfigEntry {
        key: key.into(),
        value: Some(value.into()),
    };
    v1::Config {
        entries: vec![
            entry("connector.class", "FileStreamSource"),
            entry("topic", topic),
        ],
    }
}

fn creation(name: &str) -> v1::CreateConnectorRequest {
    v1::CreateConnectorRequest {
        name: name.into(),
        config: Some(config("t")),
        initial_state: 0,
    }
}

async fn next(events: &mut tonic::Streaming<v1::ConnectorEvent>) -> v1::ConnectorEvent {
    tokio::time::timeout(DEADLINE, events.message())
        .await
        .expect("an event in time")
        .unwrap()
        .expect("a stream")
}

#[tokio::test]
async fn operations_and_errors_are_those_of_the_rest_api() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let mut client = ConnectorsClient::new(channel(&cluster).await);
    let created = client.create(creation("a/b")).await.unwrap().into_inner();
    assert_eq!(
        (created.kind(), created.target_state()),
        (v1::ConnectorKind::Source, v1::TargetState::Running)
    );
    let again = client.create(creation("a/b")).await.unwrap_err();
    assert_eq!(
        (again.code(), again.message()),
        (Code::AlreadyExists, "Connector a/b already exists")
    );
    let unknown = client
        .get(v1::GetConnectorRequest { name: "nope".into() })
        .await
        .unwrap_err();
    assert_eq!(
        (unknown.code(), unknown.message()),
        (Code::NotFound, "Connector nope not found")
    );
    assert!(unknown.metadata().get("towpath-request-id").is_some());
    let invalid = v1::PutConfigRequest {
        name: "x".into(),
        config: Some(v1::Config::default()),
    };
    assert_eq!(
        client.put_config(invalid).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let put = v1::PutConfigRequest {
        name: "a/b".into(),
        config: Some(config("u")),
    };
    assert!(!client.put_config(put).await.unwrap().into_inner().created);
    let status = cluster.wait_until_running("a%2Fb", 1).await;
    let over_grpc = client
        .get_status(v1::GetConnectorStatusRequest { name: "a/b".into() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        over_grpc.tasks[0].status.as_ref().unwrap().worker_id,
        status.body["tasks"][0]["worker_id"]
    );
    let list = v1::ListConnectorsRequest {
        with_status: true,
        with_info: false,
    };
    let list = client.list(list).await.unwrap().into_inner().connectors;
    assert!(list[0].status.is_some() && list[0].connector.is_none());
    cluster.stop().await;
}

#[tokio::test]
async fn plugins_are_listed_described_and_asked() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    worker.wait_until_running(|units| units.len() == 2).await;
    let mut plugins = PluginsClient::new(channel(&cluster).await);
    let all = plugins
        .list(v1::ListPluginsRequest {
            connectors_only: false,
        })
        .await
        .unwrap()
        .into_inner()
        .plugins;
    assert_eq!(all.len(), 53);
    let described = plugins
        .describe(v1::DescribePluginRequest {
            name: "RegexRouter".into(),
        })
        .await
        .unwrap();
    assert!(described.into_inner().keys_json.contains("\"regex\""));
    let request = v1::ValidateRequest {
        plugin: "FileStreamSource".into(),
        config: Some(config("t")),
    };
    assert_eq!(
        plugins.validate(request).await.unwrap().into_inner().error_count,
        1,
        "the name is missing"
    );
    let mut client = ClusterClient::new(channel(&cluster).await);
    let info = client.get_info(v1::GetInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(
        (info.version.as_str(), info.kafka_cluster_id.as_str()),
        ("4.3.1", "CLUSTERID")
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_watcher_sees_what_is_there_what_changes_and_what_goes() {
    let (cluster, _worker) = Cluster::with_worker().await;
    cluster.create("there").await;
    cluster.create("unwatched").await;
    cluster.wait_until_running("there", 1).await;
    let mut client = ConnectorsClient::new(channel(&cluster).await);
    let request = v1::WatchRequest {
        names: vec!["there".into(), "later".into()],
    };
    let mut events = client.watch(request).await.unwrap().into_inner();
    let first = next(&mut events).await;
    assert_eq!(first.name, "there");
    cluster.create("later").await;
    let mut last = first.revision;
    loop {
        let event = next(&mut events).await;
        assert!(event.revision >= last, "revisions do not go back");
        last = event.revision;
        assert_eq!(event.name, "later");
        let Some(v1::connector_event::Event::Updated(updated)) = event.event else {
            panic!("expected an update")
        };
        if updated.status.is_some_and(|status| status.tasks.len() == 1) {
            break;
        }
    }
    cluster.send(reqwest::Method::DELETE, "/connectors/there").await;
    loop {
        let event = next(&mut events).await;
        if event.event == Some(v1::connector_event::Event::Deleted(v1::Deleted {})) {
            assert_eq!(event.name, "there");
            break;
        }
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_watcher_is_told_when_a_lease_ends_before_anything_else_changes() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let mut client = ConnectorsClient::new(channel(&cluster).await);
    let mut events = client
        .watch(v1::WatchRequest::default())
        .await
        .unwrap()
        .into_inner();
    let state_of = |event: &v1::ConnectorEvent| match &event.event {
        Some(v1::connector_event::Event::Updated(updated)) => {
            let task = &updated.status.as_ref().unwrap().tasks[0];
            task.status.as_ref().unwrap().state()
        }
        other => panic!("expected an update, got {other:?}"),
    };
    let running = next(&mut events).await;
    assert_eq!(state_of(&running), v1::UnitState::Running);
    worker.go_silent();
    let overdue = next(&mut events).await;
    assert_eq!(
        (state_of(&overdue), overdue.revision),
        (v1::UnitState::Unassigned, running.revision)
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_watcher_that_does_not_read_holds_up_nobody_and_sees_the_newest_state_in_the_end() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let mut client = ConnectorsClient::new(channel(&cluster).await);
    let mut events = client
        .watch(v1::WatchRequest::default())
        .await
        .unwrap()
        .into_inner();
    for n in 0..100 {
        cluster.create(&format!("c{n}")).await;
    }
    cluster.send(reqwest::Method::DELETE, "/connectors/c0").await;
    cluster.wait_until_running("c99", 1).await;
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 99 || seen.contains("c0") {
        let event = next(&mut events).await;
        match event.event.unwrap() {
            v1::connector_event::Event::Updated(_) => seen.insert(event.name),
            v1::connector_event::Event::Deleted(_) => seen.remove(&event.name),
        };
    }
    cluster.stop().await;
}

#[tokio::test]
async fn stopping_ends_watchers_and_sessions_and_does_not_wait_for_the_deadline() {
    let (cluster, mut worker) = Cluster::with_worker().await;
    let mut client = ConnectorsClient::new(channel(&cluster).await);
    let mut events = client
        .watch(v1::WatchRequest::default())
        .await
        .unwrap()
        .into_inner();
    let rest = cluster.url("/");
    cluster.stop().await;
    worker.ended().await;
    assert!(matches!(events.message().await, Ok(None) | Err(_)));
    assert!(reqwest::get(rest).await.is_err(), "nobody listens any more");
}

//! `info` and `get`.

use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

#[test]
fn info_shows_versions_and_ids() {
    let server = RestServer::golden(&[]);
    Kcctl::of(&server).run(&["info"]).succeeds(
        "URL:               http://CLUSTER\n\
         Version:           4.3.1\n\
         Commit:            26b251a451ce941d\n\
         Kafka Cluster ID:  CLUSTERID\n",
    );
}

#[test]
fn the_own_version_of_towpath_is_shown_if_there_is_one() {
    let server = RestServer::start();
    server.answer(
        "GET /",
        200,
        r#"{"version":"4.3.1","commit":"c","kafka_cluster_id":"k","towpath_version":"0.1.0"}"#,
    );
    let output = Kcctl::of(&server).run(&["info"]);
    assert!(
        output.stdout.ends_with("Towpath Version:   0.1.0\n"),
        "{}",
        output.stdout
    );
    Kcctl::of(&server).run(&["info", "-o", "yaml"]).succeeds(
        "url: http://CLUSTER\nversion: 4.3.1\ncommit: c\nkafka_cluster_id: k\ntowpath_version: 0.1.0\n",
    );
}

#[test]
fn connectors_are_sorted_by_type_and_name() {
    let server = RestServer::golden(&[88]);
    Kcctl::of(&server).run(&["get", "connectors"]).succeeds(
        "\n NAME           TYPE     STATE     TASKS\n \
         snk            sink     RUNNING   0: RUNNING, 1: RUNNING\n \
         lead           source   RUNNING   0: RUNNING\n \
         src            source   RUNNING   0: RUNNING\n \
         with%percent   source   RUNNING   0: RUNNING\n \
         with/slash     source   RUNNING   0: RUNNING\n\n",
    );
}

#[test]
fn no_connectors_are_a_header_alone() {
    let server = RestServer::golden(&[]);
    server.answer("GET /connectors?expand=status", 200, "{}");
    let kcctl = Kcctl::of(&server);
    kcctl
        .run(&["get", "connectors"])
        .succeeds("\n NAME   TYPE   STATE   TASKS\n\n");
    kcctl.run(&["get", "connectors", "-o", "json"]).succeeds("[ ]\n");
}

#[test]
fn connectors_as_json_are_the_statuses_of_the_rest_api() {
    let server = RestServer::golden(&[]);
    server.answer(
        "GET /connectors?expand=status",
        200,
        r#"{"a":{"status":{"name":"a","connector":{"state":"RUNNING","worker_id":"w:1","version":null},
            "tasks":[{"id":0,"state":"FAILED","worker_id":"w:1","trace":"t"}],"type":"sink","new":1}},"gone":{}}"#,
    );
    Kcctl::of(&server)
        .run(&["get", "connectors", "--output=json"])
        .succeeds(
            r#"[ {
  "name" : "a",
  "connector" : {
    "state" : "RUNNING",
    "worker_id" : "w:1"
  },
  "tasks" : [ {
    "id" : 0,
    "state" : "FAILED",
    "worker_id" : "w:1",
    "trace" : "t"
  } ],
  "type" : "sink"
} ]
"#,
        );
}

#[test]
fn plugins_of_some_types_are_sorted_and_an_unknown_version_is_said() {
    let server = RestServer::golden(&[7]);
    Kcctl::of(&server)
        .run(&["get", "plugins", "--types=SOURCE,sink"])
        .succeeds(
            "\n TYPE     CLASS                                                       VERSION\n \
         sink     org.apache.kafka.connect.file.FileStreamSinkConnector       4.3.1\n \
         source   org.apache.kafka.connect.file.FileStreamSourceConnector     4.3.1\n \
         source   org.apache.kafka.connect.mirror.MirrorCheckpointConnector   4.3.1\n \
         source   org.apache.kafka.connect.mirror.MirrorHeartbeatConnector    4.3.1\n \
         source   org.apache.kafka.connect.mirror.MirrorSourceConnector       4.3.1\n\n",
        );
    let server = RestServer::golden(&[]);
    server.answer(
        "GET /connector-plugins?connectorsOnly=false",
        200,
        r#"[{"class":"x.Y","type":"predicate"}]"#,
    );
    let output = Kcctl::of(&server).run(&["get", "plugins", "-t", "predicate"]);
    output.succeeds("\n TYPE        CLASS   VERSION\n predicate   x.Y     n/a\n\n");
}

#[test]
fn all_plugins_come_without_a_type() {
    let server = RestServer::golden(&[7]);
    let output = Kcctl::of(&server).run(&["get", "plugins"]);
    assert_eq!((output.code, output.stdout.lines().count()), (0, 53 + 3));
}

#[test]
fn offsets_are_json_that_can_be_sent_back() {
    let server = RestServer::golden(&[98, 180]);
    let kcctl = Kcctl::of(&server);
    let source = r#"{
  "offsets" : [ {
    "partition" : {
      "filename" : "/data/in.txt"
    },
    "offset" : {
      "position" : 14
    }
  } ]
}
"#;
    kcctl.run(&["get", "offsets", "src"]).succeeds(source);
    let both = kcctl.run(&["get", "offsets", "src", "snk", "src"]).stdout;
    assert!(
        both.starts_with(source) && both.matches("\"offsets\"").count() == 2,
        "{both}"
    );
    kcctl
        .run(&["get", "offsets", "src", "snk", "-o", "table"])
        .succeeds(
            "\n NAME   PARTITION                                         OFFSET\n \
         src    {\"filename\":\"/data/in.txt\"}                       {\"position\":14}\n \
         snk    {\"kafka_partition\":0,\"kafka_topic\":\"rec-topic\"}   {\"kafka_offset\":30}\n\n",
        );
    kcctl.run(&["get", "offsets", "src", "snk", "-o", "yaml"]).succeeds(
        "offsets:\n- partition:\n    filename: /data/in.txt\n  offset:\n    position: 14\n---\n\
         offsets:\n- partition:\n    kafka_partition: 0\n    kafka_topic: rec-topic\n  offset:\n    kafka_offset: 30\n",
    );
}

#[test]
fn names_for_completions_are_on_one_line() {
    let server = RestServer::golden(&[87, 88, 7]);
    let kcctl = Kcctl::of(&server);
    kcctl
        .run(&["connector-name-completions"])
        .succeeds("snk with/slash src lead with%percent\n");
    kcctl
        .run(&["task-name-completions"])
        .succeeds("lead/0 snk/0 snk/1 src/0 with%percent/0 with/slash/0\n");
    let plugins = kcctl.run(&["plugin-name-completions"]).stdout;
    assert!(
        plugins.starts_with("org.apache.kafka.connect.file.FileStreamSinkConnector org."),
        "{plugins}"
    );
    assert_eq!(plugins.lines().count(), 1);
}

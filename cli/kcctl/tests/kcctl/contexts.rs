//! `config`, and which cluster a command goes to.

use serde_json::Value;

use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

const WARNING: &str = "warning: No configuration context has been defined, using http://localhost:8083 by default. Run \
                       'kcctl config set-context NAME --cluster URL' to create a context.\n";

#[test]
fn the_first_context_becomes_the_current_one_and_the_file_looks_as_always() {
    let kcctl = Kcctl::bare();
    kcctl
        .run(&["config", "set-context", "local"])
        .succeeds("Configured context local\n");
    let expected = r#"{
  "currentContext" : "local",
  "local" : {
    "cluster" : "http://localhost:8083",
    "bootstrapServers" : "localhost:9092",
    "clientConfig" : { }
  }
}"#;
    assert_eq!(std::fs::read_to_string(kcctl.home(".kcctl")).unwrap(), expected);
}

#[test]
fn a_second_context_has_to_be_chosen() {
    let kcctl = Kcctl::bare();
    kcctl
        .run(&["config", "set-context", "local"])
        .succeeds("Configured context local\n");
    let options = [
        "--cluster",
        "http://prod:8083/",
        "--bootstrap-servers",
        "b1:9092,b2:9092",
        "--offset-topic",
        "offsets",
    ];
    let user = [
        "--username",
        "mickey",
        "--password",
        "p@ss",
        "-o",
        "sasl.mechanism=PLAIN,a=b=c",
        "-o",
        "x=1",
    ];
    let properties = kcctl.write("client.properties", "# comment\nsecurity.protocol = SASL_SSL\n");
    let file = ["--client-config-file", &properties];
    let command = [&["config", "set-context", "prod"][..], &options, &user, &file].concat();
    kcctl
        .run(&command)
        .succeeds("Configured context prod\nRun kcctl config use-context prod for using this context\n");

    kcctl.run(&["config", "get-contexts"]).succeeds(
        " NAME     KAFKA CONNECT URI\n local*   http://localhost:8083\n prod     http://prod:8083\n",
    );
    kcctl.run(&["context-name-completions"]).succeeds("local prod\n");
    kcctl
        .run(&["config", "use-context", "prod"])
        .succeeds("Using context 'prod'\n");
    kcctl
        .run(&["config", "use-context", "prod"])
        .succeeds("Already using context prod\n");
    kcctl.run(&["config", "current-context"]).succeeds(
        "Using context 'prod'\n\n KEY                 VALUE\n \
         Kafka Connect URI   http://prod:8083\n \
         User                mickey\n \
         Password            ***\n \
         Bootstrap servers   b1:9092,b2:9092\n \
         Offset topic        offsets\n",
    );
    let file: Value = serde_json::from_str(&std::fs::read_to_string(kcctl.home(".kcctl")).unwrap()).unwrap();
    let client_config =
        serde_json::json!({"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "a": "b=c", "x": "1"});
    assert_eq!(file["prod"]["clientConfig"], client_config);
}

#[test]
fn passwords_are_in_no_output() {
    let kcctl = Kcctl::bare();
    let set = [
        "config",
        "set-context",
        "a",
        "--username",
        "u",
        "--password",
        "s3cret",
        "--cluster",
        "http://u:s3cret@h:1",
    ];
    assert_eq!(kcctl.run(&set).code, 0);
    let commands: [&[&str]; 5] = [
        &["config", "current-context"],
        &["config", "current-context", "-o", "json"],
        &["config", "get-contexts"],
        &["config", "get-contexts", "-o", "yaml"],
        &["info", "--timeout", "2s"],
    ];
    for command in commands {
        let output = kcctl.run(command);
        assert!(!format!("{output:?}").contains("s3cret"), "{output:?}");
    }
}

#[test]
fn the_file_is_for_its_owner_and_what_is_not_ours_stays() {
    let kcctl = Kcctl::bare();
    kcctl.write(
        ".kcctl",
        r#"{"theme":"dark","currentContext":"a","a":{"cluster":"http://a:1","color":"red","username":"u"},"b":{"cluster":"http://b:1"}}"#,
    );
    assert_eq!(
        kcctl
            .run(&["config", "set-context", "a", "--cluster", "http://a:2"])
            .code,
        0
    );
    assert_eq!(kcctl.run(&["config", "use-context", "b"]).code, 0);
    let file: Value = serde_json::from_str(&std::fs::read_to_string(kcctl.home(".kcctl")).unwrap()).unwrap();
    let expected = serde_json::json!({
        "theme": "dark",
        "currentContext": "b",
        "a": {"cluster": "http://a:2", "color": "red", "bootstrapServers": "localhost:9092", "clientConfig": {}},
        "b": {"cluster": "http://b:1"},
    });
    assert_eq!(file, expected);
    assert_eq!(
        kcctl.run(&["config", "get-contexts"]).stdout.lines().count(),
        3,
        "`theme` is no context"
    );
}

#[cfg(unix)]
#[test]
fn a_new_file_is_readable_for_its_owner_only_and_a_link_stays_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let kcctl = Kcctl::bare();
    kcctl.run(&["config", "set-context", "a"]);
    let mode = std::fs::metadata(kcctl.home(".kcctl"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    std::fs::rename(kcctl.home(".kcctl"), kcctl.home("real.json")).unwrap();
    std::os::unix::fs::symlink(kcctl.home("real.json"), kcctl.home(".kcctl")).unwrap();
    kcctl.run(&["config", "set-context", "b"]);
    assert!(
        std::fs::symlink_metadata(kcctl.home(".kcctl"))
            .unwrap()
            .is_symlink()
    );
    assert!(
        std::fs::read_to_string(kcctl.home("real.json"))
            .unwrap()
            .contains("\"b\"")
    );
}

#[test]
fn contexts_that_are_not_there_and_the_current_one_are_refused() {
    let kcctl = Kcctl::bare();
    kcctl.run(&["config", "set-context", "local"]);
    kcctl.run(&["config", "set-context", "other"]);
    kcctl.run(&["config", "use-context", "none"]).fails(
        1,
        "error: Couldn't change context; create a context named none first\n",
    );
    kcctl.run(&["config", "remove-context", "local"]).fails(
        1,
        "error: Set another context before removing the current context.\n",
    );
    kcctl.run(&["config", "remove-context", "none"]).fails(
        1,
        "error: Couldn't remove context; There was no context named 'none'\n",
    );
    kcctl
        .run(&["config", "remove-context", "other"])
        .succeeds("Removed context 'other'\n");
    kcctl
        .run(&["config", "get-contexts"])
        .succeeds(" NAME     KAFKA CONNECT URI\n local*   http://localhost:8083\n");
    let output = kcctl.run(&["--context", "none", "info"]);
    let expected =
        "error: there is no context \"none\" in `HOME/.kcctl`\nhint: `kcctl config get-contexts` lists those";
    assert!(
        output.code == 1 && output.stderr.starts_with(expected),
        "{output:?}"
    );
}

#[test]
fn a_client_configuration_that_is_none_is_refused() {
    let kcctl = Kcctl::bare();
    let output = kcctl.run(&["config", "set-context", "local", "-o", "nonsense"]);
    assert_eq!(output.code, 1);
    assert!(
        output
            .stderr
            .starts_with("error: The provided client configuration is not valid!"),
        "{}",
        output.stderr
    );
    assert!(!kcctl.home(".kcctl").exists());
    assert_eq!(
        kcctl
            .run(&["config", "set-context", "local", "--cluster", "gopher://x"])
            .code,
        2
    );
}

#[test]
fn without_a_file_there_is_a_warning_and_a_default() {
    let kcctl = Kcctl::bare();
    let output = kcctl.run(&["config", "get-contexts"]);
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        (" NAME   KAFKA CONNECT URI\n", WARNING)
    );
    let output = kcctl.run(&["config", "current-context"]);
    assert!(
        output
            .stdout
            .contains("Kafka Connect URI   http://localhost:8083\n"),
        "{}",
        output.stdout
    );
    assert_eq!(output.stderr, WARNING);
    assert_eq!(kcctl.run(&["config", "get-contexts", "-q"]).stderr, "");
}

#[test]
fn a_file_that_is_not_json_is_left_alone() {
    let kcctl = Kcctl::bare();
    kcctl.write(".kcctl", "cluster=http://localhost:8083\n");
    let output = kcctl.run(&["config", "set-context", "local"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("`HOME/.kcctl`, is not a JSON object"),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("hint: move the file away"),
        "{}",
        output.stderr
    );
    assert_eq!(
        std::fs::read_to_string(kcctl.home(".kcctl")).unwrap(),
        "cluster=http://localhost:8083\n"
    );
}

#[test]
fn the_cluster_comes_from_option_environment_or_file() {
    let (one, two) = (RestServer::golden(&[]), RestServer::golden(&[]));
    let kcctl = Kcctl::bare();
    kcctl.run(&["config", "set-context", "one", "--cluster", &one.url()]);
    kcctl.run(&["config", "set-context", "two", "--cluster", &two.url()]);
    let url = |output: crate::kcctl::Output| {
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        output
            .stdout
            .lines()
            .next()
            .unwrap()
            .split_whitespace()
            .last()
            .unwrap()
            .to_owned()
    };
    assert_eq!(url(kcctl.run(&["info"])), one.url(), "the current context");
    assert_eq!(
        url(kcctl.run(&["info", "--context", "two"])),
        two.url(),
        "the context of the command line"
    );
    assert_eq!(
        url(kcctl.run_with(&["info"], "", &[("KCCTL_CONTEXT", "two")])),
        two.url(),
        "of the environment"
    );
    assert_eq!(
        url(kcctl.run(&["--cluster", &two.url(), "info"])),
        two.url(),
        "the URL before everything"
    );
    let other = kcctl.write(
        "other.json",
        &format!(r#"{{"currentContext":"x","x":{{"cluster":"{}"}}}}"#, two.url()),
    );
    assert_eq!(
        url(kcctl.run_with(&["info"], "", &[("KCCTL_CONFIG", &other)])),
        two.url(),
        "another file"
    );
    assert_eq!(
        url(kcctl.run(&["info", "--config", &other])),
        two.url(),
        "another file by option"
    );
}

#[test]
fn a_password_goes_where_its_context_says_and_nowhere_else() {
    let (own, other) = (RestServer::golden(&[]), RestServer::golden(&[]));
    let kcctl = Kcctl::bare();
    let credentials = ["--username", "Aladdin", "--password", "open sesame"];
    kcctl.run(
        &[
            &["config", "set-context", "own", "--cluster", &own.url()][..],
            &credentials,
        ]
        .concat(),
    );
    assert_eq!(kcctl.run(&["info"]).code, 0);
    assert_eq!(
        own.asked()[0].authorization.as_deref(),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
    assert_eq!(kcctl.run(&["info", "--cluster", &other.url()]).code, 0);
    assert_eq!(other.asked()[0].authorization, None);
    let with_user = other.url().replace("http://", "http://Aladdin:open%20sesame@");
    let output = kcctl.run(&["info", "--cluster", &with_user]);
    assert_eq!(
        other.asked()[1].authorization.as_deref(),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
    assert!(!output.stdout.contains("sesame"), "{}", output.stdout);
}

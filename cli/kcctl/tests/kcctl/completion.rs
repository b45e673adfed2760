//! `completion`.

use std::process::Command;

use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

/// What bash offers for a line; the last word is being written.
fn bash_offers(kcctl: &Kcctl, words: &[&str]) -> Vec<String> {
    let script = kcctl.write("kcctl.bash", &kcctl.run(&["completion", "bash"]).stdout);
    let line = words.join(" ");
    let program = format!(
        "source '{script}'; COMP_WORDS=({}); COMP_CWORD={}; COMP_LINE='{line}'; COMP_POINT={}; \
         _kcctl_names kcctl \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" "),
        words.len() - 1,
        line.len(),
    );
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_kcctl"));
    let path = format!(
        "{}:{}",
        binary.parent().unwrap().display(),
        std::env::var_os("PATH").unwrap_or_default().display()
    );
    let output = Command::new("bash")
        .args(["--norc", "-c", &program])
        .env("PATH", path)
        .env("HOME", kcctl.home(""))
        .current_dir(kcctl.home(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_commands_options_and_names_of_the_cluster() {
    let server = RestServer::golden(&[7, 87, 88]);
    let kcctl = Kcctl::bare();
    kcctl.run(&["config", "set-context", "local", "--cluster", &server.url()]);
    let offers = |words: &[&str]| bash_offers(&kcctl, words);
    assert_eq!(offers(&["kcctl", "des"]), ["describe"]);
    assert_eq!(offers(&["kcctl", "pause", "connector", "s"]), ["snk", "src"]);
    assert_eq!(offers(&["kcctl", "delete", "connectors", "snk", "le"]), ["lead"]);
    assert_eq!(offers(&["kcctl", "reset", "offsets", "s"]), ["snk", "src"]);
    assert_eq!(offers(&["kcctl", "restart", "task", "snk/"]), ["snk/0", "snk/1"]);
    assert_eq!(offers(&["kcctl", "config", "use-context", ""]), ["local"]);
    assert_eq!(offers(&["kcctl", "--context", "l"]), ["local"]);
    let cast = [
        r"org.apache.kafka.connect.transforms.Cast\$Key",
        r"org.apache.kafka.connect.transforms.Cast\$Value",
    ];
    assert_eq!(
        offers(&[
            "kcctl",
            "describe",
            "plugin",
            "org.apache.kafka.connect.transforms.Ca"
        ]),
        cast
    );
    assert_eq!(
        offers(&["kcctl", "restart", "connector", "--tasks", ""]),
        ["all", "failed"]
    );
    assert!(offers(&["kcctl", "pause", "connector", "--reg"]).contains(&"--reg-exp".to_owned()));
}

#[test]
fn bash_completes_names_of_workers() {
    let server = crate::grpc_server::GrpcServer::start();
    let kcctl = Kcctl::bare();
    kcctl.run(&["config", "set-context", "local", "--cluster", &server.url()]);
    let offers = |words: &[&str]| bash_offers(&kcctl, words);
    let all = ["w1:8083", "w2:8083", "w3:8083"];
    assert_eq!(offers(&["kcctl", "worker", "drain", ""]), all);
    assert_eq!(offers(&["kcctl", "worker", "undrain", "w"]), all);
    assert_eq!(offers(&["kcctl", "describe", "worker", "w2"]), ["w2:8083"]);
}

#[test]
fn a_name_is_never_run_by_the_shell() {
    let server = RestServer::golden(&[]);
    server.answer("GET /connectors", 200, r#"["a$(touch${IFS}run)","b*"]"#);
    let kcctl = Kcctl::bare();
    kcctl.run(&["config", "set-context", "local", "--cluster", &server.url()]);
    let offers = bash_offers(&kcctl, &["kcctl", "pause", "connector", ""]);
    assert_eq!(offers, [r"a\$\(touch\$\{IFS\}run\)", r"b\*"]);
    assert!(!kcctl.home("run").exists());
}

#[test]
fn every_shell_gets_a_script_that_asks_for_names() {
    let kcctl = Kcctl::bare();
    for shell in ["bash", "zsh", "fish"] {
        let output = kcctl.run(&["completion", shell]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        for source in ["connector", "task", "plugin", "worker", "context"] {
            assert!(
                output.stdout.contains(&format!("{source}-name-completions")),
                "{shell} {source}"
            );
        }
    }
    assert_eq!(kcctl.run(&["completion", "tcsh"]).code, 2);
}

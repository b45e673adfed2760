//! Config providers, row by row of the contract.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn environment() -> Environment {
    Environment::new(|name| match name {
        "USER" => Some("app".to_owned()),
        "PASSWORD" => Some("s3cret ${env:USER}".to_owned()),
        _ => None,
    })
}

/// A directory with `secrets.properties` and the file `token`.
struct Files {
    directory: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let properties = "# secrets\nuser = app\npass\\u0077ord=s3\\:cret é\nempty=\n";
        std::fs::write(directory.path().join("secrets.properties"), properties).unwrap();
        std::fs::write(directory.path().join("token"), "abc\n").unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn providers(entries: &[(&str, &str)]) -> Result<ConfigProviders> {
    let mut config: ConfigMap = [
        ("config.providers", "env, file ,dir"),
        ("config.providers.env.class", "EnvVarConfigProvider"),
        (
            "config.providers.file.class",
            "org.apache.kafka.common.config.provider.FileConfigProvider",
        ),
        ("config.providers.dir.class", "Directory"),
    ]
    .into_iter()
    .collect();
    for (key, value) in entries {
        config.insert(*key, *value);
    }
    ConfigProviders::from_worker(&config, &environment())
}

fn resolve(providers: &ConfigProviders, value: &str) -> Result<String> {
    let resolved = providers.resolve(&[("k", value)].into_iter().collect())?;
    Ok(resolved.get("k").unwrap().to_owned())
}

#[test]
fn placeholders_are_replaced_by_what_they_name() {
    let files = Files::new();
    let secrets = files.text("secrets.properties");
    let directory = files.text("");
    let providers = providers(&[]).unwrap();
    for (value, expected) in [
        ("${env:USER}".to_owned(), "app"),
        ("a ${env:USER} b ${env:USER}".to_owned(), "a app b app"),
        (format!("${{file:{secrets}:user}}"), "app"),
        (format!("${{file:{secrets}:password}}"), "s3:cret é"),
        (format!("${{file:{secrets}:empty}}"), ""),
        (format!("${{dir:{directory}:token}}"), "abc\n"),
        ("plain".to_owned(), "plain"),
        (String::new(), ""),
    ] {
        assert_eq!(resolve(&providers, &value).unwrap(), expected, "{value}");
    }
}

#[test]
fn what_nobody_knows_stays_as_it_is() {
    let files = Files::new();
    let missing_key = format!("${{file:{}:zz}}", files.text("secrets.properties"));
    let missing_file = format!("${{dir:{}:zz}}", files.text(""));
    let no_directory = format!("${{dir:{}:token}}", files.text("nowhere"));
    let providers = providers(&[]).unwrap();
    for value in [
        "${env:NOBODY}",
        "${vault:a:b}",
        "${env}",
        "${}",
        "${env:USER",
        "$env:USER}",
        "${ENV:USER}",
        "${file:key}",
        &missing_key,
        &missing_file,
        &no_directory,
    ] {
        assert_eq!(resolve(&providers, value).unwrap(), value);
    }
}

#[test]
fn a_value_that_was_put_in_is_not_looked_at_again() {
    let providers = providers(&[]).unwrap();
    assert_eq!(
        resolve(&providers, "${env:PASSWORD}").unwrap(),
        "s3cret ${env:USER}"
    );
}

#[test]
fn keys_and_nulls_are_left_alone() {
    let mut config: ConfigMap = [("${env:USER}", "x")].into_iter().collect();
    config.insert_null("n");
    assert_eq!(providers(&[]).unwrap().resolve(&config).unwrap(), config);
}

#[test]
fn without_providers_nothing_is_resolved() {
    assert_eq!(
        resolve(&ConfigProviders::none(), "${env:USER}").unwrap(),
        "${env:USER}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_name() {
    let files = Files::new();
    let missing = files.text("missing.properties");
    let error = resolve(&providers(&[]).unwrap(), &format!("${{file:{missing}:user}}")).unwrap_err();
    assert_eq!(
        error.message(),
        format!("Could not read properties from file {missing}")
    );
    let length = usize::try_from(MAX_FILE_BYTES).unwrap() + 1;
    std::fs::write(files.path("huge"), " ".repeat(length)).unwrap();
    let huge = files.text("huge");
    assert!(resolve(&providers(&[]).unwrap(), &format!("${{file:{huge}:user}}")).is_err());
    let directory = files.text("");
    let error = resolve(&providers(&[]).unwrap(), &format!("${{dir:{directory}:huge}}")).unwrap_err();
    assert_eq!(
        error.message(),
        format!("Could not read file {huge} for property huge")
    );
}

#[test]
fn only_files_below_allowed_paths_are_read() {
    let files = Files::new();
    std::fs::create_dir(files.path("inner")).unwrap();
    std::fs::write(files.path("inner/token"), "inner").unwrap();
    let inner = files.text("inner");
    let params = [
        ("config.providers.dir.param.allowed.paths", inner.as_str()),
        ("config.providers.file.param.allowed.paths", inner.as_str()),
    ];
    let providers = providers(&params).unwrap();
    assert_eq!(
        resolve(&providers, &format!("${{dir:{inner}:token}}")).unwrap(),
        "inner"
    );
    let outer = files.text("");
    for refused in [
        format!("${{dir:{outer}:token}}"),
        format!("${{dir:{inner}/..:token}}"),
        format!("${{dir:{inner}x:token}}"),
        format!("${{file:{outer}secrets.properties:user}}"),
        format!("${{file:{inner}/../secrets.properties:user}}"),
    ] {
        assert_eq!(resolve(&providers, &refused).unwrap(), refused);
    }
}

#[test]
fn a_key_does_not_lead_out_of_its_directory() {
    let files = Files::new();
    std::fs::create_dir(files.path("inner")).unwrap();
    let inner = files.text("inner");
    for key in ["../token", "..", ".", "", "/etc/hostname", "token/"] {
        let value = format!("${{dir:{inner}:{key}}}");
        assert_eq!(resolve(&providers(&[]).unwrap(), &value).unwrap(), value);
    }
}

#[test]
fn only_variables_on_the_allowlist_are_read_and_there_is_no_path() {
    let providers = providers(&[("config.providers.env.param.allowlist.pattern", "US.*")]).unwrap();
    assert_eq!(resolve(&providers, "${env:USER}").unwrap(), "app");
    assert_eq!(resolve(&providers, "${env:PASSWORD}").unwrap(), "${env:PASSWORD}");
    let error = resolve(&providers, "${env:a/path:USER}").unwrap_err();
    assert_eq!(
        error.message(),
        "Path is not supported for EnvVarConfigProvider, invalid value 'a/path'"
    );
}

#[test]
fn bad_worker_configurations_are_refused() {
    let message = |entries: &[(&str, &str)]| providers(entries).unwrap_err().message().to_owned();
    assert_eq!(
        message(&[("config.providers.env.class", "a.B")]),
        "Invalid value a.B for configuration config.providers.env.class: Class a.B could not be found."
    );
    let allowed = "config.providers.dir.param.allowed.paths";
    assert_eq!(message(&[(allowed, "relative")]), "Path relative is not absolute");
    assert_eq!(
        message(&[(allowed, "/no/such/path")]),
        "Path /no/such/path does not exist"
    );
    assert!(message(&[("config.providers.env.param.allowlist.pattern", "[")]).contains("allowlist.pattern"));
}

#[test]
fn a_name_without_a_class_is_passed_over() {
    let config = [("config.providers", "env,x")].into_iter().collect();
    let providers = ConfigProviders::from_worker(&config, &environment()).unwrap();
    assert_eq!(resolve(&providers, "${env:USER}").unwrap(), "${env:USER}");
}

#[test]
fn neither_providers_nor_errors_show_what_was_read() {
    let providers = providers(&[]).unwrap();
    assert!(!format!("{providers:?}").contains("s3cret"));
}

#[test]
fn placeholders_are_taken_apart() {
    let placeholder = |value| match pieces(value).next() {
        Some(Piece::Placeholder {
            provider, path, key, ..
        }) => (provider, path, key),
        other => panic!("{other:?}"),
    };
    assert_eq!(placeholder("${a:b}"), ("a", "", "b"));
    assert_eq!(placeholder("${a:b:c}"), ("a", "b", "c"));
    assert_eq!(placeholder("${a:b:c:d}"), ("a", "b", "c:d"));
    assert_eq!(placeholder("${:}"), ("", "", ""));
    assert_eq!(placeholder("${a::c}"), ("a", "", "c"));
    assert_eq!(placeholder("${${a:b}"), ("${a", "", "b"));
}

proptest! {
    #[test]
    fn the_pieces_of_a_value_are_the_value(value in "[${}:ab]{0,20}") {
        let together: String = pieces(&value)
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Placeholder { whole, .. } => whole,
            })
            .collect();
        prop_assert_eq!(together, value);
    }
}

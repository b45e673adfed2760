//! TLS and SASL.

use std::fs;

use tempfile::TempDir;
use towpath_runtime::validation::Client::Admin;

use super::super::Translated;
use super::super::jaas::Login;
use super::{overrides, problems};

const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required\n  username=\"alice\"\n  \
                     password=\"a b;c=\\\"d\\\\\";";
const SCRAM: &str =
    "org.apache.kafka.common.security.scram.ScramLoginModule required username='bob' password=secret ;";
const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required clientId=\"id\" \
                     clientSecret=\"secret\" scope=\"all\" extension_logicalCluster=\"lkc\" extension_pool=\"p\";";

fn sasl(mechanism: &str, jaas: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let base = [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", mechanism),
        ("sasl.jaas.config", jaas),
    ];
    base.iter()
        .chain(more)
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn borrowed(settings: &[(String, String)]) -> Vec<(&str, &str)> {
    settings
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

fn done(settings: &[(String, String)]) -> Translated {
    overrides(Admin, &borrowed(settings)).unwrap()
}

fn wrong(settings: &[(String, String)]) -> String {
    let mut problems = problems(Admin, &borrowed(settings));
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn value<'a>(translated: &'a Translated, name: &str) -> Option<&'a str> {
    translated.librdkafka.get(name)
}

#[test]
fn the_protocol_is_one_of_four() {
    for (given, expected) in [("PLAINTEXT", "plaintext"), ("ssl", "ssl"), ("", "plaintext")] {
        let done = overrides(Admin, &[("security.protocol", given)]).unwrap();
        assert_eq!(value(&done, "security.protocol"), Some(expected));
    }
    let wrong = problems(Admin, &[("security.protocol", "TLS")]);
    assert_eq!(
        wrong,
        ["x.override.security.protocol: must be `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`"]
    );
}

#[test]
fn plain_and_scram_take_name_and_password_from_the_login_module() {
    for (mechanism, jaas, name, password) in [
        ("PLAIN", PLAIN, "alice", "a b;c=\"d\\"),
        ("SCRAM-SHA-256", SCRAM, "bob", "secret"),
        ("scram-sha-512", SCRAM, "bob", "secret"),
    ] {
        let done = done(&sasl(mechanism, jaas, &[]));
        assert_eq!(
            value(&done, "sasl.mechanism"),
            Some(mechanism.to_uppercase().as_str())
        );
        assert_eq!(value(&done, "sasl.username"), Some(name));
        assert_eq!(value(&done, "sasl.password"), Some(password));
        assert_eq!(done.warnings, []);
    }
}

#[test]
fn oauthbearer_takes_id_secret_and_extensions_from_the_login_module() {
    let url = ("sasl.oauthbearer.token.endpoint.url", "https://idp/token");
    let handler = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
    let done = done(&sasl(
        "OAUTHBEARER",
        OAUTH,
        &[url, ("sasl.login.callback.handler.class", handler)],
    ));
    for (name, expected) in [
        ("sasl.oauthbearer.method", "oidc"),
        ("sasl.oauthbearer.token.endpoint.url", "https://idp/token"),
        ("sasl.oauthbearer.client.id", "id"),
        ("sasl.oauthbearer.client.secret", "secret"),
        ("sasl.oauthbearer.scope", "all"),
        ("sasl.oauthbearer.extensions", "logicalCluster=lkc,pool=p"),
    ] {
        assert_eq!(value(&done, name), Some(expected), "{name}");
    }
    assert_eq!(done.warnings, []);
}

#[test]
fn oauthbearer_prefers_the_newer_keys() {
    let settings = [
        ("sasl.oauthbearer.token.endpoint.url", "https://idp/token"),
        ("sasl.oauthbearer.client.credentials.client.id", "new"),
        ("sasl.oauthbearer.client.credentials.client.secret", "newer"),
        ("sasl.oauthbearer.scope", "some"),
        ("sasl.login.callback.handler.class", "com.example.Handler"),
    ];
    let done = done(&sasl("OAUTHBEARER", OAUTH, &settings));
    assert_eq!(value(&done, "sasl.oauthbearer.client.id"), Some("new"));
    assert_eq!(value(&done, "sasl.oauthbearer.client.secret"), Some("newer"));
    assert_eq!(value(&done, "sasl.oauthbearer.scope"), Some("some"));
    assert_eq!(done.warnings.len(), 1, "the Java class is named");
}

#[test]
fn oauthbearer_with_an_assertion_needs_no_secret() {
    let jaas = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ;";
    let assertion = [
        ("algorithm", "ES256", "algorithm"),
        ("claim.aud", "a", "claim.aud"),
        ("claim.exp.seconds", "60", "claim.exp.seconds"),
        ("claim.iss", "i", "claim.iss"),
        ("claim.jti.include", "true", "claim.jti.include"),
        ("claim.nbf.seconds", "5", "claim.nbf.seconds"),
        ("claim.sub", "s", "claim.sub"),
        ("file", "/a", "file"),
        ("private.key.file", "/k", "private.key.file"),
        ("private.key.passphrase", "p", "private.key.passphrase"),
        ("template.file", "/t", "jwt.template.file"),
    ];
    let mut settings = sasl(
        "OAUTHBEARER",
        jaas,
        &[("sasl.oauthbearer.token.endpoint.url", "https://idp/token")],
    );
    let retriever = "org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever";
    settings.push(("sasl.oauthbearer.jwt.retriever.class".into(), retriever.into()));
    for (key, value, _) in assertion {
        settings.push((format!("sasl.oauthbearer.assertion.{key}"), value.into()));
    }
    let done = done(&settings);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    assert_eq!(value(&done, "sasl.oauthbearer.grant.type"), Some(grant));
    for (_, expected, name) in assertion {
        assert_eq!(
            value(&done, &format!("sasl.oauthbearer.assertion.{name}")),
            Some(expected),
            "{name}"
        );
    }
    done.librdkafka.to_client_config().create_native_config().unwrap();
}

#[test]
fn oauthbearer_without_an_endpoint_can_make_unsecured_tokens() {
    let jaas = "OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"carol\";";
    let done = done(&sasl("OAUTHBEARER", jaas, &[]));
    assert_eq!(value(&done, "enable.sasl.oauthbearer.unsecure.jwt"), Some("true"));
    assert_eq!(value(&done, "sasl.oauthbearer.config"), Some("principal=carol"));
}

#[test]
fn what_is_missing_for_authentication_is_said() {
    let url = ("sasl.oauthbearer.token.endpoint.url", "https://idp/token");
    let cases = [
        (
            sasl("PLAIN", "", &[]),
            "sasl.jaas.config: must be set, with the user's name and password",
        ),
        (
            sasl("PLAIN", "PlainLoginModule required username=a;", &[]),
            "sasl.jaas.config: must have the options `username` and `password`",
        ),
        (
            sasl("PLAIN", OAUTH, &[]),
            "sasl.jaas.config: must name `PlainLoginModule` or `ScramLoginModule` for this `sasl.mechanism`",
        ),
        (
            sasl("OAUTHBEARER", PLAIN, &[url]),
            "sasl.jaas.config: must name `OAuthBearerLoginModule` for `sasl.mechanism=OAUTHBEARER`",
        ),
        (
            sasl(
                "OAUTHBEARER",
                "OAuthBearerLoginModule required clientId=a;",
                &[url],
            ),
            "sasl.jaas.config: must have the options `clientId` and `clientSecret`",
        ),
        (
            sasl("OAUTHBEARER", OAUTH, &[]),
            "sasl.oauthbearer.token.endpoint.url: must be set for `sasl.mechanism=OAUTHBEARER`",
        ),
        (
            sasl("GSSAPI", PLAIN, &[]),
            "sasl.mechanism: `GSSAPI` is not built in: use one of `PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512`, `OAUTHBEARER`",
        ),
        (
            sasl("PLAIN", "PlainLoginModule required a=b", &[]),
            "sasl.jaas.config: must end in `;`",
        ),
    ];
    for (settings, expected) in cases {
        let wrong = wrong(&settings);
        assert!(wrong.ends_with(expected), "{wrong}");
    }
}

#[test]
fn a_login_entry_that_cannot_be_read_is_a_problem() {
    let cases = [
        ("", "must begin with a login module"),
        (
            "M",
            "must have a control flag such as `required` after the login module",
        ),
        (
            "M maybe;",
            "must have a control flag such as `required` after the login module",
        ),
        ("M required", "must end in `;`"),
        ("M required a;", "must have a `=` after the name of each option"),
        ("M required a=;", "must have a value after each `=`"),
        ("M required =b;", "must have a name before each `=`"),
        ("M required a=\"b;", "must end each value with a quote"),
        (
            "M required a=b; N required;",
            "must have exactly one login module",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Login::parse(text).unwrap_err(), expected, "{text}");
    }
    let login = Login::parse("a.b.C REQUIRED x=\"1\\n\" y = '2' x=3;").unwrap();
    assert_eq!(
        (login.module_name(), login.option("x"), login.option("y")),
        ("C", Some("3"), Some("2"))
    );
    assert!(!format!("{login:?}").contains('3'));
}

#[test]
fn nothing_of_this_is_looked_at_unless_the_protocol_asks_for_it() {
    let settings = [
        ("ssl.truststore.location", "/nowhere"),
        ("ssl.keystore.location", "/nowhere"),
        ("sasl.jaas.config", "?"),
        ("sasl.mechanism", "?"),
    ];
    let done = overrides(Admin, &settings).unwrap();
    assert_eq!(value(&done, "ssl.ca.location"), None);
    assert_eq!(value(&done, "sasl.mechanism"), None);
}

#[test]
fn the_name_of_the_broker_is_checked_unless_that_is_switched_off() {
    const KEY: &str = "ssl.endpoint.identification.algorithm";
    for (given, expected) in [("", "none"), ("HTTPS", "https")] {
        let done = overrides(Admin, &[("security.protocol", "SSL"), (KEY, given)]).unwrap();
        assert_eq!(value(&done, KEY), Some(expected));
    }
    let wrong = problems(Admin, &[("security.protocol", "SSL"), (KEY, "ldaps")]);
    assert_eq!(
        wrong,
        [format!("x.override.{KEY}: must be `https`, or empty for none")]
    );
}

struct Stores {
    folder: TempDir,
}

impl Stores {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, head) in [
            ("pem", &b"# ours\n-----BEGIN CERTIFICATE-----\n"[..]),
            ("p12", &b"\x30\x82\x01\x01"[..]),
            ("jks", &b"\xfe\xed\xfe\xed\0\0\0\x02"[..]),
            ("txt", &b"hello"[..]),
        ] {
            fs::write(folder.path().join(name), head).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn settings(&self, key: &str, name: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let base = [("security.protocol", "SSL"), (key, &self.path(name))]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        base.into_iter()
            .chain(
                more.iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
            )
            .collect()
    }
}

#[test]
fn a_truststore_is_pem_and_others_are_told_how_to_become_it() {
    const KEY: &str = "ssl.truststore.location";
    let stores = Stores::new();
    // The type is not believed: people leave it at Java's default.
    let pem = done(&stores.settings(KEY, "pem", &[("ssl.truststore.type", "JKS")]));
    assert_eq!(value(&pem, "ssl.ca.location"), Some(stores.path("pem").as_str()));
    assert_eq!(pem.warnings, []);
    let with_password = done(&stores.settings(KEY, "pem", &[("ssl.truststore.password", "x")]));
    assert_eq!(with_password.warnings.len(), 1);

    let jks = wrong(&stores.settings(KEY, "jks", &[]));
    assert!(
        jks.contains("is a JKS truststore, but it must be PEM: convert it with `keytool -importkeystore"),
        "{jks}"
    );
    let p12 = wrong(&stores.settings(KEY, "p12", &[]));
    assert!(
        p12.contains("is a PKCS#12 truststore, but it must be PEM: convert it with `openssl pkcs12"),
        "{p12}"
    );
    assert!(wrong(&stores.settings(KEY, "txt", &[])).ends_with("must be a PEM file"));
    assert!(wrong(&stores.settings(KEY, "nowhere", &[])).contains("must be a file that can be read"));
}

#[test]
fn a_keystore_is_pkcs12_or_pem() {
    const KEY: &str = "ssl.keystore.location";
    let stores = Stores::new();
    let p12 = done(&stores.settings(
        KEY,
        "p12",
        &[("ssl.keystore.password", "x"), ("ssl.keystore.type", "PKCS12")],
    ));
    assert_eq!(
        value(&p12, "ssl.keystore.location"),
        Some(stores.path("p12").as_str())
    );
    assert_eq!(value(&p12, "ssl.keystore.password"), Some("x"));
    let pem = done(&stores.settings(KEY, "pem", &[("ssl.key.password", "y")]));
    for name in ["ssl.key.location", "ssl.certificate.location"] {
        assert_eq!(value(&pem, name), Some(stores.path("pem").as_str()));
    }
    assert_eq!(value(&pem, "ssl.key.password"), Some("y"));

    assert!(wrong(&stores.settings(KEY, "p12", &[])).ends_with("must be set for a PKCS#12 keystore"));
    let jks = wrong(&stores.settings(KEY, "jks", &[]));
    assert!(
        jks.contains("is a JKS keystore, but it must be PKCS#12 or PEM"),
        "{jks}"
    );
    assert!(wrong(&stores.settings(KEY, "txt", &[])).ends_with("must be a PKCS#12 or PEM file"));
}

#[test]
fn certificates_and_keys_in_the_settings_get_their_lines_back() {
    let folded = "-----BEGIN CERTIFICATE----- MIIB AAAA -----END CERTIFICATE-----";
    let lines = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA\n-----END CERTIFICATE-----\n";
    let settings = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.jaas.config", PLAIN),
        ("ssl.truststore.certificates", folded),
        ("ssl.keystore.certificate.chain", lines),
        ("ssl.keystore.key", folded),
    ];
    let done = overrides(Admin, &settings).unwrap();
    assert_eq!(value(&done, "ssl.ca.pem"), Some(lines));
    assert_eq!(value(&done, "ssl.certificate.pem"), Some(lines.trim_end()));
    assert_eq!(value(&done, "ssl.key.pem"), Some(lines));

    let alone = problems(
        Admin,
        &[("security.protocol", "SSL"), ("ssl.keystore.key", folded)],
    );
    assert_eq!(
        alone,
        ["ssl.keystore.certificate.chain: must be set if `ssl.keystore.key` is"]
    );
}

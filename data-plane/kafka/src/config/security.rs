//! Encryption and authentication. Java looks at these keys only if `security.protocol` asks for them, so they are not
//! looked at otherwise here either.

use super::draft::Draft;
use super::jaas::Login;
use super::stores::StoreKind;

const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

pub(super) fn apply(draft: &mut Draft<'_>) {
    let protocol = draft
        .filled("security.protocol")
        .unwrap_or("PLAINTEXT")
        .to_ascii_uppercase();
    let (tls, sasl) = match protocol.as_str() {
        "PLAINTEXT" => (false, false),
        "SSL" => (true, false),
        "SASL_PLAINTEXT" => (false, true),
        "SASL_SSL" => (true, true),
        _ => {
            draft.problem(
                "security.protocol",
                "must be `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`",
            );
            return;
        }
    };
    draft.set("security.protocol", protocol.to_ascii_lowercase());
    if tls {
        identification(draft);
        truststore(draft);
        keystore(draft);
    }
    if sasl {
        authentication(draft);
    }
}

fn identification(draft: &mut Draft<'_>) {
    const KEY: &str = "ssl.endpoint.identification.algorithm";
    match draft.get(KEY) {
        None => {}
        Some("") => draft.set(KEY, "none"),
        Some(https) if https.eq_ignore_ascii_case("https") => draft.set(KEY, "https"),
        Some(_) => draft.problem(KEY, "must be `https`, or empty for none"),
    }
}

fn truststore(draft: &mut Draft<'_>) {
    if let Some(certificates) = draft.filled("ssl.truststore.certificates") {
        draft.set("ssl.ca.pem", unfolded(certificates));
    }
    let Some(path) = draft.filled("ssl.truststore.location") else {
        return;
    };
    let Some(kind) = kind_of(draft, "ssl.truststore.location", path) else {
        return;
    };
    let to_pem = "and set `ssl.truststore.type=PEM` and this key to the new file";
    match kind {
        StoreKind::Pem => {
            draft.set("ssl.ca.location", path);
            draft.warn("ssl.truststore.password", "does nothing: a PEM truststore has none");
        }
        StoreKind::Pkcs12 => draft.problem(
            "ssl.truststore.location",
            format!(
                "is a PKCS#12 truststore, but it must be PEM: convert it with `openssl pkcs12 -in {path} -nokeys -out \
                 truststore.pem` {to_pem}"
            ),
        ),
        StoreKind::Jks => draft.problem(
            "ssl.truststore.location",
            format!(
                "is a JKS truststore, but it must be PEM: convert it with `keytool -importkeystore -srckeystore {path} \
                 -destkeystore truststore.p12 -deststoretype PKCS12` and `openssl pkcs12 -in truststore.p12 -nokeys -out \
                 truststore.pem` {to_pem}"
            ),
        ),
        StoreKind::Unknown => draft.problem("ssl.truststore.location", "must be a PEM file"),
    }
}

fn keystore(draft: &mut Draft<'_>) {
    if let Some(key) = draft.filled("ssl.keystore.key") {
        draft.set("ssl.key.pem", unfolded(key));
        match draft.filled("ssl.keystore.certificate.chain") {
            Some(chain) => draft.set("ssl.certificate.pem", unfolded(chain)),
            None => draft.problem(
                "ssl.keystore.certificate.chain",
                "must be set if `ssl.keystore.key` is",
            ),
        }
    }
    if let Some(password) = draft.filled("ssl.key.password") {
        draft.set("ssl.key.password", password);
    }
    let Some(path) = draft.filled("ssl.keystore.location") else {
        return;
    };
    let Some(kind) = kind_of(draft, "ssl.keystore.location", path) else {
        return;
    };
    match kind {
        StoreKind::Pem => {
            draft.set("ssl.key.location", path);
            draft.set("ssl.certificate.location", path);
        }
        StoreKind::Pkcs12 => match draft.filled("ssl.keystore.password") {
            Some(password) => {
                draft.set("ssl.keystore.location", path);
                draft.set("ssl.keystore.password", password);
            }
            None => draft.problem("ssl.keystore.password", "must be set for a PKCS#12 keystore"),
        },
        StoreKind::Jks => draft.problem(
            "ssl.keystore.location",
            format!(
                "is a JKS keystore, but it must be PKCS#12 or PEM: convert it with `keytool -importkeystore -srckeystore \
                 {path} -destkeystore keystore.p12 -deststoretype PKCS12` and set this key to the new file"
            ),
        ),
        StoreKind::Unknown => draft.problem("ssl.keystore.location", "must be a PKCS#12 or PEM file"),
    }
}

fn kind_of(draft: &mut Draft<'_>, key: &str, path: &str) -> Option<StoreKind> {
    match StoreKind::of_file(path) {
        Ok(kind) => Some(kind),
        Err(error) => {
            draft.problem(
                key,
                format!("must be a file that can be read, but reading it says: {error}"),
            );
            None
        }
    }
}

/// PEM text in a properties file is often one line with blanks where lines ended; OpenSSL wants the lines.
fn unfolded(pem: &str) -> String {
    if pem.contains('\n') {
        return pem.to_owned();
    }
    let mut lines = String::with_capacity(pem.len() + 2);
    for (index, part) in pem.split("-----").enumerate() {
        if index % 2 == 1 {
            // `BEGIN X` or `END X`, whose blanks stay.
            lines.push_str(&format!("-----{part}-----\n"));
        } else {
            for line in part.split_whitespace() {
                lines.push_str(line);
                lines.push('\n');
            }
        }
    }
    lines
}

fn authentication(draft: &mut Draft<'_>) {
    let mechanism = draft
        .filled("sasl.mechanism")
        .unwrap_or("GSSAPI")
        .to_ascii_uppercase();
    if !MECHANISMS.contains(&mechanism.as_str()) {
        let wanted = MECHANISMS.join("`, `");
        draft.problem(
            "sasl.mechanism",
            format!("`{mechanism}` is not built in: use one of `{wanted}`"),
        );
        return;
    }
    draft.set("sasl.mechanism", mechanism.as_str());
    let login = match draft.filled("sasl.jaas.config").map(Login::parse) {
        None => None,
        Some(Ok(login)) => Some(login),
        Some(Err(message)) => {
            draft.problem("sasl.jaas.config", message);
            return;
        }
    };
    if mechanism == "OAUTHBEARER" {
        oauthbearer(draft, login.as_ref());
    } else {
        username_and_password(draft, login.as_ref());
    }
}

fn username_and_password(draft: &mut Draft<'_>, login: Option<&Login>) {
    const KEY: &str = "sasl.jaas.config";
    let Some(login) = login else {
        return draft.problem(KEY, "must be set, with the user's name and password");
    };
    if !["PlainLoginModule", "ScramLoginModule"].contains(&login.module_name()) {
        return draft.problem(
            KEY,
            "must name `PlainLoginModule` or `ScramLoginModule` for this `sasl.mechanism`",
        );
    }
    match (login.option("username"), login.option("password")) {
        (Some(username), Some(password)) => {
            draft.set("sasl.username", username);
            draft.set("sasl.password", password);
        }
        _ => draft.problem(KEY, "must have the options `username` and `password`"),
    }
}

/// Both ways to write it: options of the login module, and the keys `sasl.oauthbearer.*` of newer versions, which win.
fn oauthbearer(draft: &mut Draft<'_>, login: Option<&Login>) {
    const JAAS: &str = "sasl.jaas.config";
    let Some(login) = login.filter(|login| login.module_name() == "OAuthBearerLoginModule") else {
        return draft.problem(
            JAAS,
            "must name `OAuthBearerLoginModule` for `sasl.mechanism=OAUTHBEARER`",
        );
    };
    if draft.filled("sasl.oauthbearer.token.endpoint.url").is_none() {
        return unsecured(draft, login);
    }
    handler(draft);
    draft.set("sasl.oauthbearer.method", "oidc");
    for (option, name) in [
        ("clientId", "sasl.oauthbearer.client.id"),
        ("clientSecret", "sasl.oauthbearer.client.secret"),
        ("scope", "sasl.oauthbearer.scope"),
    ] {
        if let Some(value) = login.option(option)
            && draft.settings.get(name).is_none()
        {
            draft.set(name, value);
        }
    }
    let extensions: Vec<_> = login
        .options_with("extension_")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if !extensions.is_empty() {
        draft.set("sasl.oauthbearer.extensions", extensions.join(","));
    }
    let retriever = draft
        .filled("sasl.oauthbearer.jwt.retriever.class")
        .unwrap_or_default();
    if retriever.ends_with("JwtBearerJwtRetriever") {
        draft.set(
            "sasl.oauthbearer.grant.type",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        );
    } else if draft.settings.get("sasl.oauthbearer.client.id").is_none()
        || draft.settings.get("sasl.oauthbearer.client.secret").is_none()
    {
        draft.problem(JAAS, "must have the options `clientId` and `clientSecret`");
    }
}

/// Tokens without a signature, for trying things out: the claims are in the options.
fn unsecured(draft: &mut Draft<'_>, login: &Login) {
    let principal = login.option("unsecuredLoginStringClaim_sub");
    let Some(principal) = principal else {
        return draft.problem(
            "sasl.oauthbearer.token.endpoint.url",
            "must be set for `sasl.mechanism=OAUTHBEARER`",
        );
    };
    draft.set("enable.sasl.oauthbearer.unsecure.jwt", "true");
    draft.set("sasl.oauthbearer.config", format!("principal={principal}"));
}

fn handler(draft: &mut Draft<'_>) {
    const KEY: &str = "sasl.login.callback.handler.class";
    if draft
        .filled(KEY)
        .is_some_and(|class| !class.ends_with("OAuthBearerLoginCallbackHandler"))
    {
        draft.warn(
            KEY,
            "is not loaded, it is a Java class: tokens come from `sasl.oauthbearer.token.endpoint.url`",
        );
    }
}

//! The TLS keys, which are those of Kafka clients under a prefix: what they ask for, read from PEM files or texts.

use std::path::Path;

use towpath_connect::{ConfigMap, ConnectorError, Password, Result};

use super::check::Values;
use crate::flavour::Flavour;

/// The first bytes of a Java key store.
const JKS_MAGIC: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];
/// PKCS#12 files are DER, and that begins with a sequence.
const DER_SEQUENCE: u8 = 0x30;

/// How the server is checked, and who we are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    /// Authorities to trust instead of the usual ones, in PEM.
    pub(crate) authorities: Option<Vec<u8>>,
    /// Our private key and certificates, in PEM.
    pub(crate) identity: Option<Password>,
    pub(crate) check_host_name: bool,
    pub(crate) trust_all: bool,
}

/// Whether any TLS key says something beyond its default.
pub(crate) fn is_configured(flavour: Flavour, values: Values<'_>) -> bool {
    let prefix = flavour.tls_prefix();
    let set = |name: &str| values.text(&format!("{prefix}ssl.{name}")).is_some();
    let keys = [
        "truststore.location",
        "truststore.password",
        "truststore.certificates",
        "keystore.location",
        "keystore.password",
        "keystore.key",
        "keystore.certificate.chain",
        "key.password",
    ];
    keys.iter().any(|key| set(key))
        || !values.is(&format!("{prefix}ssl.endpoint.identification.algorithm"), "https")
}

/// Checks that stores can be read.
pub(super) fn check(flavour: Flavour, values: Values<'_>) -> Result<(), (String, String)> {
    let prefix = flavour.tls_prefix();
    for store in ["truststore", "keystore"] {
        let key = format!("{prefix}ssl.{store}.location");
        if let Some(path) = values.text(&key)
            && let Err(error) = read_pem(path)
        {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            return Err((key, format!("{error}{}", cause.unwrap_or_default())));
        }
    }
    let key_password = format!("{prefix}ssl.key.password");
    if values.text(&key_password).is_some() {
        let message = "an encrypted private key is not supported; decrypt it with `openssl pkey -in key.pem -out plain.pem` and keep that file readable for this user only";
        return Err((key_password, message.to_owned()));
    }
    Ok(())
}

/// What the keys ask for.
pub(super) fn read(flavour: Flavour, config: &ConfigMap) -> Result<Tls> {
    let keys = config.with_prefix(flavour.tls_prefix());
    let text = |name: &str| keys.get(name).map(str::trim).filter(|text| !text.is_empty());
    let authorities = match (
        text("ssl.truststore.certificates"),
        text("ssl.truststore.location"),
    ) {
        (Some(pem), _) => Some(pem.as_bytes().to_vec()),
        (None, Some(path)) => Some(read_pem(path)?),
        (None, None) => None,
    };
    let identity = match (
        text("ssl.keystore.key"),
        text("ssl.keystore.certificate.chain"),
        text("ssl.keystore.location"),
    ) {
        (Some(key), Some(chain), _) => Some(Password::new(format!("{key}\n{chain}\n"))),
        (_, _, Some(path)) => {
            let pem = String::from_utf8(read_pem(path)?).map_err(|cause| {
                ConnectorError::config(format!("key store `{path}` is no text file")).with_source(cause)
            })?;
            Some(Password::new(pem))
        }
        (_, _, None) => None,
    };
    let algorithm = keys
        .get("ssl.endpoint.identification.algorithm")
        .unwrap_or("https");
    Ok(Tls {
        authorities,
        identity,
        check_host_name: !algorithm.trim().is_empty(),
        trust_all: flavour == Flavour::OpenSearch
            && config
                .get("connection.trust.all.certificates")
                .is_some_and(|text| text.trim().eq_ignore_ascii_case("true")),
    })
}

fn read_pem(path: &str) -> Result<Vec<u8>> {
    let bytes = std::fs::read(Path::new(path)).map_err(|cause| {
        ConnectorError::config(format!("store `{path}` could not be read")).with_source(cause)
    })?;
    if bytes.starts_with(&JKS_MAGIC) {
        return Err(ConnectorError::config(format!(
            "store `{path}` is a Java key store, and only PEM is read; convert it with `keytool -exportcert -rfc -keystore {path} -alias ALIAS -file ca.pem` and name that file"
        )));
    }
    if bytes.first() == Some(&DER_SEQUENCE) {
        return Err(ConnectorError::config(format!(
            "store `{path}` is PKCS#12, and only PEM is read; convert it with `openssl pkcs12 -in {path} -nodes -out store.pem` and name that file"
        )));
    }
    if !bytes.windows(11).any(|window| window == b"-----BEGIN ") {
        return Err(ConnectorError::config(format!(
            "store `{path}` holds nothing in PEM; it must have lines like `-----BEGIN CERTIFICATE-----`"
        )));
    }
    Ok(bytes)
}

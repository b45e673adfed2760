//! TLS to databases: what the drivers' properties mean, and the client configuration for rustls. The provider of the
//! cryptography is ring; roots are those of browsers unless a certificate authority is given.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::error::DbError;

/// How much is asked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Off,
    /// Encrypted if the server can, the certificate is not looked at.
    Prefer,
    /// Encrypted, the certificate is not looked at.
    Require,
    /// The certificate must be signed by a known authority.
    VerifyAuthority,
    /// It must also be for the name of the host.
    VerifyHost,
}

/// What the properties say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    pub(crate) mode: TlsMode,
    /// Certificates of authorities: a path, or PEM text.
    pub(crate) authority: Option<String>,
    /// A certificate to show, a path, or PEM text.
    pub(crate) certificate: Option<String>,
    /// Its key: the path of a PEM or PKCS#8 file, or PEM text.
    pub(crate) key: Option<String>,
}

/// Makes ring the provider of this process unless another was chosen; some libraries ask for one and take no other way.
pub(crate) fn install_provider() {
    if CryptoProvider::get_default().is_none() && ring::default_provider().install_default().is_err() {
        tracing::debug!("another part of the process has just chosen a provider of cryptography");
    }
}

/// The contents of a file, or the text itself if it is PEM.
pub(crate) async fn material(path_or_pem: &str) -> Result<Vec<u8>, DbError> {
    if path_or_pem.trim_start().starts_with("-----BEGIN") {
        return Ok(path_or_pem.trim_start().as_bytes().to_vec());
    }
    let read = tokio::fs::read(Path::new(path_or_pem)).await;
    read.map_err(|error| DbError::Setting(format!("could not read the TLS file `{path_or_pem}`: {error}")))
}

/// The configuration for rustls.
pub(crate) async fn client_config(settings: &TlsSettings) -> Result<ClientConfig, DbError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad("the TLS provider", &error))?;
    let verifies = matches!(settings.mode, TlsMode::VerifyAuthority | TlsMode::VerifyHost);
    let verifier = if verifies {
        let roots = Arc::new(roots(settings.authority.as_deref()).await?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        Some(verifier.map_err(|error| bad("the certificate authority", &error))?)
    } else {
        None
    };
    let builder = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier {
            chain: verifier,
            checks_host: settings.mode == TlsMode::VerifyHost,
            provider,
        }));
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(&material(certificate).await?)?;
    let key = private_key(material(key).await?)?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| bad("the client certificate or its key", &error))
}

fn bad(what: &str, error: &dyn std::fmt::Display) -> DbError {
    DbError::Setting(format!("could not use {what}: {error}"))
}

async fn roots(authority: Option<&str>) -> Result<RootCertStore, DbError> {
    let mut roots = RootCertStore::empty();
    match authority {
        Some(authority) => {
            for certificate in certificates(&material(authority).await?)? {
                roots
                    .add(certificate)
                    .map_err(|error| bad("the certificate authority", &error))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    Ok(roots)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, DbError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| bad("a certificate", &error))?;
    if certificates.is_empty() {
        return Err(bad("a certificate", &"the file holds none in PEM form"));
    }
    Ok(certificates)
}

fn private_key(bytes: Vec<u8>) -> Result<PrivateKeyDer<'static>, DbError> {
    if bytes.starts_with(b"-----BEGIN") {
        return PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| bad("the client key", &error));
    }
    // PostgreSQL's Java driver wants its keys in this form.
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(bytes)))
}

/// Whether an error of a connection is about a certificate: then waiting helps nobody.
pub(crate) fn is_about_certificates(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error_of_tls(error), Some(rustls::Error::InvalidCertificate(_)))
}

/// What rustls said, if it is the cause of an error.
pub(crate) fn error_of_tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        // An I/O error does not show what it carries as its source, but as itself.
        next = match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Checks as much of a certificate as the mode asks for.
#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    checks_host: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_host => Ok(ServerCertVerified::assertion()),
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

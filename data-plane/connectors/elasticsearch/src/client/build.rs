//! The HTTP client that a configuration asks for.

use reqwest::{Certificate, ClientBuilder, Identity};
use towpath_connect::{ConnectorError, Result};

use crate::config::{Connection, Credentials, Proxy};

pub(super) fn http(connection: &Connection) -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("towpath/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connection.connect_timeout)
        .pool_idle_timeout(connection.idle_timeout)
        .gzip(connection.compression)
        // A search engine does not send its clients elsewhere, and credentials must not go there.
        .redirect(reqwest::redirect::Policy::none());
    let builder = tls(proxy(builder, connection.proxy.as_ref())?, connection)?;
    builder.build().map_err(|cause| {
        ConnectorError::config("the settings of the connection cannot be used").with_source(cause)
    })
}

fn proxy(builder: ClientBuilder, proxy: Option<&Proxy>) -> Result<ClientBuilder> {
    // The environment's proxies are for the user's other programs.
    let builder = builder.no_proxy();
    let Some(Proxy { url, credentials }) = proxy else {
        return Ok(builder);
    };
    let mut proxy = reqwest::Proxy::all(url).map_err(|cause| {
        ConnectorError::config("`proxy.host` and `proxy.port` make no address of a proxy").with_source(cause)
    })?;
    if let Some(Credentials { user, password }) = credentials {
        proxy = proxy.basic_auth(user, password.expose());
    }
    Ok(builder.proxy(proxy))
}

fn tls(mut builder: ClientBuilder, connection: &Connection) -> Result<ClientBuilder> {
    let tls = &connection.tls;
    builder = builder
        .use_rustls_tls()
        .danger_accept_invalid_hostnames(!tls.check_host_name)
        .danger_accept_invalid_certs(tls.trust_all);
    if let Some(pem) = &tls.authorities {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|cause| {
            ConnectorError::config("the trust store holds something that is no certificate in PEM")
                .with_source(cause)
        })?;
        // As in Java: what the user trusts replaces what everybody trusts.
        builder = builder.tls_built_in_root_certs(false);
        for certificate in certificates {
            builder = builder.add_root_certificate(certificate);
        }
    }
    if let Some(pem) = &tls.identity {
        let identity = Identity::from_pem(pem.expose().as_bytes()).map_err(|cause| {
            ConnectorError::config(
                "the key store must hold a private key that is not encrypted, and its certificates, in PEM",
            )
            .with_source(cause)
        })?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

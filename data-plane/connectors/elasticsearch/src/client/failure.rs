//! Why there is no answer.

use std::error::Error as StdError;

use towpath_connect::ConnectorError;

/// No answer, and why.
#[derive(Debug, thiserror::Error)]
#[error("search engine {address} {problem}")]
pub(crate) struct Failure {
    address: String,
    problem: &'static str,
    kind: Kind,
    #[source]
    source: Option<reqwest::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It may be back later.
    Lost,
    TimedOut,
    /// The certificate is not one to trust; a person has to look at that.
    Untrusted,
    /// The request cannot be made at all.
    Unusable,
}

impl Failure {
    pub(super) fn of(address: String, error: reqwest::Error) -> Self {
        let (kind, problem) = if is_untrusted(&error) {
            (Kind::Untrusted, "shows a certificate that is not trusted")
        } else if error.is_builder() {
            (Kind::Unusable, "cannot be asked like this")
        } else if error.is_timeout() && !error.is_connect() {
            (Kind::TimedOut, "did not answer in time")
        } else if error.is_connect() {
            (Kind::Lost, "cannot be connected to")
        } else {
            (Kind::Lost, "broke the connection")
        };
        Self {
            address,
            problem,
            kind,
            // The URL may hold a password.
            source: Some(error.without_url()),
        }
    }

    pub(super) fn no_address() -> Self {
        Self {
            address: String::new(),
            problem: "has no address",
            kind: Kind::Unusable,
            source: None,
        }
    }

    /// Whether it is worth waiting for.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.kind, Kind::Lost | Kind::TimedOut)
    }

    /// Whether it was asked and took too long, so that it should be given longer.
    pub(crate) fn is_timeout(&self) -> bool {
        self.kind == Kind::TimedOut
    }

    /// Whether TLS is the problem.
    pub(crate) fn is_untrusted(&self) -> bool {
        self.kind == Kind::Untrusted
    }

    /// For a caller that does not wait itself.
    pub(crate) fn into_error(self) -> ConnectorError {
        let message = if self.is_lost() {
            return ConnectorError::retriable("the search engine cannot be reached").with_source(self);
        } else if self.is_untrusted() {
            "the search engine is not who it should be; check its certificate and the TLS settings"
        } else {
            "the search engine cannot be asked; check the settings of the connection"
        };
        ConnectorError::external(message).with_source(self)
    }
}

fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    // An I/O error hides what is in it: its `source` is the source of that.
    let hidden = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    hidden.is_some_and(|hidden| is_untrusted(hidden)) || error.source().is_some_and(is_untrusted)
}

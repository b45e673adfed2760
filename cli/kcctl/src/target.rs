//! Which cluster a command talks to, and as whom.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::args::GlobalArgs;
use crate::contexts::{Contexts, ContextsError};
use crate::printer::Printer;

pub(crate) const DEFAULT_CLUSTER: &str = "http://localhost:8083";
const DEFAULT_GRPC_PORT: u16 = 7083;

/// For basic authentication. No `Debug`: a password is never printed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Rest,
    Grpc,
}

pub(crate) struct Target {
    pub(crate) protocol: Protocol,
    /// Without credentials: it is shown.
    pub(crate) url: Url,
    /// As the user wrote it, again without credentials.
    pub(crate) shown: String,
    pub(crate) credentials: Option<Credentials>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("the cluster URL `{url}` cannot be used: {wrong}")]
    Url { url: String, wrong: String },
    #[error(transparent)]
    Contexts(#[from] ContextsError),
}

impl TargetError {
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Url { .. } => {
                Some("write http://HOST:PORT or https://HOST:PORT for REST, grpc://HOST:PORT for gRPC")
            }
            Self::Contexts(error) => error.hint(),
        }
    }
}

impl Target {
    /// `--cluster` before `--context` before the current context before the default. A password goes only where its
    /// context says, so with `--cluster` only the credentials in the URL count.
    pub(crate) fn choose(global: &GlobalArgs, printer: &Printer) -> Result<Self, TargetError> {
        if let Some(url) = &global.cluster {
            return Self::parse(url);
        }
        let contexts = Contexts::load(global.config.clone())?;
        if !contexts.file_exists() && global.context.is_none() {
            printer.warning(&no_context());
            return Self::parse(DEFAULT_CLUSTER);
        }
        let context = contexts.get(contexts.name_in_use(global.context.as_deref())?)?;
        let mut target = Self::parse(&context.cluster)?;
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        if let (Some(username), Some(password)) = (filled(context.username), filled(context.password)) {
            target.credentials = Some(Credentials { username, password });
        }
        Ok(target)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, TargetError> {
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        // What is shown of a URL that cannot be read must not hold its password either.
        let shown = with_scheme
            .rsplit_once('@')
            .map_or(text.to_owned(), |(_, host)| format!("…@{host}"));
        let wrong = |wrong: &str| TargetError::Url {
            url: shown.clone(),
            wrong: wrong.to_owned(),
        };
        let mut url = Url::parse(&with_scheme).map_err(|error| wrong(&error.to_string()))?;
        let protocol = match url.scheme() {
            "http" | "https" => Protocol::Rest,
            "grpc" => Protocol::Grpc,
            other => {
                return Err(wrong(&format!(
                    "the scheme `{other}` is none of http, https, grpc"
                )));
            }
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        let credentials = take_credentials(&mut url);
        if protocol == Protocol::Grpc
            && url.port().is_none()
            && url.set_port(Some(DEFAULT_GRPC_PORT)).is_err()
        {
            return Err(wrong("it can have no port"));
        }
        let shown = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            protocol,
            url,
            shown,
            credentials,
        })
    }
}

fn take_credentials(url: &mut Url) -> Option<Credentials> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let username = decode(url.username());
    let password = url.password().map(decode);
    // Only a URL without a host refuses; such a one was refused before.
    let _refused = url.set_username("").and_then(|()| url.set_password(None));
    (!username.is_empty()).then(|| Credentials {
        username,
        password: password.unwrap_or_default(),
    })
}

/// Of a client that was never told about a cluster.
pub(crate) fn no_context() -> String {
    format!(
        "No configuration context has been defined, using {DEFAULT_CLUSTER} by default. Run 'kcctl config set-context \
         NAME --cluster URL' to create a context."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Target {
        Target::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_scheme_chooses_the_protocol() {
        assert_eq!(parsed("http://localhost:8083").protocol, Protocol::Rest);
        assert_eq!(
            parsed("https://gateway/connect/").shown,
            "https://gateway/connect"
        );
        assert_eq!(parsed("grpc://control:7083").protocol, Protocol::Grpc);
        assert_eq!(parsed("grpc://control").shown, "grpc://control:7083");
        assert_eq!(parsed("localhost:8083").shown, "http://localhost:8083");
    }

    #[test]
    fn credentials_of_a_url_are_used_and_not_shown() {
        for url in ["http://me:p%40ss@host:8083", "grpc://me:p%40ss@host:7083"] {
            let target = parsed(url);
            let credentials = target.credentials.unwrap();
            assert_eq!(
                (credentials.username.as_str(), credentials.password.as_str()),
                ("me", "p@ss")
            );
            assert!(
                !target.shown.contains("me") && !target.url.as_str().contains("p%40ss"),
                "{}",
                target.shown
            );
        }
    }

    #[test]
    fn what_is_no_cluster_is_refused_without_its_password() {
        for url in ["ftp://me:secret@host", "http://me:secret@host:99999", "http://"] {
            let error = Target::parse(url).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

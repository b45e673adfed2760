//! Where the REST API is served, and the address that a worker is known by.

use std::fmt;
use std::net::IpAddr;

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// Lower-case, as in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(text))
    }
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub scheme: Scheme,
    /// Empty for every interface; an IPv6 address without brackets.
    pub host: String,
    /// 0 for any free port.
    pub port: u16,
}

impl Listener {
    /// Reads `http://host:port`.
    ///
    /// # Errors
    /// The message for the user.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const FORMAT: &str = "Listener doesn't have the right format (protocol://hostname:port).";
        let (scheme, address) = text.rsplit_once("://").ok_or(FORMAT)?;
        let (host, port) = address.rsplit_once(':').ok_or(FORMAT)?;
        let host = host.strip_prefix('[').unwrap_or(host);
        let host = host.strip_suffix(']').unwrap_or(host);
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '%' | '.' | '_' | ':');
        if !host.chars().all(is_host) {
            return Err(FORMAT);
        }
        let port = port.parse().map_err(|_| FORMAT)?;
        let scheme =
            Scheme::parse(scheme).ok_or("Listener protocol must be either \"http\" or \"https\".")?;
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port,
        })
    }
}

/// What the worker says of its own address (`rest.advertised.*`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advertised {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub scheme: Option<Scheme>,
}

/// The address by which others reach the worker; printed as its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvertisedUrl {
    pub scheme: Scheme,
    pub host: String,
    pub port: u16,
}

impl AdvertisedUrl {
    /// What is advertised, else what is listened on. `bound_port` is the port that was found if the listener names
    /// none.
    pub(super) fn of(
        advertised: &Advertised,
        listeners: &[Listener],
        local_host: &str,
        bound_port: Option<u16>,
    ) -> Self {
        let of_scheme = |scheme| listeners.iter().find(|listener| listener.scheme == scheme);
        let scheme = advertised.scheme.unwrap_or(match of_scheme(Scheme::Http) {
            Some(_) => Scheme::Http,
            None => Scheme::Https,
        });
        let listener = of_scheme(scheme);
        let listened_host = listener
            .map(|listener| listener.host.as_str())
            .filter(|host| !host.is_empty());
        let listened_port = listener.map(|listener| listener.port).filter(|port| *port != 0);
        Self {
            scheme,
            host: advertised
                .host
                .as_deref()
                .or(listened_host)
                .unwrap_or(local_host)
                .to_owned(),
            port: advertised
                .port
                .or(listened_port)
                .or(bound_port)
                .unwrap_or_default(),
        }
    }

    /// `host:port`, the worker's id in statuses. An address that stands for every interface (`0.0.0.0`, `::`) is the same
    /// on all machines, so this machine's name takes its place: two workers with one id would take each other for a
    /// restarted one.
    pub fn worker_id(&self, local_host: &str) -> String {
        let is_everywhere = self
            .host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_unspecified());
        self.address_of(if is_everywhere { local_host } else { &self.host })
    }

    fn address_of(&self, host: &str) -> String {
        if host.contains(':') {
            format!("[{host}]:{}", self.port)
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl fmt::Display for AdvertisedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/", self.scheme.name(), self.address_of(&self.host))
    }
}

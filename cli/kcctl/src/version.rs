//! Which version of Kafka Connect a cluster says it is.

use std::fmt;

use crate::api::Cluster;
use crate::failure::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    pub(crate) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// `4.3.1`, `4.0.0-SNAPSHOT`, `7.5.1-ccs`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let digits = |part: &str| part.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
        Some(Self {
            major: parts.next().and_then(digits)?,
            minor: parts.next().and_then(digits)?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A thing that not every server can do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature {
    pub(crate) what: &'static str,
    pub(crate) since: Version,
    pub(crate) hint: Option<&'static str>,
}

impl Feature {
    pub(crate) const fn new(what: &'static str, since: Version) -> Self {
        Self {
            what,
            since,
            hint: None,
        }
    }
}

/// Refuses what the server is too old for. A version that cannot be read is taken to be new enough.
pub(crate) async fn require(cluster: &dyn Cluster, feature: Feature) -> Result<(), Failure> {
    let version = cluster.info().await?.version;
    match Version::parse(&version) {
        Some(current) if current < feature.since => Err(Failure::TooOld {
            what: feature.what,
            needed: feature.since,
            current,
            hint: feature.hint,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_and_minor_count_and_suffixes_do_not() {
        assert_eq!(Version::parse("4.3.1"), Some(Version::new(4, 3)));
        assert_eq!(Version::parse("3.10-SNAPSHOT"), Some(Version::new(3, 10)));
        assert_eq!(Version::parse("unknown"), None);
        assert!(Version::new(3, 10) > Version::new(3, 5));
    }
}

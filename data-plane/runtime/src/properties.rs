//! Java's properties files: the format of worker and connector files that people have.

pub use towpath_connect::properties::{PropertiesError, parse, parse_bytes};

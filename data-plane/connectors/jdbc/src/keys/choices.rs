//! Keys whose value is one of a few words.

use crate::moment::Calendar;

/// A choice by its words.
pub(crate) trait Choice: Copy + 'static {
    /// The words and what they stand for; the first is the default.
    const CHOICES: &'static [(&'static str, Self)];

    /// The choice of a word in any case.
    fn of(word: &str) -> Option<Self> {
        let found = Self::CHOICES.iter().find(|(w, _)| w.eq_ignore_ascii_case(word));
        found.map(|(_, choice)| *choice)
    }
}

/// The words that a form offers.
pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Bulk,
    Timestamp,
    Incrementing,
    TimestampIncrementing,
}

pub(crate) const MODES: &[&str] = &["", "bulk", "timestamp", "incrementing", "timestamp+incrementing"];

impl Choice for Mode {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("bulk", Self::Bulk),
        ("timestamp", Self::Timestamp),
        ("incrementing", Self::Incrementing),
        ("timestamp+incrementing", Self::TimestampIncrementing),
    ];
}

impl Mode {
    pub(crate) fn uses_incrementing(self) -> bool {
        matches!(self, Self::Incrementing | Self::TimestampIncrementing)
    }

    pub(crate) fn uses_timestamp(self) -> bool {
        matches!(self, Self::Timestamp | Self::TimestampIncrementing)
    }
}

/// `numeric.mapping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumericMapping {
    None,
    PrecisionOnly,
    BestFit,
    BestFitEagerDouble,
}

impl Choice for NumericMapping {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("none", Self::None),
        ("precision_only", Self::PrecisionOnly),
        ("best_fit", Self::BestFit),
        ("best_fit_eager_double", Self::BestFitEagerDouble),
    ];
}

/// `timestamp.granularity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granularity {
    ConnectLogical,
    MicrosLong,
    MicrosString,
    MicrosIso,
    NanosLong,
    NanosString,
    NanosIso,
}

pub(crate) const GRANULARITIES: &[&str] = &[
    "connect_logical",
    "micros_long",
    "micros_string",
    "micros_iso_datetime_string",
    "nanos_long",
    "nanos_string",
    "nanos_iso_datetime_string",
];

impl Choice for Granularity {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("connect_logical", Self::ConnectLogical),
        ("micros_long", Self::MicrosLong),
        ("micros_string", Self::MicrosString),
        ("micros_iso_datetime_string", Self::MicrosIso),
        ("nanos_long", Self::NanosLong),
        ("nanos_string", Self::NanosString),
        ("nanos_iso_datetime_string", Self::NanosIso),
    ];
}

/// `transaction.isolation.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    Default,
    ReadUncommitted,
    ReadCommitted,
    RepeatableRead,
    Serializable,
    SqlServerSnapshot,
}

pub(crate) const ISOLATIONS: &[&str] = &[
    "DEFAULT",
    "READ_UNCOMMITTED",
    "READ_COMMITTED",
    "REPEATABLE_READ",
    "SERIALIZABLE",
    "SQL_SERVER_SNAPSHOT",
];

impl Choice for Isolation {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("DEFAULT", Self::Default),
        ("READ_UNCOMMITTED", Self::ReadUncommitted),
        ("READ_COMMITTED", Self::ReadCommitted),
        ("REPEATABLE_READ", Self::RepeatableRead),
        ("SERIALIZABLE", Self::Serializable),
        ("SQL_SERVER_SNAPSHOT", Self::SqlServerSnapshot),
    ];
}

impl Isolation {
    /// The words of standard SQL; `None` leaves the server's own.
    pub(crate) fn sql(self) -> Option<&'static str> {
        match self {
            Self::Default | Self::SqlServerSnapshot => None,
            Self::ReadUncommitted => Some("READ UNCOMMITTED"),
            Self::ReadCommitted => Some("READ COMMITTED"),
            Self::RepeatableRead => Some("REPEATABLE READ"),
            Self::Serializable => Some("SERIALIZABLE"),
        }
    }
}

pub(crate) const CALENDARS: &[&str] = &["LEGACY", "PROLEPTIC_GREGORIAN"];

impl Choice for Calendar {
    const CHOICES: &'static [(&'static str, Self)] = &[
        ("LEGACY", Self::Legacy),
        ("PROLEPTIC_GREGORIAN", Self::ProlepticGregorian),
    ];
}

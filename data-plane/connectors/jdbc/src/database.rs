//! The databases that are supported, and how their SQL differs where statements are built.

use std::fmt;

/// A family of databases that share a protocol and a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// MySQL and MariaDB.
    MySql,
    Postgres,
    Sqlite,
}

impl Database {
    /// As messages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MySql => "MySQL",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }

    /// The value of `dialect.name` that stands for it.
    pub(crate) fn dialect(self) -> &'static str {
        match self {
            Self::MySql => "MySqlDatabaseDialect",
            Self::Postgres => "PostgreSqlDatabaseDialect",
            Self::Sqlite => "SqliteDatabaseDialect",
        }
    }

    /// What encloses names.
    pub(crate) fn quote(self) -> char {
        match self {
            Self::MySql | Self::Sqlite => '`',
            Self::Postgres => '"',
        }
    }

    /// The name between quotes, quotes in it doubled.
    pub(crate) fn quoted(self, name: &str) -> String {
        let quote = self.quote();
        let mut out = String::with_capacity(name.len() + 2);
        out.push(quote);
        for c in name.chars() {
            if c == quote {
                out.push(quote);
            }
            out.push(c);
        }
        out.push(quote);
        out
    }

    /// The place of the n-th bound value, from 1, where an integer is expected.
    pub(crate) fn integer_parameter(self, number: usize) -> String {
        match self {
            // The column may have any numeric type; without the cast the server would want that type from us.
            Self::Postgres => format!("CAST(${number} AS bigint)"),
            Self::MySql | Self::Sqlite => "?".to_owned(),
        }
    }

    /// The place of the n-th bound value, from 1, where a point in time is expected.
    pub(crate) fn moment_parameter(self, number: usize) -> String {
        match self {
            Self::Postgres => format!("${number}"),
            Self::MySql | Self::Sqlite => "?".to_owned(),
        }
    }

    /// An expression that compares as a point in time. SQLite has no such type: a column may hold text of several
    /// shapes or numbers, so a function of ours makes microseconds of them all.
    pub(crate) fn comparable_moment(self, expression: &str) -> String {
        match self {
            Self::Sqlite => format!("{}({expression})", crate::sqlite::MOMENT_FUNCTION),
            Self::MySql | Self::Postgres => expression.to_owned(),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

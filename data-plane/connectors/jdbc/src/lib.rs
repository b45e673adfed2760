//! JDBC source for MySQL, MariaDB, PostgreSQL and SQLite.

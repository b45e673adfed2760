//! The connector against real databases, driven through the traits as the runtime drives it. Each test has a database
//! of its own, so they run side by side; tests that break a server have the server to themselves.

#[cfg(test)]
mod databases;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod mariadb;
#[cfg(test)]
mod mariadb_types;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod postgres_types;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod streaming;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod validation;

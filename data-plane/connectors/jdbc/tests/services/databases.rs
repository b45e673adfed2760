//! Databases of a test's own on the shared servers, and SQLite files.

use std::sync::atomic::{AtomicUsize, Ordering};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Pool};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_postgres::{Client, NoTls};
use towpath_testkit::services::Database;
use towpath_testkit::{Service, Services};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A name that no other test has, in this run or in one beside it.
fn unique_name() -> String {
    format!(
        "jdbc_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    )
}

/// A database on a MariaDB server.
pub(crate) struct MariaDb {
    pub(crate) name: String,
    pub(crate) server: Database,
    pool: Pool,
}

impl MariaDb {
    pub(crate) async fn create() -> Self {
        let services = Services::require(&[Service::MariaDb]).await.unwrap();
        Self::create_on(services.mariadb()).await
    }

    pub(crate) async fn create_on(server: Database) -> Self {
        let name = unique_name();
        let opts = OptsBuilder::default()
            .ip_or_hostname(server.host.as_str())
            .tcp_port(server.port)
            .user(Some(server.user.as_str()))
            .pass(Some(server.password.as_str()));
        let mut conn = Conn::new(opts.clone()).await.unwrap();
        conn.query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))
            .await
            .unwrap();
        conn.disconnect().await.unwrap();
        Self {
            pool: Pool::new(opts.db_name(Some(name.as_str()))),
            name,
            server,
        }
    }

    pub(crate) async fn run(&self, sql: &str) {
        let mut conn = self.pool.get_conn().await.unwrap();
        conn.query_drop(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(crate) async fn number(&self, sql: &str) -> Option<i64> {
        let mut conn = self.pool.get_conn().await.unwrap();
        conn.query_first(sql).await.unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.url_with("")
    }

    /// The URL with user and password, and more parameters, as in `&useSSL=false`.
    pub(crate) fn url_with(&self, parameters: &str) -> String {
        let Database {
            host,
            port,
            user,
            password,
        } = &self.server;
        format!(
            "jdbc:mysql://{host}:{port}/{}?user={user}&password={password}{parameters}",
            self.name
        )
    }

    /// The number of a connection that reads, if one does.
    pub(crate) async fn reading_connection(&self, text: &str) -> Option<i64> {
        self.number(&format!(
            "SELECT id FROM information_schema.processlist WHERE db = '{}' AND command = 'Execute' \
             AND info LIKE '%{text}%' AND id <> CONNECTION_ID()",
            self.name
        ))
        .await
    }
}

/// A database on a PostgreSQL server.
pub(crate) struct Postgres {
    pub(crate) name: String,
    pub(crate) server: Database,
    client: Client,
    _connection: JoinSet<()>,
}

async fn connect(server: &Database, name: &str) -> (Client, JoinSet<()>) {
    let mut config = tokio_postgres::Config::new();
    config
        .host(server.host.as_str())
        .port(server.port)
        .user(server.user.as_str());
    config.password(server.password.as_str()).dbname(name);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        connection.await.ok();
    });
    (client, driver)
}

impl Postgres {
    pub(crate) async fn create() -> Self {
        let services = Services::require(&[Service::Postgres]).await.unwrap();
        Self::create_on(services.postgres()).await
    }

    pub(crate) async fn create_on(server: Database) -> Self {
        let name = unique_name();
        let (client, _driver) = connect(&server, "app").await;
        client
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let (client, connection) = connect(&server, &name).await;
        Self {
            name,
            server,
            client,
            _connection: connection,
        }
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub(crate) async fn text(&self, sql: &str) -> Option<String> {
        let rows = self.client.query(sql, &[]).await.unwrap();
        rows.first().and_then(|row| row.get(0))
    }

    pub(crate) fn url(&self) -> String {
        self.url_with("")
    }

    pub(crate) fn url_with(&self, parameters: &str) -> String {
        let Database {
            host,
            port,
            user,
            password,
        } = &self.server;
        format!(
            "jdbc:postgresql://{host}:{port}/{}?user={user}&password={password}{parameters}",
            self.name
        )
    }
}

/// A SQLite file and a connection that writes to it.
pub(crate) struct Sqlite {
    pub(crate) folder: TempDir,
    pub(crate) db: rusqlite::Connection,
}

impl Sqlite {
    pub(crate) fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = rusqlite::Connection::open(folder.path().join("test.db")).unwrap();
        Self { folder, db }
    }

    pub(crate) fn run(&self, sql: &str) {
        self.db
            .execute_batch(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(crate) fn url(&self) -> String {
        format!("jdbc:sqlite:{}", self.folder.path().join("test.db").display())
    }
}

//! TLS to a real server, with certificates made for these tests: they protect nothing. The server's is for `localhost`
//! and no other name.

use towpath_connect::error::Chain;
use towpath_testkit::services::Database;
use towpath_testkit::{Service, Services, wait_until};

use crate::databases::Postgres;
use crate::pipeline::{CONFLUENT, DEADLINE, Pipeline, config, field};

const CERTIFICATE: &str = include_str!("tls/server.pem");
const KEY: &str = include_str!("tls/server-key.pem");

/// A server of this test's own that speaks TLS. Its superuser puts the files into the folder of its data.
async fn postgres_with_tls(services: &Services) -> Postgres {
    let superuser = Database {
        user: "postgres".to_owned(),
        ..services.postgres()
    };
    let db = Postgres::create_on(superuser).await;
    for (file, text) in [("server.crt", CERTIFICATE), ("server.key", KEY)] {
        db.run(&format!(
            "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) TO PROGRAM 'umask 077; cat > {file}'"
        ))
        .await;
    }
    db.run("ALTER SYSTEM SET ssl = on").await;
    db.run("SELECT pg_reload_conf()").await;
    let is_on = || async {
        let config = over_tls(&db, "sslmode=require");
        match Pipeline::start_connector(CONFLUENT, &config, &Default::default()).await {
            Ok(pipeline) => {
                pipeline.stop().await;
                Ok(())
            }
            Err(error) => Err(Chain(&error).to_string()),
        }
    };
    wait_until("the server to speak TLS", DEADLINE, is_on)
        .await
        .unwrap();
    db
}

fn over_tls(db: &Postgres, parameters: &str) -> towpath_connect::ConfigMap {
    let query = "SELECT ssl AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let url = db.url_with(&format!("&{parameters}"));
    config(&url, &[("query", query), ("topic.prefix", "q")])
}

#[tokio::test]
async fn a_server_is_trusted_as_far_as_the_mode_says() {
    let services = Services::private(&[Service::Postgres]).await.unwrap();
    let db = postgres_with_tls(&services).await;
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/tls/authority.pem");
    let trusted = [
        "sslmode=prefer".to_owned(),
        "sslmode=require".to_owned(),
        format!("sslmode=verify-ca&sslrootcert={authority}"),
        "ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory".to_owned(),
    ];
    for parameters in trusted {
        let mut pipeline = Pipeline::start(&over_tls(&db, &parameters)).await;
        let encrypted = field(&pipeline.take(1).await[0], "encrypted").clone();
        assert_eq!(encrypted, towpath_connect::Value::Boolean(true), "{parameters}");
        pipeline.stop().await;
    }
    let distrusted = [
        "sslmode=verify-ca".to_owned(),
        "ssl=true".to_owned(),
        format!("sslmode=verify-full&sslrootcert={authority}"),
    ];
    for parameters in distrusted {
        let started =
            Pipeline::start_connector(CONFLUENT, &over_tls(&db, &parameters), &Default::default()).await;
        let text = Chain(&started.err().unwrap()).to_string();
        assert!(
            text.contains("its certificate is not trusted"),
            "{parameters}: {text}"
        );
    }
    let mut by_name = over_tls(&db, &format!("sslmode=verify-full&sslrootcert={authority}"));
    let url = by_name
        .get("connection.url")
        .unwrap()
        .replace("127.0.0.1", "localhost");
    by_name.insert("connection.url", url);
    let pipeline = Pipeline::start(&by_name).await;
    pipeline.stop().await;
}

//! The launcher of real servers, on the quickest of them: what a test that breaks a server relies on.

use towpath_testkit::{Service, Services};

async fn query(services: &Services, sql: &str) -> Result<String, String> {
    let arguments = ["--tuples-only", "--no-align", "--command", sql];
    services
        .tool(Service::Postgres, &arguments)
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_shared_server_is_the_same_for_all_who_require_it() {
    let first = Services::require(&[Service::Postgres]).await.unwrap();
    let second = Services::require(&[Service::Postgres]).await.unwrap();
    assert_eq!(first.postgres(), second.postgres());
    assert_eq!(query(&first, "SELECT 1").await.unwrap(), "1\n");
}

#[tokio::test]
async fn a_broken_server_comes_back_on_the_same_port_with_its_data() {
    let services = Services::private(&[Service::Postgres]).await.unwrap();
    let port = services.postgres().port;
    query(&services, "CREATE TABLE seen (id int)").await.unwrap();
    query(&services, "INSERT INTO seen VALUES (1)").await.unwrap();

    services.kill(Service::Postgres).await.unwrap();
    query(&services, "SELECT 1").await.unwrap_err();
    services.start(Service::Postgres).await.unwrap();
    query(&services, "INSERT INTO seen VALUES (2)").await.unwrap();

    services.restart(Service::Postgres).await.unwrap();
    assert_eq!(
        query(&services, "SELECT id FROM seen ORDER BY id").await.unwrap(),
        "1\n2\n"
    );
    assert_eq!(query(&services, "SHOW port").await.unwrap(), format!("{port}\n"));

    services.stop(Service::Postgres).await.unwrap();
    let refused = services.kill(Service::Postgres).await.unwrap_err();
    assert!(refused.to_string().contains("does not run"), "{refused}");
}

#[tokio::test]
async fn private_servers_do_not_touch_the_shared_ones() {
    let shared = Services::require(&[Service::Postgres]).await.unwrap();
    let own = Services::private(&[Service::Postgres]).await.unwrap();
    assert_ne!(own.postgres().port, shared.postgres().port);
    own.kill(Service::Postgres).await.unwrap();
    assert_eq!(query(&shared, "SELECT 1").await.unwrap(), "1\n");
}

//! Each row is a URL as people write it.

use super::*;

fn parse(url: &str) -> JdbcUrl {
    JdbcUrl::parse(url).unwrap()
}

fn host(name: &str, port: u16) -> Host {
    Host {
        name: name.to_owned(),
        port,
    }
}

#[test]
fn urls_of_each_database_are_taken_apart() {
    let url = parse("jdbc:mysql://h1:3307/db?user=u&password=p%40ss%3D&useSSL=false");
    assert_eq!(url.database, Database::MySql);
    assert_eq!(url.hosts, [host("h1", 3307)]);
    assert_eq!(url.name.as_deref(), Some("db"));
    let parameters: Vec<_> = url
        .parameters
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        parameters,
        [("user", "u"), ("password", "p@ss="), ("useSSL", "false")]
    );

    let url = parse("jdbc:mariadb:replication://primary,replica:3310/news");
    assert!(url.is_mariadb);
    assert_eq!(url.hosts, [host("primary", 3306), host("replica", 3310)]);

    let url = parse("jdbc:postgresql://[::1]:5433,db2/my%20db?currentSchema=sales");
    assert_eq!(url.hosts, [host("::1", 5433), host("db2", 5432)]);
    assert_eq!(url.name.as_deref(), Some("my db"));

    let url = parse("jdbc:postgresql:shop");
    assert_eq!(
        (url.hosts, url.name),
        (vec![host("localhost", 5432)], Some("shop".to_owned()))
    );

    let url = parse("JDBC:sqlite:/data/shop.db?date_precision=seconds");
    assert_eq!(
        (url.database, url.name.as_deref()),
        (Database::Sqlite, Some("/data/shop.db"))
    );
    assert_eq!(parse("jdbc:sqlite:file:test.db").name.as_deref(), Some("test.db"));
}

#[test]
fn a_login_in_front_of_the_host_is_taken() {
    let url = parse("jdbc:mysql://me:se%3Acret@host/db");
    assert_eq!(url.user.as_deref(), Some("me"));
    assert_eq!(url.password.unwrap().expose(), "se:cret");
}

#[test]
fn a_url_never_prints_what_may_be_secret() {
    let url = parse("jdbc:mysql://me:hush@host/db?password=hush2&user=u");
    assert_eq!(url.to_string(), "mysql://host:3306/db");
    assert_eq!(format!("{url:?}"), "mysql://host:3306/db");
    assert_eq!(parse("jdbc:sqlite:/a/b.db?k=hush").to_string(), "sqlite:/a/b.db");
}

#[test]
fn what_is_wrong_is_said_without_the_url() {
    let wrong = |url: &str| JdbcUrl::parse(url).unwrap_err();
    assert_eq!(wrong(""), UrlError::Missing);
    assert_eq!(wrong("mysql://host/db"), UrlError::NoJdbc);
    assert_eq!(wrong("jdbc:mysql"), UrlError::NoJdbc);
    assert_eq!(wrong("jdbc:mysql:host/db"), UrlError::NoHost);
    assert_eq!(
        wrong("jdbc:oracle:thin:@//h:1521/x"),
        UrlError::Unsupported("oracle".to_owned())
    );
    assert!(
        wrong("jdbc:sqlserver://h")
            .to_string()
            .contains("jdbc:postgresql://")
    );
    assert_eq!(
        wrong("jdbc:mysql://address=(host=h)/db"),
        UrlError::HostDescription
    );
    assert_eq!(wrong("jdbc:mysql://h:99999/db"), UrlError::Port("h".to_owned()));
    assert_eq!(wrong("jdbc:mysql://h:0/db"), UrlError::Port("h".to_owned()));
    assert_eq!(wrong("jdbc:sqlite::memory:"), UrlError::NoFile);
    assert_eq!(wrong("jdbc:sqlite:file:x?mode=memory"), UrlError::NoFile);
    assert_eq!(wrong("jdbc:mysql://u:%ff@h/db"), UrlError::Encoding);
}

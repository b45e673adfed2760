//! Listeners and the advertised address: worker-config.md, REST keys.

use towpath_runtime::worker_config::{Listener, Scheme};

use crate::worker_keys::{distributed, refused};

const FORMAT: &str = "Listener doesn't have the right format (protocol://hostname:port).";
const PROTOCOL: &str = "Listener protocol must be either \"http\" or \"https\".";

#[test]
fn listeners_are_urls_with_a_port() {
    let listener = |scheme, host: &str, port| Listener {
        scheme,
        host: host.to_owned(),
        port,
    };
    for (text, expected) in [
        ("http://:8083", listener(Scheme::Http, "", 8083)),
        ("HTTPS://h-1.x:1", listener(Scheme::Https, "h-1.x", 1)),
        ("http://[::1]:0", listener(Scheme::Http, "::1", 0)),
    ] {
        assert_eq!(distributed(&format!("listeners={text}")).listeners, [expected]);
    }
    assert_eq!(distributed("").listeners, [listener(Scheme::Http, "", 8083)]);
    assert_eq!(distributed("listeners=http://:1,https://:2").listeners.len(), 2);
}

#[test]
fn listeners_that_cannot_be_read_are_refused() {
    const NONE: &str = "Invalid value for listeners, at least one URL is expected, ex: http://localhost:8080,https://localhost:8443.";
    const EMPTY: &str = "Empty URL found when parsing listeners list.";
    for (text, message) in [
        ("", NONE),
        (",http://:1", EMPTY),
        ("http://:1,", EMPTY),
        ("http://", FORMAT),
        ("h:1", FORMAT),
        ("http://h", FORMAT),
        ("http://a b:1", FORMAT),
        ("http://h:1/x", FORMAT),
        ("http://h:70000", FORMAT),
        ("ftp://h:1", PROTOCOL),
    ] {
        assert_eq!(refused(&format!("listeners={text}")), message, "{text:?}");
    }
}

#[test]
fn admin_listeners_are_apart_the_same_or_nowhere() {
    assert_eq!(distributed("").admin_listeners, None);
    assert_eq!(distributed("admin.listeners=").admin_listeners, Some(vec![]));
    assert_eq!(
        distributed("admin.listeners=http://:1").admin_listeners.unwrap()[0].port,
        1
    );
    assert_eq!(
        refused("admin.listeners=,"),
        "Configuration 'admin.listeners' values must not be duplicated."
    );
    assert_eq!(refused("admin.listeners=x"), FORMAT);
}

#[test]
fn the_advertised_address_is_what_is_said_or_else_what_is_listened_on() {
    for (lines, url) in [
        ("listeners=http://:8083", "http://local:8083/"),
        ("listeners=http://0.0.0.0:8083", "http://0.0.0.0:8083/"),
        ("listeners=https://h:1,http://g:2", "http://g:2/"),
        ("listeners=https://h:1", "https://h:1/"),
        (
            "listeners=http://:8083\nrest.advertised.port=9",
            "http://local:9/",
        ),
        (
            "listeners=https://h:1\nrest.advertised.host.name=adv",
            "https://adv:1/",
        ),
        (
            "listeners=http://a:1,https://b:2\nrest.advertised.listener=HTTPS",
            "https://b:2/",
        ),
        ("listeners=http://a:0", "http://a:4711/"),
        ("listeners=http://[::1]:80", "http://[::1]:80/"),
    ] {
        let advertised = distributed(lines).advertised_url("local", Some(4711));
        assert_eq!(advertised.to_string(), url, "{lines}");
    }
    assert!(refused("rest.advertised.port=70000").ends_with("Value must be no more than 65535"));
    assert!(refused("rest.advertised.listener=ftp").ends_with("HTTP, HTTPS"));
}

#[test]
fn the_default_id_of_a_worker_names_its_machine() {
    for (lines, id) in [
        ("", "local:8083"),
        ("listeners=http://h:1", "h:1"),
        ("listeners=http://[::1]:1", "[::1]:1"),
        ("listeners=http://0.0.0.0:8083", "local:8083"),
        ("listeners=http://[::]:8083", "local:8083"),
        ("listeners=http://:::8083", "local:8083"),
        ("listeners=http://[0:0:0:0:0:0:0:0]:8083", "local:8083"),
        ("listeners=http://[::ffff:0.0.0.0]:8083", "local:8083"),
        (
            "listeners=http://0.0.0.0:1\nrest.advertised.host.name=adv",
            "adv:1",
        ),
        ("rest.advertised.host.name=0.0.0.0", "local:8083"),
    ] {
        let advertised = distributed(lines).advertised_url("local", None);
        assert_eq!(advertised.worker_id("local"), id, "{lines}");
    }
}

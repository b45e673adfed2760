//! The names of §5 of the connector's contract.

use super::*;

fn plain() -> Naming {
    Naming {
        indexes: Vec::new(),
        existing: None,
        data_streams: None,
    }
}

fn name(naming: &Naming, topic: &str, original: &str) -> String {
    naming.target(topic, original).unwrap().name.to_string()
}

#[test]
fn an_index_is_called_as_search_engines_want_it() {
    let cases = [
        ("orders", "orders"),
        ("Shop.ORDERS", "shop.orders"),
        ("_private", "private"),
        ("-x", "x"),
        ("__two", "_two"),
        (".", "dot"),
        ("..", "dotdot"),
        ("_.", "dot"),
    ];
    for (topic, index) in cases {
        assert_eq!(index_name(topic), index, "of topic {topic}");
    }
    assert_eq!(index_name(&"X".repeat(300)), "x".repeat(255));
}

#[test]
fn the_topic_after_transforms_gives_the_name() {
    assert_eq!(name(&plain(), "orders-2026.11", "orders"), "orders-2026.11");
}

#[test]
fn a_listed_topic_gives_the_index_the_user_wants() {
    let naming = Naming {
        indexes: vec![("orders".to_owned(), "Bestellungen".to_owned())],
        ..plain()
    };
    assert_eq!(name(&naming, "orders", "orders"), "Bestellungen");
    assert_eq!(
        name(&naming, "renamed", "orders"),
        "Bestellungen",
        "listed before the transform"
    );
    assert_eq!(name(&naming, "Other", "Other"), "other");
}

#[test]
fn a_data_stream_is_called_by_its_parts() {
    let streams = |namespace: &str| Naming {
        data_streams: Some(DataStreams::Parts {
            kind: "logs".to_owned(),
            dataset: "shop".to_owned(),
            namespace: namespace.to_owned(),
        }),
        ..plain()
    };
    assert_eq!(name(&streams("${topic}"), "Orders", "Orders"), "logs-shop-orders");
    assert_eq!(name(&streams("prod"), "Orders", "Orders"), "logs-shop-prod");
    let long = name(&streams("${topic}"), &"t".repeat(300), "t");
    assert_eq!(long, format!("logs-shop-{}", "t".repeat(100)));
    let target = streams("x").target("t", "t").unwrap();
    assert!(target.is_data_stream);
    assert_eq!(target.creation, Creation::DataStream { template: None });
}

#[test]
fn aiven_data_streams_have_a_prefix() {
    let naming = |prefix: Option<&str>| Naming {
        data_streams: Some(DataStreams::Prefix {
            prefix: prefix.map(str::to_owned),
            template: Some("@timestamp".into()),
        }),
        ..plain()
    };
    assert_eq!(name(&naming(Some("shop")), "Orders", "Orders"), "shop-orders");
    assert_eq!(name(&naming(None), "Orders", "Orders"), "orders");
}

#[test]
fn what_exists_is_only_what_was_named_and_is_never_made() {
    let naming = Naming {
        existing: Some(Existing {
            names: vec![("orders".to_owned(), "all-orders".to_owned())],
            data_streams: true,
        }),
        ..plain()
    };
    let target = naming.target("orders", "orders").unwrap();
    assert_eq!(
        (&*target.name, target.is_data_stream, target.creation),
        ("all-orders", true, Creation::Nothing)
    );
    assert_eq!(naming.target("other", "other"), None);
}

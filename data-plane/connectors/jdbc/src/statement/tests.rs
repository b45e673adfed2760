//! The conditions of the contract, word for word.

use super::*;
use crate::Flavour;
use towpath_connect::ConfigMap;

fn settings(url: &str, mode: &str, more: &[(&str, &str)]) -> Settings {
    let mut config: ConfigMap = [
        ("connection.url", url),
        ("mode", mode),
        ("topic.prefix", "p"),
        ("timestamp.column.name", "updated,created"),
        ("incrementing.column.name", "id"),
    ]
    .into_iter()
    .collect();
    for (key, value) in more {
        config.insert(*key, *value);
    }
    Settings::parse(Flavour::Confluent, &config).unwrap()
}

const MYSQL: &str = "jdbc:mysql://h/news";
const POSTGRES: &str = "jdbc:postgresql://h/news";
const SQLITE: &str = "jdbc:sqlite:/news.db";

fn at(seconds: i64) -> Moment {
    Moment::new(seconds, 0)
}

fn range(id: Option<i64>, time: Option<i64>) -> Range {
    Range {
        after: Position {
            incrementing: id,
            timestamp: time.map(at),
        },
        before: at(100),
    }
}

fn table() -> TableId {
    TableId {
        container: Some("news".to_owned()),
        name: "articles".to_owned(),
    }
}

fn cursor(times: &[&str]) -> Cursor {
    Cursor {
        incrementing: Some("id".to_owned()),
        timestamps: times.iter().map(|&time| time.to_owned()).collect(),
    }
}

fn of_table(settings: &Settings, times: &[&str], range: &Range) -> (String, Vec<Bind>) {
    let statement = build(settings, Some(&table()), &cursor(times), range);
    (statement.sql, statement.binds)
}

#[test]
fn bulk_reads_everything() {
    let (sql, binds) = of_table(&settings(MYSQL, "bulk", &[]), &[], &range(None, None));
    assert_eq!((sql.as_str(), binds), ("SELECT * FROM `news`.`articles`", vec![]));
}

#[test]
fn incrementing_reads_what_is_larger_and_begins_at_minus_one() {
    let settings = settings(MYSQL, "incrementing", &[]);
    let (sql, binds) = of_table(&settings, &[], &range(None, None));
    assert_eq!(
        sql,
        "SELECT * FROM `news`.`articles` WHERE `id` > ? ORDER BY `id` ASC"
    );
    assert_eq!(binds, [Bind::Integer(-1)]);
    assert_eq!(
        of_table(&settings, &[], &range(Some(7), None)).1,
        [Bind::Integer(7)]
    );
}

#[test]
fn timestamp_reads_between_the_last_and_the_clock() {
    let settings = settings(POSTGRES, "timestamp", &[]);
    let (sql, binds) = of_table(&settings, &["updated"], &range(None, None));
    assert_eq!(
        sql,
        "SELECT * FROM \"news\".\"articles\" WHERE \"updated\" > $1 AND \"updated\" < $2 ORDER BY \"updated\" ASC"
    );
    assert_eq!(binds, [Bind::Moment(at(0)), Bind::Moment(at(100))]);
    let (sql, binds) = of_table(&settings, &["updated", "created"], &range(None, Some(5)));
    assert!(
        sql.ends_with("ORDER BY COALESCE(\"updated\",\"created\") ASC"),
        "{sql}"
    );
    assert_eq!(binds, [Bind::Moment(at(5)), Bind::Moment(at(100))]);
}

#[test]
fn timestamp_with_incrementing_tells_rows_of_one_time_apart() {
    let settings = settings(POSTGRES, "timestamp+incrementing", &[]);
    let (sql, binds) = of_table(&settings, &["t"], &range(Some(3), Some(5)));
    assert_eq!(
        sql,
        "SELECT * FROM \"news\".\"articles\" WHERE \"t\" < $1 AND ((\"t\" = $2 AND \"id\" > CAST($3 AS bigint)) OR \
         \"t\" > $4) ORDER BY \"t\",\"id\" ASC"
    );
    let five = Bind::Moment(at(5));
    assert_eq!(binds, [Bind::Moment(at(100)), five, Bind::Integer(3), five]);
    let (_, binds) = of_table(&settings, &["t"], &range(None, None));
    assert_eq!(
        binds,
        [
            Bind::Moment(at(100)),
            Bind::Moment(at(0)),
            Bind::Integer(-1),
            Bind::Moment(at(0))
        ]
    );
}

#[test]
fn sqlite_compares_times_by_a_function() {
    let settings = settings(SQLITE, "timestamp", &[]);
    let bare = TableId {
        container: None,
        name: "articles".to_owned(),
    };
    let statement = build(&settings, Some(&bare), &cursor(&["t"]), &range(None, None));
    let time = format!("{}(`t`)", crate::sqlite::MOMENT_FUNCTION);
    assert_eq!(
        statement.sql,
        format!("SELECT * FROM `articles` WHERE {time} > ? AND {time} < ? ORDER BY {time} ASC")
    );
}

#[test]
fn a_query_is_verbatim_in_bulk_and_a_sub_select_otherwise() {
    let query = (
        "query",
        "SELECT a.id, b.x FROM a JOIN b USING (id) WHERE a.y = 1 ORDER BY b.x;",
    );
    let text = query.1.trim_end_matches(';');
    let of_query = |mode| {
        let settings = settings(POSTGRES, mode, &[query]);
        build(&settings, None, &cursor(&["t"]), &range(None, None)).sql
    };
    assert_eq!(of_query("bulk"), text);
    assert_eq!(
        of_query("incrementing"),
        format!(
            "SELECT * FROM ({text}\n) AS \"query_rows\" WHERE \"id\" > CAST($1 AS bigint) ORDER BY \"id\" ASC"
        )
    );
}

#[test]
fn the_suffix_is_at_the_very_end_and_names_may_go_unquoted() {
    let more = [("query.suffix", "LIMIT 5"), ("quote.sql.identifiers", "NEVER")];
    let (sql, _) = of_table(&settings(MYSQL, "incrementing", &more), &[], &range(None, None));
    assert_eq!(
        sql,
        "SELECT * FROM news.articles WHERE id > ? ORDER BY id ASC LIMIT 5"
    );
    let (sql, _) = of_table(&settings(MYSQL, "bulk", &more), &[], &range(None, None));
    assert_eq!(sql, "SELECT * FROM news.articles LIMIT 5");
}

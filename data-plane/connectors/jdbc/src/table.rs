//! Tables: their names, the list of them in a task's configuration, and how they are dealt out to tasks.

use std::collections::HashMap;
use std::fmt;

use crate::database::Database;

/// A table by its name and what holds it: the schema in PostgreSQL, the database in MySQL, nothing in SQLite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TableId {
    pub(crate) container: Option<String>,
    pub(crate) name: String,
}

/// The qualified name, without quotes: what offsets and messages call the table.
impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(container) = &self.container {
            write!(f, "{container}.")?;
        }
        f.write_str(&self.name)
    }
}

impl TableId {
    /// The qualified name with quotes.
    pub(crate) fn quoted(&self, database: Database) -> String {
        let name = database.quoted(&self.name);
        match &self.container {
            Some(container) => format!("{}.{name}", database.quoted(container)),
            None => name,
        }
    }
}

/// The value of the task's key `tables`.
pub(crate) fn join(tables: &[TableId], database: Database) -> String {
    let quoted: Vec<String> = tables.iter().map(|table| table.quoted(database)).collect();
    quoted.join(",")
}

/// Reads what [`join`] wrote. Names may hold commas, dots and quotes, so the text is not just split.
pub(crate) fn parse_list(text: &str, database: Database) -> Option<Vec<TableId>> {
    let mut tables = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (first, after) = quoted_name(rest, database.quote())?;
        let (container, name, after) = match after.strip_prefix('.') {
            Some(after) => {
                let (name, after) = quoted_name(after, database.quote())?;
                (Some(first), name, after)
            }
            None => (None, first, after),
        };
        tables.push(TableId { container, name });
        rest = match after.strip_prefix(',') {
            Some(after) => after,
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(tables)
}

fn quoted_name(text: &str, quote: char) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix(quote)?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once(quote)?;
        name.push_str(part);
        match after.strip_prefix(quote) {
            Some(after) => {
                name.push(quote);
                rest = after;
            }
            None => return Some((name, after)),
        }
    }
}

/// At most `most` groups of neighbours, as even as can be; the first groups get one more.
pub(crate) fn groups(tables: &[TableId], most: usize) -> Vec<&[TableId]> {
    let count = most.min(tables.len());
    let mut rest = tables;
    (0..count)
        .map(|index| {
            let left = count - index;
            let (group, after) = rest.split_at(rest.len().div_ceil(left));
            rest = after;
            group
        })
        .collect()
}

/// Two tables whose records would go to the same topic.
pub(crate) fn namesakes(tables: &[TableId]) -> Option<(&TableId, &TableId)> {
    let mut seen: HashMap<&str, &TableId> = HashMap::new();
    tables
        .iter()
        .find_map(|table| seen.insert(&table.name, table).map(|earlier| (earlier, table)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(container: Option<&str>, name: &str) -> TableId {
        TableId {
            container: container.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    #[test]
    fn a_list_of_tables_survives_any_name() {
        for (database, text) in [
            (Database::MySql, "`news`.`articles`,`news`.`a,``b.c`"),
            (Database::Postgres, "\"news\".\"articles\",\"news\".\"a,`b.c\""),
        ] {
            let tables = [table(Some("news"), "articles"), table(Some("news"), "a,`b.c")];
            assert_eq!(join(&tables, database), text);
            assert_eq!(parse_list(text, database).unwrap(), tables);
        }
        let plain = [table(None, "a")];
        assert_eq!(
            parse_list(&join(&plain, Database::Sqlite), Database::Sqlite).unwrap(),
            plain
        );
        assert_eq!(parse_list("", Database::Sqlite).unwrap(), []);
        for broken in ["a", "`a", "`a`.", "`a`x", "`a`.b"] {
            assert_eq!(parse_list(broken, Database::MySql), None, "{broken}");
        }
    }

    #[test]
    fn groups_are_contiguous_and_the_first_ones_larger() {
        let tables: Vec<TableId> = (0..7).map(|n| table(None, &n.to_string())).collect();
        let sizes = |most| {
            groups(&tables, most)
                .iter()
                .map(|group| group.len())
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(1), [7]);
        assert_eq!(sizes(3), [3, 2, 2]);
        assert_eq!(sizes(5), [2, 2, 1, 1, 1]);
        assert_eq!(sizes(7), [1; 7]);
        assert_eq!(sizes(20), [1; 7]);
        assert_eq!(groups(&tables, 3).concat(), tables);
        assert!(groups(&[], 3).is_empty());
    }

    #[test]
    fn tables_of_one_name_in_two_places_are_found() {
        let tables = [
            table(Some("a"), "t"),
            table(Some("a"), "u"),
            table(Some("b"), "t"),
        ];
        assert_eq!(namesakes(&tables), Some((&tables[0], &tables[2])));
        assert_eq!(namesakes(&tables[..2]), None);
    }
}

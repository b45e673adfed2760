//! Which tables are copied. In every list an entry may be a bare name, a qualified name, the same with quotes, or a
//! regular expression for the whole of either name.

use towpath_connect::Pattern;

use crate::database::Database;
use crate::table::TableId;

#[derive(Clone, Debug)]
struct Entry {
    text: String,
    /// `None`: a name with characters that make no regular expression.
    pattern: Option<Pattern>,
}

impl Entry {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            pattern: Pattern::compile(text).ok(),
        }
    }

    fn is_for(&self, table: &TableId, database: Database) -> bool {
        let qualified = table.to_string();
        self.text == table.name
            || self.text == qualified
            || self.text == table.quoted(database)
            || self.text == database.quoted(&table.name)
            || self.pattern.as_ref().is_some_and(|pattern| {
                pattern.is_full_match(&qualified) || pattern.is_full_match(&table.name)
            })
    }
}

/// The lists of a configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableFilter {
    /// Empty means all.
    include: Vec<Entry>,
    exclude: Vec<Entry>,
}

impl TableFilter {
    pub(crate) fn new<'a>(
        include: impl IntoIterator<Item = &'a String>,
        exclude: impl IntoIterator<Item = &'a String>,
    ) -> Self {
        let entries = |texts: Vec<&String>| {
            let texts = texts.into_iter().filter(|text| !text.is_empty());
            texts.map(|text| Entry::new(text)).collect()
        };
        Self {
            include: entries(include.into_iter().collect()),
            exclude: entries(exclude.into_iter().collect()),
        }
    }

    pub(crate) fn accepts(&self, table: &TableId, database: Database) -> bool {
        let any = |entries: &[Entry]| entries.iter().any(|entry| entry.is_for(table, database));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// The entries of the include list that none of these tables fits.
    pub(crate) fn without_table(&self, tables: &[TableId], database: Database) -> Vec<&str> {
        let fits_none = |entry: &&Entry| !tables.iter().any(|table| entry.is_for(table, database));
        self.include
            .iter()
            .filter(fits_none)
            .map(|entry| entry.text.as_str())
            .collect()
    }

    /// The schemas or databases that entries of the include list name plainly, as in `news.articles`.
    pub(crate) fn containers(&self, database: Database) -> Vec<String> {
        let quote = database.quote();
        let mut found: Vec<String> = self
            .include
            .iter()
            .filter_map(|entry| entry.text.split_once('.'))
            .map(|(container, name)| (container.trim_matches(quote), name.trim_matches(quote)))
            .filter(|(container, name)| [container, name].iter().all(|part| is_plain(part)))
            .map(|(container, _)| container.to_owned())
            .collect();
        found.sort();
        found.dedup();
        found
    }
}

/// Whether the text has nothing that a regular expression gives a meaning.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| r"\^$.|?*+()[]{}".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> TableId {
        match text.split_once('.') {
            Some((container, name)) => TableId {
                container: Some(container.to_owned()),
                name: name.to_owned(),
            },
            None => TableId {
                container: None,
                name: text.to_owned(),
            },
        }
    }

    fn filter(include: &[&str], exclude: &[&str]) -> TableFilter {
        let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        TableFilter::new(&strings(include), &strings(exclude))
    }

    #[test]
    fn an_entry_is_a_bare_or_qualified_or_quoted_name_or_a_pattern() {
        for entry in [
            "articles",
            "news.articles",
            "`news`.`articles`",
            "`articles`",
            "art.*",
            "news\\.art.+",
            "(news|shop)\\.articles",
            ".*",
        ] {
            let database = Database::MySql;
            assert!(
                filter(&[entry], &[]).accepts(&table("news.articles"), database),
                "{entry}"
            );
            assert!(
                !filter(&[], &[entry]).accepts(&table("news.articles"), database),
                "{entry}"
            );
        }
        for entry in [
            "article",
            "Articles",
            "news",
            "shop.articles",
            "rticles",
            "news.art",
            "articles|x[",
        ] {
            assert!(
                !filter(&[entry], &[]).accepts(&table("news.articles"), Database::MySql),
                "{entry}"
            );
        }
        assert!(filter(&["\"a\".\"t\""], &[]).accepts(&table("a.t"), Database::Postgres));
        assert!(filter(&["t[1"], &[]).accepts(&table("t[1"), Database::Sqlite));
    }

    #[test]
    fn no_entry_means_every_table_and_exclusion_comes_last() {
        assert!(filter(&[], &[]).accepts(&table("a.t"), Database::Postgres));
        assert!(filter(&[""], &[]).accepts(&table("a.t"), Database::Postgres));
        let filter = filter(&["a\\..*"], &["secret.*"]);
        assert!(filter.accepts(&table("a.t"), Database::Postgres));
        assert!(!filter.accepts(&table("a.secrets"), Database::Postgres));
        assert!(!filter.accepts(&table("b.t"), Database::Postgres));
    }

    #[test]
    fn entries_that_fit_no_table_are_named() {
        let filter = filter(&["articles", "orders", "x.*"], &[]);
        let tables = [table("news.articles"), table("news.xyz")];
        assert_eq!(filter.without_table(&tables, Database::MySql), ["orders"]);
    }

    #[test]
    fn plainly_named_databases_are_found() {
        let filter = filter(
            &[
                "articles",
                "shop.orders",
                "`crm`.`people`",
                "x.*",
                "a\\.b",
                "shop.items",
            ],
            &[],
        );
        assert_eq!(filter.containers(Database::MySql), ["crm", "shop"]);
    }
}

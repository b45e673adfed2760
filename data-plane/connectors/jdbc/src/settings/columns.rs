//! Which columns tell rows that are new: one choice for all tables, or one by patterns of table names.

use towpath_connect::Pattern;

use crate::table::TableId;

/// One entry of `timestamp.columns.mapping` or `incrementing.column.mapping`.
#[derive(Clone, Debug)]
pub(crate) struct MappingEntry {
    tables: Pattern,
    columns: Vec<String>,
}

/// The columns of a purpose.
#[derive(Clone, Debug)]
pub(crate) enum ColumnChoice {
    /// The same for all tables; may be empty.
    Same(Vec<String>),
    ByTable {
        key: &'static str,
        entries: Vec<MappingEntry>,
    },
}

impl ColumnChoice {
    /// The columns of a table; without a table (for a query) those for all.
    pub(crate) fn columns(&self, table: Option<&TableId>) -> Result<Vec<String>, String> {
        match (self, table) {
            (Self::Same(columns), _) => Ok(columns.clone()),
            (Self::ByTable { .. }, None) => Ok(Vec::new()),
            (Self::ByTable { key, entries }, Some(table)) => {
                let qualified = table.to_string();
                let fits = |entry: &&MappingEntry| {
                    entry.tables.is_full_match(&qualified) || entry.tables.is_full_match(&table.name)
                };
                let fitting: Vec<_> = entries.iter().filter(fits).collect();
                match fitting[..] {
                    [entry] => Ok(entry.columns.clone()),
                    [] => Err(format!(
                        "no entry of `{key}` fits the name of table \"{qualified}\"; exactly one must"
                    )),
                    [first, second, ..] => Err(format!(
                        "table \"{qualified}\" fits the entries `{}` and `{}` of `{key}`; exactly one must fit",
                        first.tables.as_str(),
                        second.tables.as_str()
                    )),
                }
            }
        }
    }
}

/// Reads `regex:[a|b]` or `regex:a`.
pub(crate) fn parse_entry(entry: &str) -> Result<MappingEntry, String> {
    let shape = || format!("`{entry}` is not of the form `REGEX:[COLUMN|COLUMN]`");
    let (tables, columns) = entry.rsplit_once(':').ok_or_else(shape)?;
    let columns = columns.trim();
    let columns = columns
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(columns);
    let columns: Vec<String> = columns
        .split('|')
        .map(|column| column.trim().to_owned())
        .collect();
    if tables.trim().is_empty() || columns.iter().any(String::is_empty) {
        return Err(shape());
    }
    let tables = Pattern::compile(tables.trim()).map_err(|problem| format!("Invalid regex: {problem}"))?;
    Ok(MappingEntry { tables, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(entries: &[&str]) -> ColumnChoice {
        ColumnChoice::ByTable {
            key: "timestamp.columns.mapping",
            entries: entries.iter().map(|entry| parse_entry(entry).unwrap()).collect(),
        }
    }

    fn columns(choice: &ColumnChoice, name: &str) -> Result<Vec<String>, String> {
        choice.columns(Some(&TableId {
            container: Some("shop".to_owned()),
            name: name.to_owned(),
        }))
    }

    #[test]
    fn each_table_has_the_columns_of_the_one_entry_that_fits() {
        let choice = choice(&["shop\\.order.*:[updated|created]", ".*items: changed"]);
        assert_eq!(columns(&choice, "orders").unwrap(), ["updated", "created"]);
        assert_eq!(columns(&choice, "items").unwrap(), ["changed"]);
        let none = columns(&choice, "people").unwrap_err();
        assert!(
            none.contains("shop.people") && none.contains("timestamp.columns.mapping"),
            "{none}"
        );
        assert!(columns(&choice, "order_items").unwrap_err().contains("`.*items`"));
    }

    #[test]
    fn entries_of_another_shape_are_refused() {
        for entry in ["orders", ":[a]", "x:", "x:[]", "x:[a|]", "x[:[a]"] {
            assert!(parse_entry(entry).is_err(), "{entry}");
        }
    }
}

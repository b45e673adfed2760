//! Which columns of a table tell what is new, checked against the table as it is.

use crate::error::DbError;
use crate::rows::{Cursor, find_name};
use crate::session::ColumnFacts;
use crate::settings::Progress;
use crate::table::TableId;

/// The columns of a query, which nobody can check before it runs.
pub(crate) fn of_query(progress: &Progress) -> Result<Cursor, DbError> {
    let (incrementing, timestamps) = configured(progress, None)?;
    Ok(Cursor {
        incrementing,
        timestamps,
    })
}

/// The columns of a table, by the names that they really have.
pub(crate) fn of_table(
    progress: &Progress,
    table: &TableId,
    facts: &[ColumnFacts],
) -> Result<Cursor, DbError> {
    let (incrementing, timestamps) = configured(progress, Some(table))?;
    let names: Vec<&str> = facts.iter().map(|fact| fact.name.as_str()).collect();
    let find = |wanted: &String| {
        let index = find_name(&names, wanted).ok_or_else(|| {
            DbError::Setting(format!(
                "table \"{table}\" has no column \"{wanted}\"; it has {}",
                names.join(", ")
            ))
        })?;
        Ok(&facts[index])
    };
    let incrementing = match (&incrementing, progress.mode.uses_incrementing()) {
        (_, false) => None,
        (Some(name), true) => Some(find(name)?),
        (None, true) => Some(auto_increment(table, facts)?),
    };
    let timestamps = timestamps.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    if progress.validate_non_null {
        check_non_null(table, incrementing, &timestamps)?;
    }
    Ok(Cursor {
        incrementing: incrementing.map(|fact| fact.name.clone()),
        timestamps: timestamps.into_iter().map(|fact| fact.name.clone()).collect(),
    })
}

/// What the configuration says, as far as the mode uses it.
pub(crate) fn configured(
    progress: &Progress,
    table: Option<&TableId>,
) -> Result<(Option<String>, Vec<String>), DbError> {
    let incrementing = if progress.mode.uses_incrementing() {
        progress.incrementing.columns(table).map_err(DbError::Setting)?
    } else {
        Vec::new()
    };
    let timestamps = if progress.mode.uses_timestamp() {
        progress.timestamp.columns(table).map_err(DbError::Setting)?
    } else {
        Vec::new()
    };
    Ok((incrementing.into_iter().next(), timestamps))
}

fn auto_increment<'a>(table: &TableId, facts: &'a [ColumnFacts]) -> Result<&'a ColumnFacts, DbError> {
    facts.iter().find(|fact| fact.auto_increment).ok_or_else(|| {
        DbError::Setting(format!(
            "table \"{table}\" has no auto-increment column; set `incrementing.column.name`"
        ))
    })
}

/// A row with a null there would never be read.
fn check_non_null(
    table: &TableId,
    incrementing: Option<&ColumnFacts>,
    timestamps: &[&ColumnFacts],
) -> Result<(), DbError> {
    if let Some(column) = incrementing.filter(|column| column.nullable) {
        return Err(DbError::Setting(format!(
            "the incrementing column \"{}\" of table \"{table}\" may be null, and such rows are never read; make it \
             NOT NULL, or set `validate.non.null` to `false`",
            column.name
        )));
    }
    if !timestamps.is_empty() && timestamps.iter().all(|column| column.nullable) {
        let names: Vec<&str> = timestamps.iter().map(|column| column.name.as_str()).collect();
        return Err(DbError::Setting(format!(
            "all timestamp columns of table \"{table}\" ({}) may be null, and rows without any of them are never read; \
             make one NOT NULL, or set `validate.non.null` to `false`",
            names.join(", ")
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;
    use crate::settings::Settings;
    use towpath_connect::ConfigMap;

    fn progress(entries: &[(&str, &str)]) -> Progress {
        let mut config: ConfigMap = [("connection.url", "jdbc:sqlite:/a.db")].into_iter().collect();
        for (key, value) in entries {
            config.insert(*key, *value);
        }
        Settings::parse(Flavour::Confluent, &config).unwrap().progress
    }

    fn column(name: &str, nullable: bool, auto_increment: bool) -> ColumnFacts {
        ColumnFacts {
            name: name.to_owned(),
            nullable,
            auto_increment,
        }
    }

    fn table() -> TableId {
        TableId {
            container: Some("news".to_owned()),
            name: "articles".to_owned(),
        }
    }

    fn facts() -> Vec<ColumnFacts> {
        vec![
            column("title", true, false),
            column("Id", false, true),
            column("created", true, false),
            column("updated", false, false),
        ]
    }

    fn cursor(entries: &[(&str, &str)]) -> Result<Cursor, String> {
        of_table(&progress(entries), &table(), &facts()).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_get_the_names_that_they_really_have() {
        let found = cursor(&[
            ("mode", "timestamp+incrementing"),
            ("incrementing.column.name", "ID"),
            ("timestamp.column.name", "created,UPDATED"),
        ])
        .unwrap();
        assert_eq!(found.incrementing.as_deref(), Some("Id"));
        assert_eq!(found.timestamps, ["created", "updated"]);
        let auto = cursor(&[("mode", "incrementing")]).unwrap();
        assert_eq!(auto.incrementing.as_deref(), Some("Id"));
        assert_eq!(
            cursor(&[("mode", "bulk"), ("incrementing.column.name", "x")]).unwrap(),
            Cursor::default()
        );
    }

    #[test]
    fn what_the_table_does_not_have_is_said() {
        let error = cursor(&[("mode", "incrementing"), ("incrementing.column.name", "number")]).unwrap_err();
        assert!(
            error.contains("\"news.articles\" has no column \"number\"; it has title, Id"),
            "{error}"
        );
        let facts = [column("a", false, false)];
        let progress = progress(&[("mode", "incrementing")]);
        assert!(of_table(&progress, &table(), &facts).is_err());
    }

    #[test]
    fn columns_that_may_be_null_are_refused_unless_told_otherwise() {
        let nullable_id = [("mode", "incrementing"), ("incrementing.column.name", "title")];
        assert!(cursor(&nullable_id).unwrap_err().contains("validate.non.null"));
        let nullable_time = [("mode", "timestamp"), ("timestamp.column.name", "created")];
        assert!(cursor(&nullable_time).unwrap_err().contains("created"));
        let told = [nullable_time[0], nullable_time[1], ("validate.non.null", "false")];
        assert_eq!(cursor(&told).unwrap().timestamps, ["created"]);
        assert!(
            cursor(&[
                ("mode", "timestamp"),
                ("timestamp.column.name", "created,updated")
            ])
            .is_ok()
        );
    }
}

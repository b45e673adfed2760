//! Tables without borders, and the columns of keys and values that `describe` prints.

use crate::style::Style;

/// A table gets no wider than this, as long as that is possible without breaking a name.
const MAX_WIDTH: usize = 100;
/// A cell that is wrapped keeps at least this width.
const MIN_WRAPPED: usize = 20;
const GAP: &str = "   ";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    header: &'static str,
    /// The texts of the column name states.
    states: bool,
}

impl Column {
    pub(crate) const fn new(header: &'static str) -> Self {
        Self {
            header,
            states: false,
        }
    }

    pub(crate) const fn states(header: &'static str) -> Self {
        Self { header, states: true }
    }
}

/// The last column is wrapped between words when the table would be too wide.
pub(crate) fn render(columns: &[Column], rows: &[Vec<String>], style: Style) -> String {
    let mut widths: Vec<usize> = columns.iter().map(|column| width(column.header)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let last = columns.len().saturating_sub(1);
    // Every line starts with a blank.
    let others: usize = widths
        .iter()
        .take(last)
        .map(|width| width + GAP.len())
        .sum::<usize>()
        + 1;
    let room = MAX_WIDTH.saturating_sub(others).max(MIN_WRAPPED);

    let headers: Vec<String> = columns.iter().map(|column| column.header.to_owned()).collect();
    let mut lines = vec![line(&headers, &widths, |_, cell| cell.to_owned())];
    let paint = |index: usize, cell: &str| {
        if columns.get(index).is_some_and(|column| column.states) {
            style.states(cell)
        } else {
            cell.to_owned()
        }
    };
    for row in rows {
        let mut cells = row.clone();
        let wrapped = cells.last().map(|cell| wrap(cell, room)).unwrap_or_default();
        for (index, part) in wrapped.into_iter().enumerate() {
            if index > 0 {
                cells.iter_mut().for_each(String::clear);
            }
            if let Some(cell) = cells.last_mut() {
                *cell = part;
            }
            lines.push(line(&cells, &widths, paint));
        }
    }
    lines.join("\n")
}

fn line(cells: &[String], widths: &[usize], paint: impl Fn(usize, &str) -> String) -> String {
    let mut out = String::from(" ");
    for (index, (cell, widest)) in cells.iter().zip(widths).enumerate() {
        out.push_str(&paint(index, cell));
        if index + 1 < cells.len() {
            out.push_str(&" ".repeat(widest.saturating_sub(width(cell))));
            out.push_str(GAP);
        }
    }
    out.trim_end().to_owned()
}

/// Breaks at blanks, but keeps `0: RUNNING` together; a longer word stays whole.
fn wrap(text: &str, room: usize) -> Vec<String> {
    if width(text) <= room {
        return vec![text.to_owned()];
    }
    let separator = if text.contains(", ") { ", " } else { " " };
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(separator) {
        let needed = width(word.trim_end());
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() || width(line) + needed <= room {
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Lines `key:  value`, the values below each other. A value that is `None` leaves the key alone on its line.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    entries: Vec<(String, Option<String>)>,
}

impl Pairs {
    pub(crate) fn add(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Self {
        self.entries.push((key.into(), Some(value.into())));
        self
    }

    pub(crate) fn add_heading(&mut self, key: impl Into<String>) -> &mut Self {
        self.entries.push((key.into(), None));
        self
    }

    pub(crate) fn lines(&self, key_style: impl Fn(&str) -> String) -> Vec<String> {
        let widest = self
            .entries
            .iter()
            .map(|(key, _)| width(key) + 1)
            .max()
            .unwrap_or(0);
        let line = |(key, value): &(String, Option<String>)| {
            let padding = " ".repeat(widest.saturating_sub(width(key) + 1));
            match value {
                Some(value) => format!("{}:{padding}  {value}", key_style(key))
                    .trim_end()
                    .to_owned(),
                None => format!("{}:", key_style(key)),
            }
        };
        self.entries.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.iter().map(|&cell| cell.to_owned()).collect())
            .collect()
    }

    const COLUMNS: [Column; 3] = [
        Column::new("NAME"),
        Column::states("STATE"),
        Column::states("TASKS"),
    ];

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_whatever_the_colours() {
        let table = render(
            &COLUMNS,
            &rows(&[&["a-long-name", "PAUSED", "0: PAUSED"], &["b", "FAILED", ""]]),
            Style::new(true),
        );
        assert_eq!(
            table,
            " NAME          STATE    TASKS\n \
             a-long-name   \u{1b}[33mPAUSED\u{1b}[0m   0: \u{1b}[33mPAUSED\u{1b}[0m\n \
             b             \u{1b}[31mFAILED\u{1b}[0m"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_wraps_its_last_column_between_entries() {
        let tasks = (0..40)
            .map(|task| format!("{task}: RUNNING"))
            .collect::<Vec<_>>()
            .join(", ");
        let table = render(
            &COLUMNS,
            &rows(&[&["orders", "RUNNING", &tasks]]),
            Style::new(false),
        );
        assert!(table.lines().count() > 3, "{table}");
        assert!(table.lines().all(|line| width(line) <= MAX_WIDTH), "{table}");
        assert!(
            table
                .lines()
                .skip(2)
                .all(|line| line.trim_start().contains(": RUNNING")),
            "{table}"
        );
        assert_eq!(table.matches("RUNNING").count(), 41);
    }

    #[test]
    fn a_long_name_is_never_broken() {
        let name = "x".repeat(120);
        let table = render(
            &COLUMNS,
            &rows(&[&[&name, "RUNNING", "0: RUNNING"]]),
            Style::new(false),
        );
        assert!(table.contains(&name));
        assert_eq!(table.lines().count(), 2);
    }

    #[test]
    fn the_values_of_pairs_stand_below_each_other() {
        let mut pairs = Pairs::default();
        pairs
            .add("Name", "orders")
            .add("Worker ID", "w:8083")
            .add_heading("Config")
            .add("Empty", "");
        assert_eq!(
            pairs.lines(str::to_owned),
            ["Name:       orders", "Worker ID:  w:8083", "Config:", "Empty:"]
        );
    }
}

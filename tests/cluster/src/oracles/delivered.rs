//! At-least-once: every number arrives, and the first arrivals keep the order; what is repeated begins at an earlier number.
//! Exactly-once: each number arrives once, in order.
//!
//! With more than one partition a record without a key goes to any of them, also when it is sent again. So order is looked
//! at in a topic with one partition, or when nothing is repeated.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Delivery;

/// One line that has arrived, in the order of its partition or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub partition: u32,
    pub source: String,
    pub number: u64,
}

/// How many numbers each source was given.
pub type Written = BTreeMap<String, u64>;

impl Line {
    /// `Partition:0\tsource:17`, or without the partition, as in a file.
    pub fn parse(text: &str) -> Option<Self> {
        let (partition, line) = match text.split_once('\t') {
            Some((partition, line)) => (partition.strip_prefix("Partition:")?.parse().ok()?, line),
            None => (0, text),
        };
        let (source, number) = line.split_once(':')?;
        Some(Self {
            partition,
            source: source.to_owned(),
            number: number.parse().ok()?,
        })
    }
}

/// Of the numbers that were written, those that have not arrived.
pub fn missing(written: &Written, lines: &[Line]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (source, count) in written {
        let arrived = lines.iter().filter(|line| line.source == *source);
        let arrived: BTreeSet<u64> = arrived.map(|line| line.number).collect();
        let missing: Vec<u64> = (0..*count).filter(|number| !arrived.contains(number)).collect();
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            wrong.push(format!(
                "{} of the {count} numbers of \"{source}\" are missing, between {first} and {last}",
                missing.len()
            ));
        }
    }
    wrong
}

/// Everything that is wrong with the lines of a topic or file with this many partitions.
pub fn check(delivery: Delivery, partitions: u32, written: &Written, lines: &[Line]) -> Vec<String> {
    let mut wrong = missing(written, lines);
    for line in lines {
        if written
            .get(&line.source)
            .is_none_or(|count| line.number >= *count)
        {
            wrong.push(format!("nobody has written {line:?}"));
        }
    }
    for source in written.keys() {
        let own: Vec<&Line> = lines.iter().filter(|line| line.source == *source).collect();
        let found = match delivery {
            Delivery::AtLeastOnce if partitions == 1 => skipped(&own),
            Delivery::AtLeastOnce => None,
            Delivery::ExactlyOnce => repeated(&own).or_else(|| out_of_order(&own)),
        };
        wrong.extend(found);
    }
    wrong
}

/// A number before whose first arrival the one before it has not arrived.
fn skipped(lines: &[&Line]) -> Option<String> {
    let mut next = 0;
    for (index, line) in lines.iter().enumerate() {
        if line.number > next {
            return Some(format!(
                "\"{}\": {} arrived before {next}, after {:?}",
                line.source,
                line.number,
                last_numbers(&lines[..index])
            ));
        }
        next = next.max(line.number + 1);
    }
    None
}

fn repeated(lines: &[&Line]) -> Option<String> {
    let mut seen = BTreeSet::new();
    let again: Vec<&&Line> = lines.iter().filter(|line| !seen.insert(line.number)).collect();
    let first = again.first()?;
    Some(format!(
        "\"{}\": {} numbers arrived more than once, the first is {}",
        first.source,
        again.len(),
        first.number
    ))
}

fn out_of_order(lines: &[&Line]) -> Option<String> {
    let mut last: BTreeMap<u32, u64> = BTreeMap::new();
    for line in lines {
        if let Some(before) = last.insert(line.partition, line.number)
            && before > line.number
        {
            return Some(format!(
                "\"{}\": {} arrived after {before} in partition {}",
                line.source, line.number, line.partition
            ));
        }
    }
    None
}

/// How often the numbers go back: for the report.
pub fn repeats(lines: &[Line]) -> usize {
    let numbers: BTreeSet<(&str, u64)> = lines
        .iter()
        .map(|line| (line.source.as_str(), line.number))
        .collect();
    lines.len() - numbers.len()
}

fn last_numbers(lines: &[&Line]) -> Vec<u64> {
    let from = lines.len().saturating_sub(5);
    lines[from..].iter().map(|line| line.number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: &[u64]) -> Vec<Line> {
        let line = |number: &u64| Line {
            partition: 0,
            source: "s".to_owned(),
            number: *number,
        };
        numbers.iter().map(line).collect()
    }

    fn wrong(delivery: Delivery, count: u64, numbers: &[u64]) -> Vec<String> {
        let written = Written::from([("s".to_owned(), count)]);
        check(delivery, 1, &written, &lines(numbers))
    }

    #[test]
    fn at_least_once_may_repeat_but_neither_lose_nor_skip() {
        assert!(wrong(Delivery::AtLeastOnce, 4, &[0, 1, 2, 1, 2, 3]).is_empty());
        assert_eq!(wrong(Delivery::AtLeastOnce, 4, &[0, 1, 2]).len(), 1, "3 is lost");
        assert_eq!(
            wrong(Delivery::AtLeastOnce, 4, &[0, 2, 1, 3]),
            ["\"s\": 2 arrived before 1, after [0]"]
        );
    }

    #[test]
    fn exactly_once_repeats_nothing_and_keeps_the_order() {
        assert!(wrong(Delivery::ExactlyOnce, 3, &[0, 1, 2]).is_empty());
        assert_eq!(wrong(Delivery::ExactlyOnce, 3, &[0, 1, 1, 2]).len(), 1);
        assert_eq!(wrong(Delivery::ExactlyOnce, 3, &[0, 2, 1]).len(), 1);
        assert_eq!(wrong(Delivery::ExactlyOnce, 3, &[0, 1]).len(), 1);
    }

    #[test]
    fn what_nobody_wrote_is_wrong() {
        assert_eq!(wrong(Delivery::AtLeastOnce, 1, &[0, 1]).len(), 1);
    }

    #[test]
    fn a_line_is_read_from_a_topic_and_from_a_file() {
        let line = Line::parse("Partition:1\tnumbers-0:17").unwrap();
        assert_eq!(
            (line.partition, line.source.as_str(), line.number),
            (1, "numbers-0", 17)
        );
        assert_eq!(Line::parse("numbers-0:17").unwrap().partition, 0);
        assert_eq!(Line::parse("numbers-0:17numbers-0:18"), None);
    }
}

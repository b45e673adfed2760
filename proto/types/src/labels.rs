//! Labels of workers (`worker.labels`), and the selectors by which connectors choose among workers (`worker.selector`).
//! Not for finding a worker: that is the planner's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Names and values, `zone=a,disk=ssd`.
pub type Labels = BTreeMap<String, String>;

/// What a worker's labels have to be: all of the requirements. Without any, every worker will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// `zone=a`, `zone in (a,b)` or `zone!=a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    label: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Is(String),
    IsIn(BTreeSet<String>),
    /// A worker without the label meets it.
    IsNot(String),
}

/// Why a text is no list of labels. `Display` says what is wrong and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    #[error("`{part}` is no label: write NAME=VALUE, with commas between, for example zone=a,disk=ssd")]
    NoLabel { part: String },
    #[error("`{word}` is no {what}: use letters, digits and . _ - /")]
    Word { what: &'static str, word: String },
    #[error("label `{name}` is there twice: write it once")]
    Twice { name: String },
}

/// Why a text is no selector. `Display` says what is wrong and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    #[error("`{part}` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between")]
    NoRequirement { part: String },
    #[error("`{part}` has no closing parenthesis: write zone in (a,b)")]
    Open { part: String },
    #[error(transparent)]
    Word(LabelError),
}

/// Reads `zone=a,disk=ssd`. Blanks around words do not count; nothing but blanks is no label.
///
/// # Errors
/// With the first part that is no label.
pub fn parse_labels(text: &str) -> Result<Labels, LabelError> {
    let mut labels = Labels::new();
    if text.trim().is_empty() {
        return Ok(labels);
    }
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(|| LabelError::NoLabel {
            part: part.trim().to_owned(),
        })?;
        let (name, value) = (word("name of a label", name)?, word("value of a label", value)?);
        if labels.contains_key(&name) {
            return Err(LabelError::Twice { name });
        }
        labels.insert(name, value);
    }
    Ok(labels)
}

fn word(what: &'static str, text: &str) -> Result<String, LabelError> {
    let text = text.trim();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if !text.is_empty() && text.chars().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err(LabelError::Word {
            what,
            word: text.to_owned(),
        })
    }
}

impl Selector {
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    pub fn is_met_by(&self, labels: &Labels) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.is_met_by(labels))
    }
}

impl Requirement {
    pub fn is_met_by(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label);
        match &self.test {
            Test::Is(wanted) => value == Some(wanted),
            Test::IsIn(wanted) => value.is_some_and(|value| wanted.contains(value)),
            Test::IsNot(unwanted) => value != Some(unwanted),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (part, after) = first_part(rest)?;
            requirements.push(requirement(part.trim())?);
            rest = match after {
                None => "",
                // A comma at the end has an empty requirement behind it.
                Some(after) if after.trim().is_empty() => return Err(no_requirement("")),
                Some(after) => after,
            };
        }
        Ok(Self { requirements })
    }
}

/// Up to the first comma that stands in no parentheses, and what follows that comma.
fn first_part(text: &str) -> Result<(&str, Option<&str>), SelectorError> {
    let mut is_inside = false;
    for (at, c) in text.char_indices() {
        match c {
            '(' => is_inside = true,
            ')' => is_inside = false,
            ',' if !is_inside => return Ok((text.split_at(at).0, text.get(at + 1..))),
            _ => {}
        }
    }
    if is_inside {
        return Err(SelectorError::Open {
            part: text.trim().to_owned(),
        });
    }
    Ok((text, None))
}

fn requirement(part: &str) -> Result<Requirement, SelectorError> {
    let checked = |what, text| word(what, text).map_err(SelectorError::Word);
    let value = |text| checked("value of a label", text);
    let (label, test) = if let Some((label, unwanted)) = part.split_once("!=") {
        (label, Test::IsNot(value(unwanted)?))
    } else if let Some((label, set)) = set_of(part) {
        (
            label,
            Test::IsIn(set.split(',').map(value).collect::<Result<_, _>>()?),
        )
    } else if let Some((label, wanted)) = part.split_once('=') {
        (label, Test::Is(value(wanted)?))
    } else {
        return Err(no_requirement(part));
    };
    Ok(Requirement {
        label: checked("name of a label", label)?,
        test,
    })
}

/// `zone in (a,b)` as `zone` and `a,b`.
fn set_of(part: &str) -> Option<(&str, &str)> {
    let (front, set) = part.strip_suffix(')')?.split_once('(')?;
    let label = front.trim_end().strip_suffix("in")?;
    label.ends_with(char::is_whitespace).then_some((label, set))
}

fn no_requirement(part: &str) -> SelectorError {
    SelectorError::NoRequirement {
        part: part.to_owned(),
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = &self.label;
        match &self.test {
            Test::Is(value) => write!(f, "{label}={value}"),
            Test::IsNot(value) => write!(f, "{label}!={value}"),
            Test::IsIn(values) => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                write!(f, "{label} in ({})", values.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(selector: &str, labels: &str) -> bool {
        let selector: Selector = selector.parse().unwrap();
        selector.is_met_by(&parse_labels(labels).unwrap())
    }

    #[test]
    fn all_requirements_have_to_be_met() {
        for (selector, labels, expected) in [
            ("", "", true),
            (" ", "zone=a", true),
            ("zone=a", "zone=a,disk=ssd", true),
            ("zone=a", "zone=b", false),
            ("zone=a", "", false),
            ("zone in (a, b)", "zone=b", true),
            ("zone in (a,b)", "zone=c", false),
            ("zone in (a)", "", false),
            ("disk!=hdd", "disk=ssd", true),
            ("disk!=hdd", "", true),
            ("disk!=hdd", "disk=hdd", false),
            (" zone in (a,b) , disk != hdd ", "zone=a,disk=ssd", true),
            ("zone in (a,b),disk!=hdd", "zone=a,disk=hdd", false),
            (
                "topology.kubernetes.io/zone=eu-1_x",
                "topology.kubernetes.io/zone=eu-1_x",
                true,
            ),
        ] {
            assert_eq!(meets(selector, labels), expected, "{selector:?} of {labels:?}");
        }
    }

    #[test]
    fn a_requirement_is_shown_as_it_is_written() {
        let selector: Selector = "zone in ( b,a ),disk !=hdd, cpu= fast".parse().unwrap();
        let shown: Vec<String> = selector
            .requirements()
            .iter()
            .map(Requirement::to_string)
            .collect();
        assert_eq!(shown, ["zone in (a,b)", "disk!=hdd", "cpu=fast"]);
    }

    #[test]
    fn what_is_no_selector_says_what_to_write() {
        for (text, message) in [
            (
                "zone",
                "`zone` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between",
            ),
            (
                "zone=a,",
                "`` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between",
            ),
            (
                "zone=a,,disk=b",
                "`` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between",
            ),
            (
                "zone in (a,b",
                "`zone in (a,b` has no closing parenthesis: write zone in (a,b)",
            ),
            (
                "zone in ()",
                "`` is no value of a label: use letters, digits and . _ - /",
            ),
            (
                "zone==a",
                "`=a` is no value of a label: use letters, digits and . _ - /",
            ),
            ("=a", "`` is no name of a label: use letters, digits and . _ - /"),
            (
                "${file:x:y}",
                "`${file:x:y}` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between",
            ),
            (
                "zin (a)",
                "`zin (a)` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between",
            ),
        ] {
            assert_eq!(
                text.parse::<Selector>().unwrap_err().to_string(),
                message,
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_are_no_labels_says_what_to_write() {
        for (text, message) in [
            (
                "zone",
                "`zone` is no label: write NAME=VALUE, with commas between, for example zone=a,disk=ssd",
            ),
            (
                "zone=",
                "`` is no value of a label: use letters, digits and . _ - /",
            ),
            ("zone=a,zone=b", "label `zone` is there twice: write it once"),
            (
                "zone=a b",
                "`a b` is no value of a label: use letters, digits and . _ - /",
            ),
        ] {
            assert_eq!(parse_labels(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }
}

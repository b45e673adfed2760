//! How source files look: their size, their first line, their names, and words that must not stay in them.

use std::fs;
use std::path::Path;

use towpath_testkit::repository_root;

pub(crate) const NAMES_THAT_SAY_NOTHING: [&str; 5] = ["common", "util", "utils", "core", "helpers"];

const MOST_LINES: usize = 600;
/// From here on a file is worth splitting; named only beside a file that is too long.
const MANY_LINES: usize = 400;

/// Kinds of files that are read; a file without a kind may be a script.
const KINDS: [&str; 6] = ["", "java", "proto", "rs", "sh", "toml"];

/// Written in two parts, or this file would break its own rules.
const UNDONE: &str = concat!("TO", "DO");
const SKIPPED_TEST: &str = concat!("#[ign", "ore");

struct Source {
    /// From the repository's root.
    path: String,
    text: String,
}

/// Takes one file, returns what is wrong with it.
type Rule = fn(&Source) -> Option<String>;

const RULES: [Rule; 5] = [
    says_what_it_is_for,
    path_says_something,
    modules_say_something,
    nothing_is_left_undone,
    no_test_is_skipped,
];

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    fn first_line_with(&self, wrong: impl Fn(&str) -> bool) -> Option<String> {
        let (index, line) = self.text.lines().enumerate().find(|(_, line)| wrong(line))?;
        Some(format!("{}:{}: {}", self.path, index + 1, line.trim()))
    }
}

fn says_what_it_is_for(source: &Source) -> Option<String> {
    let silent = source.is_rust() && !source.text.starts_with("//! ");
    silent.then(|| format!("{} does not begin with `//! ` and what it is for", source.path))
}

fn path_says_something(source: &Source) -> Option<String> {
    let mut parts = source.path.split('/').filter_map(|part| part.split('.').next());
    let nothing = parts.find(|part| NAMES_THAT_SAY_NOTHING.contains(part))?;
    Some(format!("D7: {} is called `{nothing}`", source.path))
}

fn modules_say_something(source: &Source) -> Option<String> {
    let says_nothing = |line: &str| {
        let mut words = line
            .split([' ', ';', '{'])
            .skip_while(|word| word.is_empty() || word.starts_with("pub"));
        words.next() == Some("mod")
            && words
                .next()
                .is_some_and(|name| NAMES_THAT_SAY_NOTHING.contains(&name))
    };
    source.is_rust().then(|| source.first_line_with(says_nothing))?
}

/// Work that is left needs an issue: `(#12)` behind the word.
fn nothing_is_left_undone(source: &Source) -> Option<String> {
    source.first_line_with(|line| {
        let Some((_, rest)) = line.split_once(UNDONE) else {
            return false;
        };
        let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'));
        number.is_none_or(|(number, _)| number.parse::<u32>().is_err())
    })
}

fn no_test_is_skipped(source: &Source) -> Option<String> {
    source
        .is_rust()
        .then(|| source.first_line_with(|line| line.contains(SKIPPED_TEST)))?
}

/// A file that is too long is reported with those that are on the way there.
fn too_long(sources: &[Source]) -> Vec<String> {
    let longer_than = |limit| move |source: &&Source| source.is_rust() && source.line_count() > limit;
    if !sources.iter().any(|source| longer_than(MOST_LINES)(&source)) {
        return Vec::new();
    }
    let long = sources.iter().filter(longer_than(MANY_LINES));
    long.map(|source| {
        format!(
            "{} has {} lines; the limit is {MOST_LINES}",
            source.path,
            source.line_count()
        )
    })
    .collect()
}

/// D5: one file of the worker names the connectors, so that adding one is one line there.
fn connectors_listed_twice(sources: &[Source]) -> Vec<String> {
    let connectors = sources.iter().filter_map(|source| {
        let name = source
            .path
            .strip_prefix("data-plane/connectors/")?
            .strip_suffix("/Cargo.toml")?;
        Some(format!("towpath_{name}::"))
    });
    let connectors: Vec<String> = connectors.collect();
    let in_worker = |source: &&Source| source.is_rust() && source.path.starts_with("data-plane/worker/src/");
    let names_one = |source: &&Source| connectors.iter().any(|connector| source.text.contains(connector));
    let lists: Vec<&str> = sources
        .iter()
        .filter(in_worker)
        .filter(names_one)
        .map(|source| source.path.as_str())
        .collect();
    if lists.len() > 1 {
        vec![format!("D5: connectors are listed in {}", lists.join(" and "))]
    } else {
        Vec::new()
    }
}

fn collect(folder: &Path, root: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "target" || name == ".git" {
            continue;
        }
        let kind = path.extension().map_or("", |kind| kind.to_str().unwrap());
        if path.is_dir() {
            collect(&path, root, sources);
        } else if KINDS.contains(&kind) {
            // What is not text (a folder of data that an earlier version wrote) is no source.
            let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) else {
                continue;
            };
            let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            sources.push(Source { path, text });
        }
    }
}

#[test]
fn the_source_files_keep_the_rules() {
    let root = repository_root();
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(
        sources
            .iter()
            .any(|source| source.path == "tests/testkit/tests/rules/sources.rs"),
        "this file is found"
    );

    let mut broken: Vec<String> = sources
        .iter()
        .flat_map(|source| RULES.iter().filter_map(|rule| rule(source)))
        .collect();
    broken.extend(too_long(&sources));
    broken.extend(connectors_listed_twice(&sources));
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// For each rule, the smallest file that breaks it: a check that cannot fail checks nothing.
mod examples {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn broken(path: &str, text: &str) -> Vec<String> {
        RULES
            .iter()
            .filter_map(|rule| rule(&source(path, text)))
            .collect()
    }

    #[test]
    fn a_file_that_keeps_the_rules_is_not_complained_about() {
        let text = format!(
            "//! Counts.\n\nmod reader;\n// {UNDONE}(#12): count faster.\n#[test]\nfn counts() {{}}\n"
        );
        assert_eq!(broken("a/src/counter.rs", &text), [""; 0]);
        assert_eq!(broken("a/run", "#!/bin/sh\n"), [""; 0]);
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_for_is_found() {
        assert_eq!(
            broken("a.rs", "use b;\n"),
            ["a.rs does not begin with `//! ` and what it is for"]
        );
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert_eq!(
            broken("a/util.rs", "//! A.\n"),
            ["D7: a/util.rs is called `util`"]
        );
        assert_eq!(broken("core/a.sh", ""), ["D7: core/a.sh is called `core`"]);
        assert_eq!(
            broken("a.rs", "//! A.\n    pub(crate) mod helpers {\n"),
            ["a.rs:2: pub(crate) mod helpers {"]
        );
        assert_eq!(broken("a.rs", "//! A.\nmod common;\n"), ["a.rs:2: mod common;"]);
    }

    #[test]
    fn work_that_is_left_without_an_issue_is_found() {
        for bad in [
            format!("# {UNDONE}: faster"),
            format!("# {UNDONE}(#x)"),
            format!("# {UNDONE}(later)"),
        ] {
            assert_eq!(broken("a.sh", &bad), [format!("a.sh:1: {bad}")]);
        }
    }

    #[test]
    fn a_skipped_test_is_found() {
        let text = format!("//! A.\n{SKIPPED_TEST} = \"slow\"]\n");
        assert_eq!(
            broken("a.rs", &text),
            [format!("a.rs:2: {SKIPPED_TEST} = \"slow\"]")]
        );
    }

    #[test]
    fn a_second_list_of_connectors_is_found() {
        let connector = source("data-plane/connectors/file/Cargo.toml", "");
        let list = source("data-plane/worker/src/list.rs", "towpath_file::plugins()");
        let second = source("data-plane/worker/src/second.rs", "use towpath_file::Reader;");
        let test = source("data-plane/worker/tests/all.rs", "use towpath_file::Reader;");
        let mut sources = vec![connector, list, test];
        assert_eq!(connectors_listed_twice(&sources), [""; 0]);
        sources.push(second);
        assert_eq!(
            connectors_listed_twice(&sources),
            [
                "D5: connectors are listed in data-plane/worker/src/list.rs and data-plane/worker/src/second.rs"
            ]
        );
    }

    #[test]
    fn a_long_file_is_found_and_reported_with_those_on_the_way_there() {
        let of_length = |path, lines| source(path, &"\n".repeat(lines));
        let allowed = [of_length("a.rs", MOST_LINES), of_length("b.sh", MOST_LINES + 1)];
        assert_eq!(too_long(&allowed), [""; 0]);

        let files = [
            of_length("a.rs", MOST_LINES + 1),
            of_length("b.rs", MANY_LINES + 1),
            of_length("c.rs", MANY_LINES),
        ];
        assert_eq!(
            too_long(&files),
            [
                "a.rs has 601 lines; the limit is 600",
                "b.rs has 401 lines; the limit is 600"
            ]
        );
    }
}

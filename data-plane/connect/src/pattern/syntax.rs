//! Java's words for the commonest mistakes in a regular expression: people look for these messages, and clients have
//! them in their answers. Not a check: it is asked only about a pattern that the engine has refused.

use std::iter::Peekable;
use std::str::Chars;

/// What is wrong, where it is one of the mistakes that are known here.
pub(super) fn java_message(pattern: &str) -> Option<String> {
    let end = pattern.chars().count();
    let (problem, index) = match scan(pattern)? {
        Mistake::UnclosedClass => ("Unclosed character class".to_owned(), end.saturating_sub(1)),
        Mistake::UnclosedGroup => ("Unclosed group".to_owned(), end),
        Mistake::Unmatched(index) => ("Unmatched closing ')'".to_owned(), index.saturating_sub(1)),
        Mistake::Dangling(c, index) => (format!("Dangling meta character '{c}'"), index),
    };
    Some(located(&problem, pattern, index))
}

/// A problem at some character of the pattern, with the pattern and a mark under the character.
pub(super) fn located(problem: &str, pattern: &str, index: usize) -> String {
    let caret = if index < pattern.chars().count() {
        format!("\n{}^", " ".repeat(index))
    } else {
        String::new()
    };
    format!("{problem} near index {index}\n{pattern}{caret}")
}

enum Mistake {
    UnclosedClass,
    UnclosedGroup,
    Unmatched(usize),
    Dangling(char, usize),
}

/// What a `*`, `+` or `?` would stand behind.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Atom,
    /// A `?` or `+` makes it reluctant or possessive.
    Quantifier,
}

fn scan(pattern: &str) -> Option<Mistake> {
    let mut rest = Scanner {
        chars: pattern.chars().peekable(),
        index: 0,
    };
    let (mut groups, mut before) = (0_usize, Before::Nothing);
    while let Some((index, c)) = rest.next() {
        before = match (c, before) {
            ('\\', _) => rest.skip_escaped(),
            ('[', _) if !rest.skip_class() => return Some(Mistake::UnclosedClass),
            ('[', _) => Before::Atom,
            ('(', _) => {
                groups += 1;
                rest.skip_if('?');
                Before::Nothing
            }
            (')', _) if groups == 0 => return Some(Mistake::Unmatched(index)),
            (')', _) => {
                groups -= 1;
                Before::Atom
            }
            ('|', _) => Before::Nothing,
            ('*' | '+' | '?', Before::Atom) => Before::Quantifier,
            ('+' | '?', Before::Quantifier) => Before::Nothing,
            ('*' | '+' | '?', _) => return Some(Mistake::Dangling(c, index)),
            _ => Before::Atom,
        };
    }
    (groups > 0).then_some(Mistake::UnclosedGroup)
}

struct Scanner<'p> {
    chars: Peekable<Chars<'p>>,
    index: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<(usize, char)> {
        let c = self.chars.next()?;
        self.index += 1;
        Some((self.index - 1, c))
    }

    fn skip_if(&mut self, wanted: char) {
        if self.chars.peek() == Some(&wanted) {
            self.next();
        }
    }

    /// Skips what follows a backslash; all up to `\E` after `\Q`.
    fn skip_escaped(&mut self) -> Before {
        if self.next().is_some_and(|(_, c)| c == 'Q') {
            let mut last = ' ';
            while let Some((_, c)) = self.next() {
                if (last, c) == ('\\', 'E') {
                    break;
                }
                last = c;
            }
        }
        Before::Atom
    }

    /// Skips to the end of a character class, whose `[` was read; false if there is none. A `]` in the first place is
    /// an ordinary character.
    fn skip_class(&mut self) -> bool {
        let mut depth = 1_usize;
        self.skip_if('^');
        self.skip_if(']');
        while let Some((_, c)) = self.next() {
            match c {
                '\\' => {
                    self.skip_escaped();
                }
                '[' => {
                    depth += 1;
                    self.skip_if('^');
                    self.skip_if(']');
                }
                ']' if depth == 1 => return true,
                ']' => depth -= 1,
                _ => {}
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_mistakes_are_told_in_javas_words() {
        for (pattern, message) in [
            ("[", "Unclosed character class near index 0\n[\n^"),
            ("[a", "Unclosed character class near index 1\n[a\n ^"),
            ("x[", "Unclosed character class near index 1\nx[\n ^"),
            ("[]", "Unclosed character class near index 1\n[]\n ^"),
            ("[[a]", "Unclosed character class near index 3\n[[a]\n   ^"),
            ("(", "Unclosed group near index 1\n("),
            ("((a)", "Unclosed group near index 4\n((a)"),
            ("a)", "Unmatched closing ')' near index 0\na)\n^"),
            ("*a", "Dangling meta character '*' near index 0\n*a\n^"),
            ("+", "Dangling meta character '+' near index 0\n+\n^"),
            ("a|*", "Dangling meta character '*' near index 2\na|*\n  ^"),
            ("a**", "Dangling meta character '*' near index 2\na**\n  ^"),
        ] {
            assert_eq!(java_message(pattern).as_deref(), Some(message));
        }
    }

    #[test]
    fn patterns_without_these_mistakes_have_no_message() {
        for pattern in [
            "a*?b++",
            r"\[\(",
            r"\Q[(\E",
            "[]a]",
            "[^]a]",
            "(?:a|b)+",
            "(?<name>x)?",
            r"[\]]",
            "{",
            r"\",
        ] {
            assert_eq!(java_message(pattern), None, "{pattern}");
        }
    }
}

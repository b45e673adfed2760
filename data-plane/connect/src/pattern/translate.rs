//! Java's syntax of regular expressions in the words of the engine. Most of it is the same; what differs is the meaning
//! of `\d`, `\w` and `\s` (ASCII only in Java), quoting by `\Q…\E`, names of properties, and details of classes. What
//! the engine cannot do at all is refused.

use super::{class, escape};

/// What is wrong, and at which character.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) index: usize,
}

/// The pattern as the engine reads it.
pub(super) fn translate(pattern: &str) -> Result<String, Problem> {
    let mut source = Source::new(pattern);
    let mut out = String::with_capacity(pattern.len());
    while let Some(c) = source.next() {
        match c {
            '\\' => escape::translate(&mut source, &mut out, escape::Where::Outside)?,
            '[' => class::translate(&mut source, &mut out)?,
            '(' if source.peek() == Some('?') => group(&mut source, &mut out)?,
            '{' => counted(&mut source, &mut out)?,
            other => out.push(other),
        }
    }
    if source.comments {
        // A comment at the end goes up to a line end, which is nothing in this mode.
        out.push_str("(?x)\n");
    }
    Ok(out)
}

/// The characters of a pattern.
pub(super) struct Source {
    chars: Vec<char>,
    at: usize,
    /// The names of the groups so far.
    names: Vec<String>,
    /// Blanks and comments are allowed in some part of the pattern.
    comments: bool,
}

impl Source {
    fn new(pattern: &str) -> Self {
        Self {
            chars: pattern.chars().collect(),
            at: 0,
            names: Vec::new(),
            comments: false,
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Takes `wanted` if it comes next.
    pub(super) fn eat_all(&mut self, wanted: &str) -> bool {
        let found = self.chars[self.at..]
            .iter()
            .copied()
            .take(wanted.len())
            .eq(wanted.chars());
        if found {
            self.at += wanted.len();
        }
        found
    }

    /// Takes characters up to `end`, which is taken too; `None` if there is none.
    pub(super) fn take_until(&mut self, end: char) -> Option<String> {
        let length = self.chars[self.at..].iter().position(|&c| c == end)?;
        let text = self.chars[self.at..self.at + length].iter().collect();
        self.at += length + 1;
        Some(text)
    }

    /// Takes up to `most` digits of this base.
    pub(super) fn take_digits(&mut self, base: u32, most: usize) -> Option<u32> {
        let digits: String = self.chars[self.at..]
            .iter()
            .take(most)
            .take_while(|c| c.is_digit(base))
            .collect();
        self.at += digits.len();
        u32::from_str_radix(&digits, base).ok()
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    /// A problem at the next character.
    pub(super) fn problem(&self, text: impl Into<String>) -> Problem {
        Problem {
            text: text.into(),
            index: self.at,
        }
    }
}

/// A group whose `(` was taken and that begins with `?`.
fn group(source: &mut Source, out: &mut String) -> Result<(), Problem> {
    source.next();
    for kind in [":", "=", "!", ">", "<=", "<!"] {
        if source.eat_all(kind) {
            out.push_str("(?");
            out.push_str(kind);
            return Ok(());
        }
    }
    if source.eat('<') {
        if !source.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            return Err(source.problem("capturing group name does not start with a Latin letter"));
        }
        let name = group_name(source)?;
        if source.names.contains(&name) {
            return Err(Problem {
                text: format!("Named capturing group <{name}> is already defined"),
                index: source.at - 1,
            });
        }
        out.push_str("(?<");
        out.push_str(&name);
        out.push('>');
        source.names.push(name);
        return Ok(());
    }
    flags(source, out)
}

/// A reference to a group by name, `\k` taken.
pub(super) fn named_reference(source: &mut Source, out: &mut String) -> Result<(), Problem> {
    if !source.eat('<') {
        return Err(source.problem("\\k is not followed by '<' for named capturing group"));
    }
    let name = group_name(source)?;
    if !source.names.contains(&name) {
        return Err(Problem {
            text: format!("named capturing group <{name}> does not exist"),
            index: source.at - 1,
        });
    }
    out.push_str("\\k<");
    out.push_str(&name);
    out.push('>');
    Ok(())
}

/// The name of a group and the `>` after it.
fn group_name(source: &mut Source) -> Result<String, Problem> {
    let mut name = String::new();
    while let Some(c) = source.peek().filter(char::is_ascii_alphanumeric) {
        name.push(c);
        source.at += 1;
    }
    if source.eat('>') {
        return Ok(name);
    }
    Err(source.problem("named capturing group is missing trailing '>'"))
}

/// A number of repetitions whose `{` was taken. Java knows no other use of a brace.
fn counted(source: &mut Source, out: &mut String) -> Result<(), Problem> {
    let start = source.at - 1;
    if !source.peek().is_some_and(|c| c.is_ascii_digit()) {
        return Err(source.problem("Illegal repetition"));
    }
    let least = count(source)?;
    if source.eat(',') && source.peek().is_some_and(|c| c.is_ascii_digit()) && count(source)? < least {
        return Err(source.problem("Illegal repetition range"));
    }
    if !source.eat('}') {
        return Err(source.problem("Unclosed counted closure"));
    }
    out.extend(&source.chars[start..source.at]);
    Ok(())
}

fn count(source: &mut Source) -> Result<i32, Problem> {
    let mut count = 0_i32;
    while let Some(digit) = source.peek().and_then(|c| c.to_digit(10)) {
        count = i32::try_from(digit)
            .ok()
            .and_then(|digit| count.checked_mul(10)?.checked_add(digit))
            .ok_or_else(|| source.problem("Illegal repetition range"))?;
        source.at += 1;
    }
    Ok(count)
}

/// Flags that the engine does not have are left out where they change nothing here: `u` (case folding beyond ASCII,
/// which the engine always does) and `d` (only `\n` ends a line).
fn flags(source: &mut Source, out: &mut String) -> Result<(), Problem> {
    let mut kept = String::new();
    let end = loop {
        match source.peek() {
            Some(c @ ('i' | 'm' | 's' | 'x' | '-')) => {
                source.comments |= c == 'x';
                kept.push(c);
            }
            Some('u' | 'd') => {}
            Some('U') => {
                return Err(source.problem("The flag U (Unicode character classes) is not supported"));
            }
            Some(c @ (')' | ':')) => break c,
            _ => return Err(source.problem("Unknown inline modifier")),
        }
        source.next();
    };
    source.next();
    let kept = kept.trim_end_matches('-');
    match (kept.is_empty(), end) {
        (true, ':') => out.push_str("(?:"),
        (true, _) => out.push_str("(?:)"),
        (false, end) => {
            out.push_str("(?");
            out.push_str(kept);
            out.push(end);
        }
    }
    Ok(())
}

//! Java regular expressions: full match and `replaceFirst` as `java.util.regex` has them, on the `fancy-regex` engine.

mod class;
mod escape;
mod syntax;
mod translate;

use std::fmt;

/// A compiled Java regular expression.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    full: fancy_regex::Regex,
}

/// Why a pattern or a replacement is no good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(String);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in Java's words where they are known.
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        let translated = translate::translate(text)
            .map_err(|problem| PatternError(syntax::located(&problem.text, text, problem.index)))?;
        let full = fancy_regex::Regex::new(&format!(r"\A(?:{translated})\z")).map_err(|error| {
            PatternError(syntax::java_message(text).unwrap_or_else(|| root_cause(&error)))
        })?;
        Ok(Self {
            text: text.to_owned(),
            full,
        })
    }

    /// The pattern as given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `input` matches (Java's `Matcher#matches`). A match that runs into the engine's limit of
    /// backtracking counts as none.
    pub fn is_full_match(&self, input: &str) -> bool {
        self.full.is_match(input).unwrap_or(false)
    }

    /// `Some(result of replaceFirst)` if the whole of `input` matches, else `None`. The replacement has Java's syntax:
    /// `$1`, `${name}`, and a backslash for a literal next character.
    ///
    /// # Errors
    /// A reference to a group that does not exist, or a replacement that ends in `$` or `\`.
    pub fn replace_full_match(&self, input: &str, replacement: &str) -> Result<Option<String>, PatternError> {
        let captures = self
            .full
            .captures(input)
            .map_err(|e| PatternError(e.to_string()))?;
        captures
            .map(|captures| {
                let groups = Groups {
                    captures,
                    pattern: &self.full,
                };
                groups.expand(replacement)
            })
            .transpose()
    }
}

type Rest<'r> = std::iter::Peekable<std::str::Chars<'r>>;

/// What the groups of a pattern matched.
struct Groups<'p, 't> {
    captures: fancy_regex::Captures<'t>,
    pattern: &'p fancy_regex::Regex,
}

impl Groups<'_, '_> {
    fn expand(&self, replacement: &str) -> Result<String, PatternError> {
        let mut out = String::new();
        let mut rest = replacement.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\\' => out.push(
                    rest.next()
                        .ok_or_else(|| problem("character to be escaped is missing"))?,
                ),
                '$' => out.push_str(self.reference(&mut rest)?),
                other => out.push(other),
            }
        }
        Ok(out)
    }

    /// After `$`. A group that took no part in the match is empty text.
    fn reference(&self, rest: &mut Rest<'_>) -> Result<&str, PatternError> {
        if rest.next_if_eq(&'{').is_some() {
            return self.named(rest);
        }
        let digit = match rest.peek() {
            Some(c) => c.to_digit(10),
            None => return Err(problem("Illegal group reference: group index is missing")),
        };
        let Some(first) = digit else {
            return Err(problem("Illegal group reference"));
        };
        rest.next();
        let mut number = usize::try_from(first).unwrap_or_default();
        if number >= self.captures.len() {
            return Err(PatternError(format!("No group {number}")));
        }
        // Java takes further digits as long as such a group exists.
        while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
            let longer = number * 10 + usize::try_from(digit).unwrap_or_default();
            if longer >= self.captures.len() {
                break;
            }
            number = longer;
            rest.next();
        }
        Ok(self.captures.get(number).map_or("", |group| group.as_str()))
    }

    /// After `${`.
    fn named(&self, rest: &mut Rest<'_>) -> Result<&str, PatternError> {
        let mut name = String::new();
        while let Some(c) = rest.next_if(char::is_ascii_alphanumeric) {
            name.push(c);
        }
        if name.is_empty() {
            return Err(problem("named capturing group has 0 length name"));
        }
        if rest.next() != Some('}') {
            return Err(problem("named capturing group is missing trailing '}'"));
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(PatternError(format!(
                "capturing group name {{{name}}} starts with digit character"
            )));
        }
        if !self.pattern.capture_names().flatten().any(|known| known == name) {
            return Err(PatternError(format!("No group with name {{{name}}}")));
        }
        Ok(self.captures.name(&name).map_or("", |group| group.as_str()))
    }
}

/// The engine wraps what is wrong in errors that say nothing.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn problem(text: &str) -> PatternError {
    PatternError(text.to_owned())
}

#[cfg(test)]
mod tests;

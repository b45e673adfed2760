//! Java regular expressions: full match and `replaceFirst` as `java.util.regex` has them, on the `fancy-regex` engine.

mod syntax;

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
        let full = fancy_regex::Regex::new(&format!(r"\A(?:{text})\z"))
            .map_err(|e| PatternError(syntax::java_message(text).unwrap_or_else(|| e.to_string())))?;
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
            .map(|captures| expand(&captures, replacement))
            .transpose()
    }
}

fn expand(captures: &fancy_regex::Captures<'_>, replacement: &str) -> Result<String, PatternError> {
    let mut out = String::new();
    let mut rest = replacement.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => out.push(
                rest.next()
                    .ok_or_else(|| PatternError("character to be escaped is missing".to_owned()))?,
            ),
            '$' => out.push_str(reference(captures, &mut rest)?),
            other => out.push(other),
        }
    }
    Ok(out)
}

fn reference<'c>(
    captures: &'c fancy_regex::Captures<'_>,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<&'c str, PatternError> {
    if rest.next_if_eq(&'{').is_some() {
        let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
        return match captures.name(&name) {
            Some(group) => Ok(group.as_str()),
            None => Err(PatternError(format!("No group with name {{{name}}}"))),
        };
    }
    let Some(first) = rest.next_if(char::is_ascii_digit).and_then(|c| c.to_digit(10)) else {
        return Err(PatternError("Illegal group reference".to_owned()));
    };
    let mut number = usize::try_from(first).unwrap_or_default();
    if number >= captures.len() {
        return Err(PatternError(format!("No group {number}")));
    }
    // Java takes further digits as long as such a group exists.
    while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
        let longer = number * 10 + usize::try_from(digit).unwrap_or_default();
        if longer >= captures.len() {
            break;
        }
        number = longer;
        rest.next();
    }
    Ok(captures.get(number).map_or("", |group| group.as_str()))
}

//! Character classes. Java's have intersections, unions and ranges as the engine's do, but neither differences (`--`,
//! `~~`) nor names in `[:…:]`.

use super::escape;
use super::translate::{Problem, Source};

/// A class whose `[` was taken.
pub(super) fn translate(source: &mut Source, out: &mut String) -> Result<(), Problem> {
    out.push('[');
    if source.eat('^') {
        out.push('^');
    }
    if source.eat(']') {
        out.push_str("\\]");
    }
    // The last character that stood for itself, and the one before if the last was a dash between two.
    let (mut last, mut range_start) = (None, None);
    let mut is_empty = true;
    while let Some(c) = source.next() {
        let start = range_start.take();
        match c {
            ']' => {
                out.push(']');
                return Ok(());
            }
            '[' => translate(source, out)?,
            '\\' if source.peek().is_none() => return Err(source.problem("Unclosed character class")),
            '\\' => escape::translate(source, out, escape::Where::InClass)?,
            // Two of these would be an operator of the engine.
            '-' | '~' if last == Some(c) => {
                out.push('\\');
                out.push(c);
            }
            // Before the first member it means nothing.
            '&' if source.eat('&') => out.push_str(if is_empty { "" } else { "&&" }),
            '&' => out.push_str("\\&"),
            // `[:` would begin a name: a range of one character does not.
            ':' if is_empty => out.push_str(":-:"),
            '-' => {
                range_start = last;
                out.push('-');
            }
            _ if start.is_some_and(|start| c < start) => {
                return Err(Problem {
                    text: "Illegal character range".to_owned(),
                    index: source.position() - 1,
                });
            }
            other => out.push(other),
        }
        is_empty = false;
        // The end of a range begins no other.
        last = Some(c).filter(|c| start.is_none() && !matches!(c, '[' | '\\' | '&'));
    }
    Err(Problem {
        text: "Unclosed character class".to_owned(),
        index: source.position().saturating_sub(1),
    })
}

//! What follows a backslash.

use std::fmt::Write;

use super::translate::{Problem, Source};

/// Line ends of one character.
const LINE_ENDS: &str = r"\n\x0B\f\r\x{85}\x{2028}\x{2029}";
const BLANKS: &str = r" \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}";

/// Where the escape stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    Outside,
    InClass,
}

/// An escape whose backslash was taken.
pub(super) fn translate(source: &mut Source, out: &mut String, place: Where) -> Result<(), Problem> {
    let Some(c) = source.next() else {
        return Err(source.problem("Unexpected internal error"));
    };
    match c {
        'd' => out.push_str("[0-9]"),
        'D' => out.push_str("[^0-9]"),
        'w' => out.push_str("[a-zA-Z0-9_]"),
        'W' => out.push_str("[^a-zA-Z0-9_]"),
        's' => out.push_str(r"[ \t\n\x0B\f\r]"),
        'S' => out.push_str(r"[^ \t\n\x0B\f\r]"),
        'h' => append(out, format_args!("[{BLANKS}]")),
        'H' => append(out, format_args!("[^{BLANKS}]")),
        'v' => append(out, format_args!("[{LINE_ENDS}]")),
        'V' => append(out, format_args!("[^{LINE_ENDS}]")),
        'p' => property(source, out, "")?,
        'P' => property(source, out, "^")?,
        'Q' => quoted(source, out),
        't' | 'n' | 'r' | 'f' | 'a' => {
            out.push('\\');
            out.push(c);
        }
        'e' => out.push_str(r"\x1B"),
        '0' | 'x' | 'u' | 'c' => coded(source, out, c)?,
        _ if place == Where::Outside && c.is_ascii_alphanumeric() => outside(source, out, c)?,
        _ if c.is_ascii_alphanumeric() => return Err(unsupported(source)),
        _ => literal(out, c),
    }
    Ok(())
}

/// What is possible outside of classes only.
fn outside(source: &mut Source, out: &mut String, c: char) -> Result<(), Problem> {
    match c {
        'b' if source.peek() == Some('{') => return Err(unsupported(source)),
        'k' => super::translate::named_reference(source, out)?,
        'b' | 'B' | 'A' | 'z' | '1'..='9' => {
            out.push('\\');
            out.push(c);
        }
        'Z' => append(out, format_args!(r"(?=(?:\r\n|[{LINE_ENDS}])?\z)")),
        'R' => append(out, format_args!(r"(?:\r\n|[{LINE_ENDS}])")),
        _ => return Err(unsupported(source)),
    }
    Ok(())
}

fn unsupported(source: &Source) -> Problem {
    Problem {
        text: "Illegal/unsupported escape sequence".to_owned(),
        index: source.position() - 1,
    }
}

/// All up to `\E`, or to the end, stands for itself.
fn quoted(source: &mut Source, out: &mut String) {
    while !source.eat_all("\\E") {
        match source.next() {
            Some(c) => literal(out, c),
            None => return,
        }
    }
}

fn literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
        out.push(c);
    } else if c == ' ' || c == '#' || c.is_control() {
        coded_literal(out, u32::from(c));
    } else {
        out.push(c);
    }
}

fn coded_literal(out: &mut String, code: u32) {
    append(out, format_args!(r"\x{{{code:X}}}"));
}

/// A character by its number.
fn coded(source: &mut Source, out: &mut String, kind: char) -> Result<(), Problem> {
    let code = match kind {
        'c' => match source.next() {
            Some(c) => u32::from(c) ^ 64,
            None => {
                return Err(Problem {
                    text: "Illegal control escape sequence".to_owned(),
                    index: source.position() - 1,
                });
            }
        },
        '0' => octal(source).ok_or_else(|| source.problem("Illegal octal escape sequence"))?,
        'x' => hexadecimal(source).ok_or_else(|| source.problem("Illegal hexadecimal escape sequence"))?,
        _ => unicode(source).ok_or_else(|| source.problem("Illegal Unicode escape sequence"))?,
    };
    coded_literal(out, code);
    Ok(())
}

/// Three digits if the first is at most 3, else two.
fn octal(source: &mut Source) -> Option<u32> {
    let most = if matches!(source.peek(), Some('0'..='3')) {
        3
    } else {
        2
    };
    source.take_digits(8, most)
}

fn hexadecimal(source: &mut Source) -> Option<u32> {
    if source.eat('{') {
        let digits = source.take_until('}')?;
        return u32::from_str_radix(&digits, 16).ok();
    }
    exactly(source, 2)
}

/// Two escapes of four digits may be one character.
fn unicode(source: &mut Source) -> Option<u32> {
    let first = exactly(source, 4)?;
    let after_first = source.position();
    if let Ok(first) = u16::try_from(first)
        && source.eat_all("\\u")
        && let Some(second) = exactly(source, 4)
        && let Ok(second) = u16::try_from(second)
        && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
        && c.len_utf16() == 2
    {
        return Some(u32::from(c));
    }
    source.rewind(after_first);
    Some(first)
}

fn exactly(source: &mut Source, count: usize) -> Option<u32> {
    let start = source.position();
    source
        .take_digits(16, count)
        .filter(|_| source.position() - start == count)
}

/// A property by its name: POSIX classes are ASCII only, other names are known to the engine or to nobody.
fn property(source: &mut Source, out: &mut String, negated: &str) -> Result<(), Problem> {
    let name = if source.eat('{') {
        source
            .take_until('}')
            .ok_or_else(|| source.problem("Unclosed character family"))?
    } else {
        source.next().map(String::from).unwrap_or_default()
    };
    if let Some(posix) = posix(&name) {
        append(out, format_args!("[{negated}[:{posix}:]]"));
        return Ok(());
    }
    let known = engine_property(&name);
    if fancy_regex::Regex::new(&format!("[{known}]")).is_err() {
        return Err(Problem {
            text: format!("Unknown character property name {{{name}}}"),
            index: source.position() - 1,
        });
    }
    append(out, format_args!("[{negated}{known}]"));
    Ok(())
}

fn posix(name: &str) -> Option<&'static str> {
    Some(match name {
        "Lower" => "lower",
        "Upper" => "upper",
        "ASCII" => "ascii",
        "Alpha" => "alpha",
        "Digit" => "digit",
        "Alnum" => "alnum",
        "Punct" => "punct",
        "Graph" => "graph",
        "Print" => "print",
        "Blank" => "blank",
        "Cntrl" => "cntrl",
        "XDigit" => "xdigit",
        "Space" => "space",
        _ => return None,
    })
}

fn engine_property(name: &str) -> String {
    let known = match name {
        "javaLowerCase" => "Lowercase",
        "javaUpperCase" => "Uppercase",
        "javaAlphabetic" => "Alphabetic",
        "javaLetter" => "L",
        "javaDigit" => "Nd",
        "javaWhitespace" => "White_Space",
        "javaLetterOrDigit" => return r"\p{L}\p{Nd}".to_owned(),
        _ => name.strip_prefix("Is").unwrap_or(name),
    };
    format!(r"\p{{{known}}}")
}

fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    let written = out.write_fmt(text);
    debug_assert!(written.is_ok(), "writing to a string cannot go wrong");
}

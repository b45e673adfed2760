//! Java's properties files: the format of worker files, connector files and files of secrets that people have. Reading
//! only.

use crate::config::ConfigMap;

/// Why a text is no properties file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertiesError {
    /// `\u` without four hexadecimal digits.
    #[error(
        "Malformed \\uxxxx encoding in line {line}: write four hexadecimal digits after \\u, or \\\\ for a backslash"
    )]
    Unicode {
        /// Counted from 1.
        line: usize,
    },
}

/// Reads the bytes of a file. Java takes them for Latin-1; most files are UTF-8 by now, so they are that if they can be.
///
/// # Errors
/// As [`parse`].
pub fn parse_bytes(bytes: &[u8]) -> Result<ConfigMap, PropertiesError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse(text),
        Err(_) => parse(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>()),
    }
}

/// Reads a text. Of a key that is there twice the last value counts.
///
/// # Errors
/// When an escape cannot be read.
pub fn parse(text: &str) -> Result<ConfigMap, PropertiesError> {
    let mut config = ConfigMap::new();
    for (line, logical) in logical_lines(text) {
        let (key, value) = split(&logical);
        config.insert(unescape(key, line)?, unescape(value, line)?);
    }
    Ok(config)
}

/// Lines without blank lines, comments and leading blanks, with those that a backslash continues put together; each
/// with the number of its first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = unified.split('\n').zip(1..);
    let mut found = Vec::new();
    while let Some((line, number)) = lines.next() {
        let line = line.trim_start_matches(BLANKS);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        while ends_in_a_backslash(&logical) {
            logical.pop();
            match lines.next() {
                Some((next, _)) => logical.push_str(next.trim_start_matches(BLANKS)),
                None => break,
            }
        }
        found.push((number, logical));
    }
    found
}

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// One that is not itself escaped.
fn ends_in_a_backslash(line: &str) -> bool {
    line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// The key ends at the first `=`, `:` or blank that is not escaped; blanks and one `=` or `:` stand before the value.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c| {
        let ends = !escaped && (BLANKS.contains(&c) || matches!(c, '=' | ':'));
        escaped = !escaped && c == '\\';
        ends
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(BLANKS);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (key, value.trim_start_matches(BLANKS))
}

fn unescape(text: &str, line: usize) -> Result<String, PropertiesError> {
    // In UTF-16: a character beyond 16 bits is written as two escapes.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('u') => {
                    units.push(code_unit(&mut chars).ok_or(PropertiesError::Unicode { line })?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
    }
    Ok(String::from_utf16_lossy(&units))
}

/// Four hexadecimal digits.
fn code_unit(chars: &mut std::str::Chars<'_>) -> Option<u16> {
    let mut unit = 0_u16;
    for _ in 0..4 {
        let digit = chars.next()?.to_digit(16)?;
        unit = unit << 4 | u16::try_from(digit).ok()?;
    }
    Some(unit)
}

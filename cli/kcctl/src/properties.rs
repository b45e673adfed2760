//! Java's properties format, as far as configuration files use it.

/// A line that is no `key=value`.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {wrong}; write KEY=VALUE")]
pub(crate) struct PropertiesError {
    line: usize,
    wrong: &'static str,
}

/// Entries in the order of the text.
///
/// # Errors
/// When a line has no separator, or an escape is cut short.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, PropertiesError> {
    logical_lines(text)
        .into_iter()
        .map(|(number, line)| entry(number, &line))
        .collect()
}

/// Lines without comments, those that end in a backslash joined with the next; with the number of their first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if !goes_on && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        if !goes_on {
            lines.push((index + 1, String::new()));
        }
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        goes_on = backslashes % 2 == 1;
        let content = if goes_on {
            line.strip_suffix('\\').unwrap_or(line)
        } else {
            line
        };
        if let Some((_, whole)) = lines.last_mut() {
            whole.push_str(content);
        }
    }
    lines
}

fn entry(number: usize, line: &str) -> Result<(String, String), PropertiesError> {
    let error = |wrong| PropertiesError { line: number, wrong };
    let mut escaped = false;
    let separator = line.char_indices().find(|&(_, c)| {
        let separates = !escaped && matches!(c, '=' | ':');
        escaped = !escaped && c == '\\';
        separates
    });
    let (key, value) = separator
        .and_then(|(at, _)| line.split_at_checked(at))
        .ok_or(error("it has no separator"))?;
    let value = value.get(1..).unwrap_or_default().trim_start();
    let cut = || error("an escape is cut short");
    let key = unescape(key.trim_end()).ok_or_else(cut)?;
    if key.is_empty() {
        return Err(error("its key is empty"));
    }
    Ok((key, unescape(value).ok_or_else(cut)?))
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'f' => '\u{c}',
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4)?;
                char::from_u32(code)?
            }
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_properties_file_is_read_as_java_reads_it() {
        let text = "# comment\n! too\n\na=1\n b : two words \nc=x=y\nd=first,\\\n   second\nwith\\ blank=\\u00fc\\t\\\\\n";
        let expected = [
            ("a", "1"),
            ("b", "two words "),
            ("c", "x=y"),
            ("d", "first,second"),
            ("with blank", "ü\t\\"),
        ];
        let expected: Vec<_> = expected
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into();
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_entry_is_named_by_its_line() {
        assert_eq!(
            parse("a=1\nnonsense").unwrap_err().to_string(),
            "line 2: it has no separator; write KEY=VALUE"
        );
        assert!(parse("=1").is_err());
        assert!(parse("a=\\u12").is_err());
    }
}

//! Text as a JSON string, as Jackson writes it: control characters and characters beyond the Basic Multilingual Plane
//! are escaped, everything else is plain UTF-8.

use super::scan::{Ends, run_length};
use super::text::Text;

/// Appends `text` in quotes.
pub(super) fn append_string(out: &mut Text, text: &str) {
    out.push_byte(b'"');
    append_escaped(out, text);
    out.push_byte(b'"');
}

fn append_escaped(out: &mut Text, text: &str) {
    let mut rest = text;
    loop {
        let plain = run_length(rest.as_bytes(), Ends::ForJackson);
        let Some((start, escaped)) = rest.split_at_checked(plain) else {
            return;
        };
        out.push(start.as_bytes());
        let mut chars = escaped.chars();
        let Some(c) = chars.next() else {
            return;
        };
        append_escape(out, c);
        rest = chars.as_str();
    }
}

fn append_escape(out: &mut Text, c: char) {
    let short = match c {
        '"' => b"\\\"",
        '\\' => b"\\\\",
        '\u{8}' => b"\\b",
        '\t' => b"\\t",
        '\n' => b"\\n",
        '\u{c}' => b"\\f",
        '\r' => b"\\r",
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                append_unit(out, *unit);
            }
            return;
        }
    };
    out.push(short);
}

fn append_unit(out: &mut Text, unit: u16) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |shift: u16| DIGITS[usize::from((unit >> shift) & 0xf)];
    out.push(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

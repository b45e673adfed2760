//! Text as a JSON string, as Jackson writes it: control characters and characters beyond the Basic Multilingual Plane
//! are escaped, everything else is plain UTF-8.

use bytes::BytesMut;

use super::scan::plain_length;

fn is_plain(byte: u8) -> bool {
    // 0xf0 begins a character of four bytes: one beyond the Basic Multilingual Plane.
    (byte >= b' ') & (byte != b'"') & (byte != b'\\') & (byte < 0xf0)
}

/// Appends `text` in quotes.
pub(super) fn append_string(out: &mut BytesMut, text: &str) {
    // Room for the text and its quotes: then appending the parts checks, but does not grow.
    out.reserve(text.len() + 2);
    out.extend_from_slice(b"\"");
    append_escaped(out, text);
    out.extend_from_slice(b"\"");
}

fn append_escaped(out: &mut BytesMut, text: &str) {
    let mut rest = text;
    loop {
        let plain = plain_length(rest.as_bytes(), is_plain);
        let Some((start, escaped)) = rest.split_at_checked(plain) else {
            return;
        };
        out.extend_from_slice(start.as_bytes());
        let mut chars = escaped.chars();
        let Some(c) = chars.next() else {
            return;
        };
        append_escape(out, c);
        rest = chars.as_str();
    }
}

fn append_escape(out: &mut BytesMut, c: char) {
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
    out.extend_from_slice(short);
}

fn append_unit(out: &mut BytesMut, unit: u16) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |shift: u16| DIGITS[usize::from((unit >> shift) & 0xf)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

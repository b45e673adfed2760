//! The character sets that every Java runtime has.

use std::borrow::Cow;

use bytes::Bytes;
use bytestring::ByteString;

/// A character set by one of its Java names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    /// Big-endian with a byte order mark.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    /// The character set of this name or alias, in any case.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Self::Utf8,
            "US-ASCII" | "ASCII" | "ISO646-US" => Self::Ascii,
            "ISO-8859-1" | "ISO8859_1" | "ISO8859-1" | "LATIN1" | "L1" => Self::Latin1,
            "UTF-16" | "UTF16" | "UTF_16" => Self::Utf16,
            "UTF-16BE" | "UTF_16BE" => Self::Utf16Be,
            "UTF-16LE" | "UTF_16LE" => Self::Utf16Le,
            _ => return None,
        })
    }

    /// Text to bytes. A character that the set does not have becomes `?`.
    pub(super) fn encode(self, text: ByteString) -> Bytes {
        let limited = |limit: u32| {
            text.chars()
                .map(|c| u8::try_from(u32::from(c)).ok().filter(|b| u32::from(*b) <= limit))
                .map(|b| b.unwrap_or(b'?'))
                .collect::<Vec<u8>>()
                .into()
        };
        match self {
            Self::Utf8 => text.into_bytes(),
            Self::Ascii => limited(0x7f),
            Self::Latin1 => limited(0xff),
            Self::Utf16 => std::iter::once(0xfeff)
                .chain(text.encode_utf16())
                .flat_map(u16::to_be_bytes)
                .collect(),
            Self::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }

    /// Bytes to text, a slice of them where that is possible. What is malformed becomes U+FFFD.
    pub(super) fn decode(self, bytes: &Bytes) -> ByteString {
        match self {
            Self::Utf8 => {
                ByteString::try_from(bytes.clone()).unwrap_or_else(|_| match String::from_utf8_lossy(bytes) {
                    Cow::Borrowed(text) => text.into(),
                    Cow::Owned(text) => text.into(),
                })
            }
            Self::Ascii => bytes
                .iter()
                .map(|&b| {
                    if b.is_ascii() {
                        char::from(b)
                    } else {
                        char::REPLACEMENT_CHARACTER
                    }
                })
                .collect::<String>()
                .into(),
            Self::Latin1 => bytes.iter().map(|&b| char::from(b)).collect::<String>().into(),
            Self::Utf16 => match bytes.as_ref() {
                [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
                [0xfe, 0xff, rest @ ..] | rest => utf16(rest, u16::from_be_bytes),
            },
            Self::Utf16Be => utf16(bytes, u16::from_be_bytes),
            Self::Utf16Le => utf16(bytes, u16::from_le_bytes),
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> ByteString {
    let pairs = bytes.chunks_exact(2);
    let odd = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| unit([pair[0], pair[1]]));
    let mut text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if odd {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text.into()
}

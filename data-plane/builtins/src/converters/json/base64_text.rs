//! Base64 as Jackson reads it: padded, with blanks between the units of four characters.

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};

/// Bits beyond the last byte are not looked at.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

pub(super) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    ENGINE.decode(text).or_else(|error| decode_units(text, error))
}

/// Texts with blanks, and several padded texts in a row.
fn decode_units(text: &str, error: DecodeError) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::new();
    let mut rest = text.trim_matches(is_blank);
    while !rest.is_empty() {
        let (unit, after) = rest.split_at_checked(4).ok_or_else(|| error.clone())?;
        ENGINE.decode_vec(unit, &mut bytes)?;
        rest = after.trim_start_matches(is_blank);
    }
    Ok(bytes)
}

fn is_blank(c: char) -> bool {
    c <= ' '
}

//! Finds where a run of ordinary bytes ends.

/// Looked at in one step. A multiple of the width of vector registers, so that the compiler uses them.
const STEP: usize = 16;

/// The number of bytes before the first that is not plain.
#[inline]
pub(super) fn plain_length(bytes: &[u8], is_plain: impl Fn(u8) -> bool + Copy) -> usize {
    let (steps, tail) = bytes.as_chunks::<STEP>();
    let clean = steps
        .iter()
        .take_while(|step| step.iter().fold(true, |plain, &byte| plain & is_plain(byte)))
        .count()
        * STEP;
    let rest = bytes.get(clean..clean + STEP).unwrap_or(tail);
    clean + rest.iter().take_while(|&&byte| is_plain(byte)).count()
}

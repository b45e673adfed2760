//! Finds where a run of ordinary bytes ends, many bytes at a time.

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
const WORD: usize = size_of::<u64>();
/// The width of a vector register.
const BLOCK: usize = 16;

/// Which bytes end a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// What cannot stand in a JSON string as it is: control characters, the quote and the backslash.
    InJson,
    /// These, and the first byte of a character of four bytes: one beyond the Basic Multilingual Plane.
    ForJackson,
}

impl Ends {
    fn contains(self, byte: u8) -> bool {
        (byte < b' ') | (byte == b'"') | (byte == b'\\') | ((self == Self::ForJackson) & (byte >= 0xf0))
    }

    /// A word whose lowest set bit is in the first of eight bytes that ends a run; 0 if none does. Bits above the
    /// lowest mean nothing.
    fn first_of(self, word: u64) -> u64 {
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = control | zero(word ^ (ONES * 0x22)) | zero(word ^ (ONES * 0x5c));
        match self {
            Self::InJson => found,
            // The four highest bits of the byte are set.
            Self::ForJackson => found | (word & (word << 1) & (word << 2) & (word << 3) & HIGHS),
        }
    }
}

/// The number of bytes before the first that ends the run.
#[inline]
pub(super) fn run_length(bytes: &[u8], ends: Ends) -> usize {
    // Whole blocks first: the compiler compares all their bytes at once.
    let (blocks, tail) = bytes.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if block
            .iter()
            .fold(false, |found, &byte| found | ends.contains(byte))
        {
            return index * BLOCK + run_in_words(block, ends);
        }
    }
    blocks.len() * BLOCK + run_in_words(tail, ends)
}

fn run_in_words(bytes: &[u8], ends: Ends) -> usize {
    let (words, tail) = bytes.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        let found = ends.first_of(u64::from_le_bytes(*word));
        if found != 0 {
            let byte = usize::try_from(found.trailing_zeros() / 8).unwrap_or_default();
            return index * WORD + byte;
        }
    }
    let rest = tail.iter().take_while(|&&byte| !ends.contains(byte)).count();
    words.len() * WORD + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_ends_where_a_byte_by_byte_search_ends_it(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for ends in [Ends::InJson, Ends::ForJackson] {
                let expected = bytes.iter().take_while(|&&byte| !ends.contains(byte)).count();
                prop_assert_eq!(run_length(&bytes, ends), expected);
            }
        }

        #[test]
        fn plain_text_is_one_run(text in "[ !#-\\[\\]-~é€]{0,60}") {
            prop_assert_eq!(run_length(text.as_bytes(), Ends::ForJackson), text.len());
        }
    }
}

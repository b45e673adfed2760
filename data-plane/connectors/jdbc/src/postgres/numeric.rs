//! The binary form of `numeric`: digits to the base 10,000.

use num_bigint::BigInt;
use towpath_connect::Decimal;

use crate::types::FieldError;

const HEADER: usize = 8;
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
/// Decimal digits in one digit of the wire.
const GROUP: i32 = 4;
/// So many groups fit 64 bits.
const MOST_SMALL_GROUPS: usize = 4;

/// The number of these bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Decimal, FieldError> {
    let broken = FieldError::Unfit("no number");
    let (header, digits) = bytes.split_at_checked(HEADER).ok_or(broken)?;
    let word = |index: usize| u16::from_be_bytes([header[index * 2], header[index * 2 + 1]]);
    let (count, sign, shown_scale) = (usize::from(word(0)), word(2), i32::from(word(3)));
    let weight = i32::from(i16::from_be_bytes([header[2], header[3]]));
    if sign != POSITIVE && sign != NEGATIVE {
        return Err(FieldError::Unfit(
            "NaN or infinity, which no decimal number can be",
        ));
    }
    if digits.len() != count * 2 {
        return Err(broken);
    }
    let groups = digits
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_be_bytes(*pair));
    let magnitude = if count <= MOST_SMALL_GROUPS {
        BigInt::from(groups.fold(0u64, |sum, group| sum * 10_000 + u64::from(group)))
    } else {
        groups.fold(BigInt::ZERO, |sum, group| sum * 10_000u32 + u32::from(group))
    };
    // The last group stands this many digits behind the point.
    let groups_behind_point = i32::try_from(count).map_err(|_| broken)? - 1 - weight;
    let unscaled = if sign == NEGATIVE { -magnitude } else { magnitude };
    let exact = Decimal::new(unscaled, groups_behind_point * GROUP);
    // Groups may hold zeros beyond the scale, or lack those up to it.
    crate::number::rescaled(exact, shown_scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let count = u16::try_from(groups.len()).unwrap();
        let mut bytes = count.to_be_bytes().to_vec();
        bytes.extend(weight.to_be_bytes());
        bytes.extend(sign.to_be_bytes());
        bytes.extend(scale.to_be_bytes());
        bytes.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
        bytes
    }

    #[test]
    fn numbers_have_the_scale_that_the_server_shows() {
        for (bytes, text) in [
            (wire(0, POSITIVE, 0, &[]), "0"),
            (wire(0, POSITIVE, 2, &[]), "0.00"),
            (wire(0, POSITIVE, 2, &[19, 9900]), "19.99"),
            (wire(1, NEGATIVE, 3, &[1, 2345, 6780]), "-12345.678"),
            (wire(-1, POSITIVE, 5, &[1, 2000]), "0.00012"),
            (wire(2, POSITIVE, 0, &[1]), "100000000"),
            (wire(2, POSITIVE, 1, &[1]), "100000000.0"),
            (
                wire(4, POSITIVE, 6, &[1, 2, 3, 4, 5, 6, 7800]),
                "10002000300040005.000678",
            ),
        ] {
            assert_eq!(decode(&bytes).unwrap(), text.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        assert!(decode(&wire(0, 0xC000, 0, &[])).is_err());
        assert!(decode(&wire(0, 0xD000, 0, &[])).is_err());
        assert!(decode(&[0, 1]).is_err());
        assert!(decode(&wire(0, POSITIVE, 0, &[1])[..9]).is_err());
    }
}

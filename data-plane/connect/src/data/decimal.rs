//! Decimal numbers of any size with Java's `BigDecimal` text form.

use std::fmt;
use std::str::FromStr;

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;
use smallvec::SmallVec;

use crate::error::ConnectorError;

/// `unscaled × 10^-scale`. Equality is Java's `equals`: `1.0` and `1.00` differ.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "java.math.BigDecimal")]
pub struct Decimal {
    unscaled: BigInt,
    scale: i32,
}

impl Decimal {
    /// `unscaled × 10^-scale`.
    pub fn new(unscaled: impl Into<BigInt>, scale: i32) -> Self {
        Self {
            unscaled: unscaled.into(),
            scale,
        }
    }

    /// From two's complement big-endian bytes; no bytes are zero.
    pub fn from_bytes(bytes: &[u8], scale: i32) -> Self {
        Self {
            unscaled: BigInt::from_signed_bytes_be(bytes),
            scale,
        }
    }

    /// The number without its scale as two's complement big-endian bytes, as few as possible. Allocates nothing for
    /// numbers of the usual size.
    pub fn unscaled_bytes(&self) -> SmallVec<[u8; 16]> {
        let Some(number) = self.unscaled.to_i128() else {
            return SmallVec::from_vec(self.unscaled.to_signed_bytes_be());
        };
        let bytes = number.to_be_bytes();
        // Leading bytes say nothing that the sign bit after them does not say.
        let sign = if number < 0 { 0xff } else { 0 };
        let spare = bytes
            .windows(2)
            .take_while(|pair| pair[0] == sign && (pair[1] ^ sign) & 0x80 == 0)
            .count();
        SmallVec::from_slice(&bytes[spare..])
    }

    /// The number without its scale.
    pub fn unscaled(&self) -> &BigInt {
        &self.unscaled
    }

    /// Digits after the decimal point; negative for multiples of powers of ten.
    pub fn scale(&self) -> i32 {
        self.scale
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        // Through text: scaling in floating point would round twice.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The value without its fraction, if it fits.
    pub fn to_i64(&self) -> Option<i64> {
        // An integer of 64 bits has at most 19 digits, so no greater power of ten is worth making.
        if self.scale < -19 && self.unscaled.sign() != Sign::NoSign {
            return None;
        }
        self.truncated().to_i64()
    }

    /// The lowest 64 bits of the value without its fraction (Java's `longValue`).
    #[doc(alias = "longValue")]
    pub fn low_bits(&self) -> i64 {
        // 10^64 is a multiple of 2^64: nothing of the number is left in the low bits.
        if self.scale <= -64 {
            return 0;
        }
        let modulus = BigInt::from(1_u128 << 64);
        let low = ((self.truncated() % &modulus) + &modulus) % &modulus;
        low.to_u64().map_or(0, u64::cast_signed)
    }

    /// The value without its fraction (Java's `toBigInteger`). A number of a scale far below zero is as long as that:
    /// look at the scale first where the number is somebody else's.
    pub fn truncated(&self) -> BigInt {
        // Ten to a power of more than a number has bits is greater than the number.
        if i64::from(self.scale) > i64::try_from(self.unscaled.bits()).unwrap_or(i64::MAX) {
            return BigInt::ZERO;
        }
        if self.unscaled.sign() == Sign::NoSign {
            return BigInt::ZERO;
        }
        let power = BigInt::from(10u8).pow(self.scale.unsigned_abs());
        if self.scale >= 0 {
            &self.unscaled / power
        } else {
            &self.unscaled * power
        }
    }
}

/// Java's `BigDecimal#toString`: plain when the scale is not negative and the exponent is at least -6, else scientific.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled.sign() == Sign::Minus {
            "-"
        } else {
            ""
        };
        let digits = self.unscaled.magnitude().to_string();
        let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
        let exponent = count - 1 - i64::from(self.scale);
        if self.scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        if self.scale > 0 && exponent >= -6 {
            let scale = usize::try_from(self.scale).unwrap_or_default();
            return match digits.split_at_checked(digits.len().saturating_sub(scale)) {
                Some(("", fraction)) => write!(f, "{sign}0.{fraction:0>scale$}"),
                Some((whole, fraction)) => write!(f, "{sign}{whole}.{fraction}"),
                None => Err(fmt::Error),
            };
        }
        let (first, rest) = digits.split_at(1);
        write!(f, "{sign}{first}")?;
        if !rest.is_empty() {
            write!(f, ".{rest}")?;
        }
        if exponent == 0 {
            Ok(())
        } else {
            write!(f, "E{exponent:+}")
        }
    }
}

impl FromStr for Decimal {
    type Err = ConnectorError;

    /// Java's `new BigDecimal(text)`: an optional sign, digits, an optional fraction, an optional exponent.
    fn from_str(text: &str) -> Result<Self, ConnectorError> {
        let bad = || ConnectorError::data("the text is not a decimal number");
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let exponent = exponent
                    .strip_prefix('+')
                    .filter(|e| !e.starts_with(['+', '-']))
                    .unwrap_or(exponent);
                (mantissa, exponent.parse::<i32>().map_err(|_| bad())?)
            }
            None => (text, 0),
        };
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return Err(bad());
        }
        let magnitude: BigInt = format!("{whole}{fraction}").parse().map_err(|_| bad())?;
        let unscaled = if mantissa.starts_with('-') {
            -magnitude
        } else {
            magnitude
        };
        let scale = i32::try_from(fraction.len())
            .ok()
            .and_then(|f| f.checked_sub(exponent))
            .ok_or_else(bad)?;
        Ok(Self { unscaled, scale })
    }
}

#[cfg(test)]
mod tests;

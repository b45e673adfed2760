//! Numbers in JSON text, narrowed as Java narrows them.

use std::str::FromStr;

use towpath_connect::Decimal;

/// The text of a number, known to be well-formed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    text: &'a str,
    integral: bool,
}

impl<'a> Number<'a> {
    pub(super) fn new(text: &'a str, integral: bool) -> Self {
        Self { text, integral }
    }

    /// Whether it has neither fraction nor exponent.
    pub(super) fn is_integral(self) -> bool {
        self.integral
    }

    /// The lowest 64 bits of the number without its fraction.
    pub(super) fn low_bits(self) -> i64 {
        if !self.integral {
            return self.decimal().map_or(0, |number| number.low_bits());
        }
        let (negative, digits) = match self.text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, self.text),
        };
        let magnitude = digits.bytes().fold(0_i64, |n, digit| {
            n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'))
        });
        if negative {
            magnitude.wrapping_neg()
        } else {
            magnitude
        }
    }

    /// The lowest 32 bits of the number without its fraction.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Java narrows by dropping the high bits"
    )]
    pub(super) fn low_int(self) -> i32 {
        self.low_bits() as i32
    }

    /// The number, if it is an integer of 32 bits.
    pub(super) fn int(self) -> Option<i32> {
        self.text.parse().ok().filter(|_| self.integral)
    }

    pub(super) fn double(self) -> f64 {
        let double: f64 = self.text.parse().unwrap_or(f64::NAN);
        if double == 0.0 { self.zero(double) } else { double }
    }

    pub(super) fn float(self) -> f32 {
        let float: f32 = self.text.parse().unwrap_or(f32::NAN);
        if float == 0.0 { self.zero(float) } else { float }
    }

    /// A zero that was written as one has no sign, since it is read as a decimal first; a number that is too small for
    /// its type keeps the sign.
    fn zero<F: Default>(self, number: F) -> F {
        let mantissa = self.text.split(['e', 'E']).next().unwrap_or_default();
        if mantissa.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            number
        } else {
            F::default()
        }
    }

    /// The number as written; `None` if its exponent is beyond all reason.
    pub(super) fn decimal(self) -> Option<Decimal> {
        Decimal::from_str(self.text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_low_bits_of_a_number_wrap_as_in_java() {
        for (text, integral, expected) in [
            ("0", true, 0),
            ("-01", true, -1),
            ("9223372036854775808", true, i64::MIN),
            ("-9223372036854775809", true, i64::MAX),
            ("18446744073709551617", true, 1),
            ("123456789012345678901234567890", true, -4_362_896_299_872_285_998),
            ("1e30", false, 5_076_944_270_305_263_616),
            ("-1e30", false, -5_076_944_270_305_263_616),
            ("9.99e18", false, -8_456_744_073_709_551_616),
            ("-2.9", false, -2),
            ("4294967297.5", false, 4_294_967_297),
            ("1e100", false, 0),
            ("1e2000000000", false, 0),
            ("1e-2000000000", false, 0),
        ] {
            assert_eq!(Number::new(text, integral).low_bits(), expected, "{text}");
        }
    }
}

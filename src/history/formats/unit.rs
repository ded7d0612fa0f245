//! Units of time.

/// The unit in which a file tells times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    #[default]
    Nanoseconds,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// Each unit and its sign.
    pub const ALL: [(&'static str, Unit); 4] = [
        ("ns", Unit::Nanoseconds),
        ("us", Unit::Microseconds),
        ("ms", Unit::Milliseconds),
        ("s", Unit::Seconds),
    ];

    /// How many decimals of this unit are whole nanoseconds.
    fn decimals(self) -> usize {
        match self {
            Unit::Nanoseconds => 0,
            Unit::Microseconds => 3,
            Unit::Milliseconds => 6,
            Unit::Seconds => 9,
        }
    }

    /// Nanoseconds, from a decimal number. What is finer than a nanosecond is cut off,
    /// unless nanoseconds are the unit. Digits are counted off, so that none is lost.
    pub(super) fn nanoseconds(self, text: &str) -> Result<u64, String> {
        let wrong = || format!("`{text}` is no time: a number from 0, less than 2^64 nanoseconds");
        if let (Unit::Nanoseconds, Ok(time)) = (self, text.parse()) {
            return Ok(time);
        }
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().map_err(|_| wrong())?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits: Vec<u8> = whole.bytes().chain(part.bytes()).collect();
        if whole.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong());
        }
        // How many digits are whole nanoseconds, zeros after the last one included.
        let length = i64::try_from(whole.len() + self.decimals()).map_err(|_| wrong())?;
        let length = usize::try_from(length.saturating_add(exponent)).unwrap_or(0);
        let (kept, finer) = digits.split_at(length.min(digits.len()));
        if self == Unit::Nanoseconds && finer.iter().any(|digit| *digit != b'0') {
            let reason = format!("`{text}` has parts of a nanosecond; is it in another unit?");
            return Err(format!("{reason} --time-unit us, ms or s says so"));
        }
        let mut time = 0_u64;
        for digit in kept {
            let longer =
                time.checked_mul(10).and_then(|time| time.checked_add(u64::from(*digit - b'0')));
            time = longer.ok_or_else(wrong)?;
        }
        let zeros = u32::try_from(length - kept.len()).unwrap_or(u32::MAX);
        match time {
            0 => Ok(0),
            _ => {
                10_u64.checked_pow(zeros).and_then(|tens| time.checked_mul(tens)).ok_or_else(wrong)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_of_a_time_is_lost() {
        for (unit, text, expected) in [
            (Unit::Seconds, "1716548040.123456789", Some(1_716_548_040_123_456_789)),
            (Unit::Seconds, "1716548040.1234567899999", Some(1_716_548_040_123_456_789)),
            (Unit::Seconds, "1.716548040123456789E9", Some(1_716_548_040_123_456_789)),
            (Unit::Seconds, "1716548040123456789e-9", Some(1_716_548_040_123_456_789)),
            (Unit::Seconds, "18446744073.709551615", Some(u64::MAX)),
            (Unit::Seconds, "18446744073.709551616", None),
            (Unit::Seconds, "0.0000000009", Some(0)),
            (Unit::Seconds, "1e-400", Some(0)),
            (Unit::Seconds, "0e9999999999", Some(0)),
            (Unit::Seconds, "1e99999999999999999999", None),
            (Unit::Milliseconds, "1716548040123.456789", Some(1_716_548_040_123_456_789)),
            (Unit::Microseconds, "1716548040123456.789", Some(1_716_548_040_123_456_789)),
            (Unit::Nanoseconds, "18446744073709551615", Some(u64::MAX)),
            (Unit::Nanoseconds, "18446744073709551616", None),
            (Unit::Nanoseconds, "1.50e1", Some(15)),
            (Unit::Nanoseconds, "1.5", None),
            (Unit::Nanoseconds, "-1", None),
            (Unit::Nanoseconds, "", None),
            (Unit::Nanoseconds, ".5", None),
            (Unit::Nanoseconds, "1.5.5", None),
        ] {
            assert_eq!(unit.nanoseconds(text).ok(), expected, "{text} {unit:?}");
        }
        let long = format!("1.{}", "9".repeat(1_000));
        assert_eq!(Unit::Seconds.nanoseconds(&long), Ok(1_999_999_999));
        let zeros = format!("{}7", "0".repeat(1_000));
        assert_eq!(Unit::Nanoseconds.nanoseconds(&zeros), Ok(7));
    }
}

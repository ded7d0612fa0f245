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
    /// unless nanoseconds are the unit.
    pub(super) fn nanoseconds(self, text: &str) -> Result<u64, String> {
        let wrong = || format!("`{text}` is no time: a number from 0, less than 2^64 nanoseconds");
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().map_err(|_| wrong())?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{part}");
        if whole.is_empty() || digits.len() > 40 || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return Err(wrong());
        }
        let decimals = i32::try_from(self.decimals()).expect("few") - part.len() as i32;
        let shift = exponent.checked_add(decimals).ok_or_else(wrong)?;
        let value: u128 = digits.parse().map_err(|_| wrong())?;
        if self == Unit::Nanoseconds && shift < 0 && !value.is_multiple_of(power(-shift)) {
            let reason = format!("`{text}` has parts of a nanosecond; is it in another unit?");
            return Err(format!("{reason} --time-unit us, ms or s says so"));
        }
        let scaled = match shift {
            0.. => value.checked_mul(power(shift)).ok_or_else(wrong)?,
            _ => value / power(-shift),
        };
        u64::try_from(scaled).map_err(|_| wrong())
    }
}

/// Ten to this power, or more than any time.
fn power(exponent: i32) -> u128 {
    10_u128.checked_pow(exponent.unsigned_abs()).unwrap_or(u128::MAX)
}

//! Durations as Go's programs read and write them.

/// Nanoseconds in one of each unit.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    // With the Greek letter.
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Whether the sign is a minus, and the nanoseconds; by the grammar of Go's `time.ParseDuration`.
/// `None` where the text is none, or beyond what Go can hold.
fn parse(text: &str) -> Option<(bool, u64)> {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let negative = text.starts_with('-');
    if rest == "0" {
        return Some((negative, 0));
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
        let (number, after) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, after) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
        let mut part = whole.checked_mul(*size)?;
        let mut scale = *size;
        for digit in fraction.chars() {
            scale /= 10;
            part = part.checked_add(u64::from(digit.to_digit(10)?) * scale)?;
        }
        sum = sum.checked_add(part)?;
        rest = after;
    }
    i64::try_from(sum).ok().map(|_| (negative, sum))
}

/// The length in nanoseconds, below zero where the text says so.
pub fn nanoseconds(text: &str) -> Option<i64> {
    let (negative, nanoseconds) = parse(text)?;
    let nanoseconds = i64::try_from(nanoseconds).ok()?;
    Some(if negative { -nanoseconds } else { nanoseconds })
}

/// Whether Go reads this as a duration.
pub fn is_duration(text: &str) -> bool {
    parse(text).is_some()
}

/// How Go writes it: `90s` is `1m30s` (`Duration.String`).
pub fn canonical(text: &str) -> Option<String> {
    let (negative, nanoseconds) = parse(text)?;
    let sign = if negative && nanoseconds > 0 { "-" } else { "" };
    // The number of units with a fraction of as many digits as it takes.
    let decimal = |value: u64, size: u64| {
        let (whole, rest) = (value / size, value % size);
        let digits = size.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        match fraction.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
    };
    let text = match nanoseconds {
        0 => "0s".to_owned(),
        below if below < 1_000 => format!("{below}ns"),
        below if below < 1_000_000 => format!("{}µs", decimal(below, 1_000)),
        below if below < 1_000_000_000 => format!("{}ms", decimal(below, 1_000_000)),
        more => {
            let minute = 60_000_000_000;
            let seconds = format!("{}s", decimal(more % minute, 1_000_000_000));
            match (more / minute / 60, more / minute % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    };
    Some(format!("{sign}{text}"))
}

#[cfg(test)]
mod tests {
    use super::{canonical, is_duration};

    /// As Go 1.24 prints each of them.
    #[test]
    fn as_go_writes_them() {
        for (text, canonical_text) in [
            ("0", "0s"),
            ("0s", "0s"),
            ("90s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5h", "1h30m0s"),
            ("2500ms", "2.5s"),
            ("1ms", "1ms"),
            ("1.5us", "1.5µs"),
            ("1h0m0.5s", "1h0m0.5s"),
            ("-1.5h", "-1h30m0s"),
            (".5s", "500ms"),
            ("5.s", "5s"),
            ("720h", "720h0m0s"),
            ("7ns", "7ns"),
            ("1000ns", "1µs"),
            ("1000us", "1ms"),
            ("1000ms", "1s"),
            ("-0s", "0s"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(canonical_text), "{text}");
        }
    }

    #[test]
    fn as_go_reads_them() {
        for text in ["", "5", "s", "+", ".", "1d", "1 s", "1..5s", "1.2.3s", ".s", "9999999h"] {
            assert!(!is_duration(text), "{text}");
        }
    }
}

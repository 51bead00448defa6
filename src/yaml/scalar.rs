use serde_json::Number;

use super::Value;

/// What a plain (unquoted) scalar means.
/// Source: <https://yaml.org/spec/1.2.2/#103-core-schema>. Unlike YAML 1.1, `yes` and `on` are
/// words, `010` is ten and `1_000` is a word.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        // Rust's own reader takes the sign and leading zeros just as the schema does.
        let signed = text.parse::<i64>().map(Number::from);
        return signed
            .or_else(|_| text.parse::<u64>().map(Number::from))
            .ok()
            .or_else(|| float(text));
    }
    decimal(unsigned).then(|| float(text)).flatten()
}

fn radix(digits: &str, radix: u32) -> Option<Number> {
    // `from_str_radix` would take a sign, the schema does not.
    let valid = digits.chars().all(|digit| digit.is_digit(radix));
    valid.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Number::from)
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn decimal(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let mantissa = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa && exponent
}

/// `None` where the number is beyond a double: it stays a word, as JSON has no infinity.
fn float(text: &str) -> Option<Number> {
    text.parse().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema() {
        for (text, json) in [
            ("", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("nULL", "\"nULL\""),
            ("True", "true"),
            ("yes", "\"yes\""),
            ("on", "\"on\""),
            ("0", "0"),
            ("010", "10"),
            ("-12", "-12"),
            ("+12", "12"),
            ("0o17", "15"),
            ("0xFf", "255"),
            ("0x", "\"0x\""),
            ("0x-1", "\"0x-1\""),
            ("18446744073709551615", "18446744073709551615"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("1.30", "1.3"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-.5e+3", "-500.0"),
            (".", "\".\""),
            ("-", "\"-\""),
            ("+", "\"+\""),
            ("e3", "\"e3\""),
            ("1e", "\"1e\""),
            ("1e999", "\"1e999\""),
            ("1.37.1", "\"1.37.1\""),
            ("1_000", "\"1_000\""),
            (".inf", "\".inf\""),
            ("12:30", "\"12:30\""),
        ] {
            let node = super::super::Node { start: 0, end: 0, value: resolve(text) };
            assert_eq!(node.to_json().to_string(), json, "{text:?}");
        }
    }
}

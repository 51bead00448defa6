//! Quoting, one filter per syntax. No message repeats the value: it may be a secret.

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};

use crate::document::shell_word;

/// `{{ fail("…") }}`: the template refuses what it was given.
pub(super) fn fail(message: &str) -> Result<Value, Error> {
    Err(refuse(message.to_owned()))
}

/// One word for a POSIX shell, single-quoted where it has to be; each element of a list, with
/// blanks between them.
pub(super) fn sh(value: &Value) -> Result<String, Error> {
    let words: Result<Vec<String>, Error> = each(value)?.iter().map(|text| sh_word(text)).collect();
    Ok(words?.join(" "))
}

fn sh_word(text: &str) -> Result<String, Error> {
    let word = shell_word(text).map(Cow::into_owned);
    word.ok_or_else(|| unusable("a shell word", '\0'))
}

/// One bare token of haproxy, nginx or keepalived, which share no quoting rule: anything that
/// would need quoting in one of them is refused.
pub(super) fn conf(value: &Value) -> Result<String, Error> {
    let text = scalar(value)?;
    if text.is_empty() {
        return Err(refuse("a configuration token is empty".to_owned()));
    }
    let special = |letter: &char| {
        letter.is_whitespace() || letter.is_control() || "'\"\\#;{}$!`".contains(*letter)
    };
    match text.chars().find(special) {
        Some(letter) => Err(unusable("a configuration token", letter)),
        None => Ok(text),
    }
}

/// One word of a value in a systemd unit: `%` doubled, quoted where it has to be
/// (systemd.syntax(7), systemd.unit(5) "Specifiers"). `$` is refused: ExecStart= expands it,
/// Environment= does not.
pub(super) fn systemd(value: &Value) -> Result<String, Error> {
    let text = scalar(value)?;
    if let Some(letter) = text.chars().find(|letter| letter.is_control() || *letter == '$') {
        return Err(unusable("a word of a systemd unit", letter));
    }
    let quote = text.is_empty()
        || text.starts_with([';', '#'])
        || text.contains(|letter: char| letter.is_whitespace() || "'\"\\".contains(letter));
    let text = text.replace('%', "%%");
    if quote {
        return Ok(format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"")));
    }
    Ok(text)
}

/// The elements of a list, or the value itself.
fn each(value: &Value) -> Result<Vec<String>, Error> {
    match value.kind() {
        ValueKind::Seq => value.try_iter()?.map(|item| scalar(&item)).collect(),
        _ => Ok(vec![scalar(value)?]),
    }
}

/// Text, a number or a boolean as text; nothing else has one spelling.
fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        // minijinja 3 spells them as Python does, none of our formats does.
        ValueKind::Bool => Ok(if value.is_true() { "true" } else { "false" }.to_owned()),
        kind => Err(refuse(format!("a value of type {kind} has no text form"))),
    }
}

/// What `{{ value }}` prints: a [`scalar`], or nothing for the missing `else` of an inline `if`.
pub(super) fn print(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(()),
        _ => out.write_str(&scalar(value)?).map_err(Error::from),
    }
}

fn unusable(place: &str, letter: char) -> Error {
    refuse(format!("{place} cannot hold {letter:?}"))
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

#[cfg(test)]
mod tests {
    use super::{Error, Value, conf, sh, systemd};

    fn of(filter: fn(&Value) -> Result<String, Error>, text: &str) -> Option<String> {
        filter(&Value::from(text)).ok()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only a shell knows how a shell reads")]
    fn shell_words_survive_the_shell() {
        for text in
            ["plain-1.0/x:y=z", "", "a b", "it's", "$HOME", "`id`", "a\nb", "*", "~", "=x", "\\"]
        {
            let word = of(sh, text).unwrap();
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {word}")])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
        assert_eq!(of(sh, "a/b.c").unwrap(), "a/b.c");
        assert_eq!(of(sh, "a\0b"), None);
        assert_eq!(sh(&Value::from(vec!["a", "b c"])).unwrap(), "a 'b c'");
    }

    #[test]
    fn a_configuration_token_never_needs_quotes() {
        for good in ["cp1", "10.0.0.1:6443", "/etc/haproxy/ca.crt", "[fd00::1]:6443", "a=b,c"] {
            assert_eq!(of(conf, good).unwrap(), good);
        }
        for bad in ["", "a b", "a\nb", "a;b", "a{", "$x", "a#b", "!x", "\"", "'", "\\", "a\u{a0}b"]
        {
            assert_eq!(of(conf, bad), None, "{bad:?}");
        }
        assert_eq!(conf(&Value::from(6443)).unwrap(), "6443");
    }

    #[test]
    fn a_refused_value_is_not_repeated() {
        let error = conf(&Value::from("hunter2 x")).unwrap_err();
        assert_eq!(error.detail().unwrap(), "a configuration token cannot hold ' '");
    }

    #[test]
    fn unit_words_are_escaped() {
        assert_eq!(of(systemd, "--a=b").unwrap(), "--a=b");
        assert_eq!(of(systemd, "50%").unwrap(), "50%%");
        assert_eq!(of(systemd, "a b\"\\").unwrap(), r#""a b\"\\""#);
        assert_eq!(of(systemd, "").unwrap(), "\"\"");
        assert_eq!(of(systemd, "$x"), None);
        assert_eq!(of(systemd, "a\nb"), None);
    }
}

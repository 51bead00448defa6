//! What looks like a secret, wherever it stands: a key that was put into an inventory by mistake, or
//! a bundle that was given for one, is not repeated on a terminal or in the log of a pipeline.

mod key;
mod password;
mod url;

use std::borrow::Cow;
use std::ops::Range;

/// Says where in a text something stands.
type Finder = fn(&str) -> Vec<Range<usize>>;

/// Base64 of 32 bytes, as a seed is, or a key of 256 bits.
const LENGTH: usize = 44;

/// Whether a text holds what looks like a secret.
pub fn holds_secret(text: &str) -> bool {
    secret_in(text).is_some()
}

/// What looks like a secret in a text, in a few words.
pub fn secret_in(text: &str) -> Option<&'static str> {
    let kinds: [(Finder, &str); 4] = [
        (private_keys, "a private key"),
        (url::logins, "a URL with a password"),
        (password::assigned, "a password or a token"),
        (|text| [words(text), seeds(text)].concat(), "a key of 256 bits, or a seed"),
    ];
    kinds.into_iter().find(|(find, _)| !find(text).is_empty()).map(|(_, kind)| kind)
}

/// Whether a text holds a private key, as it is or in base64 as a kubeconfig has it.
pub fn holds_private_key(text: &str) -> bool {
    !private_keys(text).is_empty()
}

/// The text whose URLs have no name and no password in front of their hosts.
pub fn without_logins(text: &str) -> Cow<'_, str> {
    let mut left = Cow::Borrowed(text);
    for login in url::logins(text).into_iter().rev() {
        // And the `@` behind it.
        left.to_mut().replace_range(login.start..=login.end, "");
    }
    left
}

/// The text with stars for what looks like a secret: private keys, logins in URLs, what is assigned
/// to a password, base64 of 32 bytes, and values of `seed`. Every offset stays right.
pub fn redacted(text: &str) -> Cow<'_, str> {
    redacted_with(text, Vec::new())
}

/// The same with stars at these places as well.
pub fn redacted_with(text: &str, places: Vec<Range<usize>>) -> Cow<'_, str> {
    let mut found = [found(text), places].concat();
    found.sort_by_key(|range| range.start);
    starred(text, found)
}

/// The text with stars for what can be nothing else than a secret: private keys.
pub fn without_private_keys(text: &str) -> Cow<'_, str> {
    starred(text, private_keys(text))
}

fn starred(text: &str, found: Vec<Range<usize>>) -> Cow<'_, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut hidden = String::with_capacity(text.len());
    let mut shown = 0;
    for range in found {
        // They overlap where a seed is quoted in a key's own lines.
        let start = range.start.max(shown);
        let end = range.end.max(start);
        hidden += &text[shown..start];
        hidden.extend(text[start..end].chars().map(star));
        shown = end;
    }
    hidden += &text[shown..];
    Cow::Owned(hidden)
}

/// As long in bytes as what it hides. What gives a text its form is shown.
fn star(c: char) -> char {
    match c.len_utf8() {
        1 if c.is_ascii_graphic() && !"\"'{}[],:".contains(c) => '*',
        2 => '·',
        3 => '…',
        4 => '🔒',
        _ => c,
    }
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// Where secrets stand, in the order of the text.
fn found(text: &str) -> Vec<Range<usize>> {
    let mut found =
        [private_keys(text), url::logins(text), password::assigned(text), words(text), seeds(text)]
            .concat();
    found.sort_by_key(|range| range.start);
    found
}

/// Where private keys stand, in the order of the text.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut keys = key::all(text);
    keys.sort_by_key(|range| range.start);
    keys
}

/// Runs of base64 that are as long as 32 bytes are.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        if is_base64(c) {
            continue;
        }
        let word = &text[start..at];
        let padded = word.len() == LENGTH && word.find('=') == Some(LENGTH - 1);
        if padded && !ends_public(&text[at..]) {
            words.push(start..at);
        }
        start = at + c.len_utf8();
    }
    words
}

/// Whether this follows what PEM has for everybody: the last line of a certificate may be as long.
fn ends_public(after: &str) -> bool {
    let end = after.trim_start().lines().next().and_then(|line| line.strip_prefix("-----END "));
    end.is_some_and(|label| !label.contains("PRIVATE KEY"))
}

/// The rest of lines that begin with `seed:`.
fn seeds(text: &str) -> Vec<Range<usize>> {
    let mut seeds = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let key = line.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let value = key.strip_prefix("seed").map(|rest| rest.trim_start_matches(['"', '\'', ' ']));
        if let Some(value) = value.and_then(|rest| rest.strip_prefix(':'))
            && !value.trim().is_empty()
        {
            seeds.push(start + line.len() - value.len()..start + line.len());
        }
        start += line.len();
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_hidden_in_its_place() {
        for (text, shown) in [
            ("seed: hunter2!\nvip: 1\n", "seed: ********\nvip: 1\n"),
            ("seed: pässwort €🔑\n", "seed: *·****** …🔒\n"),
            ("{\"seed\": \"x\", \"b\": 1}", "{\"seed\": \"*\", \"*\": *}"),
            (
                "a: é BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
                "a: é ********************************************\n",
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\n  MHc\n  =\n-----END EC PRIVATE KEY-----\nb",
                "-----BEGIN EC PRIVATE KEY-----\n  ***\n  *\n-----END EC PRIVATE KEY-----\nb",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMHc\n", "-----BEGIN PRIVATE KEY-----\n***\n"),
            // Of `-----BEGIN RSA PRIVATE KEY-----`.
            (
                "k: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo=\n",
                "k: ********************************************\n",
            ),
        ] {
            assert_eq!(redacted(text), shown);
            assert_eq!(redacted(text).len(), text.len(), "an offset would be wrong");
        }
    }

    /// Quadratic time would be hours.
    #[test]
    fn a_text_of_nothing_but_beginnings_costs_no_more_than_its_length() {
        for beginning in [
            "PRIVATE KEY ",
            "AGE-SECRET-KEY-1",
            "PuTTY-User-Key-File-Private-Lines:",
            "http://",
            "://a:b",
            "a:b@",
            "token=",
            "password=$",
            "auth=",
            "\"token\":",
        ] {
            let text = beginning.repeat(40_000);
            assert_eq!(redacted(&text).len(), text.len());
        }
    }

    #[test]
    fn everything_else_is_shown() {
        for text in [
            "sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n-----END CERTIFICATE-----\n",
            // Of `-----BEGIN CERTIFICATE-----`.
            "certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\n",
            "seed:\n  a: 1\nseedlings: 2\n",
            "expected a PRIVATE KEY----- here",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=x9Zq\n-----END PGP PUBLIC KEY BLOCK-----\n",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}

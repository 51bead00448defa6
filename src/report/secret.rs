//! What looks like a secret, wherever it stands: a key that was put into an inventory by mistake, or
//! a bundle that was given for one, is not repeated on a terminal or in the log of a pipeline.

use std::borrow::Cow;
use std::ops::Range;

/// Base64 of 32 bytes, as a seed is, or a key of 256 bits.
const LENGTH: usize = 44;

/// Whether a text holds what looks like a secret.
pub fn holds_secret(text: &str) -> bool {
    !found(text).is_empty()
}

/// Whether a text holds a private key in PEM, as it is or in base64 as a kubeconfig has it.
pub fn holds_private_key(text: &str) -> bool {
    !private_keys(text).is_empty()
}

/// The text with stars for what looks like a secret: bodies of private keys in PEM, base64 of 32
/// bytes, and values of `seed`. Every offset stays right.
pub fn redacted(text: &str) -> Cow<'_, str> {
    starred(text, found(text))
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
        hidden.extend(text[start..end].chars().map(|c| if is_base64(c) { '*' } else { c }));
        shown = end;
    }
    hidden += &text[shown..];
    Cow::Owned(hidden)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// Where secrets stand, in the order of the text.
fn found(text: &str) -> Vec<Range<usize>> {
    let mut found = [private_keys(text), words(text), seeds(text)].concat();
    found.sort_by_key(|range| range.start);
    found
}

/// Where private keys stand, in the order of the text.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut keys = [pem_bodies(text), encoded(text)].concat();
    keys.sort_by_key(|range| range.start);
    keys
}

/// Runs of base64 that begin as PEM does and name a private key.
fn encoded(text: &str) -> Vec<Range<usize>> {
    /// Of `-----BEGIN `.
    const BEGIN: &str = "LS0tLS1CRUdJTi";
    /// Of `PRIVATE KEY` and dashes, after any number of letters: by three, or one or two more.
    const LABELS: [&str; 3] = ["UFJJVkFURSBLRVkt", "SVZBVEUgS0VZ", "UklWQVRFIEtFWS0t"];
    let begun = text.match_indices(BEGIN).map(|(start, _)| {
        let length = text[start..].find(|c| !is_base64(c));
        start..length.map_or(text.len(), |length| start + length)
    });
    begun.filter(|run| LABELS.iter().any(|label| text[run.clone()].contains(label))).collect()
}

/// From the end of `-----BEGIN … PRIVATE KEY-----` to the next dashes, or to the end of a key that
/// is cut off.
fn pem_bodies(text: &str) -> Vec<Range<usize>> {
    const LABEL: &str = "PRIVATE KEY-----";
    let labels = text.match_indices(LABEL).map(|(at, _)| at);
    let begun = labels.filter(|at| {
        let line = text[..*at].rfind("-----").map_or("", |dashes| &text[dashes..*at]);
        line.starts_with("-----BEGIN ")
    });
    begun
        .map(|at| {
            let start = at + LABEL.len();
            let body = &text[start..];
            start..start + body.find("-----").unwrap_or(body.len())
        })
        .filter(|body| !body.is_empty())
        .collect()
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
            ("seed: hunter2!\nvip: 1\n", "seed: *******!\nvip: 1\n"),
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

    #[test]
    fn a_private_key_is_known_in_base64_by_any_label() {
        for data in [
            "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1IYwo=",
            "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IYwo=",
            "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSGMK",
            "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0KTUhjCg==",
            "LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRVktLS0tLQpNSGMK",
        ] {
            let line = format!("client-key-data: {data}\n");
            assert!(holds_private_key(&line), "{data}");
            assert!(!without_private_keys(&line).contains("LS0t"), "{data}");
        }
        for text in ["BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "seed: x", "PRIVATE KEY-----"]
        {
            assert!(!holds_private_key(text));
            assert_eq!(without_private_keys(text), text);
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
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}

//! Private keys: in PEM and what looks like it, in base64 of that, and those of age and PuTTY.

use std::ops::Range;

use super::is_base64;

/// Where private keys stand, in no order.
pub(super) fn all(text: &str) -> Vec<Range<usize>> {
    [pem_bodies(text), encoded(text), of_putty(text), of_age(text)].concat()
}

/// Runs of base64 that begin as PEM does and name a private key.
fn encoded(text: &str) -> Vec<Range<usize>> {
    /// Of `-----BEGIN `.
    const BEGIN: &str = "LS0tLS1CRUdJTi";
    /// Of `PRIVATE KEY`, after any number of letters: by three, or one or two more.
    const LABELS: [&str; 3] = ["UFJJVkFURSBLRVk", "SVZBVEUgS0VZ", "UklWQVRFIEtFWS"];
    let begun = text.match_indices(BEGIN).map(|(start, _)| {
        let length = text[start..].find(|c| !is_base64(c));
        start..length.map_or(text.len(), |length| start + length)
    });
    begun.filter(|run| LABELS.iter().any(|label| text[run.clone()].contains(label))).collect()
}

/// From the end of `-----BEGIN … PRIVATE KEY-----`, which OpenPGP writes with one word more, to the
/// next dashes, or to the end of a key that is cut off.
fn pem_bodies(text: &str) -> Vec<Range<usize>> {
    const LABEL: &str = "PRIVATE KEY";
    let labels = text.match_indices(LABEL).filter_map(|(at, _)| {
        let after = &text[at + LABEL.len()..];
        let body = after.strip_prefix(" BLOCK").unwrap_or(after).strip_prefix("-----")?;
        let line = &text[text[..at].rfind("-----")?..at];
        line.starts_with("-----BEGIN ").then(|| text.len() - body.len())
    });
    labels
        .map(|start| start..start + text[start..].find("-----").unwrap_or(text.len() - start))
        .filter(|body| !body.is_empty())
        .collect()
}

/// The private lines of a key of PuTTY's.
/// Source: <https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html>.
fn of_putty(text: &str) -> Vec<Range<usize>> {
    const BEGIN: &str = "Private-Lines:";
    if !text.contains("PuTTY-User-Key-File-") {
        return Vec::new();
    }
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices(BEGIN) {
        let start = at + BEGIN.len();
        if found.last().is_none_or(|last| start > last.end) {
            let length = text[start..].find("Private-MAC");
            found.push(start..length.map_or(text.len(), |length| start + length));
        }
    }
    found
}

/// The key that a file of age's or of SOPS' is opened with: letters and digits of Bech32.
/// Source: <https://age-encryption.org/v1>.
fn of_age(text: &str) -> Vec<Range<usize>> {
    const BEGIN: [&str; 2] = ["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"];
    let begun = BEGIN
        .iter()
        .flat_map(|begin| text.match_indices(begin).map(|(at, begin)| at + begin.len()));
    begun
        .map(|start| {
            let length = text[start..].find(|c: char| !c.is_ascii_alphanumeric());
            start..length.map_or(text.len(), |length| start + length)
        })
        // Not where somebody writes of such keys.
        .filter(|key| key.len() >= 16)
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::report::{holds_private_key, without_private_keys};

    #[test]
    fn a_private_key_is_known_in_base64_by_any_label() {
        for data in [
            "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1IYwo=",
            "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk1IYwo=",
            "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQpNSGMK",
            "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0KTUhjCg==",
            "LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURSBLRVktLS0tLQpNSGMK",
            "LS0tLS1CRUdJTiBQR1AgUFJJVkFURSBLRVkgQkxPQ0stLS0tLQpsUU9ZCg==",
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
    fn a_private_key_is_known_in_the_form_of_any_program() {
        let age = format!("AGE-SECRET-KEY-PQ-1{}", "Q9".repeat(29));
        for (key, shown) in [
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n=aB1c\n-----END PGP PRIVATE KEY BLOCK-----\n",
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n****\n*****\n-----END PGP PRIVATE KEY BLOCK-----\n",
            ),
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOY",
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n****",
            ),
            (
                "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAAIA==\nPrivate-MAC: ab\n",
                "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: *\n********\nPrivate-MAC: ab\n",
            ),
            (&age, &format!("AGE-SECRET-KEY-PQ-1{}", "*".repeat(58))),
        ] {
            assert!(holds_private_key(key), "{key}");
            assert_eq!(without_private_keys(key), shown);
        }
        for text in ["AGE-SECRET-KEY-1…", "PRIVATE KEY BLOCK-----", "Private-Lines: 1\nAAAA\n"] {
            assert!(!holds_private_key(text), "{text}");
        }
    }
}

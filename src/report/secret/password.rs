//! Passwords and tokens, told by the name that they are assigned to.

use std::ops::Range;

use base64ct::{Base64, Encoding};

/// What `PASSWORD=` or `token: ` is said to be, in an environment, an INI file, YAML or JSON.
pub(super) fn assigned(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut seen = 0;
    for (at, sign) in text.match_indices(['=', ':']) {
        // What is a value holds no name, and is looked through once.
        let Some((before, name)) = name(&text[..at]).filter(|_| at >= seen) else { continue };
        let Some(kind) = Kind::of(name) else { continue };
        let after = &text[at + sign.len()..];
        let rest = after.trim_start_matches([' ', '\t']);
        let value = match sign {
            "=" => value(before, rest, |c| c.is_whitespace()),
            // Elsewhere a colon is one of a sentence.
            _ if is_key(before) && (rest.len() < after.len() || before.ends_with(QUOTES)) => {
                value("", rest, |c| matches!(c, '\n' | ',' | '}'))
            }
            _ => continue,
        };
        let start = text.len() - rest.trim_start_matches(QUOTES).len();
        seen = start + value.len();
        if kind.is_secret(value) {
            found.push(start..seen);
        }
    }
    found
}

const QUOTES: [char; 2] = ['"', '\''];

/// The name at the end of a text, and what stands before it.
fn name(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_end_matches([' ', '"', '\'']);
    let before = text.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c));
    Some((before, &text[before.len()..]))
        .filter(|(_, name)| !name.is_empty() && !before.ends_with('$'))
}

/// Whether what follows this is a key of YAML or JSON.
fn is_key(before: &str) -> bool {
    let before = before.trim_end_matches(['"', '\'', ' ', '\t']);
    before.is_empty() || before.ends_with(['\n', '{', ',', '-'])
}

/// A value up to its own closing quote, that of the whole assignment, or what ends it without one.
fn value<'a>(before: &str, rest: &'a str, ends: fn(char) -> bool) -> &'a str {
    let quote = |text: &str, at_end: bool| {
        QUOTES.into_iter().find(|quote| match at_end {
            true => text.ends_with(*quote),
            false => text.starts_with(*quote),
        })
    };
    let own = quote(rest, false);
    let rest = rest.trim_start_matches(QUOTES);
    let end = match own.or_else(|| quote(before, true)) {
        Some(quote) => rest.find([quote, '\n']),
        None => rest.find(ends),
    };
    rest[..end.unwrap_or(rest.len())].trim_end()
}

/// Names of passwords end so, without dashes and the like.
const PASSWORDS: [&str; 8] = [
    "apikey",
    "clientsecret",
    "identitytoken",
    "passphrase",
    "passwd",
    "password",
    "secretaccesskey",
    "secretkey",
];

/// A shorter value of `token` is a word, such as the `simple` of etcd.
const TOKEN: usize = 16;

/// What a name says of a value.
enum Kind {
    Password,
    Token,
    /// As docker logs in.
    Login,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let plain = name.chars().filter(char::is_ascii_alphanumeric);
        let name: String = plain.map(|c| c.to_ascii_lowercase()).collect();
        match name.as_str() {
            "auth" => Some(Self::Login),
            name if PASSWORDS.iter().any(|password| name.ends_with(password)) => {
                Some(Self::Password)
            }
            name => name.ends_with("token").then_some(Self::Token),
        }
    }

    fn is_secret(&self, value: &str) -> bool {
        // Paths, and what a shell or a template puts there; signs of YAML.
        let elsewhere = value.is_empty() || value.starts_with(|c: char| "$%{[(</|>&=".contains(c));
        let words = ["true", "false", "null", "none", "~"];
        let word = words.iter().any(|word| word.eq_ignore_ascii_case(value));
        let fits = match self {
            Self::Password => true,
            Self::Token => value.len() >= TOKEN,
            Self::Login => Base64::decode_vec(value).is_ok_and(|login| login.contains(&b':')),
        };
        fits && !elsewhere && !word
    }
}

#[cfg(test)]
mod tests {
    use crate::report::{holds_secret, redacted};

    #[test]
    fn what_is_assigned_to_a_password_is_hidden() {
        for (text, shown) in [
            ("AWS_SECRET_ACCESS_KEY=wJal/x", "AWS_SECRET_ACCESS_KEY=******"),
            ("\"DB_PASSWORD=two words\" A=b", "\"DB_PASSWORD=*** *****\" A=b"),
            ("password = 'it'\nx = 1\n", "password = '**'\nx = 1\n"),
            ("- user: {password: pw, name: b}\n", "- user: {password: **, name: b}\n"),
            (
                "  user:\n    token: abcdef.0123456789abcdef\n",
                "  user:\n    token: ***********************\n",
            ),
            ("{\"password\":\"a, b\",\"c\":1}", "{\"password\":\"*, *\",\"c\":1}"),
            ("{\"auth\": \"dXNlcjpwYXNz\"}", "{\"auth\": \"************\"}"),
        ] {
            assert_eq!(redacted(text), shown);
            assert!(holds_secret(text), "{text}");
        }
    }

    #[test]
    fn what_only_names_a_password_is_shown() {
        for text in [
            "http://x:1/a@b http://[::1]:80/ ssh://git@x/y mailto:a@b http://$USER:$PASS@x",
            "see http://x:8080, or ask a@b",
            "auth-token: simple\nautomountServiceAccountToken: false\n",
            "passwordFile: /etc/x\npassword: ${PW}\npassword:\n  a: 1\n",
            "# The password: ask the admin\n",
            "tokenFile=/etc/x --password-file=x [ \"$password\" = x ]",
            "acct:a@b sip:a@b root@x:/etc a: b@c a:$B@c",
            "auth: required\nimage: repo:tag@sha256:0\n",
            "if password == x",
        ] {
            assert_eq!(redacted(text), text);
            assert!(!holds_secret(text), "{text}");
        }
    }
}

//! Passwords and tokens, told by what stands before them: a name that says so, or the scheme of a URL.

use std::ops::Range;

use base64ct::{Base64, Encoding};

/// What a URL has in front of its host (RFC 3986, section 3.2.1): a name with a password. http has no
/// use for a name alone, and there that is a token.
pub(super) fn in_urls(text: &str) -> Vec<Range<usize>> {
    let schemes = text.match_indices("://").map(|(at, mark)| (&text[..at], at + mark.len()));
    schemes
        .filter_map(|(before, start)| {
            let login = login(&text[start..])?;
            let password = login.split_once(':').map(|(_, password)| password);
            let http = before.ends_with("http") || before.ends_with("https");
            // What a program puts in later is none.
            let secret = password.map_or(http && !login.starts_with('$'), |password| {
                !password.is_empty() && !password.starts_with('$')
            });
            secret.then(|| start..start + login.len())
        })
        .collect()
}

/// What stands in front of the `@`, if that is in front of the host.
fn login(rest: &str) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"`<>".contains(c);
    let url = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    let end = authority.rfind('@').or_else(|| {
        // A password with a slash that nobody has escaped: no port has letters.
        let (_, port) = authority.rsplit_once(':').filter(|_| !authority.ends_with(']'))?;
        port.bytes().any(|byte| !byte.is_ascii_digit()).then(|| url.rfind('@')).flatten()
    })?;
    Some(&url[..end]).filter(|login| !login.is_empty())
}

/// What `PASSWORD=` or `token: ` is said to be, in an environment, an INI file, YAML or JSON.
pub(super) fn assigned(text: &str) -> Vec<Range<usize>> {
    let signs = text.match_indices(['=', ':']);
    signs
        .filter_map(|(at, sign)| {
            let (before, name) = name(&text[..at])?;
            let after = &text[at + sign.len()..];
            let rest = after.trim_start_matches([' ', '\t']);
            let value = match sign {
                "=" => value(before, rest, |c| c.is_whitespace()),
                // Elsewhere a colon is one of a sentence.
                _ if is_key(before) && (rest.len() < after.len() || before.ends_with(QUOTES)) => {
                    value("", rest, |c| matches!(c, '\n' | ',' | '}'))
                }
                _ => return None,
            };
            let start =
                text.len() - rest.len() + (rest.len() - rest.trim_start_matches(QUOTES).len());
            is_secret(name, value).then(|| start..start + value.len())
        })
        .collect()
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
    "passphrase",
    "passwd",
    "password",
    "secretaccesskey",
    "secretkey",
    "identitytoken",
];

/// A shorter value of `token` is a word, such as the `simple` of etcd.
const TOKEN: usize = 16;

fn is_secret(name: &str, value: &str) -> bool {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    // Paths, and what a shell or a template puts there; signs of YAML.
    let elsewhere = value.is_empty() || value.starts_with(|c: char| "$%{[(</|>&=".contains(c));
    let word =
        ["true", "false", "null", "none", "~"].contains(&value.to_ascii_lowercase().as_str());
    if elsewhere || word {
        return false;
    }
    PASSWORDS.iter().any(|password| name.ends_with(password))
        || (name.ends_with("token") && value.len() >= TOKEN)
        // As docker logs in.
        || (name == "auth" && Base64::decode_vec(value).is_ok_and(|login| login.contains(&b':')))
}

#[cfg(test)]
mod tests {
    use crate::report::{holds_secret, redacted};

    #[test]
    fn a_login_in_a_url_is_hidden() {
        for (text, shown) in [
            ("a: http://bob:hunter2pw@x:1/y\n", "a: http://***:*********@x:1/y\n"),
            ("\"https://ghp_0123@x\"", "\"https://********@x\""),
            ("socks5://bob:p@ss@x", "socks5://***:****@x"),
            ("http://bob:pa/ss@x", "http://***:*****@x"),
            ("http://b:é€@[::1]:1", "http://*:·…@[::1]:1"),
            ("two http://a:b@c, http://d:e@f", "two http://*:*@c, http://*:*@f"),
        ] {
            assert_eq!(redacted(text), shown);
            assert!(holds_secret(text), "{text}");
        }
    }

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
            "auth: required\nimage: repo:tag@sha256:0\n",
            "if password == x",
        ] {
            assert_eq!(redacted(text), text);
            assert!(!holds_secret(text), "{text}");
        }
    }
}

//! Logins in URLs. All of it takes a time that grows with the text alone, whatever somebody wrote.

use std::cmp::Reverse;
use std::ops::Range;

/// What a URL has in front of its host (RFC 3986, section 3.2.1): a name with a password. http has no
/// use for a name alone, and there that is a token.
pub(super) fn logins(text: &str) -> Vec<Range<usize>> {
    let mut found = behind_schemes(text);
    found.extend(alone(text));
    found.sort_by_key(|login| (login.start, Reverse(login.end)));
    // The same login is found in two ways, and with an `@` of its own to different ends.
    let mut end = 0;
    found.retain(|login| {
        let apart = login.start >= end;
        end = end.max(login.end);
        apart
    });
    found
}

fn behind_schemes(text: &str) -> Vec<Range<usize>> {
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

/// `name:password@host` without a scheme, as curl takes it for a proxy; no address of another scheme,
/// and no digest of an image.
fn alone(text: &str) -> impl Iterator<Item = Range<usize>> {
    let begins = |c: char| c.is_whitespace() || "\"'`<>,=([{/@".contains(c);
    text.match_indices('@').filter_map(move |(end, _)| {
        let (before, host) = (&text[..end], &text[end + 1..]);
        let login = before.rsplit(begins).next()?;
        let (name, password) = login.split_once(':')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let other = ["", "mailto", "sip", "acct", "xmpp"].contains(&name)
            || ["sha256:", "sha512:"].iter().any(|digest| host.starts_with(digest))
            || !host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
        let login = name.chars().all(plain) && !password.is_empty() && !password.starts_with('$');
        (login && !other).then(|| end - name.len() - 1 - password.len()..end)
    })
}

/// What stands in front of the `@`, if that is in front of the host.
fn login(rest: &str) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"`<>".contains(c);
    // No further than the next URL begins.
    let url = &rest[..rest.find("://").unwrap_or(rest.len())];
    let url = &url[..url.find(ends).unwrap_or(url.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    let end = authority.rfind('@').or_else(|| {
        // A password with a slash that nobody has escaped: no port has letters.
        let (_, port) = authority.rsplit_once(':').filter(|_| !authority.ends_with(']'))?;
        port.bytes().any(|byte| !byte.is_ascii_digit()).then(|| url.rfind('@')).flatten()
    })?;
    Some(&url[..end]).filter(|login| !login.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::report::{holds_secret, redacted, without_logins};

    #[test]
    fn a_login_in_a_url_is_hidden() {
        for (text, shown) in [
            ("a: http://bob:hunter2pw@x:1/y\n", "a: http://***:*********@x:1/y\n"),
            ("\"https://ghp_0123@x\"", "\"https://********@x\""),
            ("socks5://bob:p@ss@x", "socks5://***:****@x"),
            ("https: bob:hunter2pw@x:3128", "https: ***:*********@x:3128"),
            ("http://bob:pa/ss@x", "http://***:*****@x"),
            ("http://b:é€@[::1]:1", "http://*:·…@[::1]:1"),
            ("two http://a:b@c, http://d:e@f", "two http://*:*@c, http://*:*@f"),
        ] {
            assert_eq!(redacted(text), shown);
            assert!(holds_secret(text), "{text}");
        }
    }

    #[test]
    fn a_url_is_left_whole_without_its_login() {
        for (text, left) in [
            ("http://bob:p@ss@x:1/y", "http://x:1/y"),
            ("http://bob:pa/ss@x", "http://x"),
            ("a:b@c d:e@f http://x", "c f http://x"),
            ("b:\u{a0}p@é@x", "b:\u{a0}p@é@x"),
        ] {
            assert_eq!(without_logins(text), left, "{text}");
        }
    }
}

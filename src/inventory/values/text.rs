use std::fmt;

use super::value;

/// A DNS-1123 label: lower-case letters, digits and inner hyphens, at most 63 characters.
pub(super) fn is_dns_1123_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A DNS-1123 subdomain: labels joined by dots, at most 253 characters.
pub(super) fn is_dns_1123_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_1123_label)
}

/// `localhost` and what is below it (RFC 6761, section 6.3), and what distributions write beside it
/// in `/etc/hosts`.
fn is_loopback_name(text: &str) -> bool {
    let (first, last) = (text.split('.').next(), text.rsplit('.').next());
    last == Some("localhost")
        || matches!(
            first,
            Some("localhost" | "localhost4" | "localhost6" | "ip6-localhost" | "ip6-loopback")
        )
}

value! {
    /// A cluster's name: a DNS-1123 label, since it becomes a file name, a kubeconfig context and
    /// etcd's cluster token.
    ClusterName, "hagen-cluster-name", ["production"], |text| {
        if is_dns_1123_label(text) {
            Ok(text.to_owned())
        } else {
            Err("lower-case letters, digits and inner hyphens, at most 63".into())
        }
    }
}

value! {
    /// A Kubernetes node name, which is a host name as well (DNS-1123 subdomain). At most 52
    /// characters: with `system:node:` in front it is an X.509 common name, of which RFC 5280
    /// allows 64 (ub-common-name).
    NodeName, "hagen-node-name", ["cp1"], |text| {
        if is_loopback_name(text) {
            return Err("the host name of one machine; this is what each calls itself".into());
        }
        if is_dns_1123_subdomain(text) && text.len() <= 52 && text.parse::<std::net::IpAddr>().is_err() {
            Ok(text.to_owned())
        } else {
            Err("a lower-case host name of at most 52 characters, such as k8s-master90".into())
        }
    }
}

value! {
    /// A user or group name of the host.
    OwnerName, "hagen-owner", ["root"], |text| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if starts && text.len() <= 32 && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("a user or group name such as root".into())
        }
    }
}

value! {
    /// An absolute path without `.`, `..`, doubled slashes, blanks or shell characters, of at most
    /// 1024 characters, and 255 in each name (Linux's `NAME_MAX`).
    AbsolutePath, "hagen-absolute-path", ["/etc/motd"], |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+@/:".contains(&b);
        let parts_ok = text.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255)
        });
        if parts_ok && text.len() <= 1024 && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("an absolute path without `..`, doubled slashes, blanks or very long names".into())
        }
    }
}

value! {
    /// Permission bits of a file that is not for everybody, as quoted octal.
    PrivateFileMode(u32), "hagen-private-file-mode", ["0600"], |text| {
        match text.parse::<FileMode>() {
            Ok(mode) if mode.get() & 0o7007 == 0 => Ok(*mode.get()),
            _ => Err("four octal digits in quotes that give others nothing, such as \"0600\"".into()),
        }
    }
}

value! {
    /// The name of a file that the secrets bundle holds.
    SecretName, "hagen-secret-name", ["encryption"], |text| {
        if is_dns_1123_subdomain(text) && text.len() <= 63 {
            Ok(text.to_owned())
        } else {
            Err("at most 63 small letters, digits, `-` and `.`, such as encryption".into())
        }
    }
}

value! {
    /// Permission bits as quoted octal; others than owner and group never write.
    FileMode(u32), "hagen-file-mode", ["0644"], |text| {
        const OTHERS_WRITE: u32 = 0o002;
        let digits = text.len() == 4 && text.starts_with('0') && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        if digits {
            let mode = u32::from_str_radix(text, 8).map_err(|error| error.to_string())?;
            if mode & OTHERS_WRITE != 0 {
                return Err("a mode that lets not everybody write, such as \"0644\"".into());
            }
            Ok(mode)
        } else {
            Err("four octal digits in quotes, such as \"0644\"".into())
        }
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.get())
    }
}

impl fmt::Display for PrivateFileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.get())
    }
}

/// Whether a template's author forgot to render this.
fn is_unfilled(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

value! {
    /// A command-line flag's name without its dashes.
    FlagName, "hagen-flag-name", ["audit-log-maxage"], |text| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !text.is_empty() && text.len() <= 100 && !text.starts_with('-') && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("a flag's name without dashes in front, such as audit-log-maxage".into())
        }
    }
}

value! {
    /// A flag's value: printable, one line, without blanks at its ends, quotes, backslashes, `$`,
    /// backquotes and what people are meant to fill in (`<…>`, `{{`, `{%`).
    FlagValue, "hagen-flag-value", ["30"], |text| {
        let plain = |c: char| !c.is_control() && !"\"'\\$`<>".contains(c);
        let trimmed = text.trim() == text;
        if trimmed && text.len() <= 4096 && text.chars().all(plain) && !is_unfilled(text) {
            Ok(text.to_owned())
        } else {
            Err("one line without blanks at its ends, quotes, backslashes, `$`, backquotes, `<`, `>`, `{{` or `{%`".into())
        }
    }
}

value! {
    /// The name of a preflight check of kubeadm, of which case does not count.
    PreflightCheck, "hagen-preflight-check", ["SystemVerification", "Port-6443"], |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if !text.is_empty() && text.len() <= 253 && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("a check's name such as SystemVerification".into())
        }
    }
}

value! {
    /// A kernel setting's name, with dots or slashes between its parts as sysctl(8) has it.
    SysctlKey, "hagen-sysctl-key", ["vm.swappiness", "net/ipv4/conf/eth0.100/rp_filter"], |text| {
        let part_ok = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
        };
        // In front, `-` would be an order to ignore errors.
        if text.len() <= 253 && !text.starts_with('-') && text.contains(['.', '/']) && text.split(['.', '/']).all(part_ok) {
            Ok(text.to_owned())
        } else {
            Err("a kernel setting's name such as vm.swappiness".into())
        }
    }
}

value! {
    /// A kernel setting's value: one line of ASCII, without blanks at its ends, `#` or `;` in
    /// front, and without quotes, backslashes, `$`, backquotes and what people are meant to fill
    /// in (`<…>`, `{{`, `{%`).
    SysctlValue, "hagen-sysctl-value", ["10", "4096 87380 6291456"], |text| {
        let plain = |c: char| c == '\t' || (matches!(c, ' '..='~') && !"\"'\\$`<>".contains(c));
        let trimmed = text.trim() == text && !text.is_empty() && !text.starts_with(['#', ';']);
        if trimmed && text.len() <= 1024 && text.chars().all(plain) && !is_unfilled(text) {
            Ok(text.to_owned())
        } else {
            Err("one line in quotes, such as \"10\", without special characters of a shell".into())
        }
    }
}

value! {
    /// A kernel module's name.
    ModuleName, "hagen-module", ["ip_vs", "nf_conntrack"], |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        if !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("a kernel module's name such as ip_vs".into())
        }
    }
}

value! {
    /// A systemd unit's name.
    UnitName, "hagen-unit", ["haproxy.service", "etcd-backup.timer"], |text| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b":-_.@".contains(&b);
        if !text.is_empty() && text.len() <= 255 && !text.starts_with(['.', '-']) && text.bytes().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("a unit's name such as haproxy.service".into())
        }
    }
}

value! {
    /// The name of a setting in a unit file.
    DirectiveName, "hagen-directive", ["LimitNOFILE"], |text| {
        let starts = text.starts_with(|c: char| c.is_ascii_uppercase());
        if starts && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Ok(text.to_owned())
        } else {
            Err("a setting's name such as LimitNOFILE".into())
        }
    }
}

value! {
    /// The value of a setting in a unit file, in systemd's own syntax (quotes, `%` and `$`
    /// included): one line, without blanks at its ends. A backslash at the end would join the
    /// next line to it.
    DirectiveValue, "hagen-directive-value", ["1048576", "HTTP_PROXY=http://10.0.0.1:3128", ""], |text| {
        let plain = |c: char| c == '\t' || !c.is_control();
        let whole = text.trim() == text && !text.ends_with('\\');
        if whole && text.len() <= 4096 && text.chars().all(plain) {
            Ok(text.to_owned())
        } else {
            Err("one line in quotes, such as \"1048576\", without a backslash at its end".into())
        }
    }
}

/// A port's digits alone: Rust's reader would take a sign and zeros in front.
pub(super) fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0 && port.to_string() == text)
}

value! {
    /// A label's key, with an optional DNS prefix.
    LabelKey, "hagen-label-key", ["example.com/rack"], |text| {
        if is_label_key(text) {
            Ok(text.to_owned())
        } else {
            Err("a label key such as example.com/rack".into())
        }
    }
}

value! {
    /// A label's value: at most 63 letters, digits, `-`, `_`, `.`.
    LabelValue, "hagen-label-value", ["r1"], |text| {
        if text.is_empty() || is_name(text) {
            Ok(text.to_owned())
        } else {
            Err("at most 63 letters, digits, `-`, `_` or `.`".into())
        }
    }
}

fn is_name(text: &str) -> bool {
    let edge = |c: char| c.is_ascii_alphanumeric();
    !text.is_empty()
        && text.len() <= 63
        && text.starts_with(edge)
        && text.ends_with(edge)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_1123_subdomain(prefix) && is_name(name),
        None => is_name(text),
    }
}

value! {
    /// A taint: `key=value:Effect` or `key:Effect`.
    Taint, "hagen-taint", ["example.com/dedicated=storage:NoSchedule"], |text| {
        let expected = || "key=value:NoSchedule, or PreferNoSchedule, or NoExecute".to_owned();
        let (pair, effect) = text.rsplit_once(':').ok_or_else(expected)?;
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let effect_ok = matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute");
        if effect_ok && is_label_key(key) && (value.is_empty() || is_name(value)) {
            Ok(text.to_owned())
        } else {
            Err(expected())
        }
    }
}

impl Taint {
    /// Key, value and effect.
    pub fn parts(&self) -> (&str, &str, &str) {
        let (pair, effect) = self.as_str().rsplit_once(':').unwrap_or((self.as_str(), ""));
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key, value, effect)
    }
}

value! {
    /// A length of time in one unit: `500ms`, `1s`, `10m`, `4h`.
    Duration(u64), "hagen-duration", ["500ms", "4h"], |text| {
        let expected = || "a time such as 500ms, 1s, 10m or 4h".to_owned();
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().map_err(|_| expected())?;
        let scale = match &text[digits.len()..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(expected()),
        };
        match number.checked_mul(scale) {
            // A year is more than any timeout; it also keeps sums far from overflowing.
            Some(millis) if (1..=366 * 24 * 3_600_000).contains(&millis) => Ok(millis),
            _ => Err("a time above zero and of at most a year".into()),
        }
    }
}

impl Duration {
    /// Milliseconds.
    pub fn millis(&self) -> u64 {
        *self.get()
    }

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.millis();
        match millis {
            _ if millis.is_multiple_of(3_600_000) => write!(f, "{}h", millis / 3_600_000),
            _ if millis.is_multiple_of(60_000) => write!(f, "{}m", millis / 60_000),
            _ if millis.is_multiple_of(1_000) => write!(f, "{}s", millis / 1_000),
            _ => write!(f, "{millis}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_name_that_no_other_machine_gives_itself() {
        for name in ["localhost", "localhost.localdomain", "cp1.localhost", "ip6-localhost"] {
            assert!(name.parse::<NodeName>().is_err(), "{name}");
        }
        for name in ["cp1", "localhost-1", "cp1.localhost.example.com"] {
            assert!(name.parse::<NodeName>().is_ok(), "{name}");
        }
    }

    #[test]
    fn no_file_is_everybodys_to_write() {
        for mode in ["0666", "0777", "0002", "0646"] {
            assert!(mode.parse::<FileMode>().is_err(), "{mode}");
        }
        for mode in ["0644", "0664", "0755", "0440"] {
            assert!(mode.parse::<FileMode>().is_ok(), "{mode}");
        }
    }
}

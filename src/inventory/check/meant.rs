//! What a text that has not the form of its key was probably meant as.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::Format;
use crate::report::{Path, without_logins};
use crate::yaml::{Document, Value};

/// The edit, where it is obvious.
pub(super) fn help(document: &Document, text: &str, path: &Path, format: Format) -> Option<String> {
    let endpoint = Endpoint(document);
    if let Some(help) = endpoint.other_key(text, path) {
        return Some(help);
    }
    if let Some(mended) = mended(text, format) {
        return Some(format!("write `{mended}`"));
    }
    if let Some(whole) = with_prefix(text, format) {
        return Some(format!("write its prefix as well, such as `{whole}`"));
    }
    let (host, port) = host_and_port(text)?;
    format(&host).ok()?;
    let beside = |port| format!("write `{host}`, and its port beside it as `port: {port}`");
    match port {
        Some(port) if endpoint.lacks_port(path) => Some(beside(port)),
        _ => Some(format!("write `{host}`")),
    }
}

/// No blanks around it, lower case, a URL without a login, no dot behind it, a network's own address, or one without the
/// prefix of its network.
fn mended(text: &str, format: Format) -> Option<String> {
    let networks: Option<Vec<String>> = text
        .split(',')
        .map(|part| Some(part.trim().parse::<IpNet>().ok()?.trunc().to_string()))
        .collect();
    let edits = [
        Some(text.trim().to_owned()),
        Some(text.to_lowercase()),
        Some(without_logins(text).into_owned()),
        text.strip_suffix('.').map(str::to_owned),
        networks.map(|all| all.join(",")),
        text.parse::<IpNet>().ok().map(|network| network.addr().to_string()),
    ];
    edits.into_iter().flatten().find(|mended| format(mended).is_ok())
}

fn with_prefix(text: &str, format: Format) -> Option<String> {
    let prefix = if text.parse::<IpAddr>().ok()?.is_ipv4() { 24 } else { 64 };
    Some(format!("{text}/{prefix}")).filter(|whole| format(whole).is_ok())
}

/// Of `https://api.example.com:6443/` and the like.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if let Ok(whole) = rest.parse::<SocketAddr>() {
        return Some((whole.ip().to_string(), Some(whole.port())));
    }
    match rest.rsplit_once(':') {
        Some((host, port)) => Some((host.to_owned(), Some(port.parse().ok()?))),
        None => (rest != text).then(|| (rest.to_owned(), None)),
    }
}

/// The section whose keys are taken for each other.
struct Endpoint<'a>(&'a Document);

impl Endpoint<'_> {
    fn says(&self, key: &str) -> Option<&Value> {
        Some(&self.0.root().get("endpoint")?.get(key)?.value)
    }

    fn lacks_port(&self, path: &Path) -> bool {
        let keys = ["name", "address"];
        self.says("port").is_none() && keys.iter().any(|key| *path == Path::of(&["endpoint", key]))
    }

    /// An address that stands where a name should.
    fn other_key(&self, text: &str, path: &Path) -> Option<String> {
        text.parse::<IpAddr>().ok()?;
        if *path != Path::of(&["endpoint", "name"]) {
            return None;
        }
        let external = match self.says("holder") {
            Some(Value::String(holder)) => holder == "external",
            _ => self.says("vip").is_none(),
        };
        Some(match external && self.says("address").is_none() {
            true => format!("write it as `address: {text}`"),
            false => "remove it: a name is asked for only beside the address".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::rooms::overlaid::outcome;

    /// The helps about an endpoint that says this and nothing else.
    fn helps(endpoint: &Value) -> Vec<String> {
        let mut said = json!({"vip": null, "port": null, "interface": null});
        crate::document::merge(&mut said, endpoint);
        let found = outcome(&json!({"endpoint": said}).to_string());
        let found = found.report.findings().iter();
        found.map(|found| found.help.clone().unwrap_or_default()).collect()
    }

    #[test]
    fn what_stands_in_the_wrong_form_or_place_is_told_how_it_is_written() {
        for (endpoint, help) in [
            (
                json!({"vip": "192.168.1.33", "port": 8443, "interface": "eth0"}),
                "write its prefix as well, such as `192.168.1.33/24`",
            ),
            (json!({"vip": "fd00::33"}), "write its prefix as well, such as `fd00::33/64`"),
            (json!({"name": "192.0.2.7"}), "write it as `address: 192.0.2.7`"),
            (json!({"holder": "external", "name": "fd00::7"}), "write it as `address: fd00::7`"),
            (
                json!({"vip": "192.168.1.33/24", "name": "192.168.1.33"}),
                "remove it: a name is asked for only beside the address",
            ),
            (
                json!({"address": "192.0.2.7:6443"}),
                "write `192.0.2.7`, and its port beside it as `port: 6443`",
            ),
            (json!({"address": "192.0.2.7:6443", "port": 6443}), "write `192.0.2.7`"),
            (
                json!({"address": "[fd00::7]:6443"}),
                "write `fd00::7`, and its port beside it as `port: 6443`",
            ),
            (json!({"address": "192.0.2.7/24"}), "write `192.0.2.7`"),
            (
                json!({"name": "https://api.example.com:6443"}),
                "write `api.example.com`, and its port beside it as `port: 6443`",
            ),
            (json!({"name": "https://api.example.com/"}), "write `api.example.com`"),
            (json!({"name": "api.example.com."}), "write `api.example.com`"),
        ] {
            assert_eq!(helps(&endpoint), [help], "{endpoint}");
        }
        let nothing = ["api example.com", "https://user:word@api.example.com", "api.example.com/x"];
        for name in nothing {
            assert_eq!(helps(&json!({"holder": "external", "name": name})), [""], "{name}");
        }
    }
}

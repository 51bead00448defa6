//! Mirrors of registries: a folder per registry, which containerd reads at every pull.
//! <https://github.com/containerd/containerd/blob/main/docs/hosts.md>

use serde::Serialize;

use super::super::MIRRORS;
use crate::inventory::images::MirrorSection;

/// What containerd reads about one registry; also the context of `hosts.toml`.
#[derive(Serialize)]
pub(in super::super) struct Mirror {
    /// The registry that images name.
    registry: String,
    /// Its folder.
    #[serde(skip)]
    pub(in super::super) folder: String,
    /// Certificates of the mirrors' authorities.
    #[serde(skip)]
    pub(in super::super) ca: Option<String>,
    /// What is asked last in place of the registry, where that is never asked.
    server: Option<Registry>,
    /// What is asked first.
    hosts: Vec<Registry>,
}

#[derive(Clone, Serialize)]
struct Registry {
    url: String,
    /// The file with the authorities' certificates.
    ca: Option<String>,
    /// Whether containerd takes the URL's path as it stands.
    override_path: bool,
}

impl Mirror {
    pub(in super::super) fn new(said: &MirrorSection) -> Self {
        let MirrorSection { registry, endpoints, only, ca } = said;
        let folder = format!("{MIRRORS}/{}", folder(registry.as_str()));
        let host = |url: &str| Registry {
            // containerd would ask for `//v2`.
            url: url.trim_end_matches('/').to_owned(),
            override_path: names_api_root(url),
            // With a certificate, containerd tries https at an http address as well.
            ca: (ca.is_some() && url.starts_with("https:")).then(|| authority_in(&folder)),
        };
        let mut hosts: Vec<Registry> = endpoints.iter().map(|url| host(url.as_str())).collect();
        // Without a server containerd asks the registry itself, whatever hosts there are.
        let server = hosts.last().filter(|_| *only).cloned();
        // containerd 1.6 does not read a file without hosts: it would ask the registry.
        if server.is_some() && hosts.len() > 1 {
            hosts.pop();
        }
        let ca = ca.as_ref().map(|ca| format!("{ca}\n"));
        Self { registry: registry.to_string(), folder, ca, server, hosts }
    }

    /// The file with its mirrors' authorities.
    pub(in super::super) fn authority(&self) -> String {
        authority_in(&self.folder)
    }
}

/// Whether the path leads into the API already, as that of a proxy cache of Harbor's does:
/// `https://harbor.example.com/v2/cache`. containerd adds `/v2` to every other path by itself.
pub(in super::super) fn names_api_root(url: &str) -> bool {
    url.trim_end_matches('/').contains("/v2/")
}

/// containerd's own form, which it prefers to the one with a colon.
fn folder(registry: &str) -> String {
    match registry.split_once(':') {
        Some((host, port)) => format!("{host}_{port}_"),
        None => registry.to_owned(),
    }
}

fn authority_in(folder: &str) -> String {
    format!("{folder}/ca.crt")
}

//! What is said of the kubelet, wherever it is said.

use serde_json::Value;

use crate::catalog::VersionPart;
use crate::inventory::Inventory;
use crate::inventory::images::PullPolicy;
use crate::report::Path;
use crate::site::{Cluster, kubelet_field};

/// What the inventory says of the kubelet, patches included.
pub(super) struct Fields<'a> {
    said: &'a Inventory,
    pub(super) cluster: &'a Cluster<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(said: &'a Inventory, cluster: &'a Cluster<'a>) -> Self {
        Self { said, cluster }
    }

    /// A field of the document, and where it is said.
    pub(super) fn get(&self, field: &str) -> Option<(Path, &'a Value)> {
        kubelet_field(self.said, &self.cluster.site.patches, field)
    }

    /// The minor of Kubernetes.
    pub(super) fn minor(&self) -> VersionPart {
        self.cluster.version.minor
    }

    /// Whether images stay on a full disk, since nobody could pull them again.
    pub(super) fn keeps_images(&self) -> bool {
        self.said.images.pull_policy == Some(PullPolicy::Never)
    }

    /// The flags, and where each is said.
    pub(super) fn flags(&self) -> impl Iterator<Item = (&'a str, &'a str, Path)> {
        let section = Path::of(&["extraArgs", "kubelet"]);
        let flags = self.said.extra_args.kubelet.iter();
        flags.map(move |(name, value)| {
            let name = name.as_str();
            (name, value.as_str(), section.key(name))
        })
    }

    /// A flag wins over the field.
    pub(super) fn flag(&self, name: &str) -> Option<(Path, String)> {
        let (_, value, at) = self.flags().find(|(flag, ..)| *flag == name)?;
        Some((at, value.to_owned()))
    }

    /// Pods at most, where that is said.
    pub(super) fn max_pods(&self) -> Option<(Path, u32)> {
        let patched = self.get("maxPods");
        let patched =
            patched.and_then(|(at, value)| Some((at, u32::try_from(value.as_u64()?).ok()?)));
        let own = || Some((Path::of(&["kubelet", "maxPods"]), self.said.kubelet.max_pods?));
        patched.or_else(own)
    }

    /// A port, where it is said.
    pub(super) fn port(&self, field: &str, flag: &str) -> Option<(Path, u16)> {
        match self.flag(flag) {
            Some((at, text)) => Some((at, text.parse().ok()?)),
            None => {
                let (at, value) = self.get(field)?;
                Some((at, u16::try_from(value.as_u64()?).ok()?))
            }
        }
    }

    /// Whether the file with the host's name servers is said.
    pub(super) fn resolver(&self) -> Option<(Path, String)> {
        let field = || {
            let (at, value) = self.get("resolvConf")?;
            Some((at, value.as_str()?.to_owned()))
        };
        self.flag("resolv-conf").or_else(field)
    }
}

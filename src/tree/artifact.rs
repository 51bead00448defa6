use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::Path;

/// When a file is put in place again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A re-run restores it.
    Managed,
    /// Placed only where absent: kubeadm or the kubelet rewrites it later.
    Seed,
    /// A certificate, key or kubeconfig that follows the bundle: to be replaced where the bundle issued
    /// it anew, with its readers restarted, and never where kubeadm has renewed it since. No room has
    /// such a file yet, and `20-install.sh` would place one as a seed.
    Issued(Issue),
}

/// What a file that follows the bundle was issued from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// The generation of the authority that signed.
    pub authority: u32,
    /// The generation of the key.
    pub key: u32,
    /// The date of the bundle, RFC 3339 in UTC.
    pub issued_at: String,
}

impl Kind {
    /// The cell of `files.tsv`: a word, behind which an issued file says what it was issued from, such as
    /// `issued:2:1:2026-01-31T12:00:00Z`.
    pub(super) fn cell(&self) -> Cow<'static, str> {
        match self {
            Self::Managed => "managed".into(),
            Self::Seed => "seed".into(),
            Self::Issued(Issue { authority, key, issued_at }) => {
                format!("issued:{authority}:{key}:{issued_at}").into()
            }
        }
    }
}

/// What it takes to make a running unit notice a changed file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// `systemctl reload`.
    Reload,
    /// `systemctl restart`.
    Restart,
    /// The container of the static pod ends, and the kubelet starts it anew.
    Pod,
    /// Nothing: it is the manifest of the static pod, which the kubelet ends and starts anew by itself.
    Kubelet,
}

impl Apply {
    /// The verb of `systemctl`, or who else sees to it; also the word in `hagen.json` and `files.tsv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Restart => "restart",
            Self::Pod => "pod",
            Self::Kubelet => "kubelet",
        }
    }
}

/// Where a file comes from; printed by `hagen why`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The room that made it.
    pub room: &'static str,
    /// The template's id, where there is one.
    pub template: Option<&'static str>,
    /// The places in the inventory that shaped it.
    pub reads: Vec<Path>,
}

impl Origin {
    /// Made by `room` from nothing but the resolved cluster.
    pub fn room(room: &'static str) -> Self {
        Self { room, template: None, reads: Vec::new() }
    }
}

/// Where a file ends up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The names of the nodes: one, until [`super::Tree::finish`] finds the same on others.
    pub nodes: Vec<String>,
    /// The absolute path on them.
    pub path: String,
    /// Managed or seed.
    pub kind: Kind,
    /// The unit that reads it, and what makes it read again.
    pub unit: Option<(String, Apply)>,
}

impl Destination {
    /// A managed file at the absolute `path` of `node`, which no running unit reads.
    pub fn new(node: impl Into<String>, path: impl Into<String>) -> Self {
        Self { nodes: vec![node.into()], path: path.into(), kind: Kind::Managed, unit: None }
    }

    /// The file's place in the tree: `nodes/<node>/rootfs/<path>`, or `steps/shared/<path>` where
    /// several nodes have it.
    pub fn tree_path(&self) -> String {
        match self.nodes.as_slice() {
            [node] => format!("nodes/{node}/rootfs{}", self.path),
            _ => format!("{}{}", super::shared::FOLDER, self.path),
        }
    }

    /// The folder that it is below where `steps/` and `nodes/<node>/` have been copied into one.
    pub(super) fn folder(&self) -> &'static str {
        if self.nodes.len() == 1 { "rootfs" } else { "shared" }
    }
}

/// One file of the tree.
#[derive(Clone)]
pub struct Artifact {
    /// The whole content.
    pub bytes: Vec<u8>,
    /// Permission bits, such as 0o644.
    pub mode: u32,
    /// Owner by name, on the node.
    pub owner: Cow<'static, str>,
    /// Group by name, on the node.
    pub group: Cow<'static, str>,
    /// Private: never committed, 0600 from creation, pinned by HMAC.
    pub secret: bool,
    /// The user's own bytes, taken over as they are: never audited for leftovers.
    pub verbatim: bool,
    /// Where it is installed; `None` for files that people read or run.
    pub destination: Option<Destination>,
    /// The phase of the runbook that first needs it, such as 20.
    pub phase: Option<u8>,
    /// Provenance.
    pub origin: Origin,
}

impl Artifact {
    /// A file that may be committed: 0644 root:root, for people, needed by no phase.
    pub fn public(bytes: impl Into<Vec<u8>>, origin: Origin) -> Self {
        Self {
            bytes: bytes.into(),
            mode: 0o644,
            owner: "root".into(),
            group: "root".into(),
            secret: false,
            verbatim: false,
            destination: None,
            phase: None,
            origin,
        }
    }

    /// Never committed, 0600.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self.mode = 0o600;
        self
    }

    /// First needed by this phase of the runbook, such as 20.
    #[must_use]
    pub fn phase(mut self, phase: u8) -> Self {
        self.phase = Some(phase);
        self
    }

    /// The permission bits inside the output folder. Private files are 0600 there, whatever
    /// they become on the node (a key that a service's group reads is 0640 only on the node). And nobody
    /// but the owner writes what scripts install as root.
    pub fn stored_mode(&self) -> u32 {
        if self.secret { 0o600 } else { self.mode & 0o755 }
    }
}

impl std::fmt::Debug for Artifact {
    /// Names the file, never its content: a private one could reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Artifact")
            .field("bytes", &format_args!("[{} bytes]", self.bytes.len()))
            .field("mode", &format_args!("{:04o}", self.mode))
            .field("secret", &self.secret)
            .field("destination", &self.destination)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

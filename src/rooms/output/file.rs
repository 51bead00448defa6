use std::borrow::Cow;

use crate::pki::Leaf;
use crate::report::Path;
use crate::secrets::rfc3339;
use crate::site::Host;
use crate::tree::{Apply, Issue, Kind};

/// Where a file stands.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// Installed on a node at this absolute path.
    Node(String, String),
    /// Beside a node's `rootfs`: run or read, never installed.
    Beside(String, String),
    /// Relative to the tree's root.
    Cluster(String),
}

/// A file before its content: where, whose, and what reads it. Public, 0644, root:root and
/// managed until said otherwise.
#[derive(Clone, Debug)]
pub struct File {
    pub(super) spot: Spot,
    pub(super) mode: u32,
    pub(super) owner: Cow<'static, str>,
    pub(super) group: Cow<'static, str>,
    pub(super) secret: bool,
    pub(super) verbatim: bool,
    pub(super) kind: Kind,
    pub(super) unit: Option<(String, Apply)>,
    pub(super) phase: Option<u8>,
    pub(super) reads: Vec<Path>,
    pub(super) room: Option<&'static str>,
}

impl File {
    fn new(spot: Spot) -> Self {
        Self {
            spot,
            mode: 0o644,
            owner: "root".into(),
            group: "root".into(),
            secret: false,
            verbatim: false,
            kind: Kind::Managed,
            unit: None,
            phase: None,
            reads: Vec::new(),
            room: None,
        }
    }

    /// A file installed on `node` at an absolute path.
    pub fn on(node: &Host, path: impl Into<String>) -> Self {
        Self::new(Spot::Node(node.name.clone(), path.into()))
    }

    /// A file beside the node's `rootfs`, such as `node.sh`.
    pub fn beside(node: &Host, name: impl Into<String>) -> Self {
        Self::new(Spot::Beside(node.name.clone(), name.into()))
    }

    /// A file of the whole cluster, relative to the tree's root.
    pub fn cluster(path: impl Into<String>) -> Self {
        Self::new(Spot::Cluster(path.into()))
    }

    pub(super) fn node(&self) -> Option<&str> {
        match &self.spot {
            Spot::Node(node, _) | Spot::Beside(node, _) => Some(node),
            Spot::Cluster(_) => None,
        }
    }

    /// Permission bits.
    #[must_use]
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    /// Owner and group by name on the node.
    #[must_use]
    pub fn owner(
        mut self,
        owner: impl Into<Cow<'static, str>>,
        group: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.owner = owner.into();
        self.group = group.into();
        self
    }

    /// Private: 0600, ignored by Git, pinned by HMAC.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self.mode = 0o600;
        self
    }

    /// The user's own bytes, taken over as they are.
    #[must_use]
    pub fn verbatim(mut self) -> Self {
        self.verbatim = true;
        self
    }

    /// Placed only where absent.
    #[must_use]
    pub fn seed(mut self) -> Self {
        self.kind = Kind::Seed;
        self
    }

    /// Follows the bundle, as this certificate and its key do.
    #[must_use]
    pub fn issued(mut self, leaf: &Leaf) -> Self {
        self.kind = Kind::Issued(Issue {
            authority: leaf.authority_generation,
            key: leaf.key_generation,
            issued_at: rfc3339(leaf.issued_at),
        });
        self
    }

    /// The unit that reads the file, and what makes it read again.
    #[must_use]
    pub fn read_by(mut self, unit: impl Into<String>, apply: Apply) -> Self {
        self.unit = Some((unit.into(), apply));
        self
    }

    /// The phase that first needs the file.
    #[must_use]
    pub fn phase(mut self, phase: crate::claims::Phase) -> Self {
        self.phase = Some(phase.step);
        self
    }

    /// Another room's: of those that are put together, the one that it comes from.
    #[must_use]
    pub fn of_room(mut self, room: &'static str) -> Self {
        self.room = Some(room);
        self
    }

    /// The places in the inventory that shape it (for `hagen why`).
    #[must_use]
    pub fn reads(mut self, paths: impl IntoIterator<Item = Path>) -> Self {
        self.reads.extend(paths);
        self
    }
}

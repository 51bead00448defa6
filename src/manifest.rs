//! `hagen.json`: what the tree consists of, for people, for `hagen diff`, `hagen why` and
//! `hagen verify`, and for consumers of the tree. Published as `schema/manifest.schema.json`.

use std::collections::BTreeMap;
use std::fmt;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::tree::{self, Apply, Artifact, Issue, Tree, TreePath, sha256};

/// The manifest's place in the tree. It does not list itself.
pub const PATH: &str = tree::MANIFEST_PATH;

/// The form of the manifest. It changes when a field changes its meaning, not when one is added.
pub const API_VERSION: &str = "hagen-manifest/v1";

/// Pins a private file: HMAC-SHA-256 under a key of the bundle, in lower-case hexadecimal.
pub type Mac<'a> = dyn Fn(&[u8]) -> String + Sync + 'a;

/// What a tree consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// `hagen-manifest/v1`.
    pub api_version: String,
    /// The program that made the tree.
    pub generator: Generator,
    /// The cluster's name.
    pub cluster: String,
    /// The public id of the secrets bundle.
    pub bundle: String,
    /// `hmac-sha256:<hex>` under a key of the bundle, of this file's bytes as they are with
    /// nothing between the quotes here, after the line `hagen.json`. Without it, whoever edits a
    /// public file could edit the fingerprint along with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Every file but `hagen.json` itself, sorted by path.
    pub files: Vec<Entry>,
    /// Every certificate of the tree, sorted by id: the calendar of what expires when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
}

/// The program that made the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Generator {
    /// `hagen`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Relative to the output folder.
    pub path: String,
    /// The nodes that it is installed on, sorted.
    #[serde(default, alias = "node", deserialize_with = "one_or_many")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// Its absolute path on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// Permission bits in octal, such as `0644`: on the nodes where it has some, and in the
    /// output folder otherwise. A private file is 0600 in the output folder in any case.
    pub mode: String,
    /// Owner, by name.
    pub owner: String,
    /// Group, by name.
    pub group: String,
    /// When the file is put in place again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// What an issued file was issued from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<Issue>,
    /// `sha256:<hex>` of a public file, `hmac-sha256:<hex>` of a private one.
    pub fingerprint: String,
    /// The room that made it.
    pub room: String,
    /// The template's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The places in the inventory that shaped it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// The systemd unit that reads it, or the static pods, with commas between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What makes the unit read it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply: Option<Apply>,
    /// The phase of the runbook that first needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<u8>,
    /// Private: never committed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// When a file is put in place again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A re-run restores it.
    Managed,
    /// Placed only where absent: kubeadm or the kubelet rewrites it later.
    Seed,
    /// A certificate, key or kubeconfig that follows the bundle.
    Issued,
}

impl Kind {
    /// The word in `hagen.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Seed => "seed",
            Self::Issued => "issued",
        }
    }
}

/// Trees of before say `node` and one name.
fn one_or_many<'de, D: Deserializer<'de>>(said: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Nodes {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Nodes::deserialize(said)? {
        Nodes::One(node) => vec![node],
        Nodes::Many(nodes) => nodes,
    })
}

/// One certificate of the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// As in the derivation label, such as `nodes/cp1/apiserver`.
    pub id: String,
    /// Distinguished name.
    pub subject: String,
    /// Distinguished name of who signed it.
    pub issuer: String,
    /// The last second in which it is valid, RFC 3339 in UTC.
    pub not_after: String,
}

/// What the manifest says beside its files.
#[derive(Clone, Debug)]
pub struct About {
    /// The cluster's name.
    pub cluster: String,
    /// The public id of the bundle.
    pub bundle: String,
    /// The calendar, in any order.
    pub certificates: Vec<Certificate>,
}

/// Why bytes are no manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

impl Manifest {
    /// The manifest of a finished tree.
    pub fn from_tree(tree: &Tree, about: About, mac: &Mac<'_>) -> Self {
        let About { cluster, bundle, mut certificates } = about;
        certificates.sort();
        let files: Vec<(&str, &Artifact)> = tree.iter().collect();
        let mut manifest = Self {
            api_version: API_VERSION.to_owned(),
            generator: Generator {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            cluster,
            bundle,
            mac: Some(String::new()),
            files: files
                .into_par_iter()
                .map(|(path, artifact)| Entry::new(path, artifact, mac))
                .collect(),
            certificates,
        };
        manifest.mac = Some(own_mac(&manifest.to_bytes(), mac));
        manifest
    }

    /// Whether `bytes`, which this manifest was read from, are what the holder of the bundle wrote.
    pub fn is_genuine(&self, bytes: &[u8], mac: &Mac<'_>) -> bool {
        let found = self.mac.as_deref().unwrap_or_default();
        let Some(at) = bytes.windows(found.len().max(1)).position(|at| at == found.as_bytes())
        else {
            return false;
        };
        let without = [&bytes[..at], &bytes[at + found.len()..]].concat();
        found == own_mac(&without, mac)
    }

    /// The bytes of `hagen.json`.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::document::json(self)
    }

    /// Reads `hagen.json`.
    ///
    /// # Errors
    /// When it is not JSON of this form, has another `apiVersion`, or lists a path that leads
    /// out of the tree.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        /// Read first, so that another version is named as such.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            api_version: String,
        }
        let unreadable = |error: serde_json::Error| Unreadable(error.to_string());
        let Version { api_version } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if api_version != API_VERSION {
            let message = format!("its apiVersion is `{api_version}`, not `{API_VERSION}`");
            return Err(Unreadable(message));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        for Entry { path, .. } in &manifest.files {
            if let Err(reason) = TreePath::new(path.as_str()) {
                return Err(Unreadable(format!("it lists the path {path:?}, but {reason}")));
            }
        }
        Ok(manifest)
    }

    /// What each node has at each path: by the node's name and the absolute path on it.
    pub fn places(&self) -> BTreeMap<(&str, &str), &Entry> {
        let mut places = BTreeMap::new();
        for entry in &self.files {
            let Some(path) = entry.destination.as_deref() else { continue };
            for node in &entry.nodes {
                places.insert((node.as_str(), path), entry);
            }
        }
        places
    }

    /// The JSON Schema that is published as `schema/manifest.schema.json`.
    pub fn schema() -> serde_json::Value {
        crate::document::schema::<Self>()
    }
}

/// The manifest's own: no private file begins like this, so none has a fingerprint that could
/// stand here.
fn own_mac(bytes: &[u8], mac: &Mac<'_>) -> String {
    format!("hmac-sha256:{}", mac(&[b"hagen.json\n", bytes].concat()))
}

impl Entry {
    /// Whether the fingerprint is that of `bytes`; `None` where that takes a key and none is given.
    pub fn fits(&self, bytes: &[u8], mac: Option<&Mac<'_>>) -> Option<bool> {
        let fingerprint = if self.secret {
            format!("hmac-sha256:{}", mac?(bytes))
        } else {
            format!("sha256:{}", sha256(bytes))
        };
        Some(self.fingerprint == fingerprint)
    }

    fn new(path: &str, artifact: &Artifact, mac: &Mac<'_>) -> Self {
        let Artifact { bytes, mode, owner, group, secret, verbatim: _, destination, phase, origin } =
            artifact;
        let place = destination.as_ref();
        let unit = place.and_then(|place| place.unit.as_ref());
        let (kind, issue) = match place.map(|place| &place.kind) {
            None => (None, None),
            Some(tree::Kind::Managed) => (Some(Kind::Managed), None),
            Some(tree::Kind::Seed) => (Some(Kind::Seed), None),
            Some(tree::Kind::Issued(issue)) => (Some(Kind::Issued), Some(issue.clone())),
        };
        Self {
            path: path.to_owned(),
            nodes: place.map(|place| place.nodes.clone()).unwrap_or_default(),
            destination: place.map(|place| place.path.clone()),
            mode: format!("{mode:04o}"),
            owner: owner.to_string(),
            group: group.to_string(),
            kind,
            issue,
            fingerprint: if *secret {
                format!("hmac-sha256:{}", mac(bytes))
            } else {
                format!("sha256:{}", sha256(bytes))
            },
            room: origin.room.to_owned(),
            template: origin.template.map(str::to_owned),
            reads: origin.reads.iter().map(ToString::to_string).collect(),
            unit: unit.map(|(name, _)| name.clone()),
            apply: unit.map(|(_, apply)| *apply),
            phase: *phase,
            secret: *secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Certificate, Manifest};
    use crate::report::Path;
    use crate::tree::{Apply, Artifact, Destination, Issue, Origin, Tree};

    fn manifest() -> Manifest {
        let mut tree = Tree::new();
        let origin = Origin {
            room: "haproxy",
            template: Some("haproxy/haproxy.cfg.j2"),
            reads: vec![Path::of(&["endpoint"]), Path::of(&["nodes"]).index(0)],
        };
        let unit = Some(("haproxy.service".to_owned(), Apply::Reload));
        let place = Destination { unit, ..Destination::new("cp1", "/etc/haproxy/haproxy.cfg") };
        let path = place.tree_path();
        let file = Artifact::public("x\n", origin).phase(20);
        tree.insert(path, Artifact { destination: Some(place), ..file }).unwrap();
        let private = Artifact::public("k\n", Origin::room("kubeconfig")).secret();
        tree.insert("cluster/admin.conf", private).unwrap();
        let issue = Issue { authority: 2, key: 1, issued_at: "2026-01-31T12:00:00Z".to_owned() };
        let place = Destination {
            kind: crate::tree::Kind::Issued(issue),
            ..Destination::new("cp1", "/etc/kubernetes/pki/x.crt")
        };
        let path = place.tree_path();
        let file = Artifact::public("x\n", Origin::room("kubeadm"));
        tree.insert(path, Artifact { destination: Some(place), ..file }).unwrap();
        let certificate = |id: &str| Certificate {
            id: id.to_owned(),
            subject: "CN=kube-apiserver".to_owned(),
            issuer: "CN=kubernetes".to_owned(),
            not_after: "2027-11-21T00:00:00Z".to_owned(),
        };
        let about = About {
            cluster: "lab".to_owned(),
            bundle: "b1".to_owned(),
            certificates: vec![certificate("b"), certificate("a")],
        };
        Manifest::from_tree(&tree, about, &|bytes| format!("mac-of-{}-bytes", bytes.len()))
    }

    #[test]
    fn every_file_is_described_and_pinned() {
        let expected = serde_json::json!([
            {
                "path": "cluster/admin.conf", "mode": "0600", "owner": "root", "group": "root",
                "fingerprint": "hmac-sha256:mac-of-2-bytes", "room": "kubeconfig", "secret": true,
            },
            {
                "path": "nodes/cp1/rootfs/etc/haproxy/haproxy.cfg", "nodes": ["cp1"],
                "destination": "/etc/haproxy/haproxy.cfg", "mode": "0644",
                "owner": "root", "group": "root", "kind": "managed",
                "fingerprint":
                    "sha256:73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac",
                "room": "haproxy", "template": "haproxy/haproxy.cfg.j2",
                "reads": ["endpoint", "nodes[0]"],
                "unit": "haproxy.service", "apply": "reload", "phase": 20,
            },
            {
                "path": "nodes/cp1/rootfs/etc/kubernetes/pki/x.crt", "nodes": ["cp1"],
                "destination": "/etc/kubernetes/pki/x.crt", "mode": "0644",
                "owner": "root", "group": "root", "kind": "issued",
                "issue": {"authority": 2, "key": 1, "issuedAt": "2026-01-31T12:00:00Z"},
                "fingerprint":
                    "sha256:73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac",
                "room": "kubeadm",
            },
        ]);
        assert_eq!(serde_json::to_value(manifest().files).unwrap(), expected);
    }

    #[test]
    fn it_reads_back_and_fits_its_schema() {
        let bytes = manifest().to_bytes();
        assert_eq!(Manifest::read(&bytes).unwrap(), manifest());
        assert_eq!(manifest().certificates[0].id, "a");
        let value = serde_json::from_slice(&bytes).unwrap();
        assert!(jsonschema::is_valid(&Manifest::schema(), &value));
        assert!(bytes.ends_with(b"}\n"));
    }

    #[test]
    fn one_that_names_a_single_node_is_read() {
        let text = String::from_utf8(manifest().to_bytes()).unwrap();
        let nodes = "\"nodes\": [\n        \"cp1\"\n      ]";
        assert!(text.contains(nodes), "{text}");
        let before = text.replace(nodes, "\"node\": \"cp1\"");
        assert_eq!(Manifest::read(before.as_bytes()).unwrap(), manifest());
    }

    #[test]
    fn an_edited_manifest_is_not_genuine() {
        let mac = |bytes: &[u8]| crate::tree::sha256(&[b"key", bytes].concat());
        let genuine = |bytes: &[u8]| Manifest::read(bytes).unwrap().is_genuine(bytes, &mac);
        let about = About { cluster: "lab".into(), bundle: "b1".into(), certificates: Vec::new() };
        let mut tree = Tree::new();
        tree.insert("README.md", Artifact::public("x\n", Origin::room("runbook"))).unwrap();
        let manifest = Manifest::from_tree(&tree, about, &mac);
        let text = String::from_utf8(manifest.to_bytes()).unwrap();
        assert!(genuine(text.as_bytes()));
        let edited = text.replace("README.md", "README.MD");
        assert!(!genuine(edited.as_bytes()));
        let added = text.replacen('{', "{\"more\": 1,", 1);
        assert!(!genuine(added.as_bytes()), "what hagen does not read, others may");
        let stripped = Manifest { mac: None, ..manifest.clone() };
        assert!(!genuine(&stripped.to_bytes()));
        let emptied = Manifest { mac: Some(String::new()), ..manifest };
        assert!(!genuine(&emptied.to_bytes()));
    }

    #[test]
    fn a_manifest_that_leads_out_of_the_tree_is_refused() {
        let mut manifest = manifest();
        manifest.files[0].path = "../../etc/passwd".to_owned();
        assert!(Manifest::read(&manifest.to_bytes()).is_err());
    }

    #[test]
    fn another_version_is_named_as_such() {
        let error = Manifest::read(br#"{"apiVersion": "hagen-manifest/v9"}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "its apiVersion is `hagen-manifest/v9`, not `hagen-manifest/v1`"
        );
        assert!(Manifest::read(b"{}").is_err());
    }
}

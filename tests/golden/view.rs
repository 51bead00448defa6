//! The public part of a tree as a person reads it beside another: what stands on each host at which
//! path, whether others share it or not, and how; without what only a machine compares.
//! Certificates and keys are told in words, and a static text by the name of its template.

use std::collections::BTreeMap;
use std::net::IpAddr;

use hagen::compile::Outcome;
use hagen::manifest::{Certificate, Entry, Manifest};
use hagen::rooms::templates;
use hagen::tree::Artifact;
use x509_parser::prelude::{
    FromDer, GeneralName, ParsedExtension, Pem, SubjectPublicKeyInfo, X509Certificate,
};
use x509_parser::public_key::PublicKey;

use super::word::replace_word;

/// What they say is said of each file anyway.
const REPEATED: [&str; 2] = [".gitignore", "files.tsv"];

/// A file on one node.
#[derive(Default)]
pub(super) struct File {
    /// Mode, owner, and what is done with it.
    pub(super) properties: String,
    /// What it says; nothing of a private one.
    pub(super) lines: Vec<String>,
}

/// By path, absolute on hosts and with `*` for the name of a node elsewhere, and by that name; what
/// belongs to no node is under "".
pub(super) type View = BTreeMap<String, BTreeMap<String, File>>;

/// The view of a tree of Kubernetes `version`, which reads 1.NN wherever it stands.
pub(super) fn view(outcome: &Outcome, version: &str) -> View {
    let tree = outcome.tree.as_ref().unwrap();
    let manifest = outcome.manifest.as_ref().unwrap();
    let mut view = View::new();
    let mut add = |path: &str, node: &str, properties: String, lines: &[String]| {
        let lines = lines.iter().map(|line| without_version(line, version)).collect();
        let files = view.entry(path.to_owned()).or_default();
        files.insert(node.to_owned(), File { properties, lines });
    };
    for ((path, artifact), entry) in tree.iter().zip(&manifest.files) {
        assert_eq!(path, entry.path, "both are sorted by path");
        if REPEATED.contains(&path.rsplit('/').next().unwrap_or_default()) {
            continue;
        }
        let lines = if artifact.secret { Vec::new() } else { lines(artifact) };
        let (place, node) = of_node(path);
        match &entry.destination {
            Some(place) => {
                entry.nodes.iter().for_each(|node| add(place, node, properties(entry), &lines));
            }
            None => add(&place, &node, properties(entry), &lines),
        }
    }
    for (node, lines) in kubeconfigs(manifest) {
        add("hagen.json: certificates in kubeconfigs", &node, String::new(), &lines);
    }
    view
}

/// The certificates that stand in private files, by node.
fn kubeconfigs(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all = manifest.certificates.iter();
    for Certificate { id, subject, issuer, not_after } in
        all.filter(|one| one.id.ends_with(".conf"))
    {
        let (id, node) = of_node(id);
        let line = format!("{id}: {subject}, by {issuer}, until {not_after}");
        found.entry(node).or_default().push(line);
    }
    found
}

/// `nodes/cp1/node.sh` as `nodes/*/node.sh` and `cp1`.
fn of_node(path: &str) -> (String, String) {
    let inner = path.strip_prefix("nodes/").and_then(|rest| rest.split_once('/'));
    match inner {
        Some((node, rest)) => (format!("nodes/*/{rest}"), node.to_owned()),
        None => (path.to_owned(), String::new()),
    }
}

fn properties(entry: &Entry) -> String {
    let Entry { mode, owner, group, kind, unit, apply, phase, secret, .. } = entry;
    let kind = kind.map(|kind| format!(", {}", kind.as_str()));
    let unit = unit.as_ref().map(|unit| format!(", {unit}"));
    let apply = apply.map(|apply| format!(": {}", apply.as_str()));
    let phase = phase.map(|phase| format!(", phase {phase}"));
    let secret = secret.then(|| ", private".to_owned());
    let more = [kind, unit, apply, phase, secret].into_iter().flatten();
    format!("{mode} {owner}:{group}{}", more.collect::<String>())
}

fn lines(artifact: &Artifact) -> Vec<String> {
    let text = String::from_utf8_lossy(&artifact.bytes);
    let own = templates().find(|template| artifact.origin.template == Some(template.id));
    if let Some(template) = own.filter(|template| template.text == text) {
        return vec![format!("(templates/{} as it stands)", template.id)];
    }
    match Pem::iter_from_buffer(&artifact.bytes).next() {
        Some(Ok(pem)) if pem.label == "CERTIFICATE" => certificate(&pem.contents),
        Some(Ok(pem)) if pem.label == "PUBLIC KEY" => vec![public_key(&pem.contents)],
        _ => text.lines().map(str::to_owned).collect(),
    }
}

fn public_key(der: &[u8]) -> String {
    let key = SubjectPublicKeyInfo::from_der(der).unwrap().1;
    match key.parsed().unwrap() {
        PublicKey::RSA(key) => format!("key: RSA, {} bits", key.key_size()),
        PublicKey::EC(key) => format!("key: EC, {} bits", key.key_size()),
        other => format!("key: {other:?}"),
    }
}

fn certificate(der: &[u8]) -> Vec<String> {
    let certificate = X509Certificate::from_der(der).unwrap().1;
    let mut words = vec![
        format!("subject: {}", certificate.subject()),
        format!("issuer: {}", certificate.issuer()),
        format!("until: {}", certificate.validity().not_after),
        public_key(certificate.public_key().raw),
    ];
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                words.extend(names.general_names.iter().map(name));
            }
            ParsedExtension::KeyUsage(usage) => words.push(format!("usage: {usage}")),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let usages = [("server", usage.server_auth), ("client", usage.client_auth)];
                let usages = usages.iter().filter(|(_, has)| *has).map(|(name, _)| *name);
                words.push(format!("for: {}", usages.collect::<Vec<_>>().join(", ")));
            }
            ParsedExtension::BasicConstraints(basic) if basic.ca => {
                words.push("authority".to_owned());
            }
            _ => {}
        }
    }
    words
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("name: {name}"),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*octets).map(IpAddr::from);
            format!("address: {}", v4.or(v6).unwrap())
        }
        other => other.to_string(),
    }
}

fn without_version(line: &str, version: &str) -> String {
    let (minor, patch) = version.rsplit_once('.').unwrap();
    replace_word(&replace_word(line, version, &format!("1.NN.{patch}")), minor, "1.NN")
}

//! A tree while an authority changes: what signs, and what every reader of it trusts.

use std::collections::{BTreeMap, BTreeSet};

use base64ct::{Base64, Encoding};
use hagen::compile::{Inputs, compile};
use hagen::report::Report;
use hagen::secrets::Bundle;
use hagen::tree::Tree;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::bundle::bundle;
use crate::compiled::{overlaid, values};
use crate::scene::Scene;

/// The tree of the base with this overlay, under a bundle with these generations of all authorities
/// and of the key of service accounts.
fn tree(overlay: &str, generations: &str) -> Tree {
    let inventory = overlaid(overlay);
    let text = bundle(&values(&inventory)).to_yaml();
    let text = text.replace("  ca: 1\n", &format!("  ca: {generations}\n"));
    let text = text.replace("  serviceAccount: 1\n", &format!("  serviceAccount: {generations}\n"));
    let mut report = Report::new();
    let bundle = Bundle::read("demo.secrets.yaml", text.as_bytes(), &mut report);
    let outcome = compile(&Inputs {
        name: "inventory.yaml",
        inventory: inventory.as_bytes(),
        bundle: Some(&bundle.unwrap_or_else(|| panic!("{:?}", report.findings()))),
        templates: Default::default(),
    });
    outcome.tree.unwrap_or_else(|| panic!("{:#?}", outcome.report.findings()))
}

/// The certificates in each text of the tree, in DER: of a file, and of each field of a kubeconfig.
fn certificates(tree: &Tree) -> BTreeMap<String, Vec<Vec<u8>>> {
    let mut found = BTreeMap::new();
    for (path, artifact) in tree.iter() {
        let text = String::from_utf8_lossy(&artifact.bytes);
        let fields = text.lines().filter_map(|line| line.trim().split_once("-data: "));
        let fields = fields.filter_map(|(name, value)| {
            let pem = Base64::decode_vec(value).ok()?;
            Some((format!("{path}: {name}"), String::from_utf8(pem).unwrap()))
        });
        for (place, pem) in fields.chain([(path.to_owned(), text.clone().into_owned())]) {
            let blocks = Pem::iter_from_buffer(pem.as_bytes()).map(Result::unwrap);
            let ders: Vec<_> =
                blocks.filter(|pem| pem.label == "CERTIFICATE").map(|pem| pem.contents).collect();
            if !ders.is_empty() {
                found.insert(place, ders);
            }
        }
    }
    found
}

fn parsed(der: &[u8]) -> X509Certificate<'_> {
    X509Certificate::from_der(der).unwrap().1
}

fn signed_by(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    let key = VerifyingKey::from_public_key_der(authority.public_key().raw).unwrap();
    let signature = Signature::from_der(&certificate.signature_value.data).unwrap();
    key.verify(certificate.tbs_certificate.as_ref(), &signature).is_ok()
}

/// The authorities of a tree with one generation, by their names.
fn authorities(generation: &str) -> BTreeMap<String, Vec<u8>> {
    let tree = tree("{}", generation);
    let files = ["ca", "front-proxy-ca", "etcd/ca"].map(|name| {
        let file = tree.on("cp1", &format!("/etc/kubernetes/pki/{name}.crt")).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(&file.bytes).unwrap();
        (parsed(&pem.contents).subject().to_string(), pem.contents)
    });
    files.into()
}

#[test]
fn every_reader_trusts_both_generations_and_every_leaf_is_of_the_issuing_one() {
    let (first, second) = (authorities("1"), authorities("2"));
    for overlay in ["{}", "{etcd: {mode: external}}", "{loadBalancer: {kind: nginx}}"] {
        for (generations, issuing, other) in [
            ("{issuing: 1, trusted: [2]}", &first, &second),
            ("{issuing: 2, trusted: [1]}", &second, &first),
        ] {
            let mut readers = BTreeSet::new();
            for (place, ders) in certificates(&tree(overlay, generations)) {
                let issuer = parsed(&ders[0]).issuer().to_string();
                let (now, other) = (&issuing[&issuer], &other[&issuer]);
                if !parsed(&ders[0]).is_ca() {
                    assert_eq!(ders.len(), 1, "{place}");
                    assert!(signed_by(&parsed(&ders[0]), &parsed(now)), "{place}");
                    assert!(!signed_by(&parsed(&ders[0]), &parsed(other)), "{place}");
                } else if place.ends_with("/ca-issuing.crt") {
                    assert_eq!(ders, std::slice::from_ref(now), "{place}");
                } else {
                    assert_eq!(ders, [now.clone(), other.clone()], "{place}");
                    readers.insert(
                        place.split_once("/etc/").map_or(place.clone(), |(_, it)| it.into()),
                    );
                }
            }
            let mut expected = vec![
                "cluster/kubeconfigs/admin.conf: certificate-authority",
                "kubernetes/admin.conf: certificate-authority",
                "kubernetes/controller-manager.conf: certificate-authority",
                "kubernetes/discovery.conf: certificate-authority",
                "kubernetes/kubelet.conf: certificate-authority",
                "kubernetes/pki/ca.crt",
                "kubernetes/pki/etcd/ca.crt",
                "kubernetes/pki/front-proxy-ca.crt",
                "kubernetes/scheduler.conf: certificate-authority",
                "kubernetes/super-admin.conf: certificate-authority",
            ];
            expected.extend((!overlay.contains("nginx")).then_some("haproxy/kubernetes-ca.crt"));
            expected.extend(overlay.contains("external").then_some("etcd/pki/ca.crt"));
            assert_eq!(readers, expected.into_iter().map(str::to_owned).collect(), "{overlay}");
        }
    }
}

#[test]
fn the_controller_manager_signs_with_the_issuing_certificate_alone() {
    let flag = "cluster-signing-cert-file";
    let path = "/etc/kubernetes/pki/ca-issuing.crt";
    for version in ["1.30.4", "1.37.1"] {
        let overlay = format!("{{cluster: {{kubernetes: {version}}}}}");
        let config = |tree: &Tree| {
            let file = tree.on("cp1", "/etc/kubernetes/kubeadm-config.yaml").unwrap();
            String::from_utf8(file.bytes.clone()).unwrap()
        };
        let both = tree(&overlay, "{issuing: 2, trusted: [1]}");
        assert!(config(&both).contains(flag) && config(&both).contains(path), "{version}");
        assert!(both.on("cp2", path).is_some() && both.on("w1", path).is_none());
        let alone = tree(&overlay, "2");
        assert!(!config(&alone).contains(flag) && alone.on("cp1", path).is_none(), "{version}");
        let (key, file) = ("/etc/kubernetes/pki/ca.key", both.on("cp1", path).unwrap());
        assert_eq!(both.on("cp1", key).unwrap().bytes, alone.on("cp1", key).unwrap().bytes);
        assert_eq!(file.bytes, alone.on("cp1", "/etc/kubernetes/pki/ca.crt").unwrap().bytes);
    }
}

#[test]
fn old_tokens_are_verified_by_a_key_behind_the_one_that_signs() {
    let public = |generations: &str| {
        let tree = tree("{}", generations);
        String::from_utf8(tree.on("cp1", "/etc/kubernetes/pki/sa.pub").unwrap().bytes.clone())
            .unwrap()
    };
    assert_eq!(public("{issuing: 2, trusted: [1]}"), public("2") + &public("1"));
}

#[test]
fn a_bundle_says_which_generations_hold() {
    let scene = Scene::demo();
    let entry = "  ca/etcd: {issuing: 2, trusted: [1]}\n  leaves: 1";
    scene.edit("inventory.secrets.yaml", "  leaves: 1", entry);
    let shown = scene.run("secrets show inventory.yaml -v").expect(0).out;
    assert!(shown.contains("\n  ca/etcd: 2, trusting 1\n"), "{shown}");
    assert!(shown.contains("ca/etcd, ca/etcd@1, ca/front-proxy"), "{shown}");
    scene.run("secrets renew inventory.yaml").expect(0);
    assert!(scene.run("secrets show inventory.yaml").expect(0).out.contains("2, trusting 1"));
    scene.run("secrets rotate inventory.yaml ca").expect(0).says("ca is at generation 3");
    let shown = scene.run("secrets show inventory.yaml").expect(0).out;
    assert!(!shown.contains("trusting") && !shown.contains("\n  ca/etcd:"), "{shown}");
}

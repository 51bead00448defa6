//! What changes with what, and what never does.

use super::*;
use crate::secrets::{Curve, PrivateKey, STORABLE};

#[test]
fn the_order_of_specs_changes_nothing() {
    let (policy, secrets) = (Policy::default(), secrets(7));
    let forward = issued(&specs(), &policy, &secrets);
    let mut reversed = specs();
    reversed.reverse();
    reversed.extend(specs());
    let backward = issued(&reversed, &policy, &secrets);
    assert_eq!(forward.leaves.len(), backward.leaves.len());
    for (id, leaf) in &forward.leaves {
        assert_eq!(leaf.certificate_pem, backward.leaf(id).certificate_pem);
        assert_eq!(leaf.key_pem, backward.leaf(id).key_pem);
    }
    for authority in AUTHORITIES {
        assert_eq!(forward.trust(&authority), backward.trust(&authority));
    }
}

#[test]
fn a_changed_spec_changes_its_certificate_alone() {
    let (policy, secrets) = (Policy::default(), secrets(7));
    let before = issued(&specs(), &policy, &secrets);
    let mut changed = specs();
    changed[1].sans.insert(ip("192.168.1.33"));
    let after = issued(&changed, &policy, &secrets);
    for (id, leaf) in &before.leaves {
        let same = id != "nodes/cp1/apiserver";
        assert_eq!(leaf.certificate_pem == after.leaf(id).certificate_pem, same, "{id}");
        assert_eq!(leaf.key_pem, after.leaf(id).key_pem, "the key belongs to the id");
    }
    let serial = |issued: &Issued| {
        let der = der(&issued.leaf("nodes/cp1/apiserver").certificate_pem);
        X509Certificate::from_der(&der).unwrap().1.raw_serial().to_vec()
    };
    assert_ne!(serial(&before), serial(&after), "one serial never names two certificates");
}

#[test]
fn renewal_keeps_keys_and_changes_serials() {
    let mut bundle = Bundle::new("demo", [7; 32], ISSUED_AT);
    let before = issued(&specs(), &Policy::default(), &Secrets::new(&bundle));
    bundle.renew(datetime!(2026-12-01 00:00 UTC));
    let after = issued(&specs(), &Policy::default(), &Secrets::new(&bundle));
    for (id, leaf) in &before.leaves {
        let renewed = after.leaf(id);
        assert_eq!(leaf.key_pem, renewed.key_pem);
        let (old, new) = (der(&leaf.certificate_pem), der(&renewed.certificate_pem));
        let (old, new) = (X509Certificate::from_der(&old), X509Certificate::from_der(&new));
        assert_ne!(old.unwrap().1.raw_serial(), new.unwrap().1.raw_serial());
    }
    let key = |issued: &Issued| issued.issuing(&KUBERNETES).key_pem.clone();
    assert_eq!(key(&before), key(&after), "who trusts the old certificate trusts the new one");
}

#[test]
fn rotating_leaves_keeps_the_authorities() {
    let mut bundle = Bundle::new("demo", [7; 32], ISSUED_AT);
    let before = issued(&specs(), &Policy::default(), &Secrets::new(&bundle));
    bundle.rotate("leaves");
    let after = issued(&specs(), &Policy::default(), &Secrets::new(&bundle));
    assert!(before.leaves.iter().all(|(id, leaf)| leaf.key_pem != after.leaf(id).key_pem));
    for authority in AUTHORITIES {
        assert_eq!(before.trust(&authority), after.trust(&authority));
    }
}

#[test]
fn two_bundles_share_nothing() {
    let one = issued(&specs(), &Policy::default(), &secrets(7));
    let two = issued(&specs(), &Policy::default(), &secrets(8));
    let keys = |issued: &Issued| -> BTreeSet<String> {
        let leaves = issued.leaves.values().map(|leaf| leaf.key_pem.to_string());
        let roots = AUTHORITIES.map(|authority| issued.issuing(&authority).key_pem.to_string());
        let service = issued.service_account().private_pem.to_string();
        leaves.chain(roots).chain([service]).collect()
    };
    assert_eq!(keys(&one).len(), specs().len() + 5, "no key is used twice");
    assert!(keys(&one).is_disjoint(&keys(&two)));
}

#[test]
fn a_stored_rsa_authority_signs_ecdsa_leaves() {
    let pem = include_str!("../../secrets/testdata/rsa-2048.pem");
    let mut bundle = Bundle::new("demo", [7; 32], ISSUED_AT);
    bundle.store("ca/kubernetes", PrivateKey::from_pem(pem).unwrap());
    let issued = issued(&specs(), &Policy::default(), &Secrets::new(&bundle));
    assert_eq!(*issued.issuing(&KUBERNETES).key_pem, pem);
    let ca = der(issued.trust(&KUBERNETES));
    let (_, ca) = X509Certificate::from_der(&ca).unwrap();
    let usage = ca.key_usage().unwrap().unwrap().value;
    assert_eq!(usage.to_string(), "Digital Signature, Key Encipherment, Key Cert Sign");
    let der = der(&issued.leaf("nodes/cp1/apiserver").certificate_pem);
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(leaf.signature_algorithm.oid().to_id_string(), "1.2.840.113549.1.1.11");
    assert_eq!(leaf.public_key().algorithm.algorithm.to_id_string(), "1.2.840.10045.2.1");
    assert_eq!(leaf.key_usage().unwrap().unwrap().value.to_string(), "Digital Signature");
}

#[test]
fn stored_keys_take_the_place_of_all_long_lived_ones() {
    let stored = |label: &str| secrets(9).signing_key(label, Curve::P384);
    let mut bundle = Bundle::new("demo", [7; 32], ISSUED_AT);
    STORABLE.iter().for_each(|label| bundle.store(label, stored(label)));
    let issued = issued(&[], &Policy::default(), &Secrets::new(&bundle));
    for authority in [KUBERNETES, FRONT_PROXY, ETCD] {
        assert_eq!(issued.issuing(&authority).key_pem, stored(authority.id).to_pem());
    }
    let service = &issued.service_account().private_pem;
    assert_eq!(*service, stored("serviceAccount/key").to_pem());
}

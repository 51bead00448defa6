//! What is signed and what is trusted while an authority or a key changes.

use x509_parser::pem::Pem;

use super::*;
use crate::secrets::{Curve, PrivateKey};

/// The bundle of every test, with these generations of a purpose.
fn with(purpose: &str, generations: &str) -> Bundle {
    let text = Bundle::new("demo", [7; 32], ISSUED_AT).to_yaml();
    let text = text.replace(&format!("  {purpose}: 1\n"), "");
    let entry = format!("generations:\n  {purpose}: {generations}\n");
    read(&text.replace("generations:\n", &entry))
}

fn read(text: &str) -> Bundle {
    let mut report = Report::new();
    let bundle = Bundle::read("demo.secrets.yaml", text.as_bytes(), &mut report);
    bundle.unwrap_or_else(|| panic!("{:?}", report.findings()))
}

fn of(bundle: &Bundle) -> Issued {
    issued(&specs(), &Policy::default(), &Secrets::new(bundle))
}

fn issued_with(purpose: &str, generations: &str) -> Issued {
    of(&with(purpose, generations))
}

/// The certificates of a file with several, each in DER.
fn ders(pem: &str) -> Vec<Vec<u8>> {
    Pem::iter_from_buffer(pem.as_bytes()).map(|pem| pem.unwrap().contents).collect()
}

#[test]
fn a_new_generation_signs_and_the_old_one_stays_trusted() {
    let old = issued_with("ca/kubernetes", "1");
    let both = issued_with("ca/kubernetes", "{issuing: 2, trusted: [1]}");
    let alone = issued_with("ca/kubernetes", "2");
    let trust = both.trust(&KUBERNETES);
    assert_eq!(trust, [alone.trust(&KUBERNETES), old.trust(&KUBERNETES)].concat());
    assert_eq!(both.issuing(&KUBERNETES).key_pem, alone.issuing(&KUBERNETES).key_pem);
    assert_ne!(both.issuing(&KUBERNETES).key_pem, old.issuing(&KUBERNETES).key_pem);

    let ders = ders(trust);
    let roots: Vec<_> = ders.iter().map(|der| X509Certificate::from_der(der).unwrap().1).collect();
    assert_eq!(roots.len(), 2);
    for (issued, signer) in [(&both, 0), (&alone, 0), (&old, 1)] {
        for spec in specs().iter().filter(|spec| spec.issuer == KUBERNETES) {
            let der = der(&issued.leaf(&spec.id).certificate_pem);
            let (_, leaf) = X509Certificate::from_der(&der).unwrap();
            for (at, root) in roots.iter().enumerate() {
                assert_eq!(leaf.issuer(), root.subject(), "by name any of them could be it");
                assert_eq!(signed_by(&leaf, root), at == signer, "{}", spec.id);
                assert_eq!(key_ids(&leaf).1 == key_ids(root).0, at == signer, "{}", spec.id);
            }
        }
    }
}

#[test]
fn what_is_about_to_issue_is_trusted_before_it_does() {
    let old = issued_with("ca/kubernetes", "1");
    let both = issued_with("ca/kubernetes", "{issuing: 1, trusted: [2]}");
    let new = issued_with("ca/kubernetes", "2");
    let trust = [old.trust(&KUBERNETES), new.trust(&KUBERNETES)].concat();
    assert_eq!(both.trust(&KUBERNETES), trust);
    for (id, leaf) in &old.leaves {
        assert_eq!(leaf.certificate_pem, both.leaf(id).certificate_pem, "{id}");
    }
}

#[test]
fn an_authority_changes_alone_or_with_all() {
    let old = issued_with("ca/kubernetes", "1");
    for (purpose, changed) in [
        ("ca/etcd", vec![ETCD]),
        ("ca/front-proxy", vec![FRONT_PROXY]),
        ("ca", AUTHORITIES.to_vec()),
    ] {
        let new = issued_with(purpose, "{issuing: 2, trusted: [1]}");
        for authority in AUTHORITIES {
            let same = old.trust(&authority) == new.trust(&authority);
            assert_eq!(ders(new.trust(&authority)).len() == 1, same);
            assert_eq!(same, !changed.contains(&authority), "{purpose}: {}", authority.id);
        }
        for spec in specs() {
            let (old, new) = (old.leaf(&spec.id), new.leaf(&spec.id));
            assert_eq!(old.key_pem, new.key_pem, "a leaf keeps its key");
            let same = old.certificate_pem == new.certificate_pem;
            assert_eq!(same, !changed.contains(&spec.issuer), "{purpose}: {}", spec.id);
        }
    }
}

#[test]
fn tokens_of_the_old_key_are_verified_while_the_new_one_signs() {
    let old = issued_with("vrrp", "1");
    let new = issued_with("serviceAccount", "{issuing: 2, trusted: [1]}");
    let pair = new.service_account();
    let signing = PrivateKey::from_pem(&pair.private_pem).unwrap();
    let old = &old.service_account().public_pem;
    assert_eq!(pair.public_pem, [&signing.public_pem(), old].map(String::as_str).concat());
    assert_ne!(signing.public_pem(), *old);
}

#[test]
fn an_imported_authority_stays_trusted_beside_a_derived_one() {
    let imported = secrets(9).signing_key("ca/etcd", Curve::P256);
    let mut bundle = with("ca/etcd", "1");
    bundle.store("ca/etcd", imported.clone());
    let text = bundle.to_yaml().replace("  ca/etcd: 1", "  ca/etcd: {issuing: 2, trusted: [1]}");
    let (before, after) = (of(&bundle), of(&read(&text.replace("  ca/etcd: |", "  ca/etcd@1: |"))));
    assert_eq!(*before.issuing(&ETCD).key_pem, *imported.to_pem());
    assert_eq!(
        after.trust(&ETCD),
        [after.issuing(&ETCD).certificate_pem.as_str(), before.trust(&ETCD)].concat()
    );
    assert_ne!(*after.issuing(&ETCD).key_pem, *imported.to_pem());
}

#[test]
fn the_calendar_names_every_generation() {
    let issued = issued_with("ca/etcd", "{issuing: 3, trusted: [2, 4]}");
    let ids = issued.calendar().map(|entry| entry.id.into_owned());
    let of_etcd: Vec<String> = ids.filter(|id| id.starts_with("ca/etcd")).collect();
    assert_eq!(of_etcd, ["ca/etcd", "ca/etcd@2", "ca/etcd@4"]);
}

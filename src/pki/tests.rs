//! What is issued, read back with another parser.

mod generations;
mod stability;

use std::collections::BTreeSet;

use time::OffsetDateTime;
use time::macros::datetime;
use x509_parser::prelude::{
    FromDer, GeneralName, ParsedExtension, X509Certificate, X509Version, parse_x509_pem,
};

use super::*;
use crate::report::Report;
use crate::secrets::{Bundle, Secrets};

const ISSUED_AT: OffsetDateTime = datetime!(2026-01-31 12:00 UTC);

const KUBERNETES: Authority = Authority {
    id: "ca/kubernetes",
    common_name: "kubernetes",
    signs: &[Usage::Server, Usage::Client],
};
const FRONT_PROXY: Authority =
    Authority { id: "ca/front-proxy", common_name: "front-proxy-ca", signs: &[Usage::Client] };
const ETCD: Authority = Authority {
    id: "ca/etcd",
    common_name: "etcd-ca",
    signs: &[Usage::Server, Usage::Client, Usage::Peer],
};
/// One that no cluster has.
const REGISTRY: Authority =
    Authority { id: "ca/registry", common_name: "registry-ca", signs: &[Usage::Server] };
const AUTHORITIES: [Authority; 4] = [KUBERNETES, FRONT_PROXY, ETCD, REGISTRY];

fn secrets(seed: u8) -> Secrets {
    Secrets::new(&Bundle::new("demo", [seed; 32], ISSUED_AT))
}

fn spec(id: &str, issuer: Authority, usage: Usage, sans: &[San]) -> CertSpec {
    CertSpec {
        id: id.to_owned(),
        issuer,
        common_name: id.replace('/', ":"),
        organization: None,
        usage,
        sans: sans.iter().cloned().collect(),
    }
}

fn dns(name: &str) -> San {
    San::Dns(name.to_owned())
}

fn ip(address: &str) -> San {
    San::Ip(address.parse().unwrap())
}

/// One certificate of each kind that a cluster has.
fn specs() -> Vec<CertSpec> {
    let mut node = spec("nodes/cp1/kubelet", KUBERNETES, Usage::Client, &[]);
    node.common_name = "system:node:cp1".to_owned();
    node.organization = Some("system:nodes".to_owned());
    let names = [dns("kubernetes.default.svc"), dns("cp1"), ip("10.0.0.11"), ip("fd00::11")];
    let member = [dns("cp1"), dns("localhost"), ip("127.0.0.1"), ip("::1")];
    vec![
        node,
        spec("nodes/cp1/apiserver", KUBERNETES, Usage::Server, &names),
        spec("nodes/cp1/front-proxy-client", FRONT_PROXY, Usage::Client, &[]),
        spec("nodes/cp1/etcd-peer", ETCD, Usage::Peer, &member),
        spec("nodes/w1/registry", REGISTRY, Usage::Server, &[dns("registry.example")]),
    ]
}

fn issued(specs: &[CertSpec], policy: &Policy, secrets: &Secrets) -> Issued {
    let mut report = Report::new();
    let issued = issue(&AUTHORITIES, specs, policy, secrets, &mut report);
    issued.unwrap_or_else(|| panic!("{:?}", report.findings()))
}

/// The messages of what could not be issued.
fn refusals(specs: &[CertSpec]) -> Vec<String> {
    let mut report = Report::new();
    assert!(issue(&AUTHORITIES, specs, &Policy::default(), &secrets(7), &mut report).is_none());
    let findings = report.findings().iter();
    findings
        .inspect(|finding| assert_eq!(finding.code, &UNISSUABLE))
        .map(|f| f.message.clone())
        .collect()
}

fn der(pem: &str) -> Vec<u8> {
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("-----\n"));
    assert!(pem.lines().all(|line| line.len() <= 64) && !pem.contains('\r'));
    parse_x509_pem(pem.as_bytes()).unwrap().1.contents
}

/// Whether the signature, over what it is over, is the authority's: on P-256, as all of these are.
fn signed_by(certificate: &X509Certificate<'_>, authority: &X509Certificate<'_>) -> bool {
    use p256::ecdsa::signature::Verifier;
    use p256::ecdsa::{Signature, VerifyingKey};
    let key = VerifyingKey::from_sec1_bytes(&authority.public_key().subject_public_key.data);
    let signature = Signature::from_der(&certificate.signature_value.data).unwrap();
    key.unwrap().verify(certificate.tbs_certificate.as_ref(), &signature).is_ok()
}

fn key_ids(certificate: &X509Certificate<'_>) -> (Vec<u8>, Vec<u8>) {
    let mut ids = (Vec::new(), Vec::new());
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => ids.0 = id.0.to_vec(),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                ids.1 = id.key_identifier.as_ref().unwrap().0.to_vec();
            }
            _ => {}
        }
    }
    ids
}

#[test]
fn authorities_read_back_as_kubeadm_makes_them() {
    let issued = issued(&[], &Policy::default(), &secrets(7));
    for (authority, name) in [
        (KUBERNETES, "kubernetes"),
        (FRONT_PROXY, "front-proxy-ca"),
        (ETCD, "etcd-ca"),
        (REGISTRY, "registry-ca"),
    ] {
        assert_eq!(issued.trust(&authority), issued.issuing(&authority).certificate_pem);
        let der = der(issued.trust(&authority));
        let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(certificate.subject().to_string(), format!("CN={name}"));
        assert_eq!(certificate.issuer(), certificate.subject());

        let constraints = certificate.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && constraints.value.ca);
        assert_eq!(constraints.value.path_len_constraint, None);
        let usage = certificate.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert_eq!(usage.value.to_string(), "Digital Signature, Key Cert Sign");
        assert!(certificate.extended_key_usage().unwrap().is_none());
        let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
        assert_eq!(names.as_slice(), [GeneralName::DNSName(name)]);

        let (subject, authority) = key_ids(&certificate);
        assert_eq!(subject.len(), 20);
        assert_eq!(subject, authority);
    }
}

#[test]
fn leaves_read_back_as_asked_for() {
    let issued = issued(&specs(), &Policy::default(), &secrets(7));
    for spec in specs() {
        let leaf = issued.leaf(&spec.id);
        assert_eq!(leaf.spec, spec);
        let der = der(&leaf.certificate_pem);
        let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
        assert!(rest.is_empty());
        assert_eq!(certificate.version(), X509Version::V3);
        assert_eq!(certificate.subject().to_string(), spec.subject());

        let constraints = certificate.basic_constraints().unwrap().unwrap();
        assert!(constraints.critical && !constraints.value.ca);
        let usage = certificate.key_usage().unwrap().unwrap();
        assert!(usage.critical);
        assert_eq!(usage.value.to_string(), "Digital Signature");
        let usage = certificate.extended_key_usage().unwrap().unwrap().value;
        assert_eq!(usage.server_auth, spec.usage != Usage::Client);
        assert_eq!(usage.client_auth, spec.usage != Usage::Server);

        let ca = self::der(issued.trust(&spec.issuer));
        let (_, ca) = X509Certificate::from_der(&ca).unwrap();
        assert!(signed_by(&certificate, &ca));
        assert_eq!(certificate.issuer(), ca.subject());
        assert_eq!(key_ids(&certificate).1, key_ids(&ca).0, "the AKI is the issuer's SKI");
        assert_eq!(certificate.validity().not_before, ca.validity().not_before);

        let key = crate::secrets::PrivateKey::from_pem(&leaf.key_pem).unwrap();
        assert_eq!(&*certificate.public_key().subject_public_key.data, key.public_bits());
    }
}

#[test]
fn names_keep_their_type() {
    let issued = issued(&specs(), &Policy::default(), &secrets(7));
    let der = der(&issued.leaf("nodes/cp1/apiserver").certificate_pem);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    let v6 = "fd00::11".parse::<std::net::Ipv6Addr>().unwrap().octets();
    assert_eq!(
        names.as_slice(),
        [
            GeneralName::DNSName("cp1"),
            GeneralName::DNSName("kubernetes.default.svc"),
            GeneralName::IPAddress(&[10, 0, 0, 11]),
            GeneralName::IPAddress(&v6),
        ]
    );
    let der = self::der(&issued.leaf("nodes/cp1/kubelet").certificate_pem);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(certificate.subject_alternative_name().unwrap().is_none(), "clients need no name");
}

#[test]
fn serials_are_positive_of_16_octets_and_unique() {
    let specs: Vec<CertSpec> = (0..50)
        .map(|n| spec(&format!("nodes/n{n}/kubelet"), KUBERNETES, Usage::Client, &[]))
        .collect();
    let issued = issued(&specs, &Policy::default(), &secrets(7));
    let ders = issued.leaves.values().map(|leaf| der(&leaf.certificate_pem));
    let serials: BTreeSet<Vec<u8>> = ders
        .chain(AUTHORITIES.map(|authority| der(issued.trust(&authority))))
        .map(|der| X509Certificate::from_der(&der).unwrap().1.raw_serial().to_vec())
        .inspect(|serial| assert!(serial.len() == 16 && (0x40..0x80).contains(&serial[0])))
        .collect();
    assert_eq!(serials.len(), 54);
}

#[test]
fn p384_goes_all_the_way() {
    let policy = Policy { algorithm: Algorithm::EcdsaP384, ..Policy::default() };
    let issued = issued(&specs(), &policy, &secrets(7));
    for leaf in issued.leaves.values() {
        let der = der(&leaf.certificate_pem);
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(certificate.signature_algorithm.oid().to_id_string(), "1.2.840.10045.4.3.3");
        assert_eq!(certificate.public_key().subject_public_key.data.len(), 97);
    }
}

#[test]
fn the_service_account_key_is_one_pair() {
    let issued = issued(&[], &Policy::default(), &secrets(7));
    let pair = issued.service_account();
    let key = crate::secrets::PrivateKey::from_pem(&pair.private_pem).unwrap();
    assert_eq!(pair.public_pem, key.public_pem());
    assert!(pair.public_pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
}

#[test]
fn the_calendar_lists_authorities_then_leaves() {
    let issued = issued(&specs(), &Policy::default(), &secrets(7));
    let lines: Vec<String> = issued
        .calendar()
        .map(|entry| format!("{} {} {}", entry.id, entry.subject, entry.not_after.date()))
        .collect();
    assert_eq!(
        lines,
        [
            "ca/etcd CN=etcd-ca 2036-01-29",
            "ca/front-proxy CN=front-proxy-ca 2036-01-29",
            "ca/kubernetes CN=kubernetes 2036-01-29",
            "ca/registry CN=registry-ca 2036-01-29",
            "nodes/cp1/apiserver CN=nodes:cp1:apiserver 2027-01-31",
            "nodes/cp1/etcd-peer CN=nodes:cp1:etcd-peer 2027-01-31",
            "nodes/cp1/front-proxy-client CN=nodes:cp1:front-proxy-client 2027-01-31",
            "nodes/cp1/kubelet O=system:nodes, CN=system:node:cp1 2027-01-31",
            "nodes/w1/registry CN=nodes:w1:registry 2027-01-31",
        ]
    );
}

#[test]
fn dates_past_2049_are_encoded_as_x509_wants() {
    let policy =
        Policy { ca_lifetime_days: u32::MAX, leaf_lifetime_days: 10_000, ..Policy::default() };
    let issued = issued(&specs(), &policy, &secrets(7));
    let ca = der(issued.trust(&ETCD));
    let (_, ca) = X509Certificate::from_der(&ca).unwrap();
    assert_eq!(ca.validity().not_after.to_datetime(), datetime!(9999-12-31 23:59:59 UTC));
    assert!(ca.validity().not_after.is_generalizedtime() && ca.validity().not_before.is_utctime());
    let der = der(&issued.leaf("nodes/cp1/etcd-peer").certificate_pem);
    let (_, leaf) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(leaf.validity().not_after.to_datetime(), datetime!(2053-06-18 12:00 UTC));
    assert!(leaf.validity().not_after.is_generalizedtime());
}

#[test]
fn what_could_not_work_is_refused() {
    let mut twin = specs().remove(1);
    twin.sans.insert(dns("other"));
    let mut nameless = spec("nodes/a/x", ETCD, Usage::Client, &[]);
    nameless.common_name.clear();
    let mut all = specs();
    all.extend([
        twin,
        nameless,
        spec("nodes/b/x", ETCD, Usage::Peer, &[]),
        spec("nodes/c/x", ETCD, Usage::Server, &[dns("bücher.example")]),
        spec("nodes/d/x", FRONT_PROXY, Usage::Server, &[dns("d")]),
        spec("nodes/e/x", Authority { id: "ca/other", ..ETCD }, Usage::Client, &[]),
    ]);
    assert_eq!(
        refusals(&all),
        [
            "the certificate nodes/cp1/apiserver cannot be issued: two different certificates have this id",
            "the certificate nodes/a/x cannot be issued: its common name is empty",
            "the certificate nodes/b/x cannot be issued: it is for a server but has no name or address",
            "the certificate nodes/c/x cannot be issued: the DNS name bücher.example is not ASCII",
            "the certificate nodes/d/x cannot be issued: its authority ca/front-proxy is for [Client], not for Server",
            "the certificate nodes/e/x cannot be issued: nobody declares its authority ca/other",
        ]
    );
}

#[test]
fn debug_shows_no_key() {
    let issued = issued(&specs(), &Policy::default(), &secrets(7));
    let shown = format!("{issued:?}");
    assert!(shown.contains("BEGIN CERTIFICATE") && !shown.contains("PRIVATE KEY"));
}

//! OpenSSL's view of every certificate: chain, purpose, names, and the key beside it.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cluster::{
    Case, Cluster, EXTERNAL, HAPROXY_1_15, HAPROXY_1_21, MINIMAL, MINIMAL_IPV6, NGINX_1_30,
    NGINX_STREAM, NODE_LOCAL, SINGLE, compiled,
};
use crate::documents::read_yaml;
use crate::programs::{Ran, run_installed};

fn openssl<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Ran {
    run_installed("openssl", "openssl", arguments)
}

/// A certificate with what should go with it.
struct Leaf {
    certificate: PathBuf,
    key: PathBuf,
    authority: PathBuf,
}

impl Leaf {
    /// Chain, purpose and names in one verification each; then the key.
    fn check(&self) {
        let certificate = shown(&self.certificate);
        let usages = extension(certificate, "extendedKeyUsage");
        let server = usages.contains("TLS Web Server Authentication");
        let client = usages.contains("TLS Web Client Authentication");
        assert!(server || client, "{certificate} serves nothing: {usages}");
        if client {
            self.verify(&["-purpose", "sslclient"]);
        }
        let names = extension(certificate, "subjectAltName");
        if server {
            self.verify(&["-purpose", "sslserver"]);
            assert!(!names.is_empty(), "{certificate} is a server's and has no names");
        }
        for name in names.lines().skip(1).flat_map(|line| line.split(',')) {
            match name.trim().split_once(':').unwrap() {
                ("DNS", host) => self.verify(&["-verify_hostname", host]),
                ("IP Address", address) => self.verify(&["-verify_ip", address]),
                other => panic!("{certificate} has a name of an unexpected kind: {other:?}"),
            }
        }
        let of_certificate = openssl(["x509", "-noout", "-pubkey", "-in", certificate]).succeeded();
        let of_key = openssl(["pkey", "-pubout", "-in", shown(&self.key)]).succeeded();
        assert_eq!(of_certificate.stdout, of_key.stdout, "{certificate} and its key differ");
    }

    fn verify(&self, more: &[&str]) {
        let fixed = ["verify", "-x509_strict", "-CAfile", shown(&self.authority)];
        let certificate = shown(&self.certificate);
        openssl(fixed.iter().chain(more).copied().chain([certificate])).succeeded();
    }
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("test paths are UTF-8")
}

/// An extension as OpenSSL prints it: empty where the certificate has none.
fn extension(certificate: &str, name: &str) -> String {
    openssl(["x509", "-noout", "-ext", name, "-in", certificate]).succeeded().stdout
}

fn is_authority(certificate: &Path) -> bool {
    extension(shown(certificate), "basicConstraints").contains("CA:TRUE")
}

/// The authority that a certificate on a node belongs to: the one of its folder, as kubeadm
/// lays them out.
fn authority_of(certificate: &Path) -> PathBuf {
    let name = certificate.file_name().unwrap().to_str().unwrap();
    let authority = match name {
        "front-proxy-client.crt" => "front-proxy-ca.crt",
        "apiserver-etcd-client.crt" => "etcd/ca.crt",
        _ => "ca.crt",
    };
    certificate.with_file_name(authority)
}

/// Every certificate among these files. Returns how many there are.
fn check_files(files: &[PathBuf]) -> usize {
    let is_certificate =
        |file: &&PathBuf| file.extension().is_some_and(|extension| extension == "crt");
    let certificates: Vec<_> = files.iter().filter(is_certificate).collect();
    assert!(!certificates.is_empty(), "no certificate");
    for certificate in &certificates {
        if is_authority(certificate) {
            let file = shown(certificate);
            openssl(["verify", "-x509_strict", "-check_ss_sig", "-CAfile", file, file]).succeeded();
        } else {
            let key = certificate.with_extension("key");
            let authority = authority_of(certificate);
            Leaf { certificate: (*certificate).clone(), key, authority }.check();
        }
    }
    certificates.len()
}

/// Every kubeconfig with a certificate among these files. Returns how many there are.
fn check_kubeconfigs(files: &[PathBuf]) -> usize {
    let scratch = tempfile::tempdir().unwrap();
    let mut found = 0;
    for file in files {
        let text = fs::read_to_string(file).unwrap_or_default();
        // A script looks for the word as well.
        if text.starts_with("#!") || !text.contains("client-certificate-data:") {
            continue;
        }
        let kubeconfig = read_yaml(file).remove(0);
        let place = |name: &str, value: &Value| {
            let encoded = scratch.path().join("encoded");
            fs::write(&encoded, value.as_str().unwrap()).unwrap();
            let path = scratch.path().join(name);
            let arguments = ["base64", "-d", "-A", "-in", shown(&encoded), "-out", shown(&path)];
            openssl(arguments).succeeded();
            path
        };
        let user = &kubeconfig["users"][0]["user"];
        let authority = &kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"];
        Leaf {
            certificate: place("crt", &user["client-certificate-data"]),
            key: place("key", &user["client-key-data"]),
            authority: place("ca", authority),
        }
        .check();
        found += 1;
    }
    assert!(found > 0, "no kubeconfig with a certificate");
    found
}

/// The names by which clients reach an API server, and the key pair of service accounts.
fn check_control_planes(cluster: &Cluster) {
    for node in cluster.nodes_with("/etc/kubernetes/pki/apiserver.crt") {
        let pki = node.rootfs.join("etc/kubernetes/pki");
        let leaf = Leaf {
            certificate: pki.join("apiserver.crt"),
            key: pki.join("apiserver.key"),
            authority: pki.join("ca.crt"),
        };
        for name in [&cluster.vip, &node.address, &node.name, "kubernetes.default.svc"] {
            let is_address = name.parse::<IpAddr>().is_ok();
            leaf.verify(&[if is_address { "-verify_ip" } else { "-verify_hostname" }, name]);
        }
        let public = openssl(["pkey", "-pubout", "-in", shown(&pki.join("sa.key"))]).succeeded();
        assert_eq!(public.stdout, fs::read_to_string(pki.join("sa.pub")).unwrap());
    }
}

/// These files of a cluster, and every API server's. Returns how many it has read.
pub(crate) fn judge(cluster: &Cluster, files: &[PathBuf]) -> usize {
    check_control_planes(cluster);
    check_files(files) + check_kubeconfigs(files)
}

fn verifies(case: &Case) {
    let cluster = compiled(case);
    judge(&cluster, &cluster.files());
}

#[test]
fn verifies_minimal() {
    verifies(&MINIMAL);
}

#[test]
fn verifies_whatever_leads_to_the_api() {
    for case in [&EXTERNAL, &NODE_LOCAL, &NGINX_STREAM, &SINGLE] {
        verifies(case);
    }
}

#[test]
fn verifies_minimal_ipv6() {
    verifies(&MINIMAL_IPV6);
}

#[test]
fn verifies_haproxy_keepalived() {
    verifies(&HAPROXY_1_15);
}

#[test]
fn verifies_haproxy_keepalived_1_21() {
    verifies(&HAPROXY_1_21);
}

#[test]
fn verifies_nginx_keepalived() {
    verifies(&NGINX_1_30);
}

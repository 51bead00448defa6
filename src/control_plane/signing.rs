//! The certificate that the controller manager signs with. It is given `ca.crt`, and it takes a
//! file with one certificate only: "expected 1 certificate, found 2" is its end
//! (<https://github.com/kubernetes/kubeadm/issues/1350>). So while more than one generation of the
//! authority is trusted, the one that issues stands in a file of its own as well.

use crate::pki::Issued;
use crate::site::{authorities, layout};

/// Its name in [`layout::PKI`], which is mounted as a whole.
pub const FILE: &str = "ca-issuing.crt";

/// The certificate, where it needs a file of its own.
pub fn certificate(issued: &Issued) -> Option<&str> {
    let issuing = issued.issuing(&authorities::KUBERNETES).certificate_pem.as_str();
    (issuing != issued.trust(&authorities::KUBERNETES)).then_some(issuing)
}

/// The flag of the controller manager that names that file, where there is one.
pub fn argument(issued: &Issued) -> Option<(&'static str, String)> {
    certificate(issued)?;
    Some(("cluster-signing-cert-file", format!("{}/{FILE}", layout::PKI)))
}

//! The certificate that the controller manager signs with. kubeadm gives it `ca.crt`, and it takes a
//! file with one certificate only: "expected 1 certificate, found 2" is its end
//! (<https://github.com/kubernetes/kubeadm/issues/1350>). So while more than one generation of the
//! authority is trusted, the one that issues stands in a file of its own as well.

use std::borrow::Cow;

use super::mounts::Part;
use super::plan::Kubeadm;
use crate::pki::Issued;
use crate::site::{authorities, layout};

/// Its name in [`layout::PKI`], which kubeadm mounts as a whole.
pub(super) const FILE: &str = "ca-issuing.crt";

/// The certificate, where it needs a file of its own.
pub(super) fn certificate(issued: &Issued) -> Option<&str> {
    let issuing = issued.issuing(&authorities::KUBERNETES).certificate_pem.as_str();
    (issuing != issued.trust(&authorities::KUBERNETES)).then_some(issuing)
}

impl Kubeadm {
    /// With the flag that names that file, where there is one.
    pub(super) fn signing(&self, issued: &Issued) -> Cow<'_, Self> {
        if certificate(issued).is_none() {
            return Cow::Borrowed(self);
        }
        let mut plan = self.clone();
        let flags = &mut plan.flags[Part::ControllerManager as usize];
        flags.insert("cluster-signing-cert-file".to_owned(), format!("{}/{FILE}", layout::PKI));
        Cow::Owned(plan)
    }
}

//! The secrets bundle of tests that compile in their own process.

use hagen::catalog::KubernetesVersion;
use hagen::secrets::{Bundle, PrivateKey, SecretFile};
use serde_json::Value;

/// A test key, of use nowhere else: a drawn one would be another one in every run.
const RSA: &str = include_str!("../src/secrets/testdata/rsa-2048.pem");

/// The bundle of an inventory's cluster, the same in every run: as `hagen secrets new` makes it,
/// with an RSA key for service accounts where the release's kubeadm takes no other.
pub(crate) fn bundle(inventory: &Value) -> Bundle {
    let said = |pointer| inventory.pointer(pointer).and_then(Value::as_str);
    let date = time::OffsetDateTime::from_unix_timestamp(1_793_491_200).unwrap();
    let mut bundle = Bundle::new(said("/cluster/name").unwrap_or("demo"), [7; 32], date);
    if said("/cluster/kubernetes").is_some_and(wants_rsa) {
        bundle.store("serviceAccount/key", PrivateKey::from_pem(RSA).unwrap());
    }
    if inventory.get("privateFiles").is_some() {
        bundle.put("site", SecretFile::new("of-the-site-alone\n".to_owned().into()));
    }
    bundle
}

/// Whether kubeadm of this release joins control planes with an RSA key alone.
fn wants_rsa(kubernetes: &str) -> bool {
    let version: Option<KubernetesVersion> = kubernetes.parse().ok();
    let facts = version.and_then(|version| Some((version.release()?, version.patch)));
    facts.is_some_and(|(release, patch)| !release.service_account_ecdsa(patch))
}

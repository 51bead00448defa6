use std::collections::BTreeMap;

use rayon::prelude::*;
use rcgen::CertificateParams;

use super::params::{self, Problem};
use super::policy::Validity;
use super::signer::{Signer, certificate_pem};
use super::spec::SERVICE_ACCOUNT;
use super::{Authority, CertSpec, Issued, Leaf, Pair, Policy, ServiceAccount, UNISSUABLE};
use crate::report::{Finding, Path, Report};
use crate::secrets::{KeyKind, PrivateKey, Secrets};

/// Issues every certificate of a cluster: the authorities, the service account key and `specs`,
/// on all cores. The order of `specs` changes nothing; equal specs are issued once.
///
/// `None` after `pki/unissuable`: two different specs share an id, or a spec cannot become a
/// certificate that works.
pub fn issue(
    specs: &[CertSpec],
    policy: &Policy,
    secrets: &Secrets,
    report: &mut Report,
) -> Option<Issued> {
    let mut unique = BTreeMap::new();
    let mut problems = Vec::new();
    for spec in specs {
        if *unique.entry(spec.id.as_str()).or_insert(spec) != spec {
            let problem = Problem("two different certificates have this id".to_owned());
            problems.push((spec.id.as_str(), problem));
        }
    }

    let [kubernetes, front_proxy, etcd] =
        Authority::ALL.map(|authority| Root::new(authority, policy, secrets));
    let validity = policy.leaf_validity(secrets.issued_at());
    let issued: Vec<(&str, Result<Leaf, Problem>)> = unique
        .into_par_iter()
        .map(|(id, spec)| {
            let root = match spec.issuer {
                Authority::Kubernetes => &kubernetes,
                Authority::FrontProxy => &front_proxy,
                Authority::Etcd => &etcd,
            };
            (id, root.leaf(spec, validity, policy, secrets))
        })
        .collect();

    let mut leaves = BTreeMap::new();
    for (id, leaf) in issued {
        match leaf {
            Ok(leaf) => drop(leaves.insert(id.to_owned(), leaf)),
            Err(problem) => problems.push((id, problem)),
        }
    }
    if problems.is_empty() {
        return Some(Issued {
            kubernetes: kubernetes.pair,
            front_proxy: front_proxy.pair,
            etcd: etcd.pair,
            service_account: service_account(policy, secrets),
            leaves,
        });
    }
    for (id, Problem(problem)) in problems {
        let message = format!("the certificate {id} cannot be issued: {problem}");
        report.push(Finding::new(&UNISSUABLE, Path::root(), message));
    }
    None
}

/// An authority that is ready to sign.
struct Root {
    key: Signer,
    params: CertificateParams,
    pair: Pair,
}

impl Root {
    fn new(authority: Authority, policy: &Policy, secrets: &Secrets) -> Self {
        let label = authority.id();
        let key = Signer::new(secrets.signing_key(label, policy.algorithm.curve()));
        let validity = policy.ca_validity(secrets.issued_at());
        let params = params::authority(authority, &key, validity);
        let certificate = key
            .certify(&params, label, params.clone(), &key, secrets)
            .expect("an authority's certificate has a serial number and constant names");
        let pair = Pair {
            certificate_pem: certificate_pem(&certificate),
            key_pem: key.key().to_pem(),
            subject: format!("CN={}", authority.common_name()),
            not_before: validity.not_before,
            not_after: validity.not_after,
        };
        Self { key, params, pair }
    }

    fn leaf(
        &self,
        spec: &CertSpec,
        validity: Validity,
        policy: &Policy,
        secrets: &Secrets,
    ) -> Result<Leaf, Problem> {
        let label = format!("leaves/{}", spec.id);
        let key = Signer::new(secrets.signing_key(&label, policy.algorithm.curve()));
        let request = params::leaf(spec, &key, validity)?;
        let certificate = self.key.certify(&self.params, &label, request, &key, secrets)?;
        Ok(Leaf {
            spec: spec.clone(),
            certificate_pem: certificate_pem(&certificate),
            key_pem: key.key().to_pem(),
            not_before: validity.not_before,
            not_after: validity.not_after,
        })
    }
}

/// How service account tokens will be signed.
pub fn service_account_kind(policy: &Policy, secrets: &Secrets) -> KeyKind {
    service_account_key(policy, secrets).kind()
}

fn service_account_key(policy: &Policy, secrets: &Secrets) -> PrivateKey {
    secrets.signing_key(SERVICE_ACCOUNT, policy.algorithm.curve())
}

fn service_account(policy: &Policy, secrets: &Secrets) -> ServiceAccount {
    let key = service_account_key(policy, secrets);
    ServiceAccount { private_pem: key.to_pem(), public_pem: key.public_pem() }
}

use std::collections::BTreeMap;

use rayon::prelude::*;
use rcgen::CertificateParams;

use super::issued::Trusted;
use super::params::{self, Problem};
use super::policy::Validity;
use super::signer::{Signer, certificate_pem};
use super::spec::SERVICE_ACCOUNT;
use super::{Authority, CertSpec, Issued, Leaf, Pair, Policy, ServiceAccount, UNISSUABLE};
use crate::report::{Finding, Path, Report};
use crate::secrets::{KeyKind, Secrets};

/// Issues every certificate of a cluster: the authorities, the service account key and `specs`,
/// on all cores. The order of `specs` changes nothing; equal specs are issued once.
///
/// `None` after `pki/unissuable`: two different specs share an id, nobody declares the authority of
/// one, or a spec cannot become a certificate that works.
pub fn issue(
    authorities: &[Authority],
    specs: &[CertSpec],
    policy: &Policy,
    secrets: &Secrets,
    report: &mut Report,
) -> Option<Issued> {
    let mut problems = Vec::new();
    let authorities = unique(authorities, |authority| authority.id, &mut problems);
    let specs = unique(specs, |spec| &spec.id, &mut problems);
    let roots: BTreeMap<Authority, Root> =
        authorities.into_values().map(|it| (*it, Root::new(it, policy, secrets))).collect();
    let validity = policy.leaf_validity(secrets.issued_at());
    let issued: Vec<(&str, Result<Leaf, Problem>)> = specs
        .into_par_iter()
        .map(|(id, spec)| {
            let root = roots.get(&spec.issuer);
            let leaf = match root {
                Some(root) => root.leaf(spec, validity, policy, secrets),
                None => Err(Problem(format!("nobody declares its authority {}", spec.issuer.id))),
            };
            (id, leaf)
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
        let issued = |(authority, root): (Authority, Root)| (authority, root.trusted);
        return Some(Issued {
            authorities: roots.into_iter().map(issued).collect(),
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

/// Each once, by its id. Of two that differ the second is a problem.
fn unique<'a, T: PartialEq>(
    items: &'a [T],
    id: impl Fn(&'a T) -> &'a str,
    problems: &mut Vec<(&'a str, Problem)>,
) -> BTreeMap<&'a str, &'a T> {
    let mut unique = BTreeMap::new();
    for item in items {
        if *unique.entry(id(item)).or_insert(item) != item {
            let problem = Problem("two different certificates have this id".to_owned());
            problems.push((id(item), problem));
        }
    }
    unique
}

/// An authority that is ready to sign, with its issuing generation.
struct Root {
    key: Signer,
    params: CertificateParams,
    trusted: Trusted,
}

impl Root {
    fn new(authority: &Authority, policy: &Policy, secrets: &Secrets) -> Self {
        let validity = policy.ca_validity(secrets.issued_at());
        let keys = secrets.trusted_keys(authority.id, policy.algorithm.curve());
        let mut signers = Vec::new();
        let mut pairs = Vec::new();
        for (generation, key) in keys {
            let key = Signer::new(key);
            let params = params::authority(authority, &key, validity);
            let certificate = key
                .certify(&params, authority.id, params.clone(), &key, secrets)
                .expect("an authority's certificate has a serial number and constant names");
            pairs.push(Pair {
                generation,
                certificate_pem: certificate_pem(&certificate),
                key_pem: key.key().to_pem(),
                not_before: validity.not_before,
                not_after: validity.not_after,
            });
            signers.push((key, params));
        }
        let (key, params) = signers.swap_remove(0);
        Self { key, params, trusted: Trusted::new(pairs) }
    }

    fn leaf(
        &self,
        spec: &CertSpec,
        validity: Validity,
        policy: &Policy,
        secrets: &Secrets,
    ) -> Result<Leaf, Problem> {
        let Authority { id, common_name: _, signs } = spec.issuer;
        if !signs.contains(&spec.usage) {
            let usage = spec.usage;
            return Err(Problem(format!("its authority {id} is for {signs:?}, not for {usage:?}")));
        }
        let label = format!("leaves/{}", spec.id);
        let key = Signer::new(secrets.signing_key(&label, policy.algorithm.curve()));
        let request = params::leaf(spec, &key, validity)?;
        let certificate = self.key.certify(&self.params, &label, request, &key, secrets)?;
        Ok(Leaf {
            spec: spec.clone(),
            certificate_pem: certificate_pem(&certificate),
            key_pem: key.key().to_pem(),
            authority_generation: self.trusted.issuing.generation,
            key_generation: secrets.generations(&label).issuing(),
            issued_at: secrets.issued_at(),
            not_before: validity.not_before,
            not_after: validity.not_after,
        })
    }
}

/// How service account tokens will be signed.
pub fn service_account_kind(policy: &Policy, secrets: &Secrets) -> KeyKind {
    secrets.signing_key(SERVICE_ACCOUNT, policy.algorithm.curve()).kind()
}

fn service_account(policy: &Policy, secrets: &Secrets) -> ServiceAccount {
    let keys = secrets.trusted_keys(SERVICE_ACCOUNT, policy.algorithm.curve());
    ServiceAccount {
        private_pem: keys[0].1.to_pem(),
        public_pem: keys.iter().map(|(_, key)| key.public_pem()).collect(),
    }
}

//! What stands in a certificate, in rcgen's words. Everything here is plain data; the serial
//! number and the signature are [`super::signer`]'s.

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose, SanType,
};

use super::policy::Validity;
use super::signer::Signer;
use super::{Authority, CertSpec, San, Usage};
use crate::secrets::KeyKind;

/// An authority's certificate, as kubeadm makes it. No path length: kubeadm sets none either.
pub(super) fn authority(
    authority: &Authority,
    key: &Signer,
    validity: Validity,
) -> CertificateParams {
    let name = authority.common_name;
    let mut params = common(None, name, key, validity);
    params.subject_alt_names = vec![dns(name).expect("the names of authorities are ASCII")];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    params
}

/// A leaf certificate. Refuses what could be encoded but not used.
pub(super) fn leaf(
    spec: &CertSpec,
    key: &Signer,
    validity: Validity,
) -> Result<CertificateParams, Problem> {
    if spec.common_name.is_empty() {
        return Err(Problem("its common name is empty".to_owned()));
    }
    // Go has not looked at the CN of a server since 1.15.
    if spec.sans.is_empty() && spec.usage != Usage::Client {
        return Err(Problem("it is for a server but has no name or address".to_owned()));
    }
    let mut params = common(spec.organization.as_deref(), &spec.common_name, key, validity);
    params.subject_alt_names = spec
        .sans
        .iter()
        .map(|san| match san {
            San::Dns(name) => dns(name),
            San::Ip(address) => Ok(SanType::IpAddress(*address)),
        })
        .collect::<Result<_, _>>()?;
    // `NoCa` would leave out basicConstraints and the key identifier.
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = match spec.usage {
        Usage::Server => vec![ExtendedKeyUsagePurpose::ServerAuth],
        Usage::Client => vec![ExtendedKeyUsagePurpose::ClientAuth],
        Usage::Peer => {
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth]
        }
    };
    Ok(params)
}

/// Why a spec cannot become a certificate.
#[derive(Debug)]
pub(super) struct Problem(pub(super) String);

impl From<rcgen::Error> for Problem {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}

/// Subject (O before CN, as Go writes it), dates, what the key is for, and both key identifiers: OpenSSL's strict mode
/// and Python from 3.13 on demand the authority's on leaves and the subject's on authorities.
fn common(
    organization: Option<&str>,
    common_name: &str,
    key: &Signer,
    validity: Validity,
) -> CertificateParams {
    let mut subject = DistinguishedName::new();
    if let Some(organization) = organization {
        subject.push(DnType::OrganizationName, organization);
    }
    subject.push(DnType::CommonName, common_name);

    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.not_before = validity.not_before;
    params.not_after = validity.not_after;
    params.key_usages = match key.key().kind() {
        KeyKind::Ecdsa(_) => vec![KeyUsagePurpose::DigitalSignature],
        // kubeadm sets both on all; RFC 8813, section 3, wants the second on RSA keys only.
        KeyKind::Rsa => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
    };
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::PreSpecified(key.key_id());
    params
}

fn dns(name: &str) -> Result<SanType, Problem> {
    let ascii = Ia5String::try_from(name)
        .map_err(|_| Problem(format!("the DNS name {name} is not ASCII")))?;
    Ok(SanType::DnsName(ascii))
}

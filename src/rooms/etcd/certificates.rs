//! The certificates of external members: one per member and purpose, so that one can be replaced
//! without the others.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::claims::RoomClaims;
use crate::pki::{CertSpec, San, Usage};
use crate::site::{Cluster, Host, authorities};

/// What a member has certificates for; the names of the files in [`crate::site::layout::ETCD_PKI`].
pub(super) const PURPOSES: [(&str, Usage); 3] = [
    // A member's own gRPC gateway dials it with the server certificate, hence both usages
    // (https://github.com/etcd-io/etcd/issues/9785).
    ("server", Usage::Peer),
    ("peer", Usage::Peer),
    ("client", Usage::Client),
];

/// The id of a member's certificate.
pub(super) fn id(member: &Host, purpose: &str) -> String {
    format!("nodes/{}/etcd-{purpose}", member.name)
}

pub(super) fn ask(cluster: &Cluster<'_>, claims: &mut RoomClaims) {
    for member in cluster.members() {
        for (purpose, usage) in PURPOSES {
            let serves = usage == Usage::Peer;
            claims.certificates.push(CertSpec {
                id: id(member, purpose),
                issuer: authorities::ETCD,
                common_name: if serves { member.name.clone() } else { "etcdctl".to_owned() },
                organization: None,
                usage,
                sans: if serves { names(member).into() } else { [].into() },
            });
        }
    }
}

/// Every name and address in any URL of the member. Loopback in both families: the API server of
/// the same host, etcdctl and the snapshots use it.
fn names(member: &Host) -> [San; 5] {
    [
        San::Dns(member.name.clone()),
        San::Dns("localhost".to_owned()),
        San::Ip(member.address),
        San::Ip(Ipv4Addr::LOCALHOST.into()),
        San::Ip(Ipv6Addr::LOCALHOST.into()),
    ]
}

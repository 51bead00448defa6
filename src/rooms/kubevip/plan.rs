use std::net::IpAddr;

use serde::Serialize;

use crate::inventory::kubevip::KubeVipSection;
use crate::inventory::values::Duration;
use crate::site::{Cluster, Holder};

/// The release whose environment variables the manifest has. To the API server it speaks of leases of
/// coordination.k8s.io/v1 alone, there since 1.14, so one release serves every Kubernetes of the catalog;
/// tried with the API servers of 1.20.2 and 1.37.1.
const IMAGE: &str = "ghcr.io/kube-vip/kube-vip:v1.2.2";

/// Every decision of the room.
pub(super) struct KubeVipPlan {
    pub(super) settings: Settings,
    pub(super) vip: IpAddr,
    /// Of the address alone: a shorter one would be a second route to the subnet.
    pub(super) prefix: u8,
    /// The port of the API server beside it, which is the endpoint's.
    pub(super) port: u16,
    /// The machines that may hold the VIP, by their places.
    pub(super) holders: Vec<usize>,
}

/// What is settled for every machine, under the section's own keys. The times are as they were said:
/// `lint` refuses what kube-vip cannot run with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) image: String,
    pub(super) lease_duration: Duration,
    pub(super) renew_deadline: Duration,
    pub(super) retry_period: Duration,
}

impl KubeVipPlan {
    /// `None` where something else leads to the API.
    pub(super) fn new(section: &KubeVipSection, cluster: &Cluster<'_>) -> Option<Self> {
        let Holder::KubeVip(held) = &cluster.endpoint.holder else { return None };
        let KubeVipSection { image, lease_duration, renew_deadline, retry_period } = section;
        // Those of upstream's manifests for control planes: the program's own 15, 10 and 2 leave
        // clients without an API for as long.
        let or = |said: &Option<Duration>, seconds: u64| {
            said.clone().unwrap_or(Duration::from_millis(seconds * 1000))
        };
        Some(Self {
            settings: Settings {
                image: image.as_ref().map_or_else(|| IMAGE.to_owned(), ToString::to_string),
                lease_duration: or(lease_duration, 5),
                renew_deadline: or(renew_deadline, 3),
                retry_period: or(retry_period, 1),
            },
            vip: held.address,
            prefix: if held.address.is_ipv4() { 32 } else { 128 },
            port: cluster.api_port,
            holders: held.hosts.clone(),
        })
    }
}

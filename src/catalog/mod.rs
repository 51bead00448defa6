//! Upstream's decisions as data, under names.
//!
//! Everything that depends on a version of Kubernetes, etcd, a balancer, a runtime or an
//! operating system is decided here, from data files beside the code, and offered as a fact with
//! a name: `release.super_admin`, `haproxy.http_check_send`. No other module can compare versions
//! (a [`VersionPart`] has no order outside), so a new minor is a new data file and nothing else.
//!
//! * `kubernetes/1.NN.json`: one complete file per minor, without inheritance, so that
//!   `diff 1.33.json 1.34.json` shows what upstream changed. Read by [`KubernetesVersion::release`].
//! * `etcd/3.N.json`: likewise. Read by [`EtcdVersion::release`]. `etcd/digests.json`: what its release
//!   archives have to be.
//! * `haproxy.json`, `nginx.json`, `keepalived.json`: for each feature, the version that brought
//!   it. Read by [`haproxy`], [`nginx`], [`keepalived`].
//! * `containerd.json`, `docker.json`, `os.json`: one entry per series or release.
//! * [`flags`]: flags and configuration fields that came or went; [`flag_paths`](fn@flag_paths):
//!   the flags that name files; [`flag_words`]: what lists in flags are made of; [`gates`]: feature
//!   gates.

mod archives;
mod balancers;
mod by_patch;
mod date;
mod etcd;
mod feature;
pub mod fields;
mod flag_paths;
pub mod flag_words;
pub mod flags;
pub mod gates;
mod kube_proxy;
mod kubeadm;
mod kubelet;
mod kubernetes;
mod os;
mod packages;
mod runtime;
mod static_pods;
mod version;

pub use archives::*;
pub use balancers::*;
pub use etcd::*;
pub use flag_paths::*;
pub use kube_proxy::*;
pub use kubeadm::*;
pub use kubelet::*;
pub use kubernetes::*;
pub use os::*;
pub use packages::*;
pub use runtime::*;
pub use static_pods::*;
pub use version::{EtcdVersion, KubernetesVersion, Version, VersionError, VersionPart};

//! Real programs judge generated trees: `cargo test --test real`, as root on Debian 12.
//!
//! Each golden cluster is compiled with a secrets bundle of its own, then every file is given to
//! the program that will read it on a node. A missing program fails the test and names its
//! package; `.ci/run` installs them all. Nothing outside the target folder changes: what needs
//! root runs in a [`machine::Machine`].

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests look at files, start programs and measure time; a panic is how they fail"
)]

/// The harness.
mod cluster;
#[path = "../inventories/mod.rs"]
mod inventories;
mod machine;
mod network;
#[path = "ground/outage.rs"]
mod outage;
mod patience;
#[path = "ground/probe.rs"]
mod probe;
mod programs;

/// One file per judge.
mod containerd;
mod disk;
mod documents;
mod etcd;
mod failover;
mod flags;
mod haproxy;
mod keepalived;
mod kubeadm;
mod kubevip;
mod nginx;
mod openssl;
mod parts;
mod probing;
mod purity;
mod random;
#[path = "ground/runbook.rs"]
#[expect(dead_code, reason = "the proving ground uses the rest")]
mod runbook;
mod scripts;
mod systemd;
mod verify;

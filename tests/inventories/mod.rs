//! Random inventories that use the whole schema; nearly all of them are accepted. The properties
//! of the compiler, the real programs and the fuzz targets draw from the same ones: a key
//! whose schema says little of its values, or that depends on another, has a row in [`sections`].

mod frame;
mod schema;
mod sections;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use serde_json::Value;

/// An inventory as values; its debug form, which a failing test shows, is the text.
#[derive(Clone)]
pub(crate) struct Inventory(pub(crate) Value);

impl Inventory {
    /// The YAML that a user would write.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(hagen::document::yaml(std::slice::from_ref(&self.0), false)).unwrap()
    }
}

impl std::fmt::Debug for Inventory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", self.text())
    }
}

/// Whole inventories, of this exact Kubernetes release or of any that the catalog knows.
pub(crate) fn inventories(release: Option<&'static str>) -> BoxedStrategy<Inventory> {
    frame::frames(release)
        .prop_flat_map(|frame| {
            let parts = (frame::machines(&frame), sections::sections(&frame));
            (Just(frame), parts)
        })
        .prop_map(|(frame, (machines, sections))| {
            let mut inventory = frame.inventory(machines);
            for section in sections {
                hagen::document::merge(&mut inventory, &section);
            }
            pin_a_range(&mut inventory);
            suit_every_system(&mut inventory);
            Inventory(inventory)
        })
        .boxed()
}

/// Where ranges are fixed, the first node has one of its own: the end of the pods' network.
fn pin_a_range(inventory: &mut Value) {
    if inventory["cni"]["plugin"] == "bridge" {
        inventory["nodes"][0]["podRange"] = match inventory["cluster"]["podSubnet"].as_str() {
            Some("172.20.0.0/14") => "172.23.255.0/26",
            Some("100.64.0.0/18") => "100.64.63.0/24",
            Some("fd00:10:244::/56") => "fd00:10:244:ff::/80",
            _ => "10.244.255.0/30",
        }
        .into();
    }
}

/// Where nodes have apt and dnf, no repository of all is apt's alone, and no version either.
fn suit_every_system(inventory: &mut Value) {
    let apt = |os: &Value| ["debian", "ubuntu"].contains(&os["distribution"].as_str().unwrap());
    let own = inventory["nodes"].as_array().unwrap().iter();
    let all: Vec<bool> = own.map(|node| apt(node.get("os").unwrap_or(&inventory["os"]))).collect();
    if all.iter().all(|apt| *apt == all[0]) {
        return;
    }
    if let Some(versions) = inventory.pointer_mut("/packages/versions") {
        versions.as_object_mut().unwrap().remove("kubeadm");
    }
    let repositories = inventory.pointer_mut("/packages/repositories");
    for named in
        repositories.into_iter().flat_map(|named| named.as_object_mut().unwrap().values_mut())
    {
        let each = match named {
            Value::Array(others) => others.iter_mut().collect(),
            one => vec![one],
        };
        for repository in each {
            let repository = repository.as_object_mut().unwrap();
            repository.remove("suite");
            repository.remove("components");
        }
    }
}

/// What a check says of an inventory that it has nothing against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was built, and all held.
    Accepted,
    /// It was refused, for this reason.
    Refused(String),
}

/// Checks one random inventory for each number from the `first`: the same ones in every run.
/// `HAGEN_CASES=500` asks for more than the `usual` number. A check fails by panicking; then the
/// smallest inventory that is found to fail is shown, after `patience` more runs at most.
///
/// # Panics
/// Where a check did, or where fewer than two in three inventories were accepted: then the
/// generator proves less than it seems to.
pub(crate) fn each(
    first: u32,
    usual: u32,
    patience: u32,
    release: Option<&'static str>,
    check: impl Fn(Inventory) -> Verdict,
) {
    let cases = std::env::var("HAGEN_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(usual);
    let inventories = inventories(release);
    let refused = std::cell::RefCell::new(Vec::new());
    for number in first..first + cases {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_iters: patience,
            ..Config::default()
        };
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_le_bytes());
        // Of each release other ones.
        for (place, byte) in seed[4..].iter_mut().zip(release.unwrap_or_default().bytes()) {
            *place = byte;
        }
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let result = TestRunner::new_with_rng(config, rng).run(&inventories, |inventory| {
            if let Verdict::Refused(reason) = check(inventory) {
                refused.borrow_mut().push(reason);
            }
            Ok(())
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(reason, inventory)) => {
                panic!("inventory {number}, made smaller: {reason}\n{inventory:?}")
            }
            Err(error) => panic!("inventory {number}: {error}"),
        }
    }
    let refused = refused.into_inner();
    assert!(refused.len() * 3 <= cases as usize, "{} of {cases}: {refused:#?}", refused.len());
}

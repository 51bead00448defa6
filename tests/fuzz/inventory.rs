//! Random inventories, drawn with the engine's bytes: building does not panic; what is refused is
//! refused for a reason; in what is accepted every document parses, YAML and TOML by readers that
//! hagen does not use; no path is placed twice; no private file is open.

#![no_main]

#[path = "../bundle.rs"]
mod bundle;
#[path = "../inventories/mod.rs"]
#[expect(dead_code, reason = "what draws a number of inventories is for tests without an engine")]
mod inventories;
#[path = "../wellformed.rs"]
mod wellformed;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use hagen::compile::{Inputs, compile};
use hagen::tree::Tree;
use libfuzzer_sys::fuzz_target;
use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Deserialize;

use bundle::bundle;
use inventories::{Inventory, inventories};
use wellformed::is_well_formed;

/// A seed that follows from the engine's bytes. Bytes passed through to the generator run out: it
/// then draws zeros, of which some choices are never made.
fn seed(bytes: &[u8]) -> [u8; 32] {
    let mut seed = [0; 32];
    for (index, word) in seed.chunks_exact_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (index, bytes).hash(&mut hasher);
        word.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    seed
}

fn drawn(bytes: &[u8]) -> Option<Inventory> {
    // Making the strategy takes longer than drawing from it.
    thread_local! {
        static STRATEGY: LazyLock<BoxedStrategy<Inventory>> = LazyLock::new(|| inventories(None));
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed(bytes));
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    STRATEGY.with(|strategy| strategy.new_tree(&mut runner).ok().map(|drawn| drawn.current()))
}

fn every_document_parses(tree: &Tree) {
    for (path, artifact) in tree.iter() {
        // kubeconfigs, too.
        let kubeconfig = path.ends_with(".conf") && path.contains("/etc/kubernetes/");
        if path.ends_with(".json") {
            let read = serde_json::from_slice::<serde_json::Value>(&artifact.bytes);
            assert!(read.is_ok(), "{path}: {read:?}");
        }
        if path.ends_with(".yaml") || kubeconfig {
            for document in serde_yaml::Deserializer::from_slice(&artifact.bytes) {
                let read = serde_yaml::Mapping::deserialize(document);
                assert!(read.is_ok(), "{path}: {read:?}");
            }
        }
        if path.ends_with(".toml") {
            let read = toml::from_slice::<toml::Table>(&artifact.bytes);
            assert!(read.is_ok(), "{path}: {read:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some(inventory) = drawn(bytes) else { return };
    let text = inventory.text();
    let bundle = bundle(&inventory.0);
    let inputs = Inputs {
        name: "fuzz",
        inventory: text.as_bytes(),
        bundle: Some(&bundle),
        templates: Default::default(),
    };
    let outcome = compile(&inputs);
    let Some(tree) = &outcome.tree else {
        assert!(outcome.report.has_errors(), "refused without a reason:{inventory:?}");
        return;
    };
    is_well_formed(tree);
    every_document_parses(tree);
});

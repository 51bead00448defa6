//! Text to tree in one process, by number of nodes: `cargo bench --bench compile`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may panic")]

mod inventory;

use hagen::compile::{Inputs, compile};
use hagen::secrets::Bundle;

fn main() {
    divan::main();
}

#[divan::bench(args = [3, 10, 100, 1000], max_time = 5)]
fn compiled(bencher: divan::Bencher<'_, '_>, nodes: usize) {
    let text = inventory::of(nodes);
    let date = time::OffsetDateTime::from_unix_timestamp(1_793_491_200).unwrap();
    let bundle = Bundle::new("bench", [7; 32], date);
    bencher.bench(|| {
        compile(&Inputs {
            name: "inventory.yaml",
            inventory: text.as_bytes(),
            bundle: Some(&bundle),
            templates: [].into(),
        })
        .tree
        .unwrap()
    });
}

//! A build that cannot write leaves the tree as it was: on a full disk, on a read-only one.

use std::process::Command;

use crate::cluster::{MINIMAL, Sources, prepare};
use crate::programs::{installed, run};

/// Builds the minimal cluster into a file system of its own, changes the inventory, and builds
/// again after `spoil`. Everything happens in a mount namespace that ends with the script.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs -o size=4m tmpfs "$DISK"
"$HAGEN" build "$INVENTORY" --secrets "$SECRETS" -o "$DISK/out"
(cd "$DISK/out" && find . -type f -exec sha256sum {} + | sort) >"$BEFORE"
sed -i 's/port: 8443/port: 9443/' "$INVENTORY"
eval "$SPOIL"
code=0
"$HAGEN" build "$INVENTORY" --secrets "$SECRETS" -o "$DISK/out" || code=$?
(cd "$DISK/out" && find . -type f -exec sha256sum {} + | sort) | cmp - "$BEFORE"
exit "$code"
"#;

fn spoiled(spoil: &str, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let Sources { inventory, bundle, .. } = prepare(&MINIMAL, folder.path());
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let ran = run(Command::new(installed("unshare", "util-linux"))
        .args(["--mount", "bash", "-c", SCRIPT])
        .env("HAGEN", env!("CARGO_BIN_EXE_hagen"))
        .env("INVENTORY", inventory)
        .env("SECRETS", bundle)
        .env("BEFORE", folder.path().join("before"))
        .env("DISK", disk)
        .env("SPOIL", spoil));
    assert_eq!(ran.code, Some(2), "{ran}");
    assert!(ran.stderr.contains("disk/unwritable") && ran.stderr.contains(words), "{ran}");
}

#[test]
fn a_full_disk_keeps_the_old_tree() {
    let fill = r#"head -c 8m /dev/zero >"$DISK/filler" 2>/dev/null || true"#;
    spoiled(fill, "No space left on device");
}

#[test]
fn a_read_only_disk_keeps_the_old_tree() {
    spoiled(r#"mount -o remount,ro "$DISK""#, "Read-only file system");
}

//! Files that a program is told to read, and that nobody brings to its host.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use super::FILE_MISSING;
use crate::claims::{Claims, NeededFile};
use crate::report::{Finding, Path, Report};
use crate::site::Site;
use crate::tree::Tree;

/// The distribution brings these: its CA bundle, and what an administrator adds to it. And what
/// the kubelet makes for itself.
const THERE: [&str; 6] = [
    "/etc/ca-certificates",
    "/etc/pki",
    "/etc/ssl",
    "/usr/local/share/ca-certificates",
    "/usr/share/ca-certificates",
    "/var/lib/kubelet",
];

/// How many nodes a message names.
const NAMED: usize = 3;

/// Compares what programs need with the finished tree and with what the hosts are said to have.
pub fn files(site: &Site, claims: &Claims, tree: &Tree, report: &mut Report) {
    let mut missing: BTreeMap<(&Path, &str), (&NeededFile, Vec<&str>)> = BTreeMap::new();
    for node in &site.hosts {
        for needed in &claims.of(node.index).needed_files {
            if on_the_host(needed, claims) || in_the_tree(needed, &node.name, tree) {
                continue;
            }
            let key = (&needed.at, needed.path.as_str());
            missing.entry(key).or_insert((needed, Vec::new())).1.push(&node.name);
        }
    }
    for (needed, nodes) in missing.into_values() {
        let NeededFile { path, folder, reader, read_by: _, at } = needed;
        let what = if *folder { "a file below" } else { "the file" };
        report.push(
            Finding::new(
                &FILE_MISSING,
                at.clone(),
                format!("{reader} reads {path}, and nothing brings it to {}", several(&nodes)),
            )
            .label("would not start")
            .help(format!(
                "add {what} {path} to `files` (`privateFiles` where it is secret), or the path to `extraArgs.hostFiles` where the hosts have it already"
            )),
        );
    }
}

fn on_the_host(needed: &NeededFile, claims: &Claims) -> bool {
    let path = FilePath::new(&needed.path);
    let said = claims.host_files.iter().map(String::as_str);
    THERE.into_iter().chain(said).any(|place| path.starts_with(place))
}

fn in_the_tree(needed: &NeededFile, node: &str, tree: &Tree) -> bool {
    let path = &needed.path;
    match needed.folder {
        false => tree.on(node, path).is_some(),
        true => tree.has_folder(&format!("nodes/{node}/rootfs{}", path.trim_end_matches('/'))),
    }
}

fn several(names: &[&str]) -> String {
    match names.split_at_checked(NAMED) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::several;

    #[test]
    fn three_nodes_are_named_and_more_are_counted() {
        assert_eq!(several(&["cp1"]), "cp1");
        assert_eq!(several(&["cp1", "cp2", "cp3"]), "cp1, cp2, cp3");
        assert_eq!(several(&["cp1", "cp2", "cp3", "w1"]), "cp1, cp2, cp3 and 1 more");
    }
}

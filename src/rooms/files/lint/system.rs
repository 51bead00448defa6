//! Paths that no entry of `files` may take: 20-install.sh would put the user's file in place of one
//! that the machine needs, and 90-reset.sh would take it away for good.
//!
//! What a site adds beside them stays possible: drop-ins such as `/etc/sysctl.d/60-site.conf` or
//! `/etc/profile.d/proxy.sh`, units of its own, `/usr/local`, `/opt`, `/srv`. Of `/etc` only what a
//! machine does not start or let anybody in without is listed. Source of what a folder is for: the
//! Filesystem Hierarchy Standard (<https://refspecs.linuxfoundation.org/FHS_3.0/fhs/>), file-hierarchy(7).

use std::path::Path as FilePath;

use crate::claims::Claims;
use crate::report::{Finding, Report};
use crate::rooms::files::SYSTEM_PATH;
use crate::rooms::files::plan::UserFile;
use crate::site::Site;

/// Paths, with all that is below them, and what they are.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "who has an account, and who may become root",
        &[
            "/etc/passwd",
            "/etc/passwd-",
            "/etc/shadow",
            "/etc/shadow-",
            "/etc/group",
            "/etc/group-",
            "/etc/gshadow",
            "/etc/gshadow-",
            "/etc/subuid",
            "/etc/subgid",
            "/etc/nsswitch.conf",
            "/etc/sudoers",
            "/etc/sudoers.d",
            "/etc/pam.d",
            "/etc/security",
            "/etc/polkit-1",
            "/etc/login.defs",
        ],
    ),
    (
        "how people reach the machine",
        &["/etc/ssh/sshd_config", "/etc/resolv.conf", "/etc/hostname", "/root/.ssh"],
    ),
    (
        "what the machine boots from",
        &[
            "/boot",
            "/efi",
            "/etc/crypttab",
            "/etc/default/grub",
            "/etc/grub.d",
            "/etc/inittab",
            "/etc/machine-id",
            "/etc/selinux",
        ],
    ),
    (
        "programs and libraries of the system, which its packages replace",
        &["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr"],
    ),
    (
        "what programs are loaded with",
        &["/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.cache", "/etc/alternatives"],
    ),
    (
        "what the package manager knows about the machine",
        &[
            "/etc/os-release",
            "/etc/dpkg",
            "/etc/rpm",
            "/var/lib/dpkg",
            "/var/lib/apt",
            "/var/lib/rpm",
            "/var/lib/dnf",
            "/var/lib/yum",
            "/var/cache",
        ],
    ),
    ("the kernel's, and no folder of files", &["/proc", "/sys", "/dev"]),
    ("a user's, who could lead root elsewhere with a link", &["/home"]),
    (
        "emptied when the machine starts",
        &["/run", "/var/run", "/var/lock", "/tmp", "/var/tmp", "/lost+found"],
    ),
    (
        "written by kubeadm and the kubelet",
        &[
            "/etc/kubernetes/bootstrap-kubelet.conf",
            "/etc/kubernetes/kubelet.conf",
            "/etc/kubernetes/admin.conf",
            "/etc/kubernetes/super-admin.conf",
            "/etc/kubernetes/controller-manager.conf",
            "/etc/kubernetes/scheduler.conf",
            "/etc/kubernetes/manifests/etcd.yaml",
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
            "/etc/kubernetes/manifests/kube-controller-manager.yaml",
            "/etc/kubernetes/manifests/kube-scheduler.yaml",
        ],
    ),
];

/// hagen's own state and programs; names of its other files start with `hagen-`.
const OWN: &[&str] = &["/etc/hagen", "/usr/local/lib/hagen", "/var/lib/hagen"];

/// Exceptions from [`REFUSED`]: the site's own.
const ADMITTED: &[&str] = &["/usr/local"];

/// Whether a file would replace what the machine, Kubernetes or hagen itself lives on.
pub(super) fn lint(file: &UserFile, site: &Site, claims: &Claims, report: &mut Report) {
    let path = FilePath::new(&file.path);
    let finding = match reason(path) {
        Some((folder, reason)) => refused(file, &format!("`{folder}` is {reason}")),
        None => match program(file, site, claims) {
            Some(name) => refused(
                file,
                &format!("`{}` is a program of {name}, which hagen installs", file.path),
            ),
            None => return,
        },
    };
    report.push(finding);
}

/// The listed path that this one is or is in, and what it is.
fn reason(path: &FilePath) -> Option<(&str, &'static str)> {
    let within = |root: &&&str| path.starts_with(root);
    let name = path.file_name()?.as_encoded_bytes();
    // `.hagen-new` is what becomes a file of hagen's in one step.
    let own =
        name.starts_with(b"hagen-") || name.starts_with(b"hagen.") || name.ends_with(b".hagen-new");
    if own || OWN.iter().any(|root| path.starts_with(root)) {
        return Some((path.to_str()?, "a name of hagen's own"));
    }
    if path.parent() == Some(FilePath::new("/")) {
        return Some(("/", "the system's, with one folder for each purpose"));
    }
    if path.iter().any(|name| name == ".ssh") || ssh_key(path) {
        return Some((path.to_str()?, "how people reach the machine"));
    }
    if ADMITTED.iter().any(|root| path.starts_with(root) && path != FilePath::new(root)) {
        return None;
    }
    REFUSED
        .iter()
        .find_map(|(reason, roots)| roots.iter().find(within).map(|root| (*root, *reason)))
}

/// `/etc/ssh/ssh_host_ed25519_key`.
fn ssh_key(path: &FilePath) -> bool {
    path.parent() == Some(FilePath::new("/etc/ssh"))
        && path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ssh_host_"))
}

/// What an upstream's archive brings to this very path.
fn program(file: &UserFile, site: &Site, claims: &Claims) -> Option<&'static str> {
    let nodes = site.hosts.iter().filter(|node| file.is_on(node));
    let mut archives = nodes.flat_map(|node| &claims.of(node.index).archives);
    let archive = archives.find(|archive| {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or_default();
        folder == archive.directory && archive.programs.contains(&name)
    })?;
    Some(archive.name)
}

fn refused(file: &UserFile, message: &str) -> Finding {
    Finding::new(&SYSTEM_PATH, file.at.key("path"), message)
        .label("would be replaced at the install, and deleted at a reset")
        .help("choose another path, or leave this one to the host")
}

#[cfg(test)]
mod tests {
    use super::SYSTEM_PATH;
    use crate::rooms::overlaid::{codes, outcome};

    fn refused(path: &str) -> bool {
        let overlay = format!("files: [{{path: {path}, content: x}}]");
        codes(&overlay).contains(&SYSTEM_PATH.id)
    }

    #[test]
    fn what_a_machine_lives_on_is_refused() {
        for path in [
            "/etc/passwd",
            "/etc/shadow",
            "/etc/sudoers.d/site",
            "/etc/ssh/sshd_config",
            "/etc/ssh/ssh_host_rsa_key",
            "/root/.ssh/authorized_keys",
            "/home/site/.ssh/authorized_keys",
            "/bin/bash",
            "/usr/bin/kubelet",
            "/usr/lib/systemd/system/ssh.service",
            "/lib64/ld-linux-x86-64.so.2",
            "/etc/ld.so.preload",
            "/boot/grub/grub.cfg",
            "/proc/sysrq-trigger",
            "/sys/fs/cgroup/x",
            "/dev/sda",
            "/run/nologin",
            "/var/lib/dpkg/status",
            "/var/lib/rpm/Packages",
            "/var/lib/hagen/changed",
            "/etc/apt/sources.list.d/hagen.list",
            "/etc/haproxy/haproxy.cfg.hagen-new",
            "/usr/local/lib/hagen/etcd-backup",
            "/etc/apt/sources.list.d/hagen-kubernetes.list",
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
            "/swapfile",
            "/etc",
            "/usr/local",
        ] {
            assert!(refused(path), "{path}");
        }
    }

    #[test]
    fn what_a_site_adds_is_taken() {
        for path in [
            "/etc/motd",
            "/etc/sysctl.d/60-site.conf",
            "/etc/profile.d/proxy.sh",
            "/etc/ssh/sshd_config.d/60-site.conf",
            "/etc/ssh/ssh_known_hosts",
            "/etc/systemd/system/site.service",
            "/etc/kubernetes/audit-policy.yaml",
            "/etc/kubernetes/manifests/site.yaml",
            "/etc/passwd.d",
            "/usr/local/bin/site",
            "/usr/local/sbin/etcd",
            "/opt/site/bin/run",
            "/srv/site/x",
            "/root/notes",
            "/var/lib/site/x",
        ] {
            assert!(!refused(path), "{path}");
        }
    }

    #[test]
    fn a_program_that_hagen_installs_is_its_own() {
        let with = |nodes: &str| {
            outcome(&format!(
                "etcd: {{mode: external, version: '3.6.8'}}\nfiles: [{{path: /usr/local/bin/etcd, content: x, nodes: {{names: [{nodes}]}}}}]"
            ))
        };
        let on = with("w1, cp2");
        let found: Vec<_> =
            on.report.findings().iter().filter(|found| found.code == &SYSTEM_PATH).collect();
        let [found] = found[..] else { panic!("{found:?}") };
        assert_eq!(found.at.to_string(), "files[0].path");
        assert!(found.message.contains("program of etcd"), "{}", found.message);
        assert!(!with("w1").report.findings().iter().any(|found| found.code == &SYSTEM_PATH));
    }
}

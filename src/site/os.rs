use super::codes;
use crate::catalog::{self, OsRelease};
use crate::inventory::Inventory;
use crate::inventory::host::OsSection;
use crate::report::{Finding, Path, Report};

/// Where the inventory names no operating system: the one that every generated file is judged on.
const DEFAULT_OS: &str = "debian-12";

/// The node's own operating system, the inventory's, or the default.
pub(super) fn of_node(
    index: usize,
    own: Option<&OsSection>,
    said: &Inventory,
    report: &mut Report,
) -> &'static OsRelease {
    #[expect(clippy::expect_used, reason = "a constant that the catalog holds; tested")]
    let default = catalog::os(DEFAULT_OS).expect("the catalog knows the default");
    let (section, at) = match (own, &said.os) {
        (Some(own), _) => (own, Path::of(&["nodes"]).index(index).key("os")),
        (None, Some(all)) => (all, Path::of(&["os"])),
        (None, None) => return default,
    };
    if let Some(os) = catalog::os(&section.id()) {
        return os;
    }
    let known: Vec<&str> = catalog::oses().map(|os| os.id.as_str()).collect();
    let finding = Finding::new(
        &codes::OS_UNKNOWN,
        at.key("release"),
        format!("the catalog has no package layout for {}", section.id().replace('-', " ")),
    )
    .label("unknown release");
    // Said once for the inventory's own section, however many nodes use it.
    if !report.has(&codes::OS_UNKNOWN, &finding.at) {
        report.push(finding.help(format!("known are: {}", known.join(", "))));
    }
    default
}

/// What the inventory says for nodes of one system alone, as a help writes it: `versions: {…}`.
pub fn of_system_alone(os: &OsRelease, what: &str) -> String {
    let OsRelease { distribution, version, .. } = os;
    format!(
        "`packages: {{systems: [{{os: {{distribution: {distribution}, release: \"{version}\"}}, {what}}}]}}`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::overlaid::codes;

    #[test]
    fn what_is_to_be_said_of_one_system_is_read_as_it_is_written() {
        let debian = catalog::os("debian-12").expect("the default");
        let said = of_system_alone(debian, "versions: {haproxy: 2.6.*}");
        assert_eq!(
            said,
            "`packages: {systems: [{os: {distribution: debian, release: \"12\"}, versions: {haproxy: 2.6.*}}]}`"
        );
        assert_eq!(codes(said.trim_matches('`')), [""; 0]);
    }
}

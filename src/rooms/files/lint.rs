//! What a valid inventory may still get wrong about files.

mod system;

use super::plan::{FilesPlan, UserFile};
use crate::claims::Claims;
use crate::report::{Finding, Report};
use crate::rooms::Checking;
use crate::site::Site;
use crate::site::codes::FILE_CLASH;

/// Files that the host shares with others: the scripts keep a block of their own in them.
const SHARED: [&str; 2] = ["/etc/hosts", "/etc/fstab"];

/// What is wrong whatever else is on the machines.
pub(super) fn lint(plan: &FilesPlan, report: &mut Report) {
    plan.files.iter().for_each(|file| shared(file, report));
}

/// What is wrong beside what rooms claim.
pub(super) fn check(plan: &FilesPlan, with: &Checking<'_>, report: &mut Report) {
    for file in &plan.files {
        inside_a_folder(file, with.site, with.claims, report);
        system::lint(file, with.site, with.claims, report);
    }
}

fn shared(file: &UserFile, report: &mut Report) {
    if SHARED.contains(&file.path.as_str()) {
        report.push(
            Finding::new(
                &FILE_CLASH,
                file.at.key("path"),
                format!(
                    "`{}` belongs to the host; hagen keeps to a block or a line in it",
                    file.path
                ),
            )
            .label("would replace all of it")
            .help("choose another path, or edit the file on the host"),
        );
    }
}

/// A folder that is wiped at a reset, or that a daemon takes for its own.
fn inside_a_folder(file: &UserFile, site: &Site, claims: &Claims, report: &mut Report) {
    let owned = site
        .hosts
        .iter()
        .filter(|node| file.is_on(node))
        .flat_map(|node| &claims.of(node.index).paths)
        .find(|owned| std::path::Path::new(&file.path).starts_with(&owned.path));
    if let Some(owned) = owned {
        report.push(
            Finding::new(
                &FILE_CLASH,
                file.at.key("path"),
                format!("`{}` belongs to the room `{}`", owned.path, owned.room),
            )
            .label("inside that folder")
            .because(owned.at.clone(), "decided here")
            .help("choose a path outside of it"),
        );
    }
}

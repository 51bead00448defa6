use super::lint;
use super::plan::{Content, FilesPlan};
use crate::claims::Phase;
use crate::report::Report;
use crate::rooms::output::File;
use crate::rooms::{Checking, Output, Plan, Rendering};
use crate::secrets;
use crate::site::Host;

impl Plan for FilesPlan {
    fn check(&self, with: &Checking<'_>, report: &mut Report) {
        lint::check(self, with, report);
    }

    /// What the bundle lacks is missing once, however many nodes were to get it.
    fn render_cluster(&self, with: &Rendering<'_>, out: &mut Output<'_>) {
        for file in &self.files {
            if let Content::Secret(name) = &file.content
                && with.secrets.file(name).is_none()
            {
                out.finding(secrets::no_file(file.at.key("secret"), name));
            }
        }
    }

    fn render_node(&self, node: &Host, with: &Rendering<'_>, out: &mut Output<'_>) {
        for file in self.files.iter().filter(|file| file.is_on(node)) {
            let mut place = File::on(node, &file.path)
                .owner(file.owner.clone(), file.group.clone())
                .verbatim()
                .phase(Phase::INSTALL)
                .reads([file.at.key("path")]);
            if let Some((unit, apply)) = file.read_by(with.claims.of(node.index)) {
                place = place.read_by(unit, apply);
            }
            match &file.content {
                Content::Said(text) => out.bytes(place.mode(file.mode), text.as_bytes()),
                Content::Secret(name) => {
                    let text = with.secrets.file(name).unwrap_or_default();
                    out.bytes(place.secret().mode(file.mode), text.as_bytes());
                }
            }
        }
    }
}

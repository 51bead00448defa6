//! Options that several verbs share.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::exit::Failure;
use super::input;

/// What a build depends on beside the inventory.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Sources {
    /// The secrets bundle; `-` is standard input. Default: x.secrets.yaml beside x.yaml.
    #[arg(long, value_name = "FILE")]
    pub(super) secrets: Option<PathBuf>,
    #[command(flatten)]
    pub(super) overrides: Overrides,
}

/// The user's own templates.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Overrides {
    /// Replace built-in templates: DIR/keepalived/etc/keepalived/keepalived.conf.j2 takes the
    /// place of `keepalived/etc/keepalived/keepalived.conf.j2`. `hagen why` names the template of a
    /// file.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl Overrides {
    /// The texts by id.
    pub(super) fn read(&self) -> Result<BTreeMap<String, String>, Failure> {
        input::templates(self.templates.as_deref())
    }
}

//! `hagen completions` and `hagen man`: both written from the definition of the command line.

use std::io;

use clap::Args;
use clap_complete::Shell;

use super::console::Console;
use super::exit::{Exit, Failure};

/// Print a completion script for a shell.
///
/// Load it from the shell's own place for completions.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen completions bash >~/.local/share/bash-completion/completions/hagen
  hagen completions zsh >~/.zfunc/_hagen
  hagen completions fish >~/.config/fish/completions/hagen.fish")]
pub(super) struct Completions {
    /// Which shell.
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "hagen", &mut script);
        console.result(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Fine)
    }
}

/// Print a manual page in roff.
///
/// Without VERB the page of hagen itself.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen man | man -l -
  hagen man secrets new >hagen-secrets-new.1")]
pub(super) struct Manual {
    /// The page of one verb.
    #[arg(value_name = "VERB")]
    verb: Vec<String>,
}

impl Manual {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let mut command = super::command();
        // Gives every verb its full name, `hagen-secrets-new`, and the global options.
        command.build();
        for name in &self.verb {
            command = command.find_subcommand(name).cloned().ok_or_else(|| {
                Failure::new(format!("there is no verb `{}`", self.verb.join(" ")))
                    .help("`hagen --help` lists them")
            })?;
        }
        let page = page(&command)
            .map_err(|error| Failure::new(format!("cannot write the manual page: {error}")))?;
        console.result(&page)?;
        Ok(Exit::Fine)
    }
}

fn page(command: &clap::Command) -> io::Result<String> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

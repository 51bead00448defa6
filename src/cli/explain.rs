//! `hagen explain`.

use clap::Args;

use super::console::Console;
use super::exit::{Exit, Failure};
use crate::compile::all_codes;
use crate::report::{Code, closest};

/// Say what a code means, why it matters and how to mend it.
///
/// Without CODE every code is listed with its severity and one sentence; with the part before
/// the slash, such as `keepalived`, those of one area.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  hagen explain keepalived/vip-outside-subnet
  hagen explain keepalived
  hagen explain | grep warning")]
pub(super) struct Explain {
    /// A code as it stands in brackets in a finding, or an area.
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

impl Explain {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let codes = all_codes();
        let text = match &self.code {
            None => list(&codes),
            Some(id) => match codes.iter().find(|code| code.id == id) {
                Some(code) => code.page.to_owned(),
                None => area(id, codes)?,
            },
        };
        console.result(&text)?;
        Ok(Exit::Fine)
    }
}

fn area(name: &str, mut codes: Vec<&'static Code>) -> Result<String, Failure> {
    let guess = closest(name, codes.iter().map(|code| code.id));
    codes.retain(|code| code.id.split_once('/').is_some_and(|(area, _)| area == name));
    if codes.is_empty() {
        let failure = Failure::new(format!("there is no code `{name}`"));
        return Err(match guess {
            Some(guess) => failure.help(format!("did you mean `{guess}`?")),
            None => failure.help("`hagen explain` lists them all"),
        });
    }
    Ok(list(&codes))
}

fn list(codes: &[&'static Code]) -> String {
    let mut codes = codes.to_vec();
    codes.sort_by_key(|code| code.id);
    let width = codes.iter().map(|code| code.id.len()).max().unwrap_or(0);
    codes
        .iter()
        .map(|code| {
            format!("{:width$}  {:7}  {}\n", code.id, code.severity.as_str(), code.summary())
        })
        .collect()
}

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use super::exit::Failure;
use crate::print;
use crate::report::Severity;

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams: results go to standard output, everything about them to standard error. What
/// is written here holds words of others, names of files among them: none of them steers a
/// terminal.
#[derive(Debug)]
pub(super) struct Console {
    color: Color,
    quiet: bool,
    verbose: bool,
}

impl Console {
    pub(super) fn new(color: Color, quiet: bool, verbose: bool) -> Self {
        Self { color, quiet, verbose }
    }

    /// Whether details were asked for.
    pub(super) fn verbose(&self) -> bool {
        self.verbose
    }

    /// Whether standard output is coloured.
    pub(super) fn colors_results(&self) -> bool {
        self.colors(|| AutoStream::choice(&io::stdout()))
    }

    /// Whether standard error is coloured.
    pub(super) fn colors_remarks(&self) -> bool {
        self.colors(|| AutoStream::choice(&io::stderr()))
    }

    fn colors(&self, found: impl Fn() -> ColorChoice) -> bool {
        match self.color {
            Color::Auto => found() != ColorChoice::Never,
            Color::Always => true,
            Color::Never => false,
        }
    }

    /// What was asked for. A reader that has seen enough (`| head`) is no failure.
    pub(super) fn result(&self, text: &str) -> Result<(), Failure> {
        self.painted(&print::printable(text))
    }

    /// The same of text that may be coloured, whose words were made printable before that.
    pub(super) fn painted(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// What happened on the way, unless `--quiet`.
    pub(super) fn tell(&self, text: &str) {
        if !self.quiet {
            say(&print::printable(text));
        }
    }

    /// A warning without a code, unless `--quiet`.
    pub(super) fn warn(&self, message: &str, help: &str) {
        if !self.quiet {
            say(&print::remark(Severity::Warning, message, Some(help), self.colors_remarks()));
        }
    }

    /// Why a verb stopped.
    pub(super) fn fail(&self, Failure { message, help }: &Failure) {
        let color = self.colors_remarks();
        say(&print::remark(Severity::Error, message, help.as_deref(), color));
    }

    /// Findings as [`print::text`] renders them. Those that fail a run are never kept back.
    pub(super) fn findings(&self, rendered: &str, fail: bool) {
        if fail || !self.quiet {
            say(rendered);
        }
    }
}

/// Why the arguments are wrong, which repeats them; or the help that they ask for.
pub(super) fn usage(error: &clap::Error, arguments: &[OsString]) {
    let odd = |argument: &OsString| {
        let text = argument.to_string_lossy();
        print::printable(&text) != text
    };
    if error.use_stderr() && arguments.iter().any(odd) {
        // Without colour: what colours and what the arguments hold could not be told apart.
        say(&print::printable(&error.render().to_string()));
    } else {
        // Help goes to standard output, where nobody may be listening any more.
        let _ = error.print();
    }
}

fn say(text: &str) {
    // Nobody is left to be told that standard error is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

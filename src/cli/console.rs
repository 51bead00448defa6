use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};

use super::exit::Failure;
use crate::report::{Severity, print};

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

/// The two streams: results go to standard output, everything about them to standard error.
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
            self.say(text);
        }
    }

    /// A warning without a code, unless `--quiet`.
    pub(super) fn warn(&self, message: &str, help: &str) {
        self.tell(&print::remark(Severity::Warning, message, Some(help), self.colors_remarks()));
    }

    /// Why a verb stopped.
    pub(super) fn fail(&self, Failure { message, help }: &Failure) {
        let color = self.colors_remarks();
        self.say(&print::remark(Severity::Error, message, help.as_deref(), color));
    }

    /// Findings and failures: never kept back.
    pub(super) fn say(&self, text: &str) {
        // Nobody is left to be told that standard error is closed.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}

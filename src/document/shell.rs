use std::borrow::Cow;

use super::HEADER;

/// One word for a POSIX shell, single-quoted where it has to be; `None` for text with a NUL, which no
/// shell can hold.
pub fn shell_word(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('\0') {
        return None;
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=@%+".contains(letter);
    // A leading `=` or `~` is expanded by some shells.
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(plain) {
        return Some(text.into());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")).into())
}

/// Assignments that a shell reads: words and lists of words, never an expression.
#[derive(Debug, Default)]
pub struct Assignments {
    text: String,
    unfit: Option<String>,
}

impl Assignments {
    /// None yet, under the usual header and a line that says what they are.
    pub fn new(about: &str) -> Self {
        // Words that nobody here uses, look like sums, or hold the dollars of others.
        let lint = "# shellcheck shell=bash disable=SC2016,SC2034,SC2100\n";
        Self { text: format!("{lint}{HEADER}# {about}\n"), unfit: None }
    }

    /// What was said elsewhere, without a header of its own.
    pub fn append(&mut self, other: Self) -> &mut Self {
        let Self { text, unfit } = other;
        self.text.push_str(&text);
        self.unfit = self.unfit.take().or(unfit);
        self
    }

    /// `name=value`.
    pub fn word(&mut self, name: &str, value: &str) -> &mut Self {
        self.open(name, "=");
        self.push(name, value);
        self.text.push('\n');
        self
    }

    /// `name=yes` or `name=no`.
    pub fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.word(name, if value { "yes" } else { "no" })
    }

    /// `name=(words…)`, on one line.
    pub fn list<T: AsRef<str>>(
        &mut self,
        name: &str,
        words: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        self.open(name, "=(");
        self.push_all(name, words);
        self.text.push_str(")\n");
        self
    }

    /// `name=(words…)`, a row of words on each line.
    pub fn rows<const WIDTH: usize, T: AsRef<str>>(
        &mut self,
        name: &str,
        rows: impl IntoIterator<Item = [T; WIDTH]>,
    ) -> &mut Self {
        self.open(name, "=(");
        for (position, row) in rows.into_iter().enumerate() {
            self.text.push_str(if position == 0 { "\n  " } else { "  " });
            self.push_all(name, row);
            self.text.push('\n');
        }
        self.text.push_str(")\n");
        self
    }

    fn open(&mut self, name: &str, sign: &str) {
        self.text.push_str(name);
        self.text.push_str(sign);
    }

    fn push_all<T: AsRef<str>>(&mut self, name: &str, words: impl IntoIterator<Item = T>) {
        for (position, word) in words.into_iter().enumerate() {
            self.text.push_str(if position == 0 { "" } else { " " });
            self.push(name, word.as_ref());
        }
    }

    fn push(&mut self, name: &str, word: &str) {
        match shell_word(word) {
            Some(word) => self.text.push_str(&word),
            None => self.unfit = Some(name.to_owned()),
        }
    }

    /// The text; what reads it knows by its last line that it is whole.
    ///
    /// # Errors
    /// The name of an assignment whose value no shell can hold.
    pub fn finish(mut self) -> Result<Vec<u8>, String> {
        self.text.push_str("whole=yes\n");
        match self.unfit {
            Some(name) => Err(name),
            None => Ok(self.text.into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Assignments, shell_word};

    #[test]
    #[expect(clippy::disallowed_methods, reason = "only a shell knows how a shell reads")]
    fn a_shell_reads_back_what_was_assigned() {
        let hostile = [
            "plain-1.0/x:y=z",
            "",
            "a b",
            "it's",
            "$HOME",
            "`id`",
            "$(id)",
            "a\nb",
            "*",
            "~",
            "=x",
            "\\",
            "'; id; '",
            "\u{202e}",
            "KEY\n)\"\nid\n: \"$(cat <<'KEY'",
            "#",
            "-n",
            "!!",
        ];
        for text in hostile {
            let mut assignments = Assignments::new("what a test says");
            assignments.word("one", text).list("many", [text, text]).rows("rows", [[text, "-"]]);
            let script = String::from_utf8(assignments.finish().unwrap()).unwrap()
                + r#"printf '%s\0' "$one" "${many[@]}" "${rows[@]}" "$whole""#;
            let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
            let read = String::from_utf8(output.stdout).unwrap();
            let expected = [text, text, text, text, "-", "yes"].map(|word| format!("{word}\0"));
            assert_eq!(read, expected.concat(), "{script}");
        }
        assert_eq!(shell_word("a\0b"), None);
    }

    #[test]
    fn what_no_shell_can_hold_is_refused_by_name() {
        let mut assignments = Assignments::new("what a test says");
        assignments.word("good", "x").list("bad", ["a\0"]);
        assert_eq!(assignments.finish(), Err("bad".to_owned()));
    }
}

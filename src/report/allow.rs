use super::{Code, Finding, Path, Report, Severity, closest};

/// A code that the inventory silences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// The code's id, as the user wrote it.
    pub code: String,
    /// Where it was written.
    pub at: Path,
}

impl Report {
    /// Removes the warnings and notes that `allow` names. An entry that silences nothing is
    /// itself reported, as `unused`: because its code is not among `known`, because it is an
    /// error, or because nothing of the kind was found. The last is not said while there are
    /// errors, as the stage that would have found it may not have run.
    pub fn apply_allow(&mut self, allow: &[Allow], known: &[&'static Code], unused: &'static Code) {
        let complete = !self.has_errors();
        let mut complaints = Vec::new();
        for Allow { code, at } in allow {
            let complain = |message: String| Finding::new(unused, at.clone(), message);
            let Some(code) = known.iter().find(|candidate| candidate.id == code) else {
                let finding = complain(format!("no finding has the code `{code}`"));
                complaints.push(match closest(code, known.iter().map(|code| code.id)) {
                    Some(id) => finding.help(format!("did you mean `{id}`?")),
                    None => finding.help("delete the entry"),
                });
                continue;
            };
            if code.severity == Severity::Error {
                let message = format!("`{}` is an error, which cannot be silenced", code.id);
                complaints.push(complain(message).help("delete the entry and mend the cause"));
            } else if complete && !self.findings().iter().any(|finding| finding.code == *code) {
                let message = format!("nothing was found that `{}` would silence", code.id);
                complaints.push(complain(message).help("delete the entry"));
            }
        }
        self.retain(|finding| {
            finding.code.severity == Severity::Error
                || !allow.iter().any(|allow| allow.code == finding.code.id)
        });
        for finding in complaints {
            self.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ODD: Code = Code { id: "etcd/even-members", severity: Severity::Warning, page: "" };
    static OLD: Code = Code { id: "etcd/too-old", severity: Severity::Error, page: "" };
    static UNUSED: Code =
        Code { id: "inventory/unused-allow", severity: Severity::Warning, page: "" };

    fn applied(found: &[&'static Code], allow: &[&str]) -> Vec<String> {
        let mut report = Report::new();
        for code in found {
            report.push(Finding::new(code, Path::root(), "found"));
        }
        let allow: Vec<_> = allow
            .iter()
            .map(|code| Allow { code: (*code).to_owned(), at: Path::of(&["allow"]) })
            .collect();
        report.apply_allow(&allow, &[&ODD, &OLD, &UNUSED], &UNUSED);
        let help = |finding: &Finding| finding.help.clone().unwrap_or_default();
        report
            .findings()
            .iter()
            .map(|f| format!("{}: {} {}", f.code.id, f.message, help(f)))
            .collect()
    }

    #[test]
    fn a_warning_is_silenced() {
        assert_eq!(applied(&[&ODD, &ODD], &["etcd/even-members"]), [""; 0]);
    }

    #[test]
    fn an_error_is_not_silenced() {
        assert_eq!(
            applied(&[&OLD], &["etcd/too-old"]),
            [
                "etcd/too-old: found ",
                "inventory/unused-allow: `etcd/too-old` is an error, which cannot be silenced \
             delete the entry and mend the cause",
            ]
        );
    }

    #[test]
    fn an_entry_without_use_is_reported_once_everything_was_checked() {
        let unused = "inventory/unused-allow: nothing was found that `etcd/even-members` would \
                      silence delete the entry";
        assert_eq!(applied(&[], &["etcd/even-members"]), [unused]);
        assert_eq!(applied(&[&OLD], &["etcd/even-members"]), ["etcd/too-old: found "]);
    }

    #[test]
    fn an_unknown_code_is_reported_with_a_suggestion() {
        assert_eq!(
            applied(&[&OLD], &["etcd/even-member"])[1],
            "inventory/unused-allow: no finding has the code `etcd/even-member` did you mean `etcd/even-members`?"
        );
    }

    #[test]
    fn strict_fails_on_a_warning_and_not_on_a_note() {
        static NOTE: Code = Code { id: "a/b", severity: Severity::Note, page: "" };
        let mut report = Report::new();
        report.push(Finding::new(&NOTE, Path::root(), "found"));
        assert!(!report.fails(true));
        report.push(Finding::new(&ODD, Path::root(), "found"));
        assert!(report.fails(true) && !report.fails(false));
    }
}

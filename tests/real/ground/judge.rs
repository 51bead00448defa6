//! What is wrong with the scripts, collected.

use crate::cluster::FOLDER;
use crate::machine::Machine;
use crate::programs::Ran;

/// Runs a step.
pub(crate) fn script(machine: &Machine, step: &str) -> Ran {
    machine.run(&format!("{FOLDER}/{step}.sh"), &[])
}

/// Collects what is wrong.
#[derive(Default)]
pub(crate) struct Judge {
    pub(crate) defects: Vec<String>,
}

impl Judge {
    /// The step must have stopped with words that say why, and what to do.
    pub(crate) fn refused(&mut self, what: &str, ran: &Ran, words: &[&str]) {
        let text = ran.text();
        let missing: Vec<_> = words.iter().filter(|words| !text.contains(**words)).collect();
        if ran.code != Some(1) || !missing.is_empty() {
            self.defects.push(format!("{what}: should stop and say {missing:?}: {ran}"));
        }
        let last = ran.stderr.lines().last().unwrap_or_default();
        eprintln!("{what}: {last}");
    }

    /// The step must have succeeded.
    pub(crate) fn works(&mut self, what: &str, ran: &Ran) {
        if ran.ok() {
            eprintln!("{what}: works");
        } else {
            self.defects.push(format!("{what}: {ran}"));
        }
    }

    pub(crate) fn check(&mut self, what: &str, result: Result<(), String>) {
        self.defects.extend(result.err().map(|error| format!("{what}: {error}")));
    }

    /// Starts a step and kills it with all that it has started, as a power cut does, as soon as a
    /// condition holds. One that has ended before it could be hit is a defect: nothing was tried.
    pub(crate) fn killed(&mut self, machine: &Machine, step: &str, until: &str) {
        let ran = machine.shell(&format!(
            "log=/var/log/dpkg.log
             lines=$(($(cat $log 2>/dev/null | wc -l) + 1))
             systemd-run --quiet --unit=half {FOLDER}/{step}.sh
             while systemctl is-active --quiet half; do
               if {until}; then
                 systemctl kill --signal=KILL half
                 while systemctl is-active --quiet half; do sleep 0.05; done
                 break
               fi
               sleep 0.02
             done
             result=$(systemctl show --property=Result --value half)
             systemctl reset-failed half 2>/dev/null
             # It may have come to its end between the condition and the kill.
             [ \"$result\" = signal ] || {{ echo $result; journalctl --unit=half --no-pager | tail -n 5; exit 1; }}"
        ));
        if ran.ok() {
            eprintln!("{step}: killed when {until}");
        } else {
            self.defects.push(format!("{step} ended before it could be killed: {ran}"));
        }
    }
}

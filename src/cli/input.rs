//! Everything that a verb reads before it works: inventories, bundles, template overrides.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::console::Console;
use super::exit::{Exit, Failure};
use super::git::{self, Exposure, Unknown};
use super::reporting::Reporting;
use crate::disk;
use crate::print::{Judged, Source};
use crate::report::{self, Finding, Report};
use crate::secrets::{self, Bundle};
use crate::yaml::{self, Document, MAX_BYTES, Value};

/// The name that stands for standard input.
const STDIN: &str = "-";

/// An inventory as it was given.
#[derive(Debug)]
pub(super) struct Inventory {
    /// A file, or `-`.
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl Inventory {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path)?;
        if secrets::is_bundle(&bytes) {
            let name = path.display();
            return Err(Failure::new(format!("`{name}` is a secrets bundle, not an inventory"))
                .help("name the inventory; the bundle is given with `--secrets FILE`"));
        }
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// What findings call it.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// `cluster.site.name` and the text that it stands in, whatever else is wrong there: a bundle can
    /// be made before the inventory is free of errors.
    pub(super) fn cluster(&self) -> Result<(Document, String), Failure> {
        let name = self.name();
        let document = yaml::read(&name, &self.bytes, &mut Report::new());
        let cluster = document.as_ref().and_then(|document| {
            match &document.get(&report::Path::of(&["cluster", "name"]))?.value {
                Value::String(cluster) => Some(cluster.clone()),
                _ => None,
            }
        });
        document.zip(cluster).ok_or_else(|| {
            Failure::new(format!("`{name}` names no cluster"))
                .help("`hagen check` says what is wrong with an inventory")
        })
    }
}

/// A secrets bundle, or why there is none.
#[derive(Debug)]
pub(super) struct Found {
    /// A file, or `-`.
    pub(super) name: String,
    /// Absent where the findings say why.
    pub(super) bundle: Option<Bundle>,
    /// What was found in it.
    pub(super) report: Report,
    /// Whether there is no such file.
    pub(super) missing: bool,
}

impl Found {
    /// Reads the bundle at `path`, which belongs to the inventory file `inventory`.
    pub(super) fn read(path: PathBuf, inventory: &Path) -> Result<Self, Failure> {
        let mut report = Report::new();
        let name = path.display().to_string();
        let missing = !is_stdin(&path)
            && fs::metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if missing {
            report.push(secrets::missing(&name, &inventory.display().to_string()));
            return Ok(Self { name, bundle: None, report, missing });
        }
        let bytes = Zeroizing::new(read(&path)?);
        let bundle = Bundle::read(&name, &bytes, &mut report);
        if let Some(mode) = loose_mode(&path) {
            report.push(secrets::readable(&name, mode));
        }
        exposed(&path).for_each(|finding| report.push(finding));
        Ok(Self { name, bundle, report, missing })
    }

    /// What is to be said of the bundle beside an inventory by a verb that needs none: nothing of
    /// an encrypted one, which may be committed.
    pub(super) fn beside(inventory: &Path) -> Option<Self> {
        let path = bundle_path(inventory, None).ok()?;
        let mut report = Report::new();
        exposed(&path).for_each(|finding| report.push(finding));
        if report.findings().is_empty() {
            return None;
        }
        let bytes = Zeroizing::new(read(&path).ok()?);
        let name = path.display().to_string();
        Bundle::read(&name, &bytes, &mut Report::new())?;
        Some(Self { name, bundle: None, report, missing: false })
    }

    /// What was found in it, beside no text: not a byte of a bundle is ever shown.
    pub(super) fn judged(&self) -> Judged<'_> {
        Judged { source: Source::unread(&self.name, &[]), report: &self.report }
    }

    /// Prints what was found. The bundle, or how the run ends without one.
    pub(super) fn open(&self, console: &Console) -> Result<Result<&Bundle, Exit>, Failure> {
        Reporting::default().print(console, &[self.judged()])?;
        let exit = if self.missing { Exit::Failed } else { Exit::Found };
        Ok(self.bundle.as_ref().ok_or(exit))
    }
}

/// The findings of a bundle that can get into a commit.
fn exposed(path: &Path) -> impl Iterator<Item = Finding> + use<> {
    let (name, line) = (path.display().to_string(), git::line(path));
    let exposures = if is_stdin(path) { Vec::new() } else { git::exposures(path) };
    exposures.into_iter().map(move |exposure| match exposure {
        Exposure::Tracked => secrets::tracked(&name, &line),
        Exposure::NotIgnored { link } => secrets::not_ignored(&name, &line, link),
        Exposure::Unknown(Unknown { reason, help }) => {
            secrets::index_unknown(&format!("the secrets bundle {name}"), &reason, help)
        }
    })
}

/// The permission bits of a bundle that others than its owner may read.
fn loose_mode(path: &Path) -> Option<u32> {
    if is_stdin(path) {
        return None;
    }
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mode = metadata.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Where the bundle of an inventory is: what `--secrets` says, or `x.secrets.yaml` beside
/// `x.yaml`.
pub(super) fn bundle_path(inventory: &Path, said: Option<&Path>) -> Result<PathBuf, Failure> {
    match said {
        Some(said) if is_stdin(said) && is_stdin(inventory) => {
            Err(Failure::new("inventory and secrets bundle cannot both come from standard input")
                .help("name one of them by its file"))
        }
        Some(said) => Ok(said.to_owned()),
        None if is_stdin(inventory) => {
            Err(Failure::new("there is no secrets bundle beside standard input")
                .help("name it with `--secrets FILE`"))
        }
        None => Ok(inventory.with_extension("secrets.yaml")),
    }
}

/// Every file below `folder` as the text of the template with that id.
pub(super) fn templates(folder: Option<&Path>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(folder) = folder else { return Ok(BTreeMap::new()) };
    let mut templates = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).follow_links(true) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(folder).to_owned();
            unreadable(&path, &error.into())
        })?;
        if entry.file_type().is_dir() {
            continue;
        }
        let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let text = String::from_utf8(read(entry.path())?);
        let (Some(id), Ok(text)) = (relative.to_str(), text) else {
            let path = entry.path().display();
            return Err(Failure::new(format!("the template `{path}` is not UTF-8")));
        };
        templates.insert(id.to_owned(), text);
    }
    Ok(templates)
}

/// Whether a path means standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// Whether a path means a file that is open already, as a shell gives one for `<(command)`.
fn is_descriptor(path: &Path) -> bool {
    ["/dev/stdin", "/dev/fd", "/proc/self/fd"].iter().any(|open| path.starts_with(open))
}

/// Reads a regular file, or standard input. Stops one byte beyond what the YAML reader takes, so that it
/// can say so itself, even of a file without end.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    let done = if is_stdin(path) {
        io::stdin().lock().take(most).read_to_end(&mut bytes)
    } else {
        let file = if is_descriptor(path) { File::open(path) } else { disk::open_regular(path) };
        file.and_then(|file| file.take(most).read_to_end(&mut bytes))
    };
    done.map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let name = if is_stdin(path) { "standard input".into() } else { path.display().to_string() };
    let failure = Failure::new(format!("cannot read `{name}`: {error}"));
    match error.kind() {
        ErrorKind::InvalidInput => failure.help("name a regular file, or `-` for standard input"),
        _ => failure,
    }
}

//! A build that is asked to end removes what it has begun first.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Once};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use super::{DiskError, UNWRITABLE};

/// The signals that ask: of a terminal, and of a supervisor.
const ASKING: [i32; 2] = [SIGINT, SIGTERM];

/// The signal that has come; none is 0.
static CAME: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// While this lives, SIGINT and SIGTERM only ask: [`super::write`] stops where the old tree is
/// still whole, or finishes. The process then ends by the signal when this is dropped, as its
/// caller expects. A second signal ends it at once.
#[derive(Debug)]
pub struct Deferred(());

impl Deferred {
    /// From now on.
    pub fn signals() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            for signal in ASKING {
                let again = Arc::new(AtomicBool::new(false));
                // Run in the order in which they are registered. Without them the signal does what
                // it always does.
                let _ = flag::register_conditional_default(signal, Arc::clone(&again));
                let _ = flag::register(signal, again);
                let _ = flag::register_usize(signal, Arc::clone(&CAME), signal as usize);
            }
        });
        Self(())
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if let Some(signal) = ASKING.iter().find(|signal| **signal as usize == came()) {
            // Where it fails the process ends a moment later by itself.
            let _ = low_level::emulate_default_handler(*signal);
        }
    }
}

fn came() -> usize {
    CAME.load(Ordering::Relaxed)
}

/// Where a build can still turn back.
pub(super) fn turn_back(path: &Path) -> Result<(), DiskError> {
    if came() == 0 {
        return Ok(());
    }
    let message = format!("a signal ended the build; `{}` is as it was", path.display());
    Err(DiskError::new(&UNWRITABLE, message, "build again"))
}

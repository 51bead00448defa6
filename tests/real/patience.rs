//! Waiting for what has to begin, on a machine that may have much else to do.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whether this comes to hold in time.
pub(crate) fn within(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > limit {
            return false;
        }
        sleep(Duration::from_millis(100));
    }
    true
}

/// Waits for it, for a minute.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let limit = Duration::from_secs(60);
    assert!(within(limit, holds), "{what}: not within {limit:?}");
}

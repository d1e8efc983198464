//! The one place where wall-clock time enters the program (see clippy.toml).

use jiff::Timestamp;

/// The present instant, cut to milliseconds: as fine as we store and send.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

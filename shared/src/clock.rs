//! The one place where wall-clock time enters the program (see clippy.toml), and the one form in which it is stored.

use jiff::Timestamp;

/// The present instant, cut to milliseconds: as fine as we store and send.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// The present instant, as fine as the system has it: to tell how long something took, never to be stored.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn precise() -> Timestamp {
    Timestamp::now()
}

/// An instant as stored: RFC 3339 in UTC with three decimals, so that bytewise order is order in time on every
/// database.
pub fn stored(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_instant_has_a_fixed_width_and_reads_back() {
        for (milliseconds, text) in
            [(0, "1970-01-01T00:00:00.000Z"), (1_785_753_715_040, "2026-08-03T10:41:55.040Z")]
        {
            let instant = Timestamp::from_millisecond(milliseconds).unwrap();
            assert_eq!(stored(instant), text);
            assert_eq!(text.parse::<Timestamp>().unwrap(), instant);
        }
    }
}

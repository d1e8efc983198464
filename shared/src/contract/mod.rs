//! The sender's contract: event codes, and readers that tolerate what its documentation leaves open.
//!
//! [`Envelope::open`] finds an event's five outer members, [`Object`] the members of any object, and the methods of
//! [`Member`] read one value in the sense it is meant: as a text, key, whole number, amount, datetime or list. Only
//! what passes through them may enter the database: a single U+0000, lone surrogate or too deep value would make it
//! refuse a whole batch.
//!
//! Three kinds of answer. A [`Reading`] never stops its event: at worst the value is absent, with a [`Problem`] to be
//! recorded. Keys and amounts are `Result`s, because without them an event cannot be merged rightly. Null, `""`, `[]`
//! and `{}` are the same as absent everywhere (C§7 row 12).

mod canonical;
mod codes;
mod envelope;
mod money;
mod number;
mod object;
mod peek;
mod reading;
mod text;
mod time;

pub use canonical::MAX_LIST_BYTES;
pub use codes::{EventCode, InvalidCode, KnownCode, MAX_CODE_BYTES, UnknownCode, metric_label};
pub use envelope::Envelope;
pub use money::{Money, UnreadableAmount};
pub use object::{Member, NotAnObject, Object};
pub use peek::peek;
pub use reading::{Problem, Reading};
pub use text::MAX_TEXT_BYTES;
pub use time::{EARLIEST, Instant, LATEST, Moment};

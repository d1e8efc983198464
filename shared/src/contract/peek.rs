//! Step 3.

use crate::message::Peeked;

/// placeholder
pub fn peek(_body: &[u8]) -> Peeked {
    Peeked::default()
}

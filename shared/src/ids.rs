//! Identifiers, each a type of its own so that none is taken for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest name of a source or a target, in bytes.
pub const MAX_NAME_BYTES: usize = 40;
/// Longest natural key or event id that we store, in bytes.
pub const MAX_KEY_BYTES: usize = 191;

/// Why a text is not a valid identifier. Says the rule, never the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not `[a-z0-9]+(_[a-z0-9]+)*`, or longer than [`MAX_NAME_BYTES`].
    #[error("must be lower-case letters and digits, parts joined by single underscores, at most 40 bytes")]
    Name,
    /// Not 1 to 40 bytes of letters, digits, `-`, `_`, `.`.
    #[error("must be 1 to 40 letters, digits, '-', '_' or '.'")]
    Tenant,
    /// Not 64 lower-case hexadecimal digits.
    #[error("must be 64 hexadecimal digits")]
    DeliveryKey,
    /// Empty, longer than [`MAX_KEY_BYTES`], or with a NUL.
    #[error("must be 1 to 191 bytes without NUL")]
    EventId,
}

fn is_name(text: &str) -> bool {
    let part = |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= MAX_NAME_BYTES && text.split('_').all(part)
}

fn is_tenant(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_event_id(text: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&text.len()) && !text.contains('\0')
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $valid:ident, $error:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if $valid(text) { Ok(Self(text.into())) } else { Err($error) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// Name of a configured source of deliveries (`sources.<name>`): one URL path, one set of secrets.
    SourceName, is_name, IdError::Name
}
text_id! {
    /// Name of an ERP database that events are applied to (`erp.<name>`); part of the queue's name.
    TargetName, is_name, IdError::Name
}
text_id! {
    /// First part of every key in the ERP database: ids and admission numbers repeat between institutes.
    Tenant, is_tenant, IdError::Tenant
}
text_id! {
    /// The sender's `event_id`. It identifies nothing for us (contract section 1): it is kept for people to look up.
    EventId, is_event_id, IdError::EventId
}

/// Identity of one delivery: SHA-256 of source name, a zero byte and the raw body.
///
/// Primary key of `jodo_events`, key in Redis, AMQP message id and tie-breaker of every clock. Byte-equal repeats
/// from one source have the same key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey([u8; 32]);

impl DeliveryKey {
    /// The key of `body` as received from `source`.
    pub fn of(source: &SourceName, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(source.as_str().as_bytes());
        hash.update([0]);
        hash.update(body);
        Self(hash.finalize().into())
    }

    /// The key that [`Self::as_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key as bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 16 hexadecimal digits, as used in clocks.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..8])
    }
}

impl fmt::Display for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for DeliveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryKey({self})")
    }
}

impl FromStr for DeliveryKey {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError::DeliveryKey)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_lower_case_parts_joined_by_single_underscores() {
        for good in ["a", "jodo", "north_campus_2", &"x".repeat(40)] {
            assert!(good.parse::<SourceName>().is_ok(), "{good}");
        }
        for bad in ["", "_a", "a_", "a__b", "A", "a-b", "é", &"x".repeat(41)] {
            assert_eq!(bad.parse::<SourceName>(), Err(IdError::Name), "{bad}");
        }
    }

    #[test]
    fn a_delivery_key_depends_on_source_and_bytes_and_survives_text() {
        let source: SourceName = "jodo".parse().unwrap();
        let other: SourceName = "jod".parse().unwrap();
        let key = DeliveryKey::of(&source, b"{}");
        assert_ne!(key, DeliveryKey::of(&other, b"o{}"));
        assert_ne!(key, DeliveryKey::of(&source, b"{} "));
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!(key.to_string().starts_with(&key.short()));
        // printf 'jodo\0{}' | sha256sum
        assert_eq!(key.to_string(), "ac39f2f19fd051b3ef6301c5ccaf3953461cdd8a8fed673fcb8a30dda952bfc3");
    }
}

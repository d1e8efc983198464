//! The sender's signature.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Lower-case hexadecimal HMAC-SHA256 of the body's bytes, keyed with the secret's bytes (C§5), as
/// `X-Jodo-Signature` carries it.
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104 section 2)")]
pub(crate) fn sign(secret: &SecretString, body: &[u8]) -> String {
    let keyed = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("any length");
    hex::encode(keyed.chain_update(body).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 section 4.3.
    #[test]
    fn a_signature_is_the_hmac_of_the_bytes() {
        let signature = sign(&SecretString::from("Jefe"), b"what do ya want for nothing?");
        assert_eq!(signature, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}

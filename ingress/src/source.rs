//! A configured source, made ready for the door: secrets keyed, lists normalised, the day's hold counted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::header::HeaderName;
use hmac::{Hmac, KeyInit};
use jiff::civil::Date;
use jodo_shared::config::{self, CustomHeader, HoldLimit};
use jodo_shared::ids::{SourceName, TargetName, Tenant};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::address::AddressRules;
use crate::hold::HoldCount;
use crate::strikes::Strikes;
use crate::verdict::SourceRules;

/// One source: who may deliver on its path, and where its deliveries go.
pub struct Source {
    /// Its name in the configuration.
    pub name: SourceName,
    /// First part of every key that its events write.
    pub tenant: Tenant,
    /// The ERP database its events go to.
    pub target: TargetName,
    /// One keyed state per valid secret; empty when the source has none.
    pub(crate) secrets: Vec<Hmac<Sha256>>,
    /// The custom header, if one was registered.
    pub(crate) header: Option<ExpectedHeader>,
    /// Address list and trusted proxies.
    pub(crate) addresses: AddressRules,
    /// What the verdict depends on.
    pub(crate) rules: SourceRules,
    /// Its failed answers.
    pub(crate) strikes: Arc<Strikes>,
    hold_limit: HoldLimit,
    held: Mutex<HoldCount>,
}

/// A header's name and the digest of the value it must have.
pub(crate) struct ExpectedHeader {
    pub(crate) name: HeaderName,
    pub(crate) digest: [u8; 32],
}

/// Why a source cannot be served. Names the key, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing to tell the sender from a stranger by.
    #[error("sources.{0}: needs at least one of `secrets` and `header`")]
    NothingToProve(SourceName),
    /// The header's name is not one that HTTP allows.
    #[error("sources.{0}.header: the name is not a valid HTTP header name")]
    HeaderName(SourceName),
    /// The secret cannot be used as a key.
    #[error("sources.{0}.secrets: a secret cannot be used as a key")]
    Secret(SourceName),
    /// Two sources have the same path.
    #[error("sources.{0}.path: another source has the same path")]
    SamePath(SourceName),
}

impl Source {
    /// Makes `sources.<name>` ready.
    ///
    /// # Errors
    /// [`SourceError`] when the source could not tell its sender from a stranger.
    pub fn new(name: &SourceName, config: &config::Source) -> Result<Self, SourceError> {
        if config.secrets.is_empty() && config.header.is_none() {
            return Err(SourceError::NothingToProve(name.clone()));
        }
        let keyed = |secret: &secrecy::SecretString| {
            Hmac::new_from_slice(secret.expose_secret().as_bytes())
                .map_err(|_| SourceError::Secret(name.clone()))
        };
        Ok(Self {
            name: name.clone(),
            tenant: config.tenant.clone(),
            target: config.target.clone(),
            secrets: config.secrets.iter().map(keyed).collect::<Result<_, _>>()?,
            header: config.header.as_ref().map(|header| ExpectedHeader::new(name, header)).transpose()?,
            addresses: AddressRules::new(&config.allow, &config.trusted_proxies),
            rules: SourceRules { strict: config.strict, on_bad_signature: config.on_bad_signature },
            strikes: Arc::new(Strikes::new(name.clone(), config.environment)),
            hold_limit: config.hold_limit,
            held: Mutex::default(),
        })
    }

    /// Takes a place among the deliveries held on the UTC day `today`; false when the day's bound is reached.
    pub(crate) fn take_hold(&self, today: Date, bytes: usize) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.take(today, bytes as u64, self.hold_limit)
    }
}

impl ExpectedHeader {
    fn new(source: &SourceName, config: &CustomHeader) -> Result<Self, SourceError> {
        let name = HeaderName::from_bytes(config.name.as_bytes());
        Ok(Self {
            name: name.map_err(|_| SourceError::HeaderName(source.clone()))?,
            digest: Sha256::digest(config.value.expose_secret().as_bytes()).into(),
        })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}

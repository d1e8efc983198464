//! What operators do to a target as a whole.

pub(super) mod pauses;
mod rebuild;
mod retention;
mod shadow;

use std::collections::HashMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jodo_shared::ids::{SourceName, TargetName};

use super::ThisStore;
use crate::decide::SourceRules;
use crate::store::StoreError;
use crate::store::maintain::{Expired, Maintain, OrderedPause, Rebuilt, Resumed, Slice};
use crate::store::operate::Deed;

#[async_trait]
impl Maintain for ThisStore {
    async fn pause(
        &self,
        target: &TargetName,
        pause: &OrderedPause,
    ) -> Result<Option<OrderedPause>, StoreError> {
        pauses::pause(self, target, pause).await
    }

    async fn take_back(&self, target: &TargetName, pause: &OrderedPause) -> Result<(), StoreError> {
        pauses::take_back(self, target, pause).await
    }

    async fn resumable(&self, target: &TargetName) -> Result<Resumed, StoreError> {
        pauses::resumable(self, target).await
    }

    async fn resume(&self, target: &TargetName, by: &Deed) -> Result<Resumed, StoreError> {
        pauses::resume(self, target, by).await
    }

    async fn expired(&self, before: Timestamp, now: Timestamp) -> Result<Expired, StoreError> {
        retention::expired(self, before, now).await
    }

    async fn remove_bodies(
        &self,
        from: &str,
        before: Timestamp,
        now: Timestamp,
        most: i64,
    ) -> Result<Option<Slice>, StoreError> {
        retention::remove_bodies(self, from, before, now, most).await
    }

    async fn forget_held(&self, now: Timestamp, most: i64) -> Result<usize, StoreError> {
        retention::forget_held(self, now, most).await
    }

    async fn note_of_target(&self, by: &Deed, action: &'static str, what: &str) -> Result<(), StoreError> {
        retention::note(self, by, action, what).await
    }

    async fn rebuild(
        &self,
        target: &TargetName,
        rules: &HashMap<SourceName, SourceRules>,
        by: Option<&Deed>,
    ) -> Result<Rebuilt, StoreError> {
        rebuild::rebuild(self, target, rules, by).await
    }
}

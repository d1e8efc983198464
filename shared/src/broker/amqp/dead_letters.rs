//! The dead letters of one target, for operators to look at and to take out one by one.

use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use lapin::types::AMQPValue;
use lapin::{BasicProperties, Channel};
use secrecy::SecretString;

use super::codec;
use super::connection::{Link, within_step};
use super::depth::{LookError, depth};
use super::topology::dead_letter_queue_name;
use crate::ids::TargetName;
use crate::message::Message;

/// Written by the broker: <https://www.rabbitmq.com/docs/dlx#effects>.
const DEATHS: &str = "x-death";
const REASON: &str = "reason";

/// A look into the dead letters. What was looked at and not removed goes back when the look ends.
pub struct DeadLetters {
    link: Link,
    channel: Channel,
    queue: String,
    waiting: u32,
}

/// One of them.
#[derive(Debug)]
pub struct DeadLetter {
    /// What it says; `None` when it cannot be one of our messages.
    pub message: Option<Message>,
    /// The broker's word for why it is here.
    pub because: Option<String>,
    /// Size of its body.
    pub bytes: usize,
    tag: u64,
}

impl DeadLetters {
    /// Begins a look; `None` where there is no such queue.
    ///
    /// # Errors
    /// [`LookError`].
    pub async fn open(url: &SecretString, target: &TargetName) -> Result<Option<Self>, LookError> {
        let link = Link::connect(url, "jodo-sync dead letters").await?;
        let queue = dead_letter_queue_name(target);
        let Some(waiting) = depth(link.connection(), &queue).await? else { return Ok(None) };
        let channel = within_step(link.connection().create_channel()).await?;
        Ok(Some(Self { link, channel, queue, waiting }))
    }

    /// How many waited when the look began.
    pub fn waiting(&self) -> u32 {
        self.waiting
    }

    /// The next one, the oldest first; `None` at the end.
    ///
    /// # Errors
    /// [`LookError`].
    pub async fn next(&mut self) -> Result<Option<DeadLetter>, LookError> {
        let get = self.channel.basic_get(self.queue.as_str().into(), BasicGetOptions::default());
        Ok(within_step(get).await?.map(letter))
    }

    /// Removes one for good: another place must have it.
    ///
    /// # Errors
    /// [`LookError`]; it may still be there.
    pub async fn remove(&mut self, letter: &DeadLetter) -> Result<(), LookError> {
        within_step(self.channel.basic_ack(letter.tag, BasicAckOptions::default())).await?;
        Ok(())
    }

    /// Ends the look; whatever was not removed is back when this returns.
    pub async fn close(self) {
        if let Err(error) = within_step(self.channel.close(200, "OK".into())).await {
            // The connection's end gives them back as well.
            tracing::debug!(%error, "the channel did not close in good order");
        }
        self.link.close().await;
    }
}

fn letter(got: BasicGetMessage) -> DeadLetter {
    let delivery = got.delivery;
    DeadLetter {
        because: reason(&delivery.properties),
        bytes: delivery.data.len(),
        message: codec::message(&delivery.properties, delivery.data).ok(),
        tag: delivery.delivery_tag,
    }
}

/// The reason of the latest death, which is the first of the list.
fn reason(properties: &BasicProperties) -> Option<String> {
    let AMQPValue::FieldArray(deaths) = properties.headers().as_ref()?.inner().get(DEATHS)? else {
        return None;
    };
    let AMQPValue::FieldTable(death) = deaths.as_slice().first()? else { return None };
    match death.inner().get(REASON)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

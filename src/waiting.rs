//! How many deliveries wait for a target, in RabbitMQ or in the one program's spool, and for how many more there is room.

use jodo_shared::broker::spool::look;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;

use crate::ingress_says::{self, Room};
use crate::queues;
use crate::wording::{count, grouped};

/// A sentence for people. That nothing can be said is no failure of the command that asks.
pub(crate) async fn in_words(config: &Config, one_program: bool, target: &TargetName) -> String {
    match waiting(config, one_program, target).await {
        Ok(Some(waiting)) => format!("{} now", count(waiting, "event waits", "events wait")),
        Ok(None) => "nothing can wait yet: there is no queue".to_owned(),
        Err(why) => format!("how many events wait is unknown: {why}"),
    }
}

/// A sentence on how much more may come to wait, as the running ingress says.
pub(crate) async fn room_in_words(config: &Config, one_program: bool) -> String {
    let said = ingress_says::ask(&config.ingress).await;
    let room = match said.as_ref().map(ingress_says::Said::room) {
        None => {
            return format!(
                "How much more there is room for is unknown: no ingress answers at {}.",
                ingress_says::place(&config.ingress)
            );
        }
        Some(None) => "no spool".to_owned(),
        Some(Some(room)) => room.in_words(),
    };
    if one_program {
        format!("For what comes there is {room}.")
    } else {
        format!("RabbitMQ keeps what comes until its disk alarm; behind it jodo-ingress has {room}.")
    }
}

impl Room {
    fn in_words(self) -> String {
        let room = format!("room for {} MB", grouped(self.bytes / 1_000_000));
        match self.full_in_seconds {
            Some(seconds) => format!("{room}, for {:.1} h at the pace of the last minute", seconds / 3_600.0),
            None => room,
        }
    }
}

async fn waiting(config: &Config, one_program: bool, target: &TargetName) -> Result<Option<u64>, String> {
    if one_program {
        let look = look(&config.ingress.spool_dir).map_err(|error| error.to_string())?;
        return Ok(Some(look.targets.get(target).map_or(0, |found| found.waiting)));
    }
    let broker = config.broker.as_ref().ok_or("broker.url is not configured here")?;
    let depths = queues::look(broker, &[target]).await.map_err(|error| error.to_string())?;
    Ok(depths.first().and_then(|depths| depths.waiting).map(u64::from))
}

//! How many deliveries wait for a target, in RabbitMQ or in the one program's spool.

use jodo_shared::broker::spool::look;
use jodo_shared::config::Config;
use jodo_shared::ids::TargetName;

use crate::queues;
use crate::wording::count;

/// A sentence for people. That nothing can be said is no failure of the command that asks.
pub(crate) async fn in_words(config: &Config, one_program: bool, target: &TargetName) -> String {
    match waiting(config, one_program, target).await {
        Ok(Some(waiting)) => format!("{} now", count(waiting, "event waits", "events wait")),
        Ok(None) => "nothing can wait yet: there is no queue".to_owned(),
        Err(why) => format!("how many events wait is unknown: {why}"),
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

//! What RabbitMQ says of a queue that is there with other arguments than ours.

use std::collections::{BTreeMap, BTreeSet};

use lapin::types::{AMQPValue, FieldTable, ShortString};

/// Arguments that may differ without anything in the queue being lost: where its replicas are, how often a message comes
/// back before it is a dead letter, and how much the queue takes: for `x-overflow` is not in here, and ours rejects what
/// is too much. Whatever is not in here, the unknown included, may forget what was promised to be kept.
const HARMLESS: [&str; 6] = [
    "x-delivery-limit",
    "x-max-length",
    "x-max-length-bytes",
    "x-queue-leader-locator",
    "x-quorum-initial-group-size",
    "x-quorum-target-group-size",
];

/// Our arguments, made to fit a queue in what harmlessly differs.
pub(super) struct Adapted {
    arguments: BTreeMap<ShortString, AMQPValue>,
    left_out: BTreeSet<String>,
}

impl Adapted {
    /// Ours, as they are.
    pub(super) fn new(arguments: &FieldTable) -> Self {
        Self { arguments: arguments.inner().clone(), left_out: BTreeSet::new() }
    }

    /// The arguments to declare with.
    pub(super) fn table(&self) -> FieldTable {
        self.arguments.clone().into()
    }

    /// Adopts what the text of a 406 says that the queue has.
    ///
    /// # Errors
    /// The name of an argument that may not differ, or whose value cannot be read.
    pub(super) fn adopt(&mut self, text: &str) -> Result<(), String> {
        let mismatch = parse(text).ok_or_else(|| "an argument without a name".to_owned())?;
        let argument = mismatch.argument;
        if HARMLESS.contains(&argument) {
            if self.left_out.insert(argument.to_owned()) {
                // Most often the queue just lacks it. If not, its value is named next, in a text short enough not to
                // be cut (at 255 bytes), since ours is not in it.
                self.arguments.remove(argument);
                return Ok(());
            }
            if let Some(current) = mismatch.current
                && self.arguments.insert(argument.into(), current).is_none()
            {
                return Ok(());
            }
        }
        Err(argument.to_owned())
    }
}

/// The first difference that the broker found.
#[derive(Debug, PartialEq)]
struct Mismatch<'t> {
    /// Which argument, or property of a queue, differs.
    argument: &'t str,
    /// What the queue has, if it has one of a kind that ours could be.
    current: Option<AMQPValue>,
}

/// Reads the text of a 406: `inequivalent arg 'x-overflow' for queue 'q' in vhost '/': received none but current is the
/// value 'drop-head' of type 'longstr'`. None when it says something else.
fn parse(text: &str) -> Option<Mismatch<'_>> {
    let (_, rest) = text.split_once("inequivalent arg '")?;
    let (argument, rest) = rest.split_once('\'')?;
    Some(Mismatch { argument, current: current(rest) })
}

fn current(text: &str) -> Option<AMQPValue> {
    let (_, value) = text.split_once("but current is the value '")?;
    let (value, kind) = value.rsplit_once("' of type '")?;
    let (kind, _) = kind.split_once('\'')?;
    match kind {
        "longstr" => Some(AMQPValue::LongString(value.into())),
        // The broker compares numbers whatever their width.
        _ => value.parse().ok().map(AMQPValue::LongLongInt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_read_with_what_the_queue_has() {
        let text = "PRECONDITION_FAILED - inequivalent arg 'x-delivery-limit' for queue 'q' in vhost '/': \
                    received none but current is the value '5' of type 'signedint'";
        let wanted = Mismatch { argument: "x-delivery-limit", current: Some(AMQPValue::LongLongInt(5)) };
        assert_eq!(parse(text), Some(wanted));
        let text = "inequivalent arg 'x-dead-letter-exchange' for queue 'q' in vhost '/': received none but current \
                    is the value 'it's' of type 'longstr'";
        let current = Some(AMQPValue::LongString("it's".into()));
        assert_eq!(parse(text), Some(Mismatch { argument: "x-dead-letter-exchange", current }));
    }

    #[test]
    fn what_is_cut_off_or_not_set_is_no_value_and_other_texts_are_none() {
        let text =
            "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'";
        assert_eq!(parse(text), Some(Mismatch { argument: "durable", current: None }));
        let text = "inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received none but current is the val...";
        assert_eq!(parse(text), Some(Mismatch { argument: "x-max-length", current: None }));
        assert_eq!(parse("PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 'q'"), None);
    }

    #[test]
    fn a_harmless_difference_is_adopted_and_any_other_is_named() {
        let text = |argument: &str, current: &str| {
            format!(
                "inequivalent arg '{argument}' for queue 'q' in vhost '/': received X but current is {current}"
            )
        };
        let limit = ShortString::from("x-delivery-limit");
        let mut ours = FieldTable::default();
        ours.insert(limit.clone(), AMQPValue::LongLongInt(1_000));
        let mut adapted = Adapted::new(&ours);
        let five = text("x-delivery-limit", "the value '5' of type 'long'");
        assert_eq!(adapted.adopt(&five), Ok(()));
        assert!(!adapted.table().contains_key("x-delivery-limit"));
        assert_eq!(adapted.adopt(&five), Ok(()));
        assert_eq!(adapted.arguments.get(&limit), Some(&AMQPValue::LongLongInt(5)));
        assert_eq!(
            adapted.adopt(&five),
            Err("x-delivery-limit".to_owned()),
            "it does not go round in circles"
        );
        for argument in ["durable", "x-overflow", "x-dead-letter-exchange", "x-message-ttl", "x-new"] {
            assert_eq!(adapted.adopt(&text(argument, "none")), Err(argument.to_owned()));
        }
    }
}

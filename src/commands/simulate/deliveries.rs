//! The deliveries of a run, made and signed ahead, so that sending them costs little.

use bytes::Bytes;
use jodo_school::{Run, Scenario, office, order, year};
use reqwest::header::HeaderValue;
use secrecy::SecretString;

use crate::signature::sign;

/// One delivery.
pub(super) struct Delivery {
    pub(super) body: Bytes,
    pub(super) signature: Option<HeaderValue>,
}

/// Every delivery of a run, and the order in which they are sent.
pub(super) struct Deliveries {
    pub(super) all: Vec<Delivery>,
    /// Places in `all`; a place that comes twice is sent twice.
    pub(super) order: Vec<usize>,
}

impl Deliveries {
    /// Lets the run happen and signs what the sender would say of it; without a secret it stays unsigned. A share
    /// `duplicates` of the events is sent twice.
    ///
    /// # Errors
    /// When a signature cannot stand in a header, which hexadecimal can.
    pub(super) fn make(
        run: Run,
        secret: Option<&SecretString>,
        duplicates: f64,
        shuffle: bool,
    ) -> anyhow::Result<Self> {
        let delivery = |body: String| {
            let signature = secret.map(|secret| HeaderValue::try_from(sign(secret, body.as_bytes())));
            Ok(Delivery { signature: signature.transpose()?, body: body.into() })
        };
        let (order, all): (_, anyhow::Result<_>) = match run.scenario {
            Scenario::Office { events } => {
                let order = office::order(run.seed, events as usize, duplicates, shuffle);
                (order, run.bodies().map(delivery).collect())
            }
            Scenario::SchoolYear => {
                let events: Vec<_> = year::Year::new(run).collect();
                let times: Vec<_> = events.iter().map(|event| event.time).collect();
                let order = order::order(run.seed, &times, duplicates, shuffle);
                (order, events.into_iter().map(|event| delivery(event.body)).collect())
            }
        };
        Ok(Self { all: all?, order })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_signed_over_its_bytes_in_either_scenario() {
        let secret = SecretString::from("hush");
        for scenario in [Scenario::Office { events: 2 }, Scenario::SchoolYear] {
            let run = Run { seed: 3, students: 1, scenario };
            let signed = Deliveries::make(run, Some(&secret), 0.5, true).unwrap();
            assert!(signed.order.len() >= signed.all.len() && !signed.all.is_empty());
            for delivery in &signed.all {
                assert_eq!(delivery.signature.as_ref().unwrap(), &sign(&secret, &delivery.body));
            }
            assert!(Deliveries::make(run, None, 0.0, false).unwrap().all[0].signature.is_none());
        }
    }
}

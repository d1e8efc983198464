//! Plans that ended twice, or not quite.

use super::Anomaly;
use crate::model::book::{Kind, World};
use crate::model::plans::PLAN_ENDS;
use crate::model::words::Known;

/// All anomalies of plans.
pub(super) fn of_plans(world: &World) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for (id, plan) in world.all(Kind::Plan) {
        found.extend(cancelled_and_closed(id, plan));
        found.extend(active_after_end(id, plan));
    }
    let debits = world.all(Kind::Flex);
    found.extend(debits.filter_map(|(id, payment)| debit_after_end(world, id, payment)));
    found
}

fn cancelled_and_closed(id: &str, plan: &Known) -> Option<Anomaly> {
    let (cancelled, closed) = (plan.fact("cancelled")?, plan.fact("closed")?);
    Some(Anomaly::new("plan_cancelled_and_closed", id, None).between(cancelled, closed))
}

fn active_after_end(id: &str, plan: &Known) -> Option<Anomaly> {
    let active = plan.fact("active")?;
    let (_, end) = plan.newest(PLAN_ENDS)?;
    (active > end).then(|| Anomaly::new("plan_active_after_end", id, None).between(active, end))
}

/// A debit of the second in which the plan ended may well have come before.
fn debit_after_end(world: &World, id: &str, payment: &Known) -> Option<Anomaly> {
    let debited = payment.fact("debited")?;
    let plan_id = payment.get("subscription_id")?;
    let (_, end) = world.find(Kind::Plan, plan_id)?.newest(PLAN_ENDS)?;
    let line = Anomaly::new("debit_after_plan_end", id, Some(plan_id)).between(debited, end);
    (debited.second > end.second).then_some(line)
}

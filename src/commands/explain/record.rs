//! Records: rows with a natural key, and how they belong together. All of it follows from the declarative table.

use jodo_worker::decide::meaning::List;
use jodo_worker::decide::meaning::codes::MEANINGS;
use jodo_worker::decide::subject;
use jodo_worker::entities::{DISBURSEMENTS, EMIS, ENTITIES, SETTLEMENTS, STUDENTS};
use jodo_worker::store::inspect::AnyRow;
use jodo_worker::table::Entity;

/// A row of an entity that events are about, within one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) entity: &'static Entity,
    /// Its natural key.
    pub(super) key: String,
}

impl Record {
    /// As `jodo_events` names it.
    pub(super) fn subject(&self) -> String {
        subject(self.entity, &self.key)
    }

    /// What `jodo_events` names so; `None` where another version wrote it.
    pub(super) fn of_subject(subject: &str) -> Option<Self> {
        let (name, key) = subject.split_once(':')?;
        let entity = entities().find(|entity| entity.name == name)?;
        Some(Self { entity, key: key.to_owned() })
    }

    /// The record that a row of the entity's table or view is about.
    pub(super) fn of_row(entity: &'static Entity, row: &AnyRow) -> Option<Self> {
        Some(Self { entity, key: cell(row, key_column(entity))?.to_owned() })
    }
}

/// The text in a column, if there is one.
pub(super) fn cell<'a>(row: &'a AnyRow, column: &str) -> Option<&'a str> {
    row.get(column)?.as_deref()
}

/// Every entity that an event can be about beside its pupil, by one natural key.
pub(super) fn entities() -> impl Iterator<Item = &'static Entity> {
    let others = [&STUDENTS, &SETTLEMENTS];
    ENTITIES.iter().copied().filter(move |entity| !others.contains(entity))
}

/// The column of the natural key.
pub(super) fn key_column(entity: &'static Entity) -> &'static str {
    entity.key.first().copied().unwrap_or_default()
}

/// The table of an entity.
pub(super) fn table_of(entity: &Entity) -> String {
    format!("jodo_r_{}", entity.name)
}

/// The view that shows an entity (docs/VIEWS.md).
pub(super) fn view_of(entity: &Entity) -> String {
    if entity == &EMIS { "jodo_loan_repayments".to_owned() } else { format!("jodo_{}", entity.name) }
}

/// Whether the rows of an entity have such a column beside their key.
pub(super) fn has_column(entity: &Entity, name: &str) -> bool {
    entity.registers.iter().flat_map(|register| register.columns).any(|column| column.name == name)
}

/// The entities whose rows name the row of `parent` that they belong to: its payments, mandates or tranches.
pub(super) fn children(parent: &'static Entity) -> impl Iterator<Item = &'static Entity> {
    entities().filter(move |entity| has_column(entity, key_column(parent)))
}

/// The entity of which a loan's tranches are: they have no events of their own.
pub(super) fn is_tranche(entity: &Entity) -> bool {
    entity == &DISBURSEMENTS
}

/// The payments of a family, as settlements call it.
pub(super) fn of_family(family: &str) -> Option<&'static Entity> {
    MEANINGS.iter().filter_map(|meaning| meaning.row.as_ref()).find_map(|row| match &row.list {
        Some(List::FeeLines(lines)) if lines.family == family => Some(row.entity),
        _ => None,
    })
}

/// Whether `product` of `jodo_receipts` is a word for a record of this entity.
pub(super) fn is_product_of(product: &str, entity: &Entity) -> bool {
    entity.name
        == match product {
            "flex_instalment" | "flex_downpayment" => "flex_payments",
            "pay" => "pay_payments",
            "manual" => "manual_payments",
            "loan" => "disbursements",
            _ => "orders",
        }
}

#[cfg(test)]
mod tests {
    use jodo_worker::entities::{FLEX_PAYMENTS, LOANS, MANDATES, ORDERS, SUBSCRIPTIONS, VIEWS};

    use super::*;

    #[test]
    fn what_belongs_to_a_plan_or_loan_follows_from_the_declaration() {
        let names = |parent| children(parent).map(|entity| entity.name).collect::<Vec<_>>();
        assert_eq!(names(&SUBSCRIPTIONS), [MANDATES.name, FLEX_PAYMENTS.name]);
        assert_eq!(names(&LOANS), [DISBURSEMENTS.name, EMIS.name]);
        assert_eq!(of_family("order"), Some(&ORDERS));
        assert_eq!(of_family("loan"), None);
    }

    #[test]
    fn every_record_has_a_view() {
        for entity in entities() {
            assert!(VIEWS.contains(&view_of(entity).as_str()), "{}", entity.name);
        }
    }

    #[test]
    fn a_subject_is_read_back() {
        let record = Record { entity: &ORDERS, key: "order:7".to_owned() };
        assert_eq!(Record::of_subject(&record.subject()), Some(record));
        assert_eq!(Record::of_subject("students:erp:1"), None);
    }
}

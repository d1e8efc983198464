//! What a number means: whose it is, or what; in every tenant, for numbers repeat between them.

use std::collections::BTreeSet;

use jodo_worker::entities::{LOANS, MANUAL_PAYMENTS, ORDERS};
use jodo_worker::store::StoreError;
use jodo_worker::store::inspect::{AnyRow, Inspect, Topics};
use jodo_worker::store::reads::StoredEvent;
use jodo_worker::table::Entity;

use super::record::{
    Record, cell, children, entities, has_column, is_tranche, key_column, of_family, table_of,
};
use super::subject::{Subject, What};

/// Everything that `number` means in this database.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn subjects(store: &dyn Inspect, number: &str) -> Result<Vec<Subject>, StoreError> {
    let mut found = pupils(store, number).await?;
    found.extend(payers(store, number, &found).await?);
    found.extend(records(store, number).await?);
    found.extend(transfers(store, number).await?);
    for event in store.event(number).await? {
        found.push(event_alone(store, event).await?);
    }
    Ok(found)
}

/// The pupils with this number of the ERP's, or id of Jodo's.
async fn pupils(store: &dyn Inspect, number: &str) -> Result<Vec<Subject>, StoreError> {
    let keys = store.pupil_keys(number).await?;
    let rows = store.rows_where("jodo_pupil_keys", "pupil_key", &keys).await?;
    let mut read_keys: BTreeSet<_> = rows
        .iter()
        .filter_map(|row| Some((cell(row, "tenant")?.to_owned(), cell(row, "read_key")?.to_owned())))
        .collect();
    // Pupils of whom nothing is applied yet.
    let named = store.named(&Topics { pupil_keys: keys, ..Topics::default() }).await?;
    for one in named {
        let Some(key) = one.pupil_key else { continue };
        let is_read =
            |row: &AnyRow| cell(row, "tenant") == Some(&one.tenant) && cell(row, "pupil_key") == Some(&key);
        if !rows.iter().any(is_read) {
            read_keys.insert((one.tenant, key));
        }
    }
    let mut found = Vec::new();
    for (tenant, read_key) in read_keys {
        found.push(pupil(store, &tenant, &read_key).await?);
    }
    Ok(found)
}

async fn pupil(store: &dyn Inspect, tenant: &str, read_key: &str) -> Result<Subject, StoreError> {
    let rows = of_tenant(tenant, store.rows_where("jodo_pupil_keys", "read_key", &one(read_key)).await?);
    let mut keys: BTreeSet<_> = rows.iter().filter_map(|row| cell(row, "pupil_key")).collect();
    keys.insert(read_key);
    let keys: Vec<_> = keys.into_iter().map(str::to_owned).collect();
    let mut records = Vec::new();
    for entity in entities().filter(|entity| has_column(entity, "pupil_key")) {
        records.extend(rows_of(store, tenant, entity, "pupil_key", &keys).await?);
    }
    if let Some(number) = read_key.strip_prefix("erp:") {
        records.extend(rows_of(store, tenant, &ORDERS, "identifier", &one(number)).await?);
    }
    let pupil = Some(read_key.to_owned());
    Ok(Subject { pupil, pupil_keys: keys, ..Subject::new(tenant, What::Pupil, records) })
}

/// Orders whose payer gave this number, where no pupil has it.
async fn payers(store: &dyn Inspect, number: &str, pupils: &[Subject]) -> Result<Vec<Subject>, StoreError> {
    let rows = store.rows_where(&table_of(&ORDERS), "identifier", &one(number)).await?;
    let tenants: BTreeSet<_> = rows.iter().filter_map(|row| cell(row, "tenant")).collect();
    let told = |tenant: &str| pupils.iter().any(|pupil| pupil.tenant == tenant);
    let found = tenants.into_iter().filter(|tenant| !told(tenant)).map(|tenant| {
        let orders = rows.iter().filter(|row| cell(row, "tenant") == Some(tenant));
        Subject::new(tenant, What::Payer, orders.filter_map(|row| Record::of_row(&ORDERS, row)).collect())
    });
    Ok(found.collect())
}

/// The records with this key, each with what belongs to it.
async fn records(store: &dyn Inspect, key: &str) -> Result<Vec<Subject>, StoreError> {
    let mut found = Vec::new();
    for entity in entities() {
        let record = Record { entity, key: key.to_owned() };
        let rows = store.rows_where(&table_of(entity), key_column(entity), &one(key)).await?;
        // A record of which nothing is applied yet has events only.
        let about = Topics { subjects: vec![record.subject()], ..Topics::default() };
        let named = store.named(&about).await?;
        let tenants = rows.iter().filter_map(|row| cell(row, "tenant"));
        let tenants: BTreeSet<_> = tenants.chain(named.iter().map(|one| one.tenant.as_str())).collect();
        for tenant in tenants {
            let row = rows.iter().find(|row| cell(row, "tenant") == Some(tenant));
            let mut all = vec![record.clone()];
            all.extend(relatives(store, tenant, &record, row).await?);
            found.push(Subject::new(tenant, What::Record(record.clone()), all));
        }
    }
    Ok(found)
}

/// What belongs to a plan or loan; of a tranche its loan, whose events tell of it.
async fn relatives(
    store: &dyn Inspect,
    tenant: &str,
    record: &Record,
    row: Option<&AnyRow>,
) -> Result<Vec<Record>, StoreError> {
    if is_tranche(record.entity) {
        return Ok(row.and_then(|row| Record::of_row(&LOANS, row)).into_iter().collect());
    }
    let column = key_column(record.entity);
    let mut found = Vec::new();
    for child in children(record.entity) {
        found.extend(rows_of(store, tenant, child, column, &one(&record.key)).await?);
    }
    Ok(found)
}

/// The payments that reached the institute with this UTR.
async fn transfers(store: &dyn Inspect, utr: &str) -> Result<Vec<Subject>, StoreError> {
    let settlements = store.rows_where("jodo_r_settlements", "utr", &one(utr)).await?;
    let manual = store.rows_where(&table_of(&MANUAL_PAYMENTS), "settlement_utr", &one(utr)).await?;
    let settled = settlements.iter().filter_map(|row| {
        let record =
            Record { entity: of_family(cell(row, "family")?)?, key: cell(row, "payment_id")?.to_owned() };
        Some((cell(row, "tenant")?, record))
    });
    let by_hand =
        manual.iter().filter_map(|row| Some((cell(row, "tenant")?, Record::of_row(&MANUAL_PAYMENTS, row)?)));
    let mut found: Vec<Subject> = Vec::new();
    for (tenant, record) in settled.chain(by_hand) {
        let place = found.iter().position(|subject| subject.tenant == tenant).unwrap_or(found.len());
        if place == found.len() {
            found.push(Subject::new(tenant, What::Transfer, Vec::new()));
        }
        // A payment may have several lines in one transfer.
        if !found[place].records.contains(&record) {
            found[place].records.push(record);
        }
    }
    Ok(found)
}

/// One event, with the record or else the pupil that it is about.
async fn event_alone(store: &dyn Inspect, event: StoredEvent) -> Result<Subject, StoreError> {
    let records: Vec<_> = event.subject.as_deref().and_then(Record::of_subject).into_iter().collect();
    let mut pupil = None;
    if let (true, Some(key)) = (records.is_empty(), &event.pupil_key) {
        let rows =
            of_tenant(&event.tenant, store.rows_where("jodo_pupil_keys", "pupil_key", &one(key)).await?);
        pupil = rows.first().and_then(|row| cell(row, "read_key")).map(str::to_owned);
    }
    let tenant = event.tenant.clone();
    Ok(Subject { pupil, ..Subject::new(&tenant, What::Event(Box::new(event)), records) })
}

async fn rows_of(
    store: &dyn Inspect,
    tenant: &str,
    entity: &'static Entity,
    column: &'static str,
    values: &[String],
) -> Result<Vec<Record>, StoreError> {
    let rows = of_tenant(tenant, store.rows_where(&table_of(entity), column, values).await?);
    let mut records: Vec<_> = rows.iter().filter_map(|row| Record::of_row(entity, row)).collect();
    records.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(records)
}

/// The rows of one tenant.
pub(super) fn of_tenant(tenant: &str, mut rows: Vec<AnyRow>) -> Vec<AnyRow> {
    rows.retain(|row| cell(row, "tenant") == Some(tenant));
    rows
}

fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

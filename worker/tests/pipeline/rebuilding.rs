//! A rebuild while workers commit.

use jodo_shared::clock::now;
use jodo_worker::store::maintain::Maintain as _;
use jodo_worker::store::operate::Deed;

use crate::bench::{Bench, name, payments};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_beside_workers_that_do_not_stop_waits_for_them_and_loses_nothing() {
    let bench = Bench::new().await;
    let operator = bench.operator();
    for round in 0..4 {
        bench.publish(&payments(&format!("p{round}"), 1_000)).await;
        if round == 0 {
            // Two pipelines, and nobody who follows pauses.
            bench.work();
            bench.work_without_due_rows();
        }
        let by = Deed { who: "asha".into(), at: now(), reason: None };
        let rebuilt = operator.rebuild(&name(), &bench.target.rules, Some(&by)).await.expect("rebuilt");
        assert!(rebuilt.replaced && rebuilt.tables.iter().all(|table| !table.is_some()), "{rebuilt:?}");
        let looked = operator.rebuild(&name(), &bench.target.rules, None).await.expect("looked");
        assert!(looked.tables.iter().all(|table| !table.is_some()), "{looked:?}");
    }
    bench.until_endings("applied - 4000").await;
    assert_eq!(bench.target.paused(), None);
    bench.stop().await;
}

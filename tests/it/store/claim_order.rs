//! Claim order: which targets come first when a fire has more slots than there is time for.

use std::collections::BTreeMap;
use std::time::Duration;

use tidewatch::model::Target;
use tidewatch::store::{Claim, Disposition, Fires, Settlement, Tx};
use tidewatch::time::Time;

use super::{at, campaign, note, wish};
use crate::databases::{Database, on_both};

fn notes(count: usize) -> Vec<Target> {
    (0..count).map(|n| note(&format!("note{n}"))).collect()
}

/// The first looks of a fire, which are then made; the others are left for the next fire to replace.
async fn first_looks(tx: &mut Tx, job: i64, due_at: Time, limit: usize) -> Vec<Claim> {
    let fires = Fires { missed: vec![], open: vec![due_at] };
    tx.fire(job, &fires, None, due_at).await.unwrap();
    let until = due_at.plus(Duration::from_secs(60));
    let claims = tx.claim(wish(None, limit), due_at, until).await.unwrap();
    let made = |claim: &Claim| Settlement {
        target_id: claim.target_id,
        due_at,
        fence: claim.fence,
        call_id: 1,
        next: Disposition::Observed,
        at: due_at,
    };
    tx.settle(&claims.iter().map(made).collect::<Vec<_>>()).await.unwrap();
    claims
}

/// Each of so many targets is looked at this often, at least, where few are at each fire.
async fn comes_round(database: Database, targets: usize, looks: usize, fires: u64, least: u32) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &notes(targets)).await;
    let mut counts: BTreeMap<i64, u32> = BTreeMap::new();
    for hour in 1..=fires {
        let due_at = at("09:00:00").plus(Duration::from_secs(3600 * hour));
        for claim in first_looks(&mut tx, job, due_at, looks).await {
            *counts.entry(claim.target_id).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), targets, "{counts:?}");
    assert!(counts.values().all(|count| *count >= least), "{counts:?}");
}

on_both!(an_upstream_that_is_too_slow_for_all_comes_round_to_every_target);
async fn an_upstream_that_is_too_slow_for_all_comes_round_to_every_target(database: Database) {
    comes_round(database, 12, 3, 48, 6).await;
}

on_both!(one_that_does_not_come_through_a_group_of_neighbours_does_so_too);
async fn one_that_does_not_come_through_a_group_of_neighbours_does_so_too(database: Database) {
    comes_round(database, 96, 5, 150, 3).await;
}

on_both!(neighbours_are_handed_out_together_and_others_first_each_time);
async fn neighbours_are_handed_out_together_and_others_first_each_time(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &notes(640)).await;
    let mut firsts = Vec::new();
    for hour in 1..=4 {
        let due_at = at("09:00:00").plus(Duration::from_secs(3600 * hour));
        let claims = first_looks(&mut tx, job, due_at, 64).await;
        let mut groups: Vec<_> = claims.iter().map(|claim| claim.target_id / 32).collect();
        groups.sort_unstable();
        groups.dedup();
        assert!(groups.len() <= 4, "64 looks, of groups of 32: {groups:?}");
        firsts.push(groups);
    }
    firsts.sort_unstable();
    firsts.dedup();
    assert!(firsts.len() > 1, "the same each time: {firsts:?}");
}

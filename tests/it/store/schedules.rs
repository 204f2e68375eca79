//! Statements about fires: what they do to older looks, and what a wrong clock has planned.

use std::time::Duration;

use tidewatch::model::{Facts, MissedReason, Pause, PauseReason, PauseScope};
use tidewatch::store::{Account, ClaimRequest, ConfigLoad, Disposition, Fires, JobEntry, Tx};

use super::{OWNER, at, campaign, claim, hourly, look, note, open_at, wish};
use crate::databases::{Database, on_both, rows};

/// A job of this name that watches these notes, as `entry` says.
async fn job(tx: &mut Tx, entry: JobEntry<'_>, notes: &[&str]) -> i64 {
    let notes: Vec<_> = notes.iter().map(|key| note(key)).collect();
    let job = tx.put_job(&entry, at("08:30:00")).await.unwrap().unwrap();
    tx.put_targets(&notes, at("08:30:00")).await.unwrap();
    tx.set_watchlist(job, &notes, at("08:30:00")).await.unwrap();
    job
}

/// Every slot as `hour key outcome reason`, by time and key.
const SLOTS: &str = "select t.key || ' ' || substr('' || s.due_at, 12, 5)
                            || ' ' || coalesce(s.outcome, 'open') || ' ' || coalesce(s.reason, '-')
                     from slots s join targets t on t.target_id = s.target_id
                     order by s.due_at, t.key";

on_both!(a_fire_during_a_look_is_missed_and_looks_that_wait_give_way);
async fn a_fire_during_a_look_is_missed_and_looks_that_wait_give_way(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a")]).await;
    tx.fire(job, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    assert_eq!(claim(&mut tx, "09:00:00").await.len(), 1);
    tx.fire(job, &open_at("09:01:00"), None, at("09:01:00")).await.unwrap();
    // Its lease has ended, so nobody is at it: it gives way like one that was never tried.
    tx.fire(job, &open_at("09:05:00"), Some(MissedReason::Quota), at("09:05:00")).await.unwrap();
    tx.fire(job, &open_at("09:06:00"), None, at("09:06:00")).await.unwrap();
    tx.commit().await.unwrap();
    let slots: Vec<(String,)> = rows(&store, SLOTS).await;
    let slots: Vec<_> = slots.iter().map(|(slot,)| slot.as_str()).collect();
    assert_eq!(
        slots,
        [
            "a 09:00 missed quota",
            "a 09:01 missed overlap",
            "a 09:05 missed superseded",
            "a 09:06 open -"
        ]
    );
}

on_both!(looks_that_queue_stay_whatever_fires_later_and_are_made_in_order);
async fn looks_that_queue_stay_whatever_fires_later_and_are_made_in_order(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let queue = JobEntry { overlap: "queue", ..hourly("queue") };
    let queue = job(&mut tx, queue, &["a"]).await;
    let other = job(&mut tx, hourly("other"), &["a"]).await;
    // The slot of 09:00 is the other's, and the one that queues wants it, too.
    tx.fire(other, &open_at("09:00:00"), None, at("09:00:00")).await.unwrap();
    let fires = Fires { missed: vec![], open: vec![at("09:00:00"), at("10:00:00")] };
    tx.fire(queue, &fires, None, at("10:00:00")).await.unwrap();
    tx.fire(other, &open_at("10:30:00"), None, at("10:30:00")).await.unwrap();
    tx.fire(other, &open_at("11:00:00"), None, at("11:00:00")).await.unwrap();
    tx.commit().await.unwrap();
    // A failure waits for its next try, though newer looks are due.
    let retry = Disposition::Retry(at("11:00:03"), MissedReason::UpstreamFailure);
    let (first, _) = look(&store, "11:00:02", retry, Facts::default()).await;
    let (again, _) = look(&store, "11:00:03", Disposition::Observed, Facts::default()).await;
    let (second, _) = look(&store, "11:00:04", Disposition::Observed, Facts::default()).await;
    assert_eq!(
        [first.due_at, again.due_at, second.due_at],
        ["09", "09", "10"].map(|h| at(&format!("{h}:00:00")))
    );
    let slots: Vec<(String,)> = rows(&store, SLOTS).await;
    let slots: Vec<_> = slots.iter().map(|(slot,)| slot.as_str()).collect();
    assert_eq!(
        slots,
        ["a 09:00 observed -", "a 10:00 observed -", "a 10:30 missed superseded", "a 11:00 open -"]
    );
}

on_both!(the_looks_of_a_fire_are_spread_and_each_target_keeps_its_place);
async fn the_looks_of_a_fire_are_spread_and_each_target_keeps_its_place(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let keys: Vec<_> = (0..100).map(|n| format!("note-{n}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let spread = JobEntry { spread_seconds: 600, ..hourly("spread") };
    let job = job(&mut tx, spread, &keys).await;
    let mut waits = Vec::new();
    for hour in ["09", "10"] {
        let due = at(&format!("{hour}:00:00"));
        let fires = Fires { missed: vec![], open: vec![due] };
        tx.fire(job, &fires, None, due).await.unwrap();
        let mut claims = Vec::new();
        for minute in 0..10 {
            let now = due.plus(Duration::from_secs(60 * minute + 59));
            let minutes = tx.claim(wish(None, 100), now, now);
            let minutes = minutes.await.unwrap();
            assert!((5..=15).contains(&minutes.len()), "{} in one minute", minutes.len());
            assert!(minutes.iter().all(|claim| claim.due_at == due));
            claims.extend(minutes.into_iter().map(|claim| (claim.key, minute)));
        }
        claims.sort();
        assert_eq!(claims.len(), 100);
        waits.push(claims);
    }
    assert_eq!(waits[0], waits[1]);
}

on_both!(what_a_clock_that_was_ahead_has_planned_is_taken_back);
async fn what_a_clock_that_was_ahead_has_planned_is_taken_back(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let job = campaign(&mut tx, &[note("a"), note("b")]).await;
    let missed =
        ["10", "11", "12"].map(|hour| (at(&format!("{hour}:00:00")), MissedReason::Superseded));
    let fires = Fires { missed: missed.to_vec(), open: vec![at("13:00:00")] };
    tx.fire(job, &fires, None, at("13:00:00")).await.unwrap();
    assert_eq!(tx.watched(job, at("08:30:00")).await.unwrap().targets, 2);
    let tried = tx.claim(wish(None, 1), at("13:00:00"), at("19:00:00"));
    let tried = tried.await.unwrap().remove(0);
    assert_eq!(tx.unplan(at("10:00:00"), at("13:00:00")).await.unwrap(), 5);
    let runs = "select '' || due_at from job_runs order by 1";
    tx.commit().await.unwrap();
    let left: Vec<(String,)> = rows(&store, runs).await;
    assert_eq!(left.len(), 2, "the run of 10:00, and that of the look that was tried: {left:?}");
    // Its lease lasts no longer than one may, and its next try does not wait for the wrong time.
    let mut tx = store.begin().await.unwrap();
    let (now, soon) = (at("10:30:00"), at("10:31:00"));
    assert_eq!(tx.clamp_future_slots(now, soon, at("10:45:00")).await.unwrap(), 1);
    let wish = ClaimRequest { owner: 8, ..wish(None, 9) };
    let again = tx.claim(wish, at("10:45:00"), at("10:46:00"));
    let again = again.await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].target_id, again[0].due_at), (tried.target_id, at("13:00:00")));
    assert_eq!(tx.clamp_future_slots(at("10:46:00"), soon, at("11:00:00")).await.unwrap(), 0);
}

on_both!(pauses_that_began_under_a_clock_that_was_ahead_end_and_others_are_tried_in_time);
async fn pauses_that_began_under_a_clock_that_was_ahead_end_and_others_are_tried_in_time(
    database: Database,
) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    let pause = |name: &str, reason: &str, since, probe_at| Pause {
        scope: PauseScope::Endpoint,
        name: name.into(),
        reason: PauseReason::parse(reason).unwrap(),
        note: None,
        since: at(since),
        until: None,
        probe_at: Some(at(probe_at)),
        failures: 1,
        call_id: None,
    };
    tx.pause(&pause("a", "failing", "09:00:00", "19:00:00")).await.unwrap();
    tx.pause(&pause("b", "failing", "18:00:00", "18:01:00")).await.unwrap();
    tx.pause(&pause("c", "by_hand", "18:00:00", "18:01:00")).await.unwrap();
    tx.endpoint("a", at("09:00:00")).await.unwrap();
    tx.slow_down("a", 500, at("18:00:00")).await.unwrap();
    tx.take_rate("a", at("18:00:00")).await.unwrap();
    let now = at("10:00:00");
    tx.clamp_future_pauses(now, at("10:01:00"), at("11:00:00")).await.unwrap();
    let left: Vec<_> = tx.pauses(now).await.unwrap();
    let left: Vec<_> = left.into_iter().map(|it| (it.name, it.probe_at)).collect();
    assert_eq!(left, [("a".to_owned(), Some(now)), ("c".to_owned(), Some(now))]);
    let endpoint = tx.endpoint("a", now).await.unwrap();
    assert_eq!((endpoint.slowed_at, endpoint.paid_through), (Some(now), now));
}

on_both!(how_a_process_stands_to_its_settings_is_on_record);
async fn how_a_process_stands_to_its_settings_is_on_record(database: Database) {
    let store = database.open().await;
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.config_state(OWNER).await.unwrap().taken_over_at, None);
    let account = |provider: &str, base_url: &str| Account {
        provider: provider.to_owned(),
        base_url: base_url.to_owned(),
        token_mark: Some(7),
    };
    let taken_over =
        |url| ConfigLoad::TakenOver(vec![account("a", url), account("b", "http://b/")]);
    assert_eq!(tx.last_account("a").await.unwrap(), None);
    tx.put_config_load(OWNER, taken_over("http://a/"), at("09:00:00")).await.unwrap();
    tx.put_config_load(OWNER, ConfigLoad::Refused("a line"), at("09:10:00")).await.unwrap();
    assert_eq!(tx.last_account("a").await.unwrap(), Some(account("a", "http://a/")));
    tx.put_config_load(8, taken_over("http://c/"), at("09:20:00")).await.unwrap();
    let state = tx.config_state(OWNER).await.unwrap();
    assert_eq!(state.taken_over_at, Some(at("09:00:00")));
    assert_eq!(state.providers, [account("a", "http://a/"), account("b", "http://b/")]);
    assert_eq!((state.refused_at, state.error.as_deref()), (Some(at("09:10:00")), Some("a line")));
    tx.put_config_load(OWNER, taken_over("http://d/"), at("09:30:00")).await.unwrap();
    let state = tx.config_state(OWNER).await.unwrap();
    assert_eq!((state.taken_over_at, state.error), (Some(at("09:30:00")), None));
}

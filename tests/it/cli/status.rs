//! `tidewatch status`: the state of the jobs.

use serde_json::Value;
use tidewatch::model::{Kind, Pause, PauseReason, PauseScope, Target};
use tidewatch::store::{Fires, Store};
use tidewatch::time::Clock;

use crate::databases::{Database, on_both, sqlite};
use crate::env::{Env, beginning, hours};
use crate::program::Place;

/// An hourly job.
const JOB: &str = "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"@hourly\"\n\
                   keywords = [\"露营\", \"美食\"]\n";

/// The job in the JSON of `status`.
async fn of_job(place: &Place) -> Value {
    let (code, out, said) = place.hear(&["status", "--json"]).await;
    assert_eq!(code, 0, "{said}");
    let report: Value = serde_json::from_str(&out).unwrap();
    report["jobs"][0].clone()
}

/// Plans slots that nobody fetches, counted for today even at midnight.
async fn fire(store: &Store) {
    let now = Clock::system().now();
    let mut tx = store.begin().await.unwrap();
    let job = tx.jobs().await.unwrap().remove(0).job_id;
    let fires = Fires { missed: vec![], open: vec![now.plus(hours(1))] };
    tx.fire(job, &fires, None, now).await.unwrap();
    tx.commit().await.unwrap();
}

on_both!(slots_of_a_job_are_observed_missed_or_open);
async fn slots_of_a_job_are_observed_missed_or_open(database: Database) {
    let place = Place::new(&database, JOB);
    let env = Env::new(database, JOB).await;
    fire(&env.store).await;
    let job = of_job(&place).await;
    assert_eq!((job["due"].as_i64(), job["open"].as_i64()), (Some(2), Some(2)), "{job}");
    let (_, out, _) = place.hear(&["status"]).await;
    let head = out.lines().find(|line| line.contains("missed")).unwrap();
    assert!(head.trim_end().ends_with("due   observed   missed   open"), "{out}");
}

on_both!(status_and_report_count_a_shared_slot_for_each_job);
async fn status_and_report_count_a_shared_slot_for_each_job(database: Database) {
    let job = |name: &str, cron: &str, words: &[&str]| {
        format!(
            "[[job]]\nname = \"{name}\"\nkind = \"keywords\"\nschedule = \"{cron}\"\nkeywords = {words:?}\n"
        )
    };
    let jobs = job("all", "@hourly", &["露营", "美食"]) + &job("rare", "0 */3 * * *", &["露营"]);
    let place = Place::new(&database, &jobs);
    let mut env = Env::new(database, &jobs).await;
    env.advance(hours(5)).await;
    let keyword = Target { kind: Kind::Keyword, key: "露营".to_owned() };
    env.look_by_hand(&[keyword]).await;
    let mut tx = env.store.read().await.unwrap();
    let reports = tx.job_reports(beginning()).await.unwrap();
    drop(tx);
    // 01:00 to 05:00; in Shanghai 09:00 and 12:00. The manual one is of neither.
    let dues: Vec<_> = reports.iter().map(|it| (it.name.as_str(), it.due, it.observed)).collect();
    assert_eq!(dues, [("all", 10, 10), ("rare", 2, 2)]);
    for (name, due) in [("all", 10), ("rare", 2)] {
        let (_, out, said) = place.hear(&["report", "job", name, "--json"]).await;
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{said}"));
        let targets = report["targets"].as_array().unwrap().iter();
        assert_eq!(targets.map(|it| it["due"].as_i64().unwrap()).sum::<i64>(), due, "{name}");
    }
}

on_both!(invalid_file_hides_no_next_fire);
async fn invalid_file_hides_no_next_fire(database: Database) {
    let place = Place::new(&database, "[[job]]\nname = 5\n");
    let mut env = Env::new(database, JOB).await;
    let (_, _, said) = place.hear(&["status"]).await;
    assert!(said.contains("the jobs are those a daemon loaded last"), "{said}");
    let (_, out, _) = place.hear(&["status"]).await;
    assert!(out.contains("jobs.toml is refused") && !out.contains("no problems"), "{out}");
    let next = of_job(&place).await["next_due_at"].clone();
    assert!(next.as_str().is_some_and(|next| next.ends_with(":00:00")), "{next}");
    env.restart("").await;
    env.advance(hours(1)).await;
    assert_eq!(of_job(&place).await["next_due_at"], Value::Null, "it left the file");
}

#[tokio::test]
async fn status_leaves_no_file_beside_the_archive() {
    let database = sqlite();
    database.open().await.close().await;
    let place = Place::new(&database, "");
    assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
    let files = std::fs::read_dir(database.directory()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["test.db"]);
}

on_both!(resume_reports_what_it_resumed_and_accepts_no_pause);
async fn resume_reports_what_it_resumed_and_accepts_no_pause(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    let resume = async |what: &[&str]| {
        let (code, out, said) = place.hear(&[&["resume"], what].concat()).await;
        assert_eq!(code, 0, "{said}");
        out
    };
    assert_eq!(resume(&["--all"]).await, "nothing is paused\n");
    assert_eq!(resume(&["provider", "amagi"]).await, "not paused: amagi\n");
    assert_eq!(place.run(&["pause", "provider", "amagi"]).await, 0, "{}", place.said());
    assert_eq!(resume(&["--all"]).await, "resumed: amagi\n");
    let mut tx = store.begin().await.unwrap();
    tx.pause(&budget_used_up()).await.unwrap();
    tx.commit().await.unwrap();
    let said = resume(&["--all"]).await;
    assert!(said.starts_with("today's budget is used up"), "{said}");
}

fn budget_used_up() -> Pause {
    let now = Clock::system().now();
    Pause {
        scope: PauseScope::Budget,
        name: "all".to_owned(),
        reason: PauseReason::Budget,
        note: None,
        since: now,
        until: Some(now.plus(hours(1))),
        probe_at: None,
        failures: 0,
        call_id: None,
    }
}

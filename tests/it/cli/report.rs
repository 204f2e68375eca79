//! `tidewatch report`: shows what the archive contains and nothing else.

use serde_json::Value;
use tidewatch::store::Store;

use crate::databases::{Database, on_both, rows};
use crate::env::{Env, hours, world};
use crate::parity::half_a_day;
use crate::program::Place;

/// A report as JSON.
async fn json(place: &Place, arguments: &[&str]) -> Value {
    let (code, out, said) = place.hear(&[&["report", "--json"], arguments].concat()).await;
    assert_eq!(code, 0, "{arguments:?}: {said}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
}

/// A report as text.
async fn text(place: &Place, arguments: &[&str]) -> String {
    let (code, out, said) = place.hear(&[&["report"], arguments].concat()).await;
    assert_eq!(code, 0, "{arguments:?}: {said}");
    assert!(out.contains("times in Asia/Shanghai\n"), "{out}");
    out
}

async fn one_text(store: &Store, sql: &'static str) -> String {
    rows::<(String,)>(store, sql).await.remove(0).0
}

on_both!(reports_match_the_archive);
async fn reports_match_the_archive(database: Database) {
    let place = Place::new(&database, "");
    let env = half_a_day(database).await;
    items(&env.store, &place).await;
    others(&env.store, &place).await;
    let spend = json(&place, &["spend"]).await;
    let calls = spend["spend"].as_array().unwrap().iter().map(|row| row["calls"].as_i64().unwrap());
    let asked = "select count(*) from calls where imported_at is null";
    assert_eq!(rows::<(i64,)>(&env.store, asked).await, [(calls.sum(),)]);
    for period in ["days", "months"] {
        let totals = spend[period].as_array().unwrap().iter();
        let micros = |row: &Value| row["cost_micros"].as_i64().unwrap_or(0);
        let all: i64 = spend["spend"].as_array().unwrap().iter().map(micros).sum();
        assert!(all > 0 && totals.map(micros).sum::<i64>() == all, "{period}");
    }
    let spend = text(&place, &["spend"]).await;
    let costs: Vec<_> =
        spend.lines().skip(4).map_while(|line| line.split_whitespace().last()).collect();
    let costs = &costs[..costs.iter().position(|cost| *cost == "yuan").unwrap()];
    let cents = |cost: &&str| cost.split_once('.').is_some_and(|(_, cents)| cents.len() == 2);
    assert!(!costs.is_empty() && costs.iter().all(cents), "{spend}");
    let days = json(&place, &["coverage"]).await;
    let mut sums = [0; 4];
    for day in days["days"].as_array().unwrap() {
        for (sum, name) in sums.iter_mut().zip(["due", "observed", "missed", "open"]) {
            *sum += day[name].as_i64().unwrap();
        }
    }
    let [due, observed, missed, open] = sums;
    assert!(due > 0 && missed > 0 && due == observed + missed + open, "{sums:?}");
    let why = days["reasons"].as_array().unwrap().iter().map(|row| row["slots"].as_i64().unwrap());
    assert_eq!(why.sum::<i64>(), missed);
    assert!(text(&place, &["coverage"]).await.contains(" day "));
}

async fn items(store: &Store, place: &Place) {
    for (what, platform) in [("note", "xiaohongshu"), ("work", "douyin")] {
        let top = json(place, &["top", "--limit", "1000"]).await;
        let movers = top["movers"].as_array().unwrap();
        let grew: Vec<_> = movers.iter().map(|row| row["growth"].as_i64().unwrap()).collect();
        assert!(!grew.is_empty() && grew.is_sorted_by(|one, next| one >= next), "{grew:?}");
        let mover = movers.iter().find(|row| row["platform"] == platform).unwrap();
        let id = mover["item_id"].as_str().unwrap();
        let known = json(place, &[what, id]).await;
        assert_eq!(known["facts"]["item_id"], id);
        let seen = known["observations"].as_array().unwrap();
        let likes = |row: &Value| row["likes"].as_i64().unwrap();
        let (first, last) = (likes(&seen[0]), likes(seen.last().unwrap()));
        assert_eq!(mover["growth"].as_i64(), Some(last - first));
        assert_eq!(known["latest"]["likes"].as_i64(), Some(last));
        assert_eq!(known["timeline"][0]["event"], "published");
        let shown = text(place, &[what, id]).await;
        assert!(
            shown.contains('▁') && shown.contains('–') && shown.contains("first_seen"),
            "{shown}"
        );
        let later = seen[1]["observed_at"].as_str().unwrap().replace(' ', "T") + "Z";
        let rest = json(place, &[what, id, "--since", &later]).await;
        assert_eq!(rest["observations"].as_array().unwrap().len(), seen.len() - 1);
        let before = json(place, &[what, id, "--until", &later]).await;
        assert_eq!(before["observations"].as_array().unwrap().len(), 1);
        let (_, csv, _) = place.hear(&["report", what, id, "--csv"]).await;
        assert_eq!(csv.lines().count(), seen.len() + 1, "{csv}");
        let (_, with_bom, _) = place.hear(&["report", what, id, "--csv", "--bom"]).await;
        assert_eq!(with_bom, format!("\u{feff}{csv}"));
    }
    let shown = text(place, &["top", "--by", "comments", "--days", "2"]).await;
    assert!(shown.contains("largest change of comments"), "{shown}");
    assert!(rows::<(i64,)>(store, "select count(*) from items").await[0].0 > 0);
}

async fn others(store: &Store, place: &Place) {
    let kol = one_text(store, "select kol_id from kol_metrics order by kol_id limit 1").await;
    let known = json(place, &["kol", &kol]).await;
    assert_eq!(known["facts"]["kol_id"], kol.as_str());
    assert!(!known["history"].as_array().unwrap().is_empty());
    assert!(text(place, &["kol", &kol]).await.contains("followers"));
    let ranks = json(place, &["keyword", "美食"]).await;
    assert!(ranks["ranks"].as_array().unwrap().iter().any(|row| row["change"] == "first"));
    assert!(text(place, &["keyword", "美食"]).await.contains("over time"));
    let job = json(place, &["job", "works"]).await;
    assert_eq!(job["job"]["kind"], "work");
    // A link and the item behind it are one.
    let watched = "select count(distinct coalesce(t.item_id, t.key)) from job_targets jt
                   join jobs j on j.job_id = jt.job_id
                   join targets t on t.target_id = jt.target_id
                   where j.name = 'works' and (jt.removed_at is null or exists (
                       select 1 from slots s
                       where s.target_id = jt.target_id and s.due_at <= jt.removed_at))";
    let targets = job["targets"].as_array().unwrap();
    assert_eq!(rows::<(i64,)>(store, watched).await, [(i64::try_from(targets.len()).unwrap(),)]);
    assert!(targets.iter().all(|row| row["due"].as_i64() > Some(0)), "{targets:?}");
    let links = "select count(*) from targets where key like 'https://%' and item_id is not null";
    assert_eq!(rows::<(i64,)>(store, links).await, [(1,)], "a resolved link");
    let due: i64 = targets.iter().map(|row| row["due"].as_i64().unwrap()).sum();
    let slots = "select count(*) from slots s join job_runs r on r.run_id = s.run_id
                 join jobs j on j.job_id = r.job_id where j.name = 'works'";
    assert_eq!(rows::<(i64,)>(store, slots).await, [(due,)]);
    assert!(text(place, &["job", "works", "notes"]).await.contains("job notes"));
    let kols = text(place, &["job", "kols"]).await;
    assert!(kols.contains(" keyword=阅读 sort=FANS --max-pages 2 "), "{kols}");
}

on_both!(unknown_subject_is_reported_beside_known_ones);
async fn unknown_subject_is_reported_beside_known_ones(database: Database) {
    let place = Place::new(&database, "");
    let env = half_a_day(database).await;
    let known = one_text(&env.store, "select note_id from notes order by note_id limit 1").await;
    let (code, out, said) =
        place.hear(&["report", "note", "6a0000000000000000000000", &known]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("no data on note 6a0000000000000000000000"), "{said}");
    assert!(out.contains(&known), "{out}");
    for unknown in [
        ["kol", "nobody"],
        ["keyword", "nothing"],
        ["job", "none"],
        ["work", "7600000000000000001"],
    ] {
        let (code, out, said) = place.hear(&[&["report"][..], &unknown].concat()).await;
        assert_eq!((code, out.as_str()), (1, ""), "{unknown:?}: {said}");
        assert!(said.contains(unknown[1]), "{said}");
    }
    let (code, _, said) = place.hear(&["report", "top", "--since", "yesterday"]).await;
    assert_eq!(code, 2);
    assert!(said.contains("invalid time"), "{said}");
}

on_both!(job_report_counts_slots_of_removed_targets);
async fn job_report_counts_slots_of_removed_targets(database: Database) {
    let place = Place::new(&database, "");
    let notes = world().notes(3);
    let watch = |notes: &[String]| {
        format!(
            "[[job]]\nname = \"spring\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {notes:?}\n"
        )
    };
    let mut env = Env::new(database, &watch(&notes[..2])).await;
    env.advance(hours(3)).await;
    env.reload(&watch(&notes[2..])).await;
    env.advance(hours(1)).await;
    let report = json(&place, &["job", "spring"]).await;
    let due = |row: &Value| (row["key"].as_str().unwrap().to_owned(), row["due"].as_i64().unwrap());
    let mut due: Vec<_> = report["targets"].as_array().unwrap().iter().map(due).collect();
    due.sort();
    let mut expected: Vec<_> = notes.into_iter().zip([3, 3, 1]).collect();
    expected.sort();
    assert_eq!(due, expected);
}

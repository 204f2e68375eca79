//! Drift: paths of answers that vanish, change their type, or are new, on both databases.

use serde_json::{Value, json};
use tidewatch::api::Endpoint;
use tidewatch::document::JsonText;
use tidewatch::drift::{Drift, Outline, Sighting};
use tidewatch::ops::metrics::Metrics;
use tidewatch::store::Store;
use tidewatch::time::{Clock, Time};

use crate::databases::{Database, count, on_both, table_rows};
use crate::env::{Env, beginning, hours, world};
use crate::ops::metrics::scrape;
use crate::program::Place;

const ENDPOINT: Endpoint = Endpoint::NoteDetailV1;

/// Tells a process of an answer, of which the number is that of its document and of its hour.
fn saw(drift: &mut Drift, number: u8, answer: &Value) {
    let json = answer.to_string();
    let outline = Outline::of(&JsonText::of(&json)).unwrap();
    let sighting = Sighting { at: hour(number), document_id: number.into() };
    drift.saw(ENDPOINT, outline, json, sighting);
}

async fn save(drift: &mut Drift, store: &Store, number: u8, answer: &Value) {
    saw(drift, number, answer);
    drift.keep(store).await.unwrap();
}

/// Saves the same answer some times, each time by a process of its own.
async fn save_all(store: &Store, numbers: std::ops::RangeInclusive<u8>, answer: &Value) {
    for number in numbers {
        save(&mut Drift::default(), store, number, answer).await;
    }
}

fn hour(number: u8) -> Time {
    beginning().plus(hours(number.into()))
}

/// What drifted: `change path old_type new_type document_id`.
async fn drifts(store: &Store) -> Vec<String> {
    let found = store.read().await.unwrap().drift(hour(200), 100).await.unwrap();
    found
        .into_iter()
        .map(|it| {
            assert_eq!(
                it.since,
                hour(u8::try_from(it.document_id).unwrap()),
                "the date of that answer"
            );
            assert_eq!(it.endpoint, ENDPOINT.as_str());
            let types = [it.old_type, it.new_type].map(|it| it.unwrap_or("-".to_owned()));
            format!("{} {} {} {}", it.change, it.path, types.join(" "), it.document_id)
        })
        .collect()
}

fn note() -> Value {
    json!({ "code": 0, "data": [{ "likes": 3, "user": { "id": "a" }, "tags": [] }] })
}

on_both!(vanished_key_is_named_with_its_first_answer_until_it_returns);
async fn vanished_key_is_named_with_its_first_answer_until_it_returns(database: Database) {
    let store = database.open().await;
    let thin = json!({ "code": 0, "data": [{ "likes": null, "tags": [] }] });
    save_all(&store, 1..=20, &note()).await;
    save_all(&store, 21..=22, &thin).await;
    assert!(drifts(&store).await.is_empty(), "two answers may be chance");
    save_all(&store, 23..=40, &thin).await;
    let vanished = ["vanished /data/[]/likes number - 21", "vanished /data/[]/user object - 21"];
    assert_eq!(drifts(&store).await, vanished, "and not what was in it");
    save_all(&store, 41..=41, &note()).await;
    assert!(drifts(&store).await.is_empty());
    // It was missing three times before it was known to have vanished: now it takes ten times that.
    save_all(&store, 42..=70, &thin).await;
    assert!(drifts(&store).await.is_empty());
    save_all(&store, 71..=71, &thin).await;
    assert_eq!(drifts(&store).await[0], "vanished /data/[]/likes number - 42");
}

on_both!(new_type_is_named_once_with_its_first_answer);
async fn new_type_is_named_once_with_its_first_answer(database: Database) {
    let store = database.open().await;
    save_all(&store, 1..=20, &note()).await;
    let odd = json!({ "code": "0", "data": [{ "likes": "1.2万", "user": {}, "tags": ["x"] }] });
    save_all(&store, 21..=23, &odd).await;
    save_all(&store, 24..=30, &note()).await;
    let changed =
        ["type /code number string|number 21", "type /data/[]/likes number string|number 21"];
    assert_eq!(drifts(&store).await, changed, "an empty list or object has no type");
}

on_both!(new_key_is_listed_once_without_its_children);
async fn new_key_is_listed_once_without_its_children(database: Database) {
    let store = database.open().await;
    save_all(&store, 1..=25, &note()).await;
    let mut more = note();
    more["data"][0]["goods"] = json!({ "price": 1, "65a1b2c3d4e5f60718293a4b": [{ "x": 1 }] });
    save_all(&store, 26..=30, &more).await;
    save_all(&store, 31..=35, &note()).await;
    assert_eq!(drifts(&store).await, ["new /data/[]/goods - object 26"]);
    let ids = "select count(*) from answer_paths where path like '%65a1b2c3%'";
    assert_eq!(count(&store, ids).await, 0, "a key that is data is not kept");
}

on_both!(optional_key_vanishes_only_after_ten_times_its_longest_gap);
async fn optional_key_vanishes_only_after_ten_times_its_longest_gap(database: Database) {
    let store = database.open().await;
    let mut drift = Drift::default();
    let without = json!({ "code": 0, "data": [{ "likes": 3, "user": { "id": "a" } }] });
    for number in 1..=80 {
        // Missing once or twice in a row.
        let answer = if number % 4 < 2 { note() } else { without.clone() };
        save(&mut drift, &store, number, &answer).await;
    }
    for number in 81..=99 {
        save(&mut drift, &store, number, &without).await;
        assert!(drifts(&store).await.is_empty(), "{number}");
    }
    save(&mut drift, &store, 100, &without).await;
    save(&mut drift, &store, 101, &without).await;
    assert_eq!(drifts(&store).await.len(), 1, "{:?}", drifts(&store).await);
}

on_both!(two_processes_count_the_same_paths);
async fn two_processes_count_the_same_paths(database: Database) {
    let store = database.open().await;
    let (mut one, mut other) = (Drift::default(), Drift::default());
    let thin = json!({ "code": 0, "data": [{ "user": { "id": "a" }, "tags": [] }] });
    for number in 1..=12 {
        let answer = if number <= 10 { note() } else { thin.clone() };
        saw(&mut one, number, &answer);
        saw(&mut other, 100 + number, &answer);
        let (one, other) = tokio::join!(one.keep(&store), other.keep(&store));
        one.unwrap();
        other.unwrap();
    }
    let paths = "select count(*) from answer_paths";
    assert_eq!(count(&store, paths).await, 8, "{:?}", table_rows(&store, "answer_paths").await);
    let known = "select count(*) from answer_paths where path = '/code' and answers = 20";
    assert_eq!(count(&store, known).await, 1, "none is lost");
    let vanished = drifts(&store).await;
    assert_eq!(vanished.len(), 1, "{vanished:?}");
    assert!(vanished[0].starts_with("vanished /data/[]/likes number - 1"), "{vanished:?}");
    // The other one learns that it was missing, and sees that it is not.
    save(&mut other, &store, 120, &note()).await;
    assert!(drifts(&store).await.is_empty());
}

on_both!(steady_answers_write_nothing);
async fn steady_answers_write_nothing(database: Database) {
    let store = database.open().await;
    let mut drift = Drift::default();
    let thin = json!({ "code": 0, "data": [{ "user": { "id": "a" }, "tags": [] }] });
    (1..=30).for_each(|number| saw(&mut drift, number, &note()));
    (31..=33).for_each(|number| saw(&mut drift, number, &thin));
    drift.keep(&store).await.unwrap();
    assert_eq!(drifts(&store).await, ["vanished /data/[]/likes number - 31"]);
    let before = table_rows(&store, "answer_paths").await;
    (34..=60).for_each(|number| saw(&mut drift, number, &thin));
    drift.keep(&store).await.unwrap();
    assert_eq!(table_rows(&store, "answer_paths").await, before);
}

on_both!(crawled_answers_are_counted_and_do_not_drift);
async fn crawled_answers_are_counted_and_do_not_drift(database: Database) {
    let jobs = format!(
        "[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n\
         [[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = {:?}\n\
         [[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"@hourly\"\nkeywords = [\"露营\"]\n",
        world().notes(6),
        world().works(4)
    );
    let mut env = Env::new(database, &jobs).await;
    let metrics = Metrics::begin(&env.store, &env.clock).await.unwrap();
    env.advance(hours(30)).await;
    let counted = "select endpoint || ' ' || answers from answer_paths where path = '' order by 1";
    let counted = env.ask(counted).await;
    assert!(counted.len() == 3 && counted.iter().all(|it| it.ends_with(" 20")), "{counted:?}");
    assert_eq!(env.ask("select path from drift").await, Vec::<String>::new());
    let vanished =
        "tidewatch_drift_paths{endpoint=\"xiaohongshu/get-note-detail/v1\",change=\"vanished\"}";
    assert_eq!(scrape(&metrics, &jobs).await[vanished], 0.0);
}

on_both!(status_and_metrics_show_drift_for_thirty_days);
async fn status_and_metrics_show_drift_for_thirty_days(database: Database) {
    let place = Place::new(&database, "");
    let store = database.open().await;
    let now = Clock::system().now();
    for (days, likes) in (0..20).map(|_| (32, json!(1))).chain([(31, json!("x")), (2, json!(true))])
    {
        let at = now.minus(hours(24 * days));
        let json = json!({ "data": { "likes": likes } }).to_string();
        let mut drift = Drift::default();
        let outline = Outline::of(&JsonText::of(&json)).unwrap();
        drift.saw(ENDPOINT, outline, json, Sighting { at, document_id: 1 });
        drift.keep(&store).await.unwrap();
        let metrics = Metrics::begin(&store, &Clock::system()).await.unwrap();
        let changed =
            "tidewatch_drift_paths{endpoint=\"xiaohongshu/get-note-detail/v1\",change=\"type\"}";
        let shown = f64::from(u8::from(days == 2));
        assert_eq!(scrape(&metrics, "").await[changed], shown, "{days} days ago");
    }
    let (_, out, said) = place.hear(&["status"]).await;
    let line = out
        .lines()
        .find(|line| line.contains("/data/likes"))
        .unwrap_or_else(|| panic!("{out}{said}"));
    let (old, new) = ("string|number", "string|number|boolean");
    assert!(
        line.contains("type") && line.contains(old) && line.contains(ENDPOINT.as_str()),
        "{line}"
    );
    let (_, out, _) = place.hear(&["status", "--json"]).await;
    let report: Value = serde_json::from_str(&out).unwrap();
    let [drift] = report["drift"].as_array().unwrap().as_slice() else { panic!("{out}") };
    assert_eq!((&drift["new_type"], &drift["change"]), (&json!(new), &json!("type")));
}

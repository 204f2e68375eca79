//! Nothing of whom or what is erased is left in any column of any table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use tidewatch::config::{Config, Environment};
use tidewatch::erasure::Subject;
use tidewatch::model::{Kind, Platform, Target};
use tidewatch::process::Process;
use tidewatch::store::Store;
use tidewatch::time::{Clock, Time};

use super::people::{self, ANNA, ANNAS, HERS, QIU};
use super::remains::remains;
use super::{archive, ask, change, erase};
use crate::databases::{Database, on_both};
use crate::env::{Env, beginning, minutes, world};
use crate::program::Place;
use crate::replay::dump;

/// Columns with the id of whom a row is about.
const PEOPLE: [(&str, &str); 5] = [
    ("authors", "author_id"),
    ("creators", "author_id"),
    ("kols", "kol_id"),
    ("mentions", "user_id"),
    ("music", "owner_id"),
];

/// Columns with the id of the item that a row is about.
const ITEMS: [(&str, &str); 4] =
    [("images", "item_id"), ("links", "item_id"), ("notes", "note_id"), ("works", "work_id")];

type Rows = BTreeMap<String, Vec<Value>>;

async fn tables(store: &Store) -> Rows {
    let read = |row: &String| serde_json::from_str(row).unwrap();
    let dump = dump(store).await.into_iter();
    dump.map(|(table, rows)| (table, rows.iter().map(read).collect())).collect()
}

/// What names the subjects of these rows: ids, handles, names and addresses.
fn names(
    rows: &Rows,
    about: &[(&str, &str)],
    ids: &BTreeSet<String>,
    own: bool,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (table, column) in about {
        for row in &rows[*table] {
            let is_own = row[*column].as_str().is_some_and(|id| ids.contains(id));
            for (name, value) in row.as_object().unwrap() {
                let is_name = ["url", "uid", "link", "handle", "nickname", "red_id", "file_id"]
                    .iter()
                    .any(|part| name.contains(part));
                let text = value.as_str().filter(|_| is_name && is_own == own).map(without_query);
                // A name is found where it mentions somebody; without an id it may be anybody's.
                let at = if name == "nickname" { "@" } else { "" };
                let text = text.filter(|text| text.chars().count() >= 2);
                names.extend(text.map(|text| format!("{at}{text}")));
            }
        }
    }
    names
}

fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or(url)
}

/// Where these texts stand; an id of few digits counts where it is a text of its own.
fn found(rows: &Rows, texts: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (table, rows) in rows.iter().filter(|(table, _)| *table != "forgotten") {
        for row in rows {
            // Texts that are JSON are searched as what they say.
            let row = row.to_string().replace("\\\"", "\"").to_lowercase();
            // As many likes as her id says: numbers are shown as texts here.
            let likes = ["digg_count", "likes"].map(|key| format!("\"{key}\":\"{QIU}\""));
            let row = likes.iter().fold(row, |row, likes| row.replace(likes, ""));
            let stands = |text: &&String| {
                let text = text.to_lowercase();
                let is_short = text.len() < 11 && text.bytes().all(|byte| byte.is_ascii_digit());
                row.contains(&if is_short { format!("\"{text}\"") } else { text })
            };
            let all = texts.iter().filter(stands);
            found.extend(all.map(|text| {
                let before = row.split(&text.to_lowercase()).next().unwrap_or_default();
                let before: String = before.chars().rev().take(80).collect();
                format!("{table}: {}<{text}>", before.chars().rev().collect::<String>())
            }));
        }
    }
    found
}

/// Erases somebody or something, and searches for all that was known of it by these rows; those
/// that are left.
async fn assert_no_trace(store: &Store, rows: Rows, subject: Subject, now: Time) -> Rows {
    let authors = |table: &str, key: &str, author: &str| -> BTreeSet<String> {
        let own = rows[table].iter().filter(|row| row["author_id"] == author);
        own.map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    let (people, items) = match &subject {
        Subject::Author(Platform::Xiaohongshu, id) => (id, authors("notes", "note_id", id)),
        Subject::Author(Platform::Douyin, id) => (id, authors("works", "work_id", id)),
        Subject::Item(target) => (&target.key, BTreeSet::from([target.key.clone()])),
        Subject::NotSeenSince(_) => panic!("whose?"),
    };
    let people = BTreeSet::from([people.clone()]);
    let mut texts: BTreeSet<_> = [(&PEOPLE[..], &people), (&ITEMS[..], &items)]
        .iter()
        .flat_map(|(about, ids)| names(&rows, about, ids, true))
        .collect();
    for (about, ids) in [(&PEOPLE[..], &people), (&ITEMS[..], &items)] {
        // What others have in common with them is theirs.
        texts = &texts - &names(&rows, about, ids, false);
    }
    texts.extend(people.into_iter().chain(items));
    assert!(!found(&rows, &texts).is_empty(), "{subject:?} is there to be found");
    erase(store, &[subject], now).await;
    let rows = tables(store).await;
    let left = found(&rows, &texts);
    assert!(left.is_empty(), "{texts:?}\n{}", left.join("\n"));
    rows
}

/// Messages of others that name what will be erased.
async fn speak_of(store: &Store) {
    for sql in [
        "update calls set message = 'upstream says: 5A0000000000000000AAAAAA is private'
         where call_id = (select min(call_id) from calls)",
        "update calls set message = 'the sound of 安娜 is gone'
         where call_id = (select max(call_id) from calls)",
        "insert into availability (target_id, state, since, evidence, confirmations, first_call_id,
                                   last_call_id, confirmed_at, endpoint, server, probes)
         select min(target_id), 'refused', '2026-03-02 00:00:00',
                'empty: moved to 5a0000000000000000aaaaaa', 1, 1, 1, '2026-03-02 00:00:00', 'e', 's', 0
         from targets",
        "insert into answer_paths (endpoint, path, first_seen_at, first_document_id, answers,
                                   longest_gap, gap, is_vanished, is_new)
         values ('e', '/by/5a0000000000000000aaaaaa', '2026-03-02 00:00:00', 1, 1, 0, 0, false, false)",
        "insert into alerts (name, condition, subject, detail, since, attempts, next_try_at)
         values ('a', 'gone', 'keyword 5a0000000000000000aaaaaa', '40961024',
                 '2026-03-02 00:00:00', 0, '2026-03-02 00:00:00')",
    ] {
        change(store, sql).await;
    }
}

on_both!(erased_person_is_in_no_column);
async fn erased_person_is_in_no_column(database: Database) {
    let (place, store) = archive(&database).await;
    place.write("answers.jsonl", &people::asides(4).join("\n"));
    assert_eq!(place.run(&["backfill", "--from-jsonl", "answers.jsonl"]).await, 0);
    speak_of(&store).await;
    let targets = ask(&store, "select key from targets where kind in ('keyword', 'kol_search')");
    assert_eq!(targets.await.iter().filter(|key| key.contains(ANNA) || **key == QIU).count(), 3);
    let mut rows = tables(&store).await;
    for (platform, id) in [(Platform::Xiaohongshu, ANNA), (Platform::Douyin, QIU)] {
        let subject = Subject::Author(platform, id.to_owned());
        rows = assert_no_trace(&store, rows, subject, beginning()).await;
    }
    assert_eq!(
        ask(&store, "select body from notes order by note_id").await,
        ["和 @** 一起去, 还有 @小满", "又见 @** 了"]
    );
    super::assert_rows_follow_from_documents(&store).await;
}

/// An hourly job of each kind.
fn jobs() -> String {
    let job = |kind: &str, list: String| {
        format!("[[job]]\nname = \"{kind}\"\nkind = \"{kind}\"\nschedule = \"@hourly\"\n{list}\n")
    };
    [
        job("notes", format!("notes = {:?}", world().notes(6))),
        job("works", format!("urls = {:?}", [world().works(6), world().work_links(1)].concat())),
        job("kols", "filter = { keyword = \"阅读\" }".to_owned()),
    ]
    .concat()
}

on_both!(nobody_and_nothing_erased_of_an_hour_is_in_any_column);
async fn nobody_and_nothing_erased_of_an_hour_is_in_any_column(database: Database) {
    let mut env = Env::new(database, &jobs()).await;
    env.advance(minutes(61)).await;
    env.down_for(minutes(1));
    let (mut rows, now) = (tables(&env.store).await, env.clock.now());
    for (platform, people) in [
        (Platform::Xiaohongshu, "select author_id from authors where platform = 'xiaohongshu'"),
        (Platform::Xiaohongshu, "select kol_id from kols"),
        (Platform::Xiaohongshu, "select user_id from mentions where platform = 'xiaohongshu'"),
        (Platform::Douyin, "select author_id from authors where platform = 'douyin'"),
        (Platform::Douyin, "select author_id from creators where platform = 'douyin'"),
        (Platform::Douyin, "select user_id from mentions where platform = 'douyin'"),
    ] {
        // One after the other: each leaves the archive to the next.
        let Some(id) = ask(&env.store, people).await.into_iter().min() else { continue };
        rows = assert_no_trace(&env.store, rows, Subject::Author(platform, id), now).await;
    }
    for (kind, items) in
        [(Kind::Note, "select note_id from notes"), (Kind::Work, "select work_id from works")]
    {
        let key = ask(&env.store, items).await.remove(0);
        rows = assert_no_trace(&env.store, rows, Subject::Item(Target { kind, key }), now).await;
    }
}

on_both!(id_in_upper_case_is_the_same_person);
async fn id_in_upper_case_is_the_same_person(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    let upper = ANNA.to_uppercase();
    let import = async |lines: &[String]| {
        place.write("answers.jsonl", &lines.join("\n").replace(ANNA, &upper));
        assert_eq!(place.run(&["backfill", "--from-jsonl", "answers.jsonl"]).await, 0);
    };
    import(&[people::annas(1), people::bos(2, true), people::kols(1)]).await;
    assert_eq!(place.run(&["forget", "author", "xiaohongshu", ANNA, "--yes"]).await, 0);
    import(&[people::annas(2), people::bos(3, true), people::kols(2)]).await;
    let texts = BTreeSet::from([ANNA, ANNAS, "安娜的周末", "annas-handle"].map(str::to_owned));
    assert_eq!(found(&tables(&store).await, &texts), Vec::<String>::new());
    assert_eq!(ask(&store, "select kol_id from kols").await, [people::BO]);
}

on_both!(answer_with_escaped_ids_is_redacted);
async fn answer_with_escaped_ids_is_redacted(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    assert_eq!(place.run(&["forget", "author", "xiaohongshu", ANNA, "--yes"]).await, 0);
    let lines = [people::bos(2, true), people::annas(1)].join("\n");
    let escaped: String = ANNA.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    place.write("answers.jsonl", &lines.replace(ANNA, &escaped));
    assert_eq!(place.run(&["backfill", "--from-jsonl", "answers.jsonl"]).await, 0);
    let texts = BTreeSet::from([ANNA, ANNAS, "安娜"].map(str::to_owned));
    assert_eq!(found(&tables(&store).await, &texts), Vec::<String>::new());
}

on_both!(search_for_an_erased_id_is_not_planned);
async fn search_for_an_erased_id_is_not_planned(database: Database) {
    let store = database.open().await;
    let jobs = format!(
        "[[job]]\nname = \"w\"\nkind = \"keywords\"\nschedule = \"@hourly\"\nkeywords = [\"{ANNA}\"]\n"
    );
    let place = Place::new(&database, &jobs);
    assert_eq!(place.run(&["forget", "author", "xiaohongshu", ANNA, "--yes"]).await, 0);
    let (_, said, _) = place.hear(&["check"]).await;
    assert!(said.contains(&format!("{ANNA} is not fetched by w: it was forgotten on ")), "{said}");
    assert_eq!(ask(&store, "select key from targets").await, Vec::<String>::new());
}

on_both!(erasure_cut_off_before_its_cleaning_is_told_and_finished);
async fn erasure_cut_off_before_its_cleaning_is_told_and_finished(database: Database) {
    let (place, store) = archive(&database).await;
    // As if it were killed after its commit.
    erase(&store, &[Subject::Author(Platform::Xiaohongshu, ANNA.to_owned())], beginning()).await;
    let told = "is deleted, but not cleared away from the database's files";
    let heard = async |words: &[&str]| {
        let (_, said, why) = place.hear(words).await;
        (said + &why).contains(told)
    };
    let verbs: [&[&str]; 3] = [&["status"], &["check"], &["forget", "list"]];
    for verb in verbs {
        assert!(heard(verb).await, "{verb:?}");
    }
    let (_, said, _) = place.hear(&["status", "--json"]).await;
    let status: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(status["erasure_uncleared_since"], json!(beginning()));
    let left = remains(&store, &HERS[2..], "forgotten").await;
    assert_eq!(left.is_empty(), !store.is_sqlite(), "{left:?}");
    let config = Config::parse("", Path::new("jobs.toml"), &Environment::default()).unwrap();
    let clock = Clock::system();
    let process = Process::begin(&store, &config, "run", &clock).await.unwrap().unwrap();
    assert_eq!(remains(&store, &HERS[2..], "forgotten").await, Vec::<String>::new());
    process.end(&store, clock.now()).await.unwrap();
    for verb in verbs {
        assert!(!heard(verb).await, "{verb:?}");
    }
}

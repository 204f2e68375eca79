//! Tombstones: nothing erased is fetched, and nothing of it is let in.

use serde_json::{Value, json};
use tidewatch::erasure::Subject;
use tidewatch::model::{Kind, Origin, Platform, Target};

use super::ask;
use super::people::{self, ANNA, ANNAS, BO, HERS};
use super::remains::remains;
use crate::databases::{Database, count, on_both};
use crate::env::{Env, hours, minutes, world};
use crate::page::serve;
use crate::program::{PATIENCE, Place, wait_for};

/// An hourly job with these notes.
fn notes(notes: &[String]) -> String {
    format!("[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {notes:?}\n")
}

fn works(urls: &[String]) -> String {
    format!("[[job]]\nname = \"w\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = {urls:?}\n")
}

const KOLS: &str = "[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@hourly\"\n\
                    filter = { keyword = \"阅读\" }\n";

async fn forget(env: &Env, subject: Subject) {
    super::erase(&env.store, &[subject], env.clock.now()).await;
}

fn note(key: &str) -> Subject {
    Subject::Item(Target { kind: Kind::Note, key: key.to_owned() })
}

on_both!(erased_watchlist_entry_warns_and_costs_nothing);
async fn erased_watchlist_entry_warns_and_costs_nothing(database: Database) {
    let place = Place::new(&database, &notes(&world().notes(2)));
    let mut env = Env::new(database, &notes(&world().notes(2))).await;
    env.advance(hours(2)).await;
    env.down_for(minutes(1));
    let gone = world().notes(1).remove(0);
    forget(&env, note(&gone)).await;
    let calls = "select '' || count(*) from calls c join targets t on t.target_id = c.target_id
                 where t.key like 'forgotten-%' or t.key not in (select note_id from notes)";
    let before = env.ask(calls).await;
    env.restart(&notes(&world().notes(2))).await;
    env.advance(hours(3)).await;
    assert_eq!(env.ask(calls).await, before, "nobody asked");
    let due = "select due || ' ' || (observed + missed + open) from coverage
               where key like 'forgotten-%'";
    assert_eq!(env.ask(due).await, ["2 2"]);
    assert_eq!(env.ask("select '' || count(*) from notes").await, ["1"]);
    env.down_for(minutes(1));
    let (code, said, _) = place.hear(&["check"]).await;
    let told = format!("jobs.toml:5: {gone} is not fetched by n: it was forgotten on 2026-03-02");
    assert!(said.contains(&told) && said.contains("--undo` permits it again"), "{said}");
    assert_eq!(code, 0);
    assert_eq!(place.run(&["check", "--deny-warnings"]).await, 78);
    place.write("list.txt", &format!("# ours\n{}\n", world().notes(2).join("\n")));
    place.write("jobs.toml", &notes(&[]).replace("notes = []", "notes_file = \"list.txt\""));
    let (_, said, _) = place.hear(&["check"]).await;
    let told = format!("list.txt:2: {gone} is not fetched by n: it was forgotten on 2026-03-02");
    assert!(said.contains(&told), "{said}");
    let place = place.with_upstream(&env.api, "token-of-the-tests");
    let run = place.start(&["run"]);
    wait_for("the warning", PATIENCE, async || {
        let said = std::fs::read_to_string(place.output("stderr")).unwrap();
        said.contains(&told) && said.contains("watching")
    })
    .await;
    run.ask_to_stop();
    assert!(run.end().await.success(), "{}", place.said());
}

on_both!(fetch_and_backfill_refuse_an_erased_note_until_undo);
async fn fetch_and_backfill_refuse_an_erased_note_until_undo(database: Database) {
    let place = Place::new(&database, "");
    let env = Env::new(database, "").await;
    let place = place.with_upstream(&env.api, "token-of-the-tests");
    let mut env = env;
    env.down_for(minutes(1));
    let gone = world().notes(2).remove(1);
    assert_eq!(place.run(&["forget", "note", &gone, "--yes"]).await, 0, "{}", place.said());
    let (code, _, why) = place.hear(&["fetch", "note", &gone]).await;
    assert_eq!(code, 2);
    assert!(why.contains(&format!("{gone} is not fetched: it was forgotten on ")), "{why}");
    place.write("list.txt", &world().notes(2).join("\n"));
    let (code, said, why) = place.hear(&["backfill", "list.txt", "--dry-run"]).await;
    assert!(said.contains("1 target, 1 skipped as forgotten"), "{code} {said} {why}");
    assert!(why.contains(&format!("skipping {gone}: it was forgotten on ")), "{why}");
    let (code, _, why) = place.hear(&["report", "note", &gone]).await;
    assert!(code == 1 && why.contains("was forgotten on 20"), "{why}");
    let (_, said, _) = place.hear(&["forget", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["kind"]), (&json!(gone), &json!("note")));
    assert_eq!(count(&env.store, "select count(*) from calls").await, 0);
    assert_eq!(count(&env.store, "select count(*) from targets").await, 0);
    let (code, said, _) = place.hear(&["forget", "note", &gone, "--undo"]).await;
    assert_eq!((code, said), (0, format!("may be watched again: note {gone}\n")));
    assert_eq!(place.run(&["forget", "note", &gone, "--undo"]).await, 1);
    assert_eq!(place.run(&["fetch", "note", &gone]).await, 0, "{}", place.said());
    assert_eq!(ask(&env.store, "select note_id from notes").await, [gone]);
}

on_both!(search_page_is_saved_without_an_erased_kol);
async fn search_page_is_saved_without_an_erased_kol(database: Database) {
    let mut env = Env::new(database, KOLS).await;
    env.advance(minutes(61)).await;
    let listed =
        "select kol_id from kol_search_results order by document_id desc, position limit 1";
    let kol = env.ask(listed).await.remove(0);
    let name = env
        .ask(
            "select nickname from kols k join kol_search_results r on r.kol_id = k.kol_id
                        where r.position = 0 order by r.document_id desc limit 1",
        )
        .await
        .remove(0);
    let others = "select '' || count(*) from kol_search_results r where r.document_id = (
                      select max(document_id) from kol_search_results)";
    let before: i64 = env.ask(others).await[0].parse().unwrap();
    env.down_for(minutes(1));
    forget(&env, Subject::Author(Platform::Xiaohongshu, kol.clone())).await;
    env.restart(KOLS).await;
    env.advance(hours(1)).await;
    assert_eq!(
        remains(&env.store, &[&kol], "forgotten").await.len(),
        usize::from(env.store.is_sqlite())
    );
    let after: i64 = env.ask(others).await[0].parse().unwrap();
    assert_eq!(after, before - 1, "{name} stood first");
    let cut = "select count(*) from documents where redacted_at is not null
               and document_id = (select max(document_id) from documents)";
    assert_eq!(count(&env.store, cut).await, 1, "the new answer was cut before it was kept");
    assert_eq!(ask(&env.store, "select outcome from slots group by outcome").await, ["observed"]);
    env.down_for(minutes(1));
    super::assert_rows_follow_from_documents(&env.store).await;
}

on_both!(new_note_of_an_erased_author_is_paid_for_once_and_dropped);
async fn new_note_of_an_erased_author_is_paid_for_once_and_dropped(database: Database) {
    let mut env = Env::new(database, &notes(&world().notes(1))).await;
    env.advance(minutes(61)).await;
    let author = env.ask("select author_id from notes").await.remove(0);
    let gone = world().notes(1).remove(0);
    env.down_for(minutes(1));
    // As if the note had never been seen: only the author is forgotten.
    forget(&env, Subject::Author(Platform::Xiaohongshu, author.clone())).await;
    super::change(&env.store, "delete from forgotten where because is not null").await;
    env.restart(&notes(std::slice::from_ref(&gone))).await;
    env.advance(hours(3)).await;
    assert_eq!(env.ask("select '' || count(*) from documents").await, ["0"]);
    for table in ["select count(*) from notes", "select count(*) from authors"] {
        assert_eq!(count(&env.store, table).await, 0, "{table}");
    }
    let looks = "select s.outcome || ' ' || s.reason || ' ' || c.billed from slots s
                 join calls c on c.call_id = s.call_id where s.outcome = 'missed'";
    assert_eq!(env.ask(looks).await, ["missed forgotten yes"]);
    let tombstone = "select id || ' ' || because from forgotten where kind = 'note'";
    assert_eq!(env.ask(tombstone).await, [format!("{gone} {author}")]);
    assert_eq!(
        count(&env.store, "select count(*) from targets where key not like 'forgotten-%'").await,
        0
    );
}

on_both!(short_link_to_an_erased_work_is_resolved_once_and_dropped);
async fn short_link_to_an_erased_work_is_resolved_once_and_dropped(database: Database) {
    let link = world().work_links(1);
    let mut env = Env::new(database, "").await;
    env.down_for(minutes(1));
    let gone = Target { kind: Kind::Work, key: world().works(1).remove(0) };
    forget(&env, Subject::Item(gone.clone())).await;
    env.restart(&works(&link)).await;
    env.advance(hours(3)).await;
    assert_eq!(count(&env.store, "select count(*) from calls").await, 1);
    assert_eq!(count(&env.store, "select count(*) from documents").await, 0);
    assert_eq!(count(&env.store, "select count(*) from links").await, 0);
    let tombstone = "select id || ' ' || because from forgotten where because is not null";
    assert_eq!(env.ask(tombstone).await, [format!("{} {}", link[0], gone.key)]);
    assert_eq!(env.ask("select reason from slots").await, ["forgotten"]);
}

on_both!(import_drops_or_redacts_answers_about_the_erased);
async fn import_drops_or_redacts_answers_about_the_erased(database: Database) {
    let store = database.open().await;
    let place = Place::new(&database, "");
    assert_eq!(place.run(&["forget", "author", "xiaohongshu", ANNA, "--yes"]).await, 0);
    let lines = [people::annas(1), people::bos(2, true), people::kols(2)];
    place.write("answers.jsonl", &lines.join("\n"));
    for (imported, already_there, forgotten) in [(2, 0, 1), (0, 2, 1)] {
        let (code, said, _) =
            place.hear(&["backfill", "--from-jsonl", "answers.jsonl", "--json"]).await;
        let done: Value = serde_json::from_str(&said).unwrap();
        let expected = json!({ "imported": imported, "already_there": already_there,
            "same_time": 0, "unreadable": 0, "failures": 0, "forgotten": forgotten, "refused": 0 });
        assert_eq!((code, done), (0, expected));
    }
    let found = remains(&store, &HERS[2..], "").await;
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(ask(&store, "select kol_id from kols").await, [BO]);
    let tombstones = ask(&store, "select id from forgotten order by kind").await;
    assert_eq!(tombstones, [ANNA, ANNAS], "her note is known by now");
    assert_eq!(count(&store, "select count(*) from documents where redacted_at is null").await, 0);
    super::assert_rows_follow_from_documents(&store).await;
}

on_both!(erasure_is_refused_while_a_daemon_runs);
async fn erasure_is_refused_while_a_daemon_runs(database: Database) {
    let place = Place::new(&database, "");
    let mut env = Env::new(database, &notes(&world().notes(1))).await;
    env.advance(minutes(61)).await;
    let gone = world().notes(1).remove(0);
    for verb in [["forget", "note", &gone, "--yes"], ["forget", "note", &gone, "--undo"]] {
        let (code, _, why) = place.hear(&verb).await;
        let refused = "archive: stop it first";
        assert!(code != 0 && why.contains(refused), "{why}");
    }
    assert_eq!(count(&env.store, "select count(*) from forgotten").await, 0);
    // A call that was in flight when its process died is not made again.
    let mut tx = env.store.begin().await.unwrap();
    let target = Target { kind: Kind::Note, key: gone.clone() };
    tx.run_by_hand(&[target], Origin::Fetch, env.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    env.down_for(minutes(1));
    forget(&env, note(&gone)).await;
    env.restart("").await;
    env.advance(hours(1)).await;
    let looks = "select coalesce(reason, outcome) from slots order by due_at";
    assert_eq!(env.ask(looks).await, ["observed", "forgotten"]);
}

on_both!(page_answers_410_for_the_erased);
async fn page_answers_410_for_the_erased(database: Database) {
    let url = database.url().to_owned();
    let mut env = Env::new(database, &(notes(&world().notes(2)) + KOLS)).await;
    env.advance(minutes(61)).await;
    env.down_for(minutes(1));
    let gone = world().notes(1).remove(0);
    let kol = env.ask("select min(kol_id) from kols").await.remove(0);
    forget(&env, note(&gone)).await;
    forget(&env, Subject::Author(Platform::Xiaohongshu, kol.clone())).await;
    let address = serve(&env, &url, None).await;
    for path in [format!("/note/{gone}"), format!("/kol/{kol}")] {
        let head = format!("Host: {address}\r\nAccept-Language: en\r\n");
        let reply = crate::page::ask(address, "GET", &path, &head).await;
        assert_eq!(reply.status, 410, "{path}");
        assert!(reply.body.contains("Forgotten: erased permanently"), "{}", reply.body);
        assert!(reply.body.contains("2026-03-02 "), "{}", reply.body);
    }
    let cut = env.ask("select '' || max(document_id) from documents where redacted_at is not null");
    let path = format!("/document/{}", cut.await[0]);
    let head = format!("Host: {address}\r\nAccept-Language: en\r\n");
    let reply = crate::page::ask(address, "GET", &path, &head).await;
    assert!(reply.body.contains("null replaces erased content"), "{}", reply.body);
}

//! Arguments of the command line, and which of them are refused.

use super::people::{self, ANNA, ANNAS, QIU};
use super::{archive, ask};
use crate::databases::{Database, count, on_both};

on_both!(handle_is_refused_and_resolves_to_its_id);
async fn handle_is_refused_and_resolves_to_its_id(database: Database) {
    let (place, store) = archive(&database).await;
    place.write("answers.jsonl", &people::by_handle(1));
    let import = ["backfill", "--from-jsonl", "answers.jsonl"];
    assert_eq!(place.run(&import).await, 0, "{}", place.said());
    let told = format!("the archive knows whose: `tidewatch forget author xiaohongshu {ANNA}`");
    // The handle of a note's author, and that of a KOL, who is the same person.
    for handle in ["annas-handle".to_owned(), format!("{ANNA}-red")] {
        for verb in [["author", "xiaohongshu"].as_slice(), &["kol"]] {
            let words = [&["forget"], verb, &[handle.as_str(), "--yes"]].concat();
            let (code, _, why) = place.hear(&words).await;
            assert!(code == 2 && why.contains(&told), "{why}");
        }
    }
    let told = "`tidewatch forget author douyin 700000000003`";
    let (code, _, why) = place.hear(&["forget", "author", "douyin", "4711081500", "--yes"]).await;
    assert!(code == 2 && why.contains(told), "a handle of digits: {why}");
    let long = "1".repeat(21);
    for (platform, id, form) in [
        ("xiaohongshu", "95379519", "an id is 24 hexadecimal digits"),
        ("xiaohongshu", "5a0000000000000000aaaaag", "an id is 24 hexadecimal digits"),
        ("xiaohongshu", "", "an id is 24 hexadecimal digits"),
        ("douyin", "12345", "an id is 6 to 20 digits"),
        ("douyin", &long, "an id is 6 to 20 digits"),
        ("douyin", ANNA, "an id is 6 to 20 digits"),
    ] {
        let (code, _, why) = place.hear(&["forget", "author", platform, id, "--yes"]).await;
        assert!(code == 2 && why.contains(form), "{id}: {why}");
    }
    assert_eq!(count(&store, "select count(*) from forgotten").await, 0);
    for (platform, id) in [("xiaohongshu", &*ANNA.to_uppercase()), ("douyin", QIU)] {
        let words = ["forget", "author", platform, id, "--yes"];
        assert_eq!(place.run(&words).await, 0, "{}", place.said());
    }
    let people = "select id from forgotten where kind = 'author' and because is null order by id";
    assert_eq!(ask(&store, people).await, [QIU, ANNA]);
}

on_both!(age_is_shown_as_a_date_and_refused_under_30_days);
async fn age_is_shown_as_a_date_and_refused_under_30_days(database: Database) {
    let (place, store) = archive(&database).await;
    for young in ["6m", "6m ago", "29d", "2999-01-01", "2999-01-01 08:00"] {
        let (code, said, why) = place.hear(&["forget", "--not-seen-since", young, "--yes"]).await;
        assert!(code == 2 && said.is_empty(), "{young}: {said}");
        let told = format!("--not-seen-since {young} is 2");
        assert!(why.contains(&told) && why.contains("later than 30 days ago"), "{why}");
    }
    let (_, _, why) = place.hear(&["forget", "--not-seen-since", "2999-01-01", "--yes"]).await;
    assert!(
        why.contains("--not-seen-since 2999-01-01 is 2999-01-01 00:00 (Asia/Shanghai)"),
        "{why}"
    );
    assert_eq!(count(&store, "select count(*) from forgotten").await, 0);
    for old in ["2026-02-01T01:30:00Z", "2100M", "200y ago"] {
        let (code, _, why) = place.hear(&["forget", "--not-seen-since", old, "--dry-run"]).await;
        assert_eq!(code, 0, "{why}");
        assert!(why.contains("notes and works that were not seen since "), "{why}");
    }
    let old = ["forget", "--not-seen-since", "2026-02-01T01:30:00Z", "--dry-run"];
    let (_, _, why) = place.hear(&old).await;
    assert!(why.contains("not seen since 2026-02-01 09:30 (Asia/Shanghai)"), "{why}");
}

on_both!(senseless_flags_are_refused);
async fn senseless_flags_are_refused(database: Database) {
    let (place, store) = archive(&database).await;
    for words in [
        ["--not-seen-since", "2026-02-01", "--undo"].as_slice(),
        &["note", ANNAS, "--undo", "--note", "why"],
        &["clean", "--dry-run"],
        &["clean", "--undo"],
        &["clean", "--yes"],
        &["clean", "--json"],
        &["list", "--undo"],
        &["list", "--dry-run"],
        &["list", "--note", "why"],
        &["note", ANNAS, "--not-seen-since", "2026-02-01", "--yes"],
    ] {
        let (code, said, why) = place.hear(&[&["forget"], words].concat()).await;
        assert!(code == 2 && said.is_empty() && !why.is_empty(), "{words:?}: {code} {said}");
    }
    assert_eq!(count(&store, "select count(*) from forgotten").await, 0);
    let (code, _, why) = place.hear(&["forget", "list", "--json"]).await;
    assert_eq!(code, 0, "{why}");
}

on_both!(undo_of_an_author_keeps_a_note_erased_for_its_own_sake);
async fn undo_of_an_author_keeps_a_note_erased_for_its_own_sake(database: Database) {
    let (place, store) = archive(&database).await;
    let author = ["forget", "author", "xiaohongshu", ANNA];
    let tombstones = "select id || ' ' || coalesce(because, '-') || ' ' || note from forgotten
                      order by id";
    let words = [&author[..], &["--yes", "--note", "request 7"]].concat();
    assert_eq!(place.run(&words).await, 0, "{}", place.said());
    let both = [format!("{ANNA} - request 7"), format!("{ANNAS} {ANNA} request 7")];
    assert_eq!(ask(&store, tombstones).await, both);
    let words = ["forget", "note", ANNAS, "--yes", "--note", "request 9"];
    assert_eq!(place.run(&words).await, 0, "{}", place.said());
    let by_itself = format!("{ANNAS} - request 9");
    assert_eq!(ask(&store, tombstones).await, [both[0].clone(), by_itself.clone()]);
    // The author once more: what stands by itself does not go back to them.
    assert_eq!(place.run(&[&author[..], &["--yes"]].concat()).await, 0, "{}", place.said());
    assert_eq!(ask(&store, tombstones).await, [both[0].clone(), by_itself.clone()]);
    assert_eq!(place.run(&[&author[..], &["--undo"]].concat()).await, 0, "{}", place.said());
    assert_eq!(ask(&store, tombstones).await, [by_itself]);
    assert_eq!(place.run(&["forget", "note", ANNAS, "--undo"]).await, 0, "{}", place.said());
    assert_eq!(count(&store, "select count(*) from forgotten").await, 0);
}

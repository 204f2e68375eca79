//! What is known of an item after several answers, and the changes on record.

use std::time::Duration;

use serde_json::{Value, json};
use tidewatch::api::{Ask, Endpoint};
use tidewatch::replay::replay;
use tidewatch::store::Store;
use tidewatch::time::Time;

use super::orders::{Drawn, ITEMS, answer, beginning, claims, save};
use crate::databases::{Database, on_both, rows, table_rows};

/// The note that these tests are about.
const NOTE: &str = ITEMS[0].1;

/// The work that these tests are about.
const WORK: &str = ITEMS[2].1;

fn hour(hours: u64) -> Time {
    beginning().plus(Duration::from_secs(3_600 * hours))
}

/// A whole note, as v1 answers.
fn whole() -> Value {
    json!({
        "id": NOTE, "type": "normal", "title": "一", "desc": "正文",
        "user": { "userid": "u1", "nickname": "小满" }, "time": 1_772_402_400,
        "last_update_time": 0, "ip_location": "浙江", "sticky": false,
        "images_list": [{ "fileid": "f1", "width": 1080, "url": "https://img.example/1?sign=1" }],
        "hash_tag": [{ "id": "t1", "name": "露营" }], "ats": [],
        "liked_count": 10, "collected_count": 2, "comments_count": 1, "shared_count": 0,
    })
}

/// The whole note with other values; `null` takes a key away.
fn with(values: &Value) -> Value {
    let mut note = whole();
    for (key, value) in values.as_object().expect("an object") {
        match value {
            Value::Null => drop(note.as_object_mut().expect("an object").remove(key)),
            value => note[key] = value.clone(),
        }
    }
    note
}

/// Saves answers about the note, one by one, with the hour of each.
async fn tell(store: &Store, notes: &[(u64, Value)]) {
    let all = notes
        .iter()
        .map(|(hours, note)| (*hours, Endpoint::NoteDetailV1, json!([{ "note_list": [note] }])));
    tell_by(store, &all.collect::<Vec<_>>()).await;
}

async fn tell_by(store: &Store, answers: &[(u64, Endpoint, Value)]) {
    tell_of(store, NOTE, answers).await;
}

/// Saves answers about what is asked for by a key with this in it.
async fn tell_of(store: &Store, key: &str, answers: &[(u64, Endpoint, Value)]) {
    let count = u32::try_from(answers.len()).expect("a few answers");
    let claimed = claims(store, count).await;
    let its = claimed.iter().filter(|(claim, _)| claim.key.contains(key));
    let answers = answers.iter().zip(its).map(|((hours, endpoint, data), (claim, call_id))| {
        let drawn = Drawn {
            endpoint: *endpoint,
            ask: Ask { key: key.to_owned(), page: 1 },
            fetched_at: hour(*hours),
            body: json!({ "code": 0, "data": data }).to_string(),
        };
        answer(&drawn, claim, *call_id)
    });
    save(store, &answers.collect::<Vec<_>>(), &[1]).await;
}

/// Saves answers about a work.
async fn tell_work(store: &Store, works: &[(u64, Value)]) {
    let work = |(hours, detail): &(u64, Value)| {
        (*hours, Endpoint::WorkDetail, json!({ "aweme_detail": detail }))
    };
    tell_of(store, WORK, &works.iter().map(work).collect::<Vec<_>>()).await;
}

/// What `changes` says: field, old and new value, and the hours between which it happened.
async fn changes(store: &Store) -> Vec<(String, Option<String>, Option<String>, Time, Time)> {
    let sql = "select field, old_value, new_value, previous_seen_at, seen_at from changes
               order by seen_at, field";
    rows(store, sql).await
}

fn change(
    field: &str,
    old: Option<&str>,
    new: Option<&str>,
    (previous, seen): (u64, u64),
) -> (String, Option<String>, Option<String>, Time, Time) {
    let text = |it: &str| it.to_owned();
    (field.to_owned(), old.map(text), new.map(text), hour(previous), hour(seen))
}

on_both!(thin_answer_erases_nothing);
async fn thin_answer_erases_nothing(database: Database) {
    let store = database.open().await;
    let thin = json!({ "id": NOTE, "type": "normal", "liked_count": 12, "collected_count": 2,
                       "comments_count": 1, "shared_count": 0 });
    tell(&store, &[(1, whole()), (2, thin)]).await;
    type Known = (String, String, String, String, Time, Time, Time);
    let sql =
        "select title, body, author_id, ip_location, published_at, first_seen_at, last_seen_at
               from notes";
    let known: Vec<Known> = rows(&store, sql).await;
    let text = |it: &str| it.to_owned();
    let published = "2026-03-01 22:00:00".parse().expect("a time");
    assert_eq!(
        known,
        [(text("一"), text("正文"), text("u1"), text("浙江"), published, hour(1), hour(2))]
    );
    let children = "select i.file_id, h.name from images i join item_hashtags h
                    on h.platform = i.platform and h.item_id = i.item_id";
    let children: Vec<(String, String)> = rows(&store, children).await;
    assert_eq!(children, [(text("f1"), text("露营"))]);
    assert_eq!(changes(&store).await, []);
    let events: Vec<(String,)> = rows(&store, "select event from timeline order by at").await;
    assert_eq!(events, [(text("published"),), (text("first_seen"),)]);
    let counts: Vec<(i64, Option<String>)> =
        rows(&store, "select likes, suspect from snapshots order by observed_at").await;
    assert_eq!(counts, [(10, None), (12, None)]);
    let ages: Vec<(i64,)> =
        rows(&store, "select count(*) from engagement_growth where item_id is not null").await;
    assert_eq!(ages, [(6,)]);
}

on_both!(v1_answer_after_v6_keeps_the_video);
async fn v1_answer_after_v6_keeps_the_video(database: Database) {
    let store = database.open().await;
    let stream = json!({ "duration": 46_250, "width": 720, "height": 1280,
                         "master_url": "https://video.example/1?sign=1" });
    let v6 = with(&json!({
        "type": "video", "video_info_v2": { "media": { "stream": { "h264": [stream] } } },
    }));
    let v1 = json!([{ "note_list": [with(&json!({ "type": "video" }))] }]);
    let both = [(1, Endpoint::NoteDetailV6, json!([v6])), (2, Endpoint::NoteDetailV1, v1)];
    tell_by(&store, &both).await;
    let video: Vec<(i64, i64, String)> =
        rows(&store, "select video_duration_ms, video_width, video_url from notes").await;
    assert_eq!(video, [(46_250, 720, "https://video.example/1?sign=1".to_owned())]);
    assert_eq!(changes(&store).await, []);
}

on_both!(change_names_the_answers_around_it);
async fn change_names_the_answers_around_it(database: Database) {
    let store = database.open().await;
    let renamed = with(&json!({ "title": "二" }));
    let without_title = with(&json!({ "title": null, "ip_location": "上海" }));
    let again = with(&json!({ "title": "一", "ip_location": "上海" }));
    let notes = [
        (1, whole()),
        (2, whole()),
        (3, renamed.clone()),
        (4, renamed),
        (5, without_title),
        (6, again),
    ];
    tell(&store, &notes).await;
    let expected = [
        change("title", Some("一"), Some("二"), (2, 3)),
        change("ip_location", Some("浙江"), Some("上海"), (4, 5)),
        // Hour 5 did not speak of the title.
        change("title", Some("二"), Some("一"), (4, 6)),
    ];
    assert_eq!(changes(&store).await, expected);
    let documents: Vec<(i64, i64)> = rows(
        &store,
        "select c.previous_document_id - d.first, c.document_id - d.first
         from changes c cross join (select min(document_id) as first from documents) d
         where c.field = 'title' order by c.seen_at",
    )
    .await;
    assert_eq!(documents, [(1, 2), (3, 5)]);
}

on_both!(emptied_and_returning_facts_are_changes);
async fn emptied_and_returning_facts_are_changes(database: Database) {
    let store = database.open().await;
    let url = "https://img.example/2?sign=1";
    let images =
        json!([{ "fileid": "f2", "url": url }, { "fileid": "f1", "width": 1080, "url": url }]);
    let changed = with(&json!({
        "desc": "", "images_list": images, "hash_tag": [],
        "user": { "userid": "u1", "nickname": "小满呀" }, "sticky": true,
        "ats": [{ "id": "u9", "nickname": "阿九" }],
    }));
    tell(&store, &[(1, whole()), (2, changed), (3, with(&json!({ "sticky": true })))]).await;
    let (first, both) = (Some(r#"["f1"]"#), Some(r#"["f2","f1"]"#));
    let tags = Some(r#"["露营"]"#);
    let expected = [
        change("body", Some("正文"), None, (1, 2)),
        change("hashtags", tags, None, (1, 2)),
        change("images", first, both, (1, 2)),
        change("mentions", None, Some(r#"["阿九"]"#), (1, 2)),
        change("nickname", Some("小满"), Some("小满呀"), (1, 2)),
        change("pinned", Some("false"), Some("true"), (1, 2)),
        change("body", None, Some("正文"), (2, 3)),
        change("hashtags", None, tags, (2, 3)),
        change("images", both, first, (2, 3)),
        change("mentions", Some(r#"["阿九"]"#), None, (2, 3)),
        change("nickname", Some("小满呀"), Some("小满"), (2, 3)),
    ];
    assert_eq!(changes(&store).await, expected);
    let edits: Vec<(Time, String)> =
        rows(&store, "select seen_at, changed from edits order by seen_at").await;
    assert_eq!(edits, [(hour(2), "body".to_owned()), (hour(3), "body".to_owned())]);
}

on_both!(late_answer_gives_the_rows_of_a_replay);
async fn late_answer_gives_the_rows_of_a_replay(database: Database) {
    let store = database.open().await;
    let (renamed, moved) =
        (with(&json!({ "title": "B" })), with(&json!({ "title": "B", "ip_location": "上海" })));
    tell(&store, &[(24, whole()), (72, moved), (48, renamed)]).await;
    let tables = ["changes", "notes", "authors", "snapshots", "latest", "days", "item_keys"];
    let mut live = Vec::new();
    for table in tables {
        live.push(table_rows(&store, table).await);
    }
    let expected = [
        change("title", Some("一"), Some("B"), (24, 48)),
        change("ip_location", Some("浙江"), Some("上海"), (48, 72)),
    ];
    assert_eq!(changes(&store).await, expected);
    replay(&store, |_, _| {}).await.expect("a replay");
    for (table, live) in tables.into_iter().zip(live) {
        assert_eq!(table_rows(&store, table).await, live, "{table}");
    }
}

on_both!(signed_urls_are_refreshed_by_the_half_day);
async fn signed_urls_are_refreshed_by_the_half_day(database: Database) {
    let store = database.open().await;
    let signed = |sign: &str| {
        let url = format!("https://img.example/1?sign={sign}");
        with(&json!({ "images_list": [{ "fileid": "f1", "width": 1080, "url": url }] }))
    };
    tell(&store, &[(1, signed("a")), (2, signed("b")), (13, signed("c")), (14, signed("d"))]).await;
    let kept: Vec<(String, Time, Time)> = rows(
        &store,
        "select i.url, n.refreshed_at, n.changed_at from images i join notes n on n.note_id = i.item_id",
    )
    .await;
    assert_eq!(kept, [("https://img.example/1?sign=c".to_owned(), hour(13), hour(1))]);
    assert_eq!(changes(&store).await, []);
}

on_both!(fallen_and_zero_counts_are_flagged_and_kept);
async fn fallen_and_zero_counts_are_flagged_and_kept(database: Database) {
    let store = database.open().await;
    let counts = |likes: Value, others: i64| {
        with(&json!({ "liked_count": likes, "collected_count": others, "comments_count": others,
                     "shared_count": others }))
    };
    let notes = [
        (1, counts(json!(12_300), 9)),
        (2, counts(json!("1.2万"), 9)),
        (3, counts(json!(11_000), 9)),
        (4, counts(json!(0), 0)),
        (5, counts(json!(11_001), 9)),
    ];
    tell(&store, &notes).await;
    let found: Vec<(i64, Option<i64>, Option<String>)> =
        rows(&store, "select likes, granularity, suspect from snapshots order by observed_at")
            .await;
    let flag = |it: &str| Some(it.to_owned());
    assert_eq!(
        found,
        [
            (12_300, None, None),
            // 12,000 ± 500 may be 12,300.
            (12_000, Some(1_000), None),
            (11_000, None, flag("fell")),
            (0, None, flag("zeros")),
            (11_001, None, None),
        ]
    );
}

on_both!(tags_of_each_kind_of_a_kol_are_merged_apart);
async fn tags_of_each_kind_of_a_kol_are_merged_apart(database: Database) {
    let store = database.open().await;
    let page = |content: Value, feature: Value, personal: Value| {
        let kol = json!({ "userId": "5a0000000000000000000001", "contentTags": content,
                          "featureTags": feature, "personalTags": personal });
        json!({ "kols": [kol], "total": 1 })
    };
    let content = json!([{ "taxonomy1Tag": "户外", "taxonomy2Tags": ["露营", "徒步"] }]);
    let answers = [
        (1, page(content.clone(), json!(["知性"]), json!(["学生"]))),
        (2, page(content, Value::Null, json!([]))),
        (3, page(Value::Null, json!(["知性", "温柔"]), Value::Null)),
        // A category without its tags says nothing of them.
        (4, page(json!([{ "taxonomy1Tag": "户外" }]), Value::Null, Value::Null)),
    ];
    let answers = answers.map(|(hours, page)| (hours, Endpoint::KolSearch, page));
    tell_of(&store, "filter", &answers).await;
    let tags: Vec<(String, i64, Option<String>, String)> = rows(
        &store,
        "select tag_kind, position, category, tag from kol_tags order by tag_kind, position",
    )
    .await;
    let tag = |kind: &str, position, category: Option<&str>, tag: &str| {
        (kind.to_owned(), position, category.map(str::to_owned), tag.to_owned())
    };
    let outdoors = Some("户外");
    assert_eq!(
        tags,
        [
            tag("content", 0, outdoors, "露营"),
            tag("content", 1, outdoors, "徒步"),
            tag("feature", 0, None, "知性"),
            tag("feature", 1, None, "温柔"),
        ]
    );
    let expected = [
        change("personal_tags", Some(r#"["学生"]"#), None, (1, 2)),
        change("feature_tags", Some(r#"["知性"]"#), Some(r#"["知性","温柔"]"#), (1, 3)),
    ];
    assert_eq!(changes(&store).await, expected);
}

on_both!(thin_entries_of_a_list_keep_what_is_known_of_them);
async fn thin_entries_of_a_list_keep_what_is_known_of_them(database: Database) {
    let store = database.open().await;
    let url = |sign: &str| format!("https://img.example/1?sign={sign}");
    let stream = json!({ "master_url": url("live"), "duration": 2_500, "video_codec": "hevc" });
    let live = json!({ "media": { "video_id": "v7", "stream": { "h265": [stream] } } });
    let whole = with(&json!({ "images_list": [
        { "fileid": "f1", "width": 1080, "url": url("a"), "live_photo": live },
        { "fileid": "f2", "width": 720, "url": url("b") },
    ] }));
    let thin = with(&json!({ "images_list": [{ "fileid": "f1" }, { "width": 720 }] }));
    // A day later, with one more image before them.
    let moved = with(&json!({ "images_list": [
        { "fileid": "f3", "width": 1, "url": url("c") }, { "fileid": "f1" },
        { "fileid": "f2", "url": url("d") },
    ] }));
    tell(&store, &[(1, whole), (2, thin.clone()), (14, thin), (24, moved)]).await;
    type Row = (i64, Option<String>, Option<i64>, Option<String>, Option<String>, Option<bool>);
    let images: Vec<Row> = rows(
        &store,
        "select position, file_id, width, url, live_url, is_live from images order by position",
    )
    .await;
    let image = |position, id: &str, width, sign: &str, live: Option<&str>| -> Row {
        let is_live = live.map(|_| true);
        (position, Some(id.into()), Some(width), Some(url(sign)), live.map(url), is_live)
    };
    let expected = [
        image(0, "f3", 1, "c", None),
        image(1, "f1", 1080, "a", Some("live")),
        image(2, "f2", 720, "d", None),
    ];
    assert_eq!(images, expected);
    let both = Some(r#"["f1","f2"]"#);
    let more = Some(r#"["f3","f1","f2"]"#);
    assert_eq!(changes(&store).await, [change("images", both, more, (14, 24))]);
}

on_both!(mention_keeps_its_nickname_without_the_text);
async fn mention_keeps_its_nickname_without_the_text(database: Database) {
    let store = database.open().await;
    let extra = json!([{ "type": 0, "user_id": "9", "start": 0, "end": 3, "sec_uid": "MS4w9" }]);
    let work = |desc: &str| json!({ "aweme_id": WORK, "desc": desc, "text_extra": extra });
    let without_text = json!({ "aweme_id": WORK, "text_extra": [{ "type": 0, "user_id": "9" }] });
    tell_work(&store, &[(1, without_text.clone()), (2, work("@阿九 看海")), (3, without_text)])
        .await;
    let mentions: Vec<(String, String)> =
        rows(&store, "select nickname, sec_uid from mentions").await;
    assert_eq!(mentions, [("阿九".to_owned(), "MS4w9".to_owned())]);
    // To learn a name is no change.
    assert_eq!(changes(&store).await, []);
}

on_both!(unreadable_entry_leaves_the_list_as_it_is_known);
async fn unreadable_entry_leaves_the_list_as_it_is_known(database: Database) {
    let store = database.open().await;
    let whole = with(&json!({
        "hash_tag": [{ "id": "t1", "name": "露营" }, { "id": "t2", "name": "徒步" }],
        "ats": [{ "id": "u9", "nickname": "阿九" }, { "id": "u8", "nickname": "阿八" }],
    }));
    let broken = with(&json!({
        "hash_tag": [{ "id": "t1", "name": "露营" }, { "id": "t2" }],
        "ats": [{ "nickname": "阿九" }, { "id": "u8", "nickname": "阿八" }],
        "images_list": [7],
    }));
    tell(&store, &[(1, whole), (2, broken)]).await;
    let lists: Vec<(i64, i64, i64)> = rows(
        &store,
        "select (select count(*) from item_hashtags), (select count(*) from mentions),
                (select count(*) from images)",
    )
    .await;
    assert_eq!(lists, [(2, 2, 1)]);
    assert_eq!(changes(&store).await, []);
    let drift: Vec<(String,)> =
        rows(&store, "select drift from documents where drift is not null").await;
    let noted = "images_list: 1 unreadable; hash_tag without name: 1 unreadable; \
                 ats without id: 1 unreadable";
    assert_eq!(drift, [(noted.to_owned(),)]);
}

on_both!(signed_url_first_seen_late_is_kept_at_once);
async fn signed_url_first_seen_late_is_kept_at_once(database: Database) {
    let store = database.open().await;
    let with_cover = |sign: &str| {
        let link = "https://www.xiaohongshu.com/explore/1";
        with(
            &json!({ "share_info": { "link": link, "image": format!("https://img.example/{sign}") } }),
        )
    };
    let without =
        with(&json!({ "share_info": { "link": "https://www.xiaohongshu.com/explore/1" } }));
    let notes = [(1, without.clone()), (2, with_cover("a")), (3, with_cover("b")), (4, without)];
    tell(&store, &notes).await;
    let kept: Vec<(String, Time)> = rows(&store, "select cover_url, refreshed_at from notes").await;
    assert_eq!(kept, [("https://img.example/a".to_owned(), hour(2))]);
}

on_both!(leap_of_a_count_is_flagged_and_kept);
async fn leap_of_a_count_is_flagged_and_kept(database: Database) {
    let store = database.open().await;
    let likes = [json!(12), json!(12_000), json!(11_999), json!("1.2亿"), json!(120), json!(121)];
    let notes =
        (1..).zip(likes).map(|(hours, likes)| (hours, with(&json!({ "liked_count": likes }))));
    tell(&store, &notes.collect::<Vec<_>>()).await;
    let found: Vec<(i64, Option<String>)> =
        rows(&store, "select likes, suspect from snapshots order by observed_at").await;
    let flags = [None, Some("leapt"), Some("fell"), Some("leapt"), Some("leapt"), None];
    let likes = [12, 12_000, 11_999, 120_000_000, 120, 121];
    let expected: Vec<_> = likes.into_iter().zip(flags.map(|it| it.map(str::to_owned))).collect();
    assert_eq!(found, expected);
}

on_both!(count_beyond_reason_is_drift_and_null);
async fn count_beyond_reason_is_drift_and_null(database: Database) {
    let store = database.open().await;
    let notes = [
        (1, with(&json!({ "liked_count": i64::MAX }))),
        (2, with(&json!({ "liked_count": 1_000_000_000_001_i64 }))),
        (3, with(&json!({ "liked_count": "9999999999亿" }))),
        (4, with(&json!({ "liked_count": -7 }))),
        (5, with(&json!({ "liked_count": 1_000_000_000_000_i64 }))),
    ];
    tell(&store, &notes).await;
    let found: Vec<(Option<i64>, Option<i64>)> =
        rows(&store, "select likes, collects from snapshots order by observed_at").await;
    let likes = [None, None, None, None, Some(1_000_000_000_000)];
    assert_eq!(found, likes.map(|likes| (likes, Some(2))));
    let sum = "select cast(sum(likes) as bigint) from engagement";
    assert_eq!(rows::<(i64,)>(&store, sum).await, [(1_000_000_000_000,)]);
    let drift: Vec<(Option<String>,)> =
        rows(&store, "select drift from documents order by document_id").await;
    let odd = || (Some("liked_count is out of range".to_owned()),);
    assert_eq!(drift, [odd(), odd(), odd(), odd(), (None,)]);
}

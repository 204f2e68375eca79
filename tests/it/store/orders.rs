//! Rows are a function of the documents in the order of (`fetched_at`, `document_id`), whatever
//! order and batches they are saved in: a property, over random answers.
//!
//! `TIDEWATCH_ORDERS=2000` tries so many cases on SQLite, and a quarter of them on PostgreSQL.

use std::cell::Cell;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _, seq::IndexedRandom as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use tidewatch::api::{Ask, Endpoint};
use tidewatch::document::JsonText;
use tidewatch::model::{Kind, KolSearch, Target};
use tidewatch::replay::{derive_waiting, replay};
use tidewatch::store::{
    Answer, Attempts, Body, CallEnd, CallStart, Claim, ClaimRequest, Disposition, Document, Fires,
    JobEntry, Settlement, Store,
};
use tidewatch::time::Time;

use crate::databases::{self, Database, empty, table_rows};

const OWNER: i64 = 7;

/// Every table whose rows are derived.
const TABLES: [&str; 20] = [
    "authors",
    "changes",
    "creators",
    "days",
    "images",
    "item_hashtags",
    "item_keys",
    "keyword_suggestions",
    "kol_notes",
    "kol_search_results",
    "kol_snapshots",
    "kol_tags",
    "kols",
    "latest",
    "mentions",
    "music",
    "notes",
    "snapshots",
    "works",
    "archive_zone",
];

pub(super) fn beginning() -> Time {
    "2026-03-02 00:00:00".parse().expect("a time")
}

/// Notes and works that share authors and music.
pub(super) const ITEMS: [(Kind, &str); 4] = [
    (Kind::Note, "64a0000000000000000000a1"),
    (Kind::Note, "64a0000000000000000000a2"),
    (Kind::Work, "7300000000000000001"),
    (Kind::Work, "7300000000000000002"),
];

/// What is watched: each item under several links, so that it has as many answers in one run, and
/// as many searches.
fn targets(answers: u32) -> Vec<Target> {
    let link = |(kind, id), nth| Target { kind, key: format!("https://link.example/{id}/{nth}") };
    let links = ITEMS.into_iter().flat_map(|item| (0..answers).map(move |nth| link(item, nth)));
    let search = |max_pages| {
        let filter = [("keyword".to_owned(), "露营".to_owned())].into();
        let key = KolSearch { filter, max_pages }.to_key();
        Target { kind: Kind::KolSearch, key }
    };
    links.chain((1..=answers).map(search)).collect()
}

/// The item behind a link.
fn item(key: &str) -> String {
    key.split('/').nth(3).unwrap_or(key).to_owned()
}

/// An answer before it is known when it comes.
#[derive(Clone)]
pub(super) struct Drawn {
    pub(super) endpoint: Endpoint,
    pub(super) ask: Ask,
    pub(super) fetched_at: Time,
    pub(super) body: String,
}

/// Draws answers: each value from a few, each key sometimes missing, times that often coincide.
struct Draw(ChaCha8Rng);

impl Draw {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.0).cloned().expect("something to draw from")
    }

    /// An object of which each key but that of its id is sometimes missing.
    fn thin(&mut self, id: &str, fields: Value) -> Value {
        let Value::Object(fields) = fields else { return fields };
        let is_thin = self.0.random_bool(0.3);
        let mut thin = Map::new();
        for (key, value) in fields {
            if key == id || !self.0.random_bool(if is_thin { 0.6 } else { 0.02 }) {
                thin.insert(key, value);
            }
        }
        Value::Object(thin)
    }

    /// A list of which an entry sometimes lacks keys, is unreadable, or is gone, and the order differs.
    fn thin_list(&mut self, list: Value) -> Value {
        let Value::Array(mut entries) = list else { return list };
        let keeps = self.0.random_range(1..5);
        if self.0.random_bool(0.15) {
            entries.shuffle(&mut self.0);
        }
        for entry in &mut entries {
            match self.0.random_range(0..24) {
                0 => *entry = self.one(&[Value::Null, json!(7)]),
                1 => *entry = json!({}),
                2..9 => {
                    if let Value::Object(cells) = entry {
                        cells.retain(|_, _| self.0.random_range(0..5) < keeps);
                    }
                }
                _ => {}
            }
        }
        if self.0.random_bool(0.1) {
            entries.pop();
        }
        Value::Array(entries)
    }

    fn count(&mut self) -> Value {
        self.one(&[json!(0), json!(7), json!(100), json!(12_345), json!("1.2万"), json!(null)])
    }

    fn note(&mut self, id: &str) -> Value {
        let url = format!("https://img.example/1?sign={}", self.0.random::<u32>());
        let title = self.one(&["一", "二", ""]);
        let body = self.one(&["正文", "正文 #露营[话题]#"]);
        let nickname = self.one(&["小满", "小满呀"]);
        let author = self.one(&["u1", "u1", "u1", "u2"]);
        let live = json!({ "media": { "video_id": "v7", "stream": { "h265": [{
            "master_url": url, "duration": 2_500 }] } } });
        let first =
            json!({ "fileid": "f1", "width": 1080, "height": 1440, "url": url, "original": url });
        let second = json!({ "fileid": "f2", "width": 720, "url": url, "live_photo": live });
        // Upstream repeats a file id now and then.
        let images = self.one(&[
            json!([first]),
            json!([first, second]),
            json!([first, second, first]),
            json!([]),
        ]);
        let images = self.thin_list(images);
        let (one, other) =
            (json!({ "id": "t1", "name": "露营", "type": "topic" }), json!({ "name": "徒步" }));
        let tags =
            self.one(&[json!([one]), json!([one, other]), json!([one, other, one]), json!([])]);
        let tags = self.thin_list(tags);
        let ats = self.one(&[
            json!([{ "id": "u9", "nickname": "阿九" }]),
            json!([{ "id": "u8" }, { "id": "u9", "nickname": "阿九" }]),
            json!([]),
        ]);
        let ats = self.thin_list(ats);
        let user = json!({ "userid": author, "nickname": nickname, "image": url, "red_id": "xm1" });
        let (place, pinned) = (self.one(&["浙江", "上海"]), self.one(&[true, false]));
        let edited = self.one(&[0, 1_772_400_000]);
        let counts = [(); 4].map(|()| self.count());
        let [likes, collects, comments, shares] = counts;
        let user = self.thin("userid", user);
        let note = self.thin(
            "id",
            json!({
                "id": id, "type": "normal", "title": title, "desc": body, "user": user,
                "time": 1_772_300_000, "last_update_time": edited, "ip_location": place,
                "sticky": pinned, "images_list": images, "hash_tag": tags, "ats": ats,
                "liked_count": likes, "collected_count": collects, "comments_count": comments,
                "shared_count": shares,
            }),
        );
        json!({ "code": 0, "data": [{ "note_list": [note] }] })
    }

    fn work(&mut self, id: &str) -> Value {
        let cover = format!("https://img.example/cover?x-expires={}", self.0.random::<u32>());
        let author = json!({ "uid": "70001", "nickname": self.one(&["阿岚", "阿岚岚"]), "sec_uid": "MS4w1" });
        let music = json!({
            "id_str": self.one(&["88001", "88002"]), "title": self.one(&["原声", "原声二"]),
        });
        let statistics = json!({
            "digg_count": self.count(), "comment_count": self.count(), "share_count": self.count(),
        });
        let (title, region) = (self.one(&["@徒步", "@徒步记", ""]), self.one(&["CN", ""]));
        let author = self.thin("uid", author);
        let extra = self.thin_list(json!([
            { "type": 0, "user_id": "9", "start": 0, "end": 3, "sec_uid": "MS4w9" },
            { "type": 1, "hashtag_name": "海", "hashtag_id": "16001", "is_commerce": false },
            { "type": 1, "hashtag_name": "山" },
        ]));
        let creators = self.thin_list(json!([
            { "uid": "1", "nickname": "阿岚", "role_title": "作者" },
            { "uid": "2", "nickname": "阿禾", "role_title": "摄影" },
        ]));
        let images = self.thin_list(json!([{ "uri": "i1", "width": 720, "url_list": [cover] }]));
        let detail = self.thin(
            "aweme_id",
            json!({
                "aweme_id": id, "desc": title, "author": author, "music": music, "region": region,
                "create_time": 1_772_300_000, "statistics": statistics, "text_extra": extra,
                "cooperation_info": { "co_creators": creators }, "images": images,
                "video": { "play_addr": { "uri": "v1" }, "cover": { "url_list": [cover] } },
            }),
        );
        json!({ "code": 0, "data": { "aweme_detail": detail } })
    }

    fn search(&mut self) -> Value {
        let mut kols = Vec::new();
        for id in ["5a0000000000000000000001", "5a0000000000000000000002"] {
            let tags = self.one(&[
                json!([{ "taxonomy1Tag": "户外", "taxonomy2Tags": ["露营"] }]),
                json!([{ "taxonomy1Tag": "户外", "taxonomy2Tags": ["露营", "徒步"] },
                       { "taxonomy1Tag": "音乐", "taxonomy2Tags": [] }]),
                json!([]),
            ]);
            let tags = self.thin_list(tags);
            let features = self.one(&[json!(["知性"]), json!(["知性", "温柔"]), json!(null)]);
            let personal = self.one(&[json!(["学生"]), json!([]), json!(null)]);
            let url = format!("https://img.example/2?sign={}", self.0.random::<u32>());
            let listed = self.thin_list(json!([
                { "noteId": "64a0000000000000000000a1", "noteType": 1, "imageUrl": url },
                { "noteId": "64a0000000000000000000a2", "noteType": 2, "imageUrl": url },
            ]));
            let (place, name) = (self.one(&["浙江", ""]), self.one(&["山野", "山野里"]));
            let (price, fans) = (self.one(&[158, 180]), self.count());
            let kol = self.thin(
                "userId",
                json!({
                    "userId": id, "name": name, "location": place, "contentTags": tags,
                    "picturePrice": price, "pictureState": 1, "fansNum": fans,
                    "noteList": listed, "featureTags": features, "personalTags": personal,
                    "headPhoto": url,
                }),
            );
            kols.push(kol);
        }
        kols.truncate(self.one(&[1, 2, 2]));
        json!({ "code": 0, "data": { "kols": kols, "total": 2 } })
    }

    fn answer(&mut self, claim: &Claim) -> Drawn {
        let kind = Kind::parse(&claim.kind).expect("a kind");
        let (endpoint, body) = match kind {
            Kind::Note => (Endpoint::NoteDetailV1, self.note(&item(&claim.key))),
            Kind::Work => (Endpoint::WorkDetail, self.work(&item(&claim.key))),
            Kind::KolSearch | Kind::Keyword => (Endpoint::KolSearch, self.search()),
        };
        // A few times, over two days: many coincide, and half-days come and go.
        let fetched_at = beginning().plus(Duration::from_secs(3_600 * self.0.random_range(1..48)));
        let ask = Ask { key: item(&claim.key), page: 1 };
        Drawn { endpoint, ask, fetched_at, body: body.to_string() }
    }
}

pub(super) fn answer(drawn: &Drawn, claim: &Claim, call_id: i64) -> Answer {
    let reading = drawn.endpoint.read(&drawn.ask, 200, &JsonText::of(&drawn.body));
    let at = drawn.fetched_at;
    Answer {
        end: CallEnd {
            call_id,
            sent_at: at,
            finished_at: at,
            http_status: Some(200),
            code: reading.code,
            outcome: reading.outcome,
            billed: reading.billed,
            bytes: i64::try_from(drawn.body.len()).expect("a length"),
            duration_ms: 1,
            message: reading.message,
        },
        opened: None,
        settlement: Settlement {
            target_id: claim.target_id,
            due_at: claim.due_at,
            fence: claim.fence,
            call_id,
            next: Disposition::Observed,
            at,
        },
        server: "https://api.example/".into(),
        asked: drawn.ask.key.clone(),
        target: claim.key.clone(),
        document: Some(Document {
            endpoint: drawn.endpoint.as_str(),
            page: 1,
            fetched_at: at,
            http_status: 200,
            drift: reading.drift,
            body: Body::new(drawn.body.clone().into_bytes()),
            imported_at: None,
            redacted_at: None,
        }),
        facts: reading.facts,
        resolved: None,
    }
}

/// Plans slots and claims them, with a call for each.
pub(super) async fn claims(store: &Store, answers: u32) -> Vec<(Claim, i64)> {
    let mut tx = store.begin().await.expect("a transaction");
    let targets = targets(answers);
    tx.put_targets(&targets, beginning()).await.expect("targets");
    let mut claims = Vec::new();
    for kind in [Kind::Note, Kind::Work, Kind::KolSearch] {
        let job = JobEntry {
            name: kind.as_str(),
            kind,
            schedule: "@hourly",
            timezone: "Asia/Shanghai",
            active: None,
            overlap: "queue",
            spread_seconds: 0,
        };
        let job = tx.put_job(&job, beginning()).await.expect("a job").expect("its id");
        let its: Vec<_> = targets.iter().filter(|target| target.kind == kind).cloned().collect();
        tx.set_watchlist(job, &its, beginning()).await.expect("a watchlist");
        let fires = Fires { missed: vec![], open: vec![beginning()] };
        tx.fire(job, &fires, None, beginning()).await.expect("slots");
        let until = beginning().plus(Duration::from_secs(9_000_000));
        let (run, held_jobs, skips_failed) = (None, &[], false);
        let request = ClaimRequest { owner: OWNER, kind, run, held_jobs, skips_failed, limit: 500 };
        claims.extend(tx.claim(request, beginning(), until).await.expect("claims"));
    }
    claims.sort_by_key(|claim| (claim.target_id, claim.due_at));
    let call = |claim: &Claim| CallStart {
        endpoint: "xiaohongshu/get-note-detail/v1",
        target_id: claim.target_id,
        due_at: claim.due_at,
        page: claim.page,
        attempt: claim.attempt,
        owner: OWNER,
        opened_at: claim.due_at,
        price_micros: None,
        run_id: None,
    };
    let calls: Vec<_> = claims.iter().map(call).collect();
    let ids = tx.open_calls(&calls).await.expect("calls");
    tx.commit().await.expect("a commit");
    for (kind, id) in ITEMS {
        let like = format!("https://link.example/{id}/%");
        resolve(store, kind.as_str(), id, &like).await;
    }
    claims.into_iter().zip(ids).collect()
}

/// Notes what is behind links.
#[expect(clippy::disallowed_methods, reason = "as if a resolver had answered before")]
async fn resolve(store: &Store, kind: &str, id: &str, like: &str) {
    let sql = "update targets set item_id = $2 where kind = $1 and key like $3";
    match store {
        Store::Sqlite { writer, .. } => {
            sqlx::query(sql).bind(kind).bind(id).bind(like).execute(writer).await.map(|_| ())
        }
        Store::Postgres(pool) => {
            sqlx::query(sql).bind(kind).bind(id).bind(like).execute(pool).await.map(|_| ())
        }
    }
    .expect("links are resolved");
}

/// Saves answers in batches of these sizes, in turn, and derives what waits after every other one.
pub(super) async fn save(store: &Store, answers: &[Answer], sizes: &[usize]) {
    let mut rest = answers;
    for (nth, size) in sizes.iter().cycle().enumerate() {
        if rest.is_empty() || nth % 2 == 1 {
            derive_waiting(store).await.expect("rows are derived");
        }
        if rest.is_empty() {
            return;
        }
        let (batch, others) = rest.split_at(rest.len().min(*size));
        rest = others;
        let mut attempts = Attempts::default();
        while let Err(error) = save_batch(store, batch).await {
            attempts.after(error).await.expect("no other error, and not for long");
        }
    }
}

async fn save_batch(store: &Store, batch: &[Answer]) -> anyhow::Result<()> {
    let mut tx = store.begin_by_keys().await?;
    assert_eq!(tx.save(batch).await?.late, 0);
    tx.commit().await
}

/// The same, while somebody else derives what waits all the time.
async fn save_beside_derivation(store: &Store, answers: &[Answer], sizes: &[usize]) {
    let is_saved = Cell::new(false);
    let save = async {
        save(store, answers, sizes).await;
        is_saved.set(true);
    };
    let derive = async {
        while !is_saved.get() {
            derive_waiting(store).await.expect("rows are derived");
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(save, derive);
    derive_waiting(store).await.expect("rows are derived");
}

async fn all_rows(store: &Store) -> Vec<(&'static str, Vec<String>)> {
    let mut all = Vec::new();
    for table in TABLES {
        all.push((table, table_rows(store, table).await));
    }
    all
}

fn differences(
    one: &[(&'static str, Vec<String>)],
    other: &[(&'static str, Vec<String>)],
) -> Vec<String> {
    let mut found = Vec::new();
    for ((table, one), (_, other)) in one.iter().zip(other) {
        found.extend(
            one.iter().filter(|row| !other.contains(row)).map(|row| format!("{table} - {row}")),
        );
        found.extend(
            other.iter().filter(|row| !one.contains(row)).map(|row| format!("{table} + {row}")),
        );
    }
    found
}

/// One case: the same answers in order one by one, in any order and batches, and replayed.
///
/// The number of changes on record.
async fn case(ordered: &Store, mixed: &Store, seed: u64) -> usize {
    let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
    let count = draw.0.random_range(1..9);
    empty(ordered).await;
    empty(mixed).await;
    let claimed = claims(ordered, count).await;
    let twin = claims(mixed, count).await;
    let drawn: Vec<_> = claimed.iter().map(|(claim, _)| draw.answer(claim)).collect();
    let answers = |claimed: &[(Claim, i64)]| -> Vec<_> {
        let all = drawn.iter().zip(claimed);
        all.map(|(drawn, (claim, call_id))| answer(drawn, claim, *call_id)).collect()
    };
    let mut in_order = answers(&claimed);
    in_order.sort_by_key(|answer| (answer.end.finished_at, answer.end.call_id));
    save(ordered, &in_order, &[1]).await;
    let mut shuffled = answers(&twin);
    shuffled.shuffle(&mut draw.0);
    let sizes: Vec<_> = (0..4).map(|_| draw.0.random_range(1..8)).collect();
    if seed.is_multiple_of(2) {
        save(mixed, &shuffled, &sizes).await;
    } else {
        Box::pin(save_beside_derivation(mixed, &shuffled, &sizes)).await;
    }
    let expected = all_rows(ordered).await;
    let found = differences(&expected, &all_rows(mixed).await);
    assert!(found.is_empty(), "seed {seed}, batches of {sizes:?}:\n{}", found.join("\n"));
    replay(mixed, |_, _| {}).await.expect("a replay");
    let found = differences(&expected, &all_rows(mixed).await);
    assert!(found.is_empty(), "seed {seed}, replayed:\n{}", found.join("\n"));
    expected.iter().find(|(table, _)| *table == "changes").map_or(0, |(_, rows)| rows.len())
}

#[expect(clippy::disallowed_methods, reason = "how long to try is the caller's choice")]
fn cases() -> u64 {
    std::env::var("TIDEWATCH_ORDERS").map_or(40, |cases| cases.parse().expect("a number of cases"))
}

async fn every_order_gives_the_same_rows(ordered: Database, mixed: Database, cases: u64) {
    let (ordered, mixed) = (ordered.open().await, mixed.open().await);
    let mut changes = 0;
    for seed in 0..cases {
        changes += case(&ordered, &mixed, seed).await;
    }
    assert!(changes > 0, "no case changed a fact");
    eprintln!("{cases} cases with {changes} changes of facts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_gives_the_same_rows_on_sqlite() {
    every_order_gives_the_same_rows(databases::sqlite(), databases::sqlite(), cases()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_order_gives_the_same_rows_on_postgres() {
    let (ordered, mixed) = (databases::postgres().await, databases::postgres().await);
    every_order_gives_the_same_rows(ordered, mixed, cases().div_ceil(4)).await;
}

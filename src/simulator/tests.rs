//! Tests of the simulator over a real connection.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const TOKEN: &str = "tide-token-under-test";
const NOTE: &str = "/api/xiaohongshu/get-note-detail/v7";
const WORK: &str = "/api/douyin/get-video-detail/v2";
const SUGGESTIONS: &str = "/api/xiaohongshu/search-recommend/v1";
const KOLS: &str = "/api/xiaohongshu-pgy/api/solar/cooperator/blogger/v2/v1";
const AMAGI: &str = "/amagi/api/douyin/fetch_one_work";

/// A note and a work with ids of the real form and plausible times.
const NOTE_ID: &str = "69aed4e2000000000e00c358";
const WORK_ID: &str = "7588740680004963593";

/// No item is edited, deleted or goes viral.
const QUIET: Fates = Fates { edited: 0, deleted: 0, viral: 0 };

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn options() -> Options {
    let clock = Clock::standing(time("2026-03-20 06:00:00"));
    Options { fates: QUIET, ..Options::new(7, TOKEN, clock) }
}

async fn started(options: Options) -> Simulator {
    start(options, TcpListener::bind("127.0.0.1:0").await.unwrap()).await.unwrap()
}

/// The raw reply to `target`, head and body.
async fn raw(simulator: &Simulator, target: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(simulator.address()).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

/// Status and body.
async fn get(simulator: &Simulator, target: &str) -> (u16, String) {
    let text = String::from_utf8(raw(simulator, target).await).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Status and body of a call with the token; `query` starts with `&`.
async fn ask(simulator: &Simulator, path: &str, query: &str) -> (u16, Value) {
    let (status, body) = get(simulator, &format!("{path}?token={TOKEN}{query}")).await;
    (status, serde_json::from_str(&body).unwrap())
}

async fn note(simulator: &Simulator) -> Value {
    let (_, body) = ask(simulator, NOTE, &format!("&noteId={NOTE_ID}")).await;
    body["data"][0]["note_list"][0].clone()
}

fn faults(text: &str) -> Faults {
    text.parse().unwrap()
}

#[tokio::test]
async fn answers_depend_on_the_seed() {
    let (one, same) = (started(options()).await, started(options()).await);
    let other = started(Options { seed: 8, ..options() }).await;
    for target in [
        format!("{NOTE}?token={TOKEN}&noteId={NOTE_ID}"),
        format!("{WORK}?token={TOKEN}&videoId={WORK_ID}"),
        format!("{SUGGESTIONS}?token={TOKEN}&keyword=%E7%BE%8E%E9%A3%9F"),
        format!("{KOLS}?token={TOKEN}&keyword=x&page=2"),
        format!("{AMAGI}?aweme_id={WORK_ID}"),
    ] {
        let answer = get(&one, &target).await;
        assert_eq!(answer, get(&same, &target).await);
        assert_ne!(answer, get(&other, &target).await);
    }
    assert_eq!(one.world().notes(9), same.world().notes(9));
    assert_ne!(one.world().works(9), other.world().works(9));
}

#[tokio::test]
async fn note_has_the_fields_read_in_every_version() {
    let simulator = started(options()).await;
    let ids = simulator.world().notes(40);
    let (mut videos, mut untitled, mut live) = (0, 0, 0);
    for id in &ids {
        let (status, body) = ask(&simulator, NOTE, &format!("&noteId={id}")).await;
        let note = &body["data"][0]["note_list"][0];
        assert_eq!((status, &body["code"], &note["id"]), (200, &0.into(), &id.as_str().into()));
        for key in ["liked_count", "collected_count", "comments_count", "shared_count", "time"] {
            assert!(note[key].is_i64(), "{key} of {note}");
        }
        assert_eq!(body["data"][0]["user"]["userid"], note["user"]["userid"]);
        let images = note["images_list"].as_array().unwrap();
        assert!(images.iter().all(|image| image["index"] == 0 && image["fileid"].is_string()));
        live += images.iter().filter(|image| image["live_photo_file_id"].is_string()).count();
        untitled += usize::from(note.get("title").is_none());
        let v6 = "/api/xiaohongshu/get-note-detail/v6";
        let (_, bare) = ask(&simulator, v6, &format!("&noteId={id}")).await;
        if note["type"] == "video" {
            videos += 1;
            let stream = &bare["data"][0]["video_info_v2"]["media"]["stream"]["h264"][0];
            assert!(stream["duration"].is_i64() && stream["master_url"].is_string());
        } else {
            assert_eq!(bare["data"], serde_json::json!([]));
        }
    }
    assert!(videos > 3 && untitled > 0 && live > 0, "{videos} {untitled} {live}");
}

#[tokio::test]
async fn work_mentions_and_hashtags_have_utf16_positions() {
    let simulator = started(options()).await;
    let (mut albums, mut partners, mut mixes) = (0, 0, 0);
    for id in simulator.world().works(60) {
        let (_, body) = ask(&simulator, WORK, &format!("&videoId={id}")).await;
        let work = &body["data"]["aweme_detail"];
        let desc: Vec<u16> = work["desc"].as_str().unwrap().encode_utf16().collect();
        for extra in work["text_extra"].as_array().unwrap() {
            let place = |key: &str| usize::try_from(extra[key].as_u64().unwrap()).unwrap();
            let text = String::from_utf16(&desc[place("start")..place("end")]).unwrap();
            match extra["hashtag_name"].as_str() {
                Some(name) => assert_eq!(text, format!("#{name}")),
                None => assert!(text.starts_with('@')),
            }
        }
        albums += i32::from(work["aweme_type"] == 68 && work["images"].is_array());
        partners += i32::from(work.get("cooperation_info").is_some());
        mixes += i32::from(work.get("mix_info").is_some());
        assert_eq!(work["statistics"]["play_count"], 0);
        assert_eq!(work["music"]["id"].to_string(), work["music"]["mid"].as_str().unwrap());
    }
    assert!(albums > 5 && partners > 0 && mixes > 0, "{albums} {partners} {mixes}");
}

#[tokio::test]
async fn suggestions_are_fifteen_and_change_slowly() {
    let simulator = started(options()).await;
    let mut lists = Vec::new();
    for day in 0..15 {
        let midday = time("2026-03-20 06:00:00").plus(Duration::from_secs(day * 86_400));
        simulator.server.options.clock.jump_to(midday);
        let (_, body) = ask(&simulator, SUGGESTIONS, "&keyword=%E7%BE%8E%E9%A3%9F").await;
        let items = body["data"]["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 15);
        for item in &items {
            let flags = item["highlight_flags"].as_array().unwrap();
            assert_eq!(flags.len(), item["text"].as_str().unwrap().chars().count());
            assert_eq!(flags.iter().filter(|flag| **flag == true).count(), 2);
        }
        lists.push(simulator.truth().pop().unwrap().items);
    }
    let stays = lists[0].iter().filter(|text| lists[1].contains(text)).count();
    assert!(stays >= 12, "{stays} stay from one day to the next");
    assert_ne!(lists[0], lists[14]);
}

#[tokio::test]
async fn kol_search_ends_and_applies_its_filter() {
    let simulator = started(options()).await;
    let (mut seen, mut page, mut last) = (std::collections::BTreeSet::new(), 1, Vec::new());
    loop {
        let query = format!("&keyword=x&gender=FEMALE&fansNumberLower=5000&page={page}");
        let (_, body) = ask(&simulator, KOLS, &query).await;
        assert_eq!(body["data"]["total"], 5000);
        let kols = body["data"]["kols"].as_array().unwrap().clone();
        for kol in &kols {
            assert_eq!((&kol["gender"], &kol["fansCount"]), (&"女".into(), &0.into()));
            assert_eq!(kol["mEngagementNum"], kol["mengagementNum"]);
            assert_eq!(kol.as_object().unwrap().len(), 146);
        }
        let ids: Vec<_> = kols.iter().map(|kol| kol["userId"].to_string()).collect();
        if ids.is_empty() || ids == last {
            break;
        }
        seen.extend(ids.clone());
        last = ids;
        page += 1;
    }
    assert!((4..25).contains(&page) && seen.len() > 60, "{page} pages, {} KOLs", seen.len());
    let (_, narrow) = ask(&simulator, KOLS, "&a=1&b=2&c=3&d=4&page=1").await;
    assert!(narrow["data"]["total"].as_i64().unwrap() < 100);
}

#[tokio::test]
async fn short_links_resolve_to_catalogue_items() {
    let simulator = started(options()).await;
    let world = simulator.world().clone();
    for (link, id) in world.note_links(5).iter().zip(world.notes(5)) {
        let path = "/api/xiaohongshu/share-url-transfer/v1";
        let (_, body) = ask(&simulator, path, &format!("&shareUrl={link}")).await;
        assert!(body["data"]["redirect_url"].as_str().unwrap().contains(&id));
    }
    for (link, id) in world.work_links(5).iter().zip(world.works(5)) {
        let path = "/api/douyin/share-url-transfer/v1";
        let (_, body) = ask(&simulator, path, &format!("&shareUrl={link}")).await;
        let url = body["data"]["redirect_url"].as_str().unwrap();
        assert!(url.contains(&id) && id.len() == 19, "{url}");
    }
    let decimal = |id: &String| id.bytes().all(|byte| byte.is_ascii_digit());
    assert!(world.notes(100).iter().any(decimal));
}

#[tokio::test]
async fn amagi_answers_in_the_form_of_its_version() {
    let link = "https://v.douyin.com/irQCAn4A/";
    let (by_id, by_url) = (format!("{AMAGI}?aweme_id={WORK_ID}"), format!("{AMAGI}?url={link}"));
    let parsed =
        |(status, body): (u16, String)| (status, serde_json::from_str::<Value>(&body).unwrap());
    let current = started(options()).await;
    let (status, body) = parsed(get(&current, &by_id).await);
    assert_eq!((status, &body["code"], &body["success"]), (200, &200.into(), &true.into()));
    assert_eq!(body["data"]["aweme_detail"]["aweme_id"], WORK_ID);
    assert_eq!(get(&current, "/api/douyin/fetch_one_work?aweme_id=x").await.0, 200);
    let (status, body) = parsed(get(&current, &by_url).await);
    assert_eq!((status, &body["code"]), (400, &400.into()));
    let bare = started(Options { amagi: Amagi::Bare, ..options() }).await;
    let (_, body) = parsed(get(&bare, &by_id).await);
    assert_eq!(body["aweme_detail"]["aweme_id"], WORK_ID);
    let old = started(Options { amagi: Amagi::Old, ..options() }).await;
    let (_, body) = parsed(get(&old, &by_url).await);
    assert!(body["data"]["aweme_detail"]["aweme_id"].is_string() && body["code"] == 200);
    assert_eq!(get(&old, &by_id).await.0, 400);
    current.set_faults(faults("amagi@1=risk; amagi=dead-cookie"));
    let other = format!("{AMAGI}?aweme_id=7588740680004963594");
    assert!(get(&current, &other).await.1.contains("风控拦截"));
    assert!(get(&current, &other).await.1.contains("ck可能已经失效"));
    assert!(current.truth().iter().all(|row| !row.billed));
}

#[tokio::test]
async fn deleted_items_answer_as_upstream_does() {
    let fates = Fates { deleted: 1000, edited: 1000, viral: 0 };
    let clock = Clock::standing(time("2027-01-01 00:00:00"));
    let simulator = started(Options { fates, clock, ..options() }).await;
    let (status, body) = ask(&simulator, NOTE, &format!("&noteId={NOTE_ID}")).await;
    assert_eq!((status, &body["code"], &body["data"]), (200, &0.into(), &serde_json::json!([])));
    let (_, body) = ask(&simulator, WORK, &format!("&videoId={WORK_ID}")).await;
    assert!(body["data"]["aweme_detail"].is_null());
    let reason = body["data"]["filter_detail"]["filter_reason"].as_str().unwrap().to_owned();
    assert!(reason == "status_deleted" || reason == "status_self_see");
    let (_, body) = get(&simulator, &format!("{AMAGI}?aweme_id={WORK_ID}")).await;
    assert!(body.contains(&format!("原因：{reason}！")) && body.contains("\"code\":500"));
    assert!(simulator.truth().iter().all(|row| row.metrics.is_empty()));
}

#[tokio::test]
async fn edited_note_has_edit_time_and_new_text() {
    let fates = Fates { deleted: 0, edited: 1000, viral: 0 };
    let clock = Clock::standing(time("2026-03-09 14:11:00"));
    let simulator = started(Options { fates, clock: clock.clone(), ..options() }).await;
    let before = note(&simulator).await;
    clock.jump_to(time("2026-03-20 00:00:00"));
    let after = note(&simulator).await;
    assert_eq!(before["last_update_time"], 0);
    assert_eq!(after["last_update_time"].as_i64(), simulator.world().note_fate(NOTE_ID).edited_at);
    assert_ne!(before["desc"], after["desc"]);
}

#[tokio::test]
async fn step_advances_an_item_per_complete_answer() {
    let step = Some(Duration::from_secs(3600));
    let simulator = started(Options { step, faults: faults("note@2=301"), ..options() }).await;
    for _ in 0..4 {
        note(&simulator).await;
    }
    simulator.server.options.clock.jump_to(time("2026-05-01 00:00:00"));
    note(&simulator).await;
    let seen: Vec<_> = simulator.truth().iter().map(|row| row.seen_at.to_string()).collect();
    let hours = ["06", "07", "07", "08", "09"].map(|hour| format!("2026-03-20 {hour}:00:00"));
    assert_eq!(seen, hours);
}

#[tokio::test]
async fn weekly_counts_never_fall_and_match_the_truth_rows() {
    let clock = Clock::standing(time("2026-03-09 15:00:00"));
    let simulator = started(Options { clock: clock.clone(), ..options() }).await;
    let mut before = 0;
    for hour in 0..7 * 24 {
        clock.jump_to(time("2026-03-09 15:00:00").plus(Duration::from_secs(hour * 3600)));
        let likes = note(&simulator).await["liked_count"].as_i64().unwrap();
        let row = simulator.truth().pop().unwrap();
        assert_eq!(row.metrics["likes"], likes);
        assert!(likes + 3 >= before);
        before = likes;
    }
    assert!(before > 0);
}

#[tokio::test]
async fn urls_are_signed_per_answer_and_keep_file_names() {
    let clock = Clock::standing(time("2026-03-20 06:00:00"));
    let simulator = started(Options { clock: clock.clone(), ..options() }).await;
    let first = note(&simulator).await["images_list"][0].clone();
    clock.jump_to(time("2026-03-20 07:00:00"));
    let second = note(&simulator).await["images_list"][0].clone();
    assert_eq!(first["fileid"], second["fileid"]);
    assert_ne!(first["url_multi_level"]["high"], second["url_multi_level"]["high"]);
}

#[tokio::test]
async fn invalid_calls_are_refused_as_upstream_does() {
    let simulator = started(options()).await;
    for query in ["?noteId=x", "?token=wrong&noteId=x"] {
        let (status, body) = get(&simulator, &format!("{NOTE}{query}")).await;
        assert!(status == 401 && body.contains("\"code\":100"), "{body}");
    }
    let (status, body) = ask(&simulator, NOTE, "").await;
    assert_eq!((status, &body["path"]), (400, &NOTE.into()));
    assert!(body.get("code").is_none());
    let (status, body) = ask(&simulator, NOTE, "&noteId=nonsense").await;
    assert_eq!((status, &body["code"]), (400, &400.into()));
    let (status, body) = ask(&simulator, "/api/nowhere", "").await;
    assert_eq!((status, &body["code"]), (404, &404.into()));
    let (_, body) = ask(&simulator, "/user/get-balance", "").await;
    assert_eq!(body["data"]["currency"], "CNY");
}

#[tokio::test]
async fn codes_have_documented_status_and_billing() {
    let simulator = started(options()).await;
    for (code, expected) in [
        (201, 200),
        (302, 429),
        (303, 429),
        (400, 400),
        (500, 500),
        (503, 503),
        (600, 403),
        (601, 403),
    ] {
        simulator.set_faults(faults(&format!("*={code}")));
        let (status, body) = ask(&simulator, NOTE, &format!("&noteId={NOTE_ID}")).await;
        assert_eq!((status, &body["code"]), (expected, &code.into()));
        let row = simulator.truth().pop().unwrap();
        assert_eq!((row.billed, row.fault), (code == 201, Some(code.to_string())));
    }
    let (status, body) = get(&simulator, &format!("{AMAGI}?aweme_id={WORK_ID}")).await;
    assert!(status == 200 && body.contains("\"code\":500"));
}

#[tokio::test]
async fn faults_change_answers_as_documented() {
    let simulator = started(options()).await;
    let target = format!("{NOTE}?token={TOKEN}&noteId={NOTE_ID}");
    let whole = get(&simulator, &target).await.1;
    let spoil = async |fault: &str| {
        simulator.set_faults(faults(&format!("note={fault}")));
        String::from_utf8(raw(&simulator, &target).await).unwrap()
    };
    assert_eq!(spoil("drop").await, "");
    let cut = spoil("cut").await;
    assert!(cut.contains(&format!("content-length: {}\r\n", whole.len())));
    let half = cut.split_once("\r\n\r\n").unwrap().1.len();
    assert!(half > 100 && half < whole.len());
    assert!(spoil("not-json").await.contains("<h1>502</h1>"));
    assert!(spoil("nul").await.contains(r#""nickname":"\u0000"#));
    assert!(spoil("surrogate").await.contains(r#""nickname":"\ud83d"#));
    assert_eq!(spoil("dup").await.matches("\"liked_count\":").count(), 2);
    assert!(spoil("echo-token").await.contains(TOKEN));
    assert!(spoil("empty").await.contains("\"data\":[]"));
    assert!(!spoil("wrong-id").await.contains(&format!("\"id\":\"{NOTE_ID}\"")));
    assert!(spoil("redirect").await.contains("location: http://localhost:"));
    assert!(spoil("huge").await.len() > 40 << 20);
    assert!(spoil("slow:30").await.ends_with(&whole));
    let billed: Vec<_> = simulator.truth().iter().map(|row| row.billed).collect();
    assert_eq!(billed.iter().filter(|billed| !**billed).count(), 2 + usize::from(!billed[1]));
}

#[tokio::test]
async fn truth_file_has_a_line_per_call_and_no_token() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("truth.jsonl");
    let simulator = started(Options { truth: Some(path.clone()), ..options() }).await;
    note(&simulator).await;
    ask(&simulator, KOLS, "&keyword=x&page=2").await;
    simulator.set_faults(faults("*=echo-token"));
    ask(&simulator, WORK, &format!("&videoId={WORK_ID}")).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["n"], &rows[0]["endpoint"]), (&1.into(), &"note".into()));
    assert_eq!((&rows[1]["page"], &rows[1]["key"]), (&2.into(), &"keyword=x".into()));
    assert_eq!(rows[1]["items"].as_array().unwrap().len(), 20);
    assert!(rows[2]["metrics"]["likes"].is_i64() && rows[2]["fault"] == "echo-token");
    assert!(!text.contains(TOKEN));
}

#[tokio::test]
async fn fixed_answer_of_a_path_wins() {
    let replay = Replay { path: NOTE.to_owned(), status: 418, body: b"short and stout".to_vec() };
    let simulator = started(Options { replay: vec![replay], ..options() }).await;
    assert_eq!(get(&simulator, NOTE).await, (418, "short and stout".to_owned()));
    let address = simulator.address();
    simulator.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

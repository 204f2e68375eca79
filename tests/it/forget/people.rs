//! Answers of our own about made-up people: Anna, whom others speak of, and Bo, who does.

use serde_json::{Value, json};

/// 安娜, a person of Xiaohongshu: she writes, is mentioned, and is listed as a KOL.
pub(super) const ANNA: &str = "5a0000000000000000aaaaaa";
pub(super) const BO: &str = "5b0000000000000000bbbbbb";
pub(super) const ANNAS: &str = "6a0000000000000000a00001";
pub(super) const BOS: &str = "6b0000000000000000b00001";

/// 秋秋, a person of Douyin with a short id: one of those who made a work together, and mentioned.
pub(super) const QIU: &str = "40961024";
pub(super) const QIU_SEC: &str = "MS4wLjABAAAA-qiu_0001";
pub(super) const DU: &str = "700000000001";
pub(super) const WORK: &str = "7600000000000000001";
pub(super) const QIUS: &str = "7600000000000000002";

/// Du's second work, which says of Qiu only what others call her.
const AGAIN: &str = "7600000000000000004";

const NOTE_V7: &str = "xiaohongshu/get-note-detail/v7";
const KOLS: &str = "xiaohongshu-pgy/kol-search/v1";
const WORK_DETAIL: &str = "douyin/get-video-detail/v2";

/// What only Anna's things hold.
pub(super) const HERS: [&str; 8] = [
    ANNA,
    ANNAS,
    "安娜",
    "annas-handle",
    "安娜的周末",
    "只有她写得出的一句话",
    "annas-picture-1040g",
    "annas-face",
];

/// A line of an import.
pub(super) fn line(endpoint: &str, hour: u32, asked: &Value, body: &Value) -> String {
    let fetched_at = format!("2026-02-01T{hour:02}:00:00Z");
    json!({ "endpoint": endpoint, "fetched_at": fetched_at, "asked": asked, "body": body })
        .to_string()
}

/// Anna's note.
pub(super) fn annas(hour: u32) -> String {
    let note = json!({
        "id": ANNAS, "type": "normal", "title": "安娜的周末", "desc": "只有她写得出的一句话",
        "user": { "userid": ANNA, "nickname": "安娜", "red_id": "annas-handle",
                  "image": "https://img.example/annas-face?sign=1" },
        "images_list": [{ "fileid": "annas-picture-1040g", "width": 3, "height": 4,
                          "url": "https://img.example/annas-picture-1040g?sign=2" }],
        "hash_tag": [{ "id": "t-both", "name": "露营" }, { "id": "t-hers", "name": "安娜推荐" }],
        "liked_count": 10 + hour, "collected_count": 1, "comments_count": 0, "shared_count": 0,
        "time": 1_769_000_000,
    });
    line(NOTE_V7, hour, &json!(ANNAS), &json!({ "code": 0, "data": [{ "note_list": [note] }] }))
}

/// Bo's note, which speaks of Anna from some hour on.
pub(super) fn bos(hour: u32, speaks: bool) -> String {
    let (desc, ats) = match speaks {
        true => (
            "和 @安娜 一起去, 还有 @小满",
            json!([{ "id": ANNA, "nickname": "安娜" }, { "id": "5c0000000000000000cccccc", "nickname": "小满" }]),
        ),
        false => ("一起去", json!([])),
    };
    let note = json!({
        "id": BOS, "type": "normal", "title": "山里", "desc": desc, "ats": ats,
        "user": { "userid": BO, "nickname": "阿波", "red_id": "bo1" },
        "hash_tag": [{ "id": "t-both", "name": "露营" }],
        "liked_count": 100 + hour, "collected_count": 1, "comments_count": 0, "shared_count": 0,
        "precise": 12345678901234567890123_f64, "time": 1_769_000_000,
    });
    line(NOTE_V7, hour, &json!(BOS), &json!({ "code": 0, "data": [{ "note_list": [note] }] }))
}

/// A search that lists Anna and Bo, each with notes.
pub(super) fn kols(hour: u32) -> String {
    let kol = |id: &str, name: &str, notes: &[&str]| {
        let notes: Vec<_> = notes.iter().map(|id| json!({ "noteId": id, "noteType": 1 })).collect();
        json!({ "userId": id, "name": name, "redId": format!("{id}-red"), "fansNum": 1000 + hour,
                "picturePrice": 300, "pictureState": 1, "noteList": notes })
    };
    let kols = [kol(ANNA, "安娜", &[ANNAS]), kol(BO, "阿波", &[ANNAS, BOS])];
    let body = json!({ "code": 0, "data": { "total": 2, "kols": kols } });
    line(KOLS, hour, &json!({ "keyword": "山" }), &body)
}

/// A search that lists Bo with a note of Anna's, and says nothing of her.
pub(super) fn bo_with_annas(hour: u32) -> String {
    let notes = [ANNAS, BOS].map(|id| json!({ "noteId": id, "noteType": 1 }));
    let bo =
        json!({ "userId": BO, "name": "阿波", "redId": "bo1", "fansNum": 1, "noteList": notes });
    let body = json!({ "code": 0, "data": { "total": 1, "kols": [bo] } });
    line(KOLS, hour, &json!({ "keyword": "海" }), &body)
}

/// A work of Du's, which he made with Qiu, and in which she is mentioned.
pub(super) fn together(hour: u32) -> String {
    let work = json!({
        "aweme_id": WORK, "aweme_type": 0, "desc": "@秋秋 你看", "create_time": 1_769_000_000,
        "author": { "uid": DU, "nickname": "老杜", "sec_uid": "sec-du" },
        "text_extra": [{ "type": 0, "start": 0, "end": 3, "user_id": QIU, "sec_uid": QIU_SEC },
                       { "type": 1, "hashtag_id": "88", "hashtag_name": "看" }],
        "seen_uids": [QIU, DU], "reply_to_userid": QIU,
        "cooperation_info": { "co_creators": [{ "uid": QIU, "nickname": "秋秋", "sec_uid": QIU_SEC },
                                              { "uid": DU, "nickname": "老杜" }] },
        "music": { "id_str": "99", "title": "秋秋创作的原声", "author": "秋秋", "owner_id": QIU },
        "statistics": { "digg_count": 40961024, "comment_count": 1, "collect_count": 2,
                        "share_count": hour },
    });
    line(WORK_DETAIL, hour, &json!(WORK), &json!({ "code": 0, "data": { "aweme_detail": work } }))
}

/// A work of Qiu's own.
pub(super) fn qius(hour: u32) -> String {
    let work = json!({
        "aweme_id": QIUS, "aweme_type": 0, "desc": "一个人", "create_time": 1_769_000_000,
        "author": { "uid": QIU, "nickname": "秋秋", "sec_uid": QIU_SEC },
        "statistics": { "digg_count": hour, "comment_count": 1, "collect_count": 2, "share_count": 3 },
    });
    line(WORK_DETAIL, hour, &json!(QIUS), &json!({ "code": 0, "data": { "aweme_detail": work } }))
}

/// A work of somebody whose handle could be an id.
pub(super) fn by_handle(hour: u32) -> String {
    let id = "7600000000000000003";
    let work = json!({
        "aweme_id": id, "aweme_type": 0, "desc": "三", "create_time": 1_769_000_000,
        "author": { "uid": "700000000003", "nickname": "三", "unique_id": "4711081500" },
        "statistics": { "digg_count": hour, "comment_count": 1, "collect_count": 2, "share_count": 3 },
    });
    line(WORK_DETAIL, hour, &json!(id), &json!({ "code": 0, "data": { "aweme_detail": work } }))
}

/// What speaks of Anna and Qiu without the ids by which people are known.
pub(super) fn asides(hour: u32) -> Vec<String> {
    let bos = "6b0000000000000000b00002";
    let note = json!({
        "id": bos, "type": "normal", "title": "又一次", "desc": "又见 @安娜 了",
        "user": { "userid": BO, "nickname": "阿波", "red_id": "bo1" },
        "last_reader": { "red_id": "annas-handle", "image": "https://img.example/annas-face?sign=3" },
        "liked_count": 7, "collected_count": 1, "comments_count": 0, "shared_count": 0,
        "time": 1_769_000_000,
    });
    let work = json!({
        "aweme_id": AGAIN, "aweme_type": 0, "desc": "@秋秋 在", "create_time": 1_769_000_000,
        "author": { "uid": DU, "nickname": "老杜", "sec_uid": "sec-du" },
        "guest": { "sec_uid": QIU_SEC, "signature": "秋天的秋" },
        "guest_url": format!("https://www.douyin.com/user/{QIU_SEC}?from=x"),
        "statistics": { "digg_count": 5, "comment_count": 1, "collect_count": 2, "share_count": 3 },
    });
    let suggestions = json!({ "code": 0, "data": { "items": [{ "text": "安娜同款帐篷" }] } });
    let kols = json!({ "code": 0, "data": { "total": 0, "kols": [] } });
    vec![
        line(NOTE_V7, hour, &json!(bos), &json!({ "code": 0, "data": [{ "note_list": [note] }] })),
        line(
            WORK_DETAIL,
            hour,
            &json!(AGAIN),
            &json!({ "code": 0, "data": { "aweme_detail": work } }),
        ),
        line("xiaohongshu/search-recommend/v1", hour, &json!(ANNA), &suggestions),
        line("xiaohongshu/search-recommend/v1", hour, &json!(QIU), &suggestions),
        line(KOLS, hour, &json!({ "keyword": format!("与 {ANNA} 合作") }), &kols),
    ]
}

//! `select` shows what the answers say: every number of a KOL search, and the marks, lists and
//! codes of notes, works, authors, music and suggestions.

use serde_json::{Value, json};
use tidewatch::model::TABLES;
use tidewatch::store::Store;

use crate::answers::look_at;
use crate::databases::{Database, on_both, table_rows};

const KOL_JOB: &str = "[[job]]\nkind = \"kols\"\nmax_pages = 1\nfilter = { keyword = \"阅读\" }";

/// Numbers of a KOL without a column of their own: the followers that a search hides, and twins of
/// keys that differ from them only by case.
const NOT_READ: [&str; 4] = ["/fansCount", "/mengagementNum", "/mengagementNumMcn", "/mcpuvNum30d"];

/// The rows of a table, as objects.
async fn objects(store: &Store, table: &str) -> Vec<Value> {
    let rows = table_rows(store, table).await;
    rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// Whether a column shows a value of an answer. SQLite writes true as 1; lists are JSON text.
fn shows(column: &Value, said: &Value) -> bool {
    match (column, said) {
        (Value::Number(_), Value::Bool(said)) => column.as_i64() == Some(i64::from(*said)),
        (Value::Number(_), Value::Number(_)) => column.as_f64() == said.as_f64(),
        (Value::Number(column), Value::String(said)) => {
            column.as_f64() == said.parse().ok()
                || said == "3.4万" && column.as_i64() == Some(34_000)
        }
        (Value::String(column), Value::Array(_)) => {
            serde_json::from_str::<Value>(column).is_ok_and(|column| column == *said)
        }
        (Value::String(column), Value::Number(said)) => *column == said.to_string(),
        _ => column == said,
    }
}

/// Every number below a value, with its pointer.
fn numbers(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(nth, it)| numbers(it, &format!("{at}/{nth}"), out));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, it)| numbers(it, &format!("{at}/{name}"), out));
        }
        Value::Number(_) => out.push(at.to_owned()),
        _ => {}
    }
}

on_both!(every_kol_figure_has_the_column_whose_comment_names_it);
async fn every_kol_figure_has_the_column_whose_comment_names_it(database: Database) {
    let path = "/api/xiaohongshu-pgy/api/solar/cooperator/blogger/v2/v1";
    let env = look_at(database, path, "kol_search_full.json", KOL_JOB).await;
    let answer: Value =
        serde_json::from_str(include_str!("../fixtures/kol_search_full.json")).unwrap();
    let kol = &answer["data"]["kols"][0];
    let mut unseen = Vec::new();
    numbers(kol, "", &mut unseen);
    assert!(unseen.len() > 83, "{}", unseen.len());
    unseen.retain(|path| !NOT_READ.contains(&path.as_str()));
    for (table, view) in
        [("kols", "kols"), ("kol_snapshots", "kol_metrics"), ("kol_notes", "kol_notes")]
    {
        let row = objects(&env.store, view).await.remove(0);
        let columns = TABLES.iter().find(|it| it.name == table).unwrap().columns;
        for column in columns {
            // The comment begins with the path.
            let Some((path, _)) =
                column.doc.trim_start().strip_prefix('`').and_then(|doc| doc.split_once('`'))
            else {
                continue;
            };
            let pointer = format!("/{}", path.replace("[]", ".0").replace('.', "/"));
            if column.name == "followers_growth_30d" || kol.pointer(&pointer).is_some() {
                let said = kol.pointer(&pointer).unwrap_or(&Value::Null);
                let found = &row[column.name];
                assert!(shows(found, said), "{table}.{}: {found}, not {said}", column.name);
                unseen.retain(|path| *path != pointer);
            }
        }
    }
    assert!(unseen.is_empty(), "no column shows {unseen:?}");
    assert_eq!(objects(&env.store, "kol_search_results").await[0]["total"], json!(5000));
}

/// That some row of a table shows all of these values.
async fn some_row_shows(store: &Store, table: &str, expected: Value) {
    let rows = objects(store, table).await;
    let fits = |row: &Value| {
        expected.as_object().unwrap().iter().all(|(name, said)| shows(&row[name], said))
    };
    assert!(rows.iter().any(fits), "{table}: none of {rows:#?} is {expected:#}");
}

on_both!(marks_of_a_note_are_columns);
async fn marks_of_a_note_are_columns(database: Database) {
    let job = "[[job]]\nkind = \"notes\"\nnotes = [\"6a02c3d4000000001d00e5f6\"]";
    let path = "/api/xiaohongshu/get-note-detail/v6";
    let job = format!("note_detail_version = \"v6\"\n{job}");
    let env = look_at(database, path, "note_detail_video_v6.json", &job).await;
    let note = json!({
        "cooperations": [{ "id": "brand0001", "name": "山海户外" }],
        "goods": r#"{"goods_list":[{"id":"g0001","name":"折叠桌"}]}"#,
        "has_brand_lottery": true, "is_red_envelope": true, "in_censor": true, "privacy_type": 1,
        "topics": [{ "discuss_num": 4567, "id": "6000000000000000000000b1", "name": "露营" }],
        "has_music": true, "sound_id": "7127501449940380315", "sound_duration_ms": 31_250,
        "sound_uses": 1, "is_co_produced": true, "video_codec": "h264", "video_bytes": 4_567_890,
        "video_bit_rate": 3_650_000, "video_id": "138000000000000777",
    });
    some_row_shows(&env.store, "notes", note).await;
    let author = json!({ "is_verified": true, "verification_type": 2 });
    some_row_shows(&env.store, "authors", author).await;
}

on_both!(pictures_of_a_note_show_their_place_and_size);
async fn pictures_of_a_note_show_their_place_and_size(database: Database) {
    let job = "[[job]]\nkind = \"notes\"\nnotes = [\"6a01b2c3000000000e00d4e5\"]";
    let path = "/api/xiaohongshu/get-note-detail/v1";
    let env = look_at(database, path, "note_detail_image.json", job).await;
    let first = json!({
        "position": 0, "latitude": 24.446, "longitude": 118.0713, "live_codec": "hevc",
        "live_bytes": 987_654, "live_width": 1440, "live_height": 1080,
    });
    some_row_shows(&env.store, "images", first).await;
    let second = json!({ "position": 1, "latitude": null, "longitude": null });
    some_row_shows(&env.store, "images", second).await;
    some_row_shows(&env.store, "item_hashtags", json!({ "tag_type": "topic" })).await;
}

on_both!(categories_goods_and_flags_of_a_work_are_columns);
async fn categories_goods_and_flags_of_a_work_are_columns(database: Database) {
    let job = "[douyin]\nprovider = \"justoneapi\"\n[[job]]\nkind = \"works\"\n\
               urls = [\"7601234567890123456\"]\n";
    let path = "/api/douyin/get-video-detail/v2";
    let env = look_at(database, path, "work_video.json", job).await;
    let work = json!({
        "category_1": "山橘湖", "category_2": "出海", "category_3": null,
        "category_3_id": 20_030_070_010_i64, "ocr_text": "开船啦", "suggested_words": ["帆雪云"],
        "chapters": [
            { "desc": "出港", "detail": "清晨离开码头", "timestamp": 0 },
            { "desc": "返航", "detail": "", "timestamp": 41000 },
        ],
        "anchors": [{ "id": "70011", "keyword": "厦门港", "type": 3 }],
        "promotions": [{ "price": 2990, "product_id": "3500002", "promotion_id": "3600001",
            "title": "防晒面罩" }],
        "caption": "船湖溪鹿湖湖雪茶湖船", "video_ratio": "540p", "video_bit_rates": [310_622],
        "video_hash": "55d74abd736001e707b73bb57355ddb9", "mix_name": "出海记", "pinned": true,
        "is_ad": true, "allows_comments": true, "allows_download": false, "in_review": false,
        "review_status": 0, "risk_type": 1, "risk_text": "疑似危险动作，请勿模仿",
        "risk_warns": true, "creator_count": 2, "cooperation_tag": "共创",
    });
    some_row_shows(&env.store, "works", work).await;
    let author = json!({ "verification": "海洋摄影师", "verification_type": 1,
        "signature": "云溪海橘船鹿松鹿灯云", "followers": null, "likes_received": 1_111_703 });
    some_row_shows(&env.store, "authors", author).await;
    let music = json!({ "users": 48, "album": "海上的早晨", "is_commerce": true });
    some_row_shows(&env.store, "music", music).await;
    some_row_shows(&env.store, "creators", json!({ "role_id": 7, "invite_status": 1 })).await;
}

on_both!(suggestions_show_their_badge_and_the_answers_message);
async fn suggestions_show_their_badge_and_the_answers_message(database: Database) {
    let job = "[[job]]\nkind = \"keywords\"\nkeywords = [\"露营\"]";
    let path = "/api/xiaohongshu/search-recommend/v1";
    let env = look_at(database, path, "suggestions.json", job).await;
    let first = json!({ "rank": 1, "message": "success",
        "icon_url": "http://picasso-static.xiaohongshu.com/fe-platform/invented.png" });
    some_row_shows(&env.store, "keyword_suggestions", first).await;
}

//! Answers of Xiaohongshu's endpoints: notes, suggestions, and the targets of short links.

use serde_json::{Value, json};

use super::catalogue::seconds;
use super::items::{Person, Picture, Tag};
use super::notes::Note;
use super::rng::Rng;
use super::shapes::{HASHTAG, LIVE_PHOTO, NOTE, NOTE_IMAGE, NOTE_USER, Signature, TOPIC, filled};
use super::vocabulary::{SUGGESTION_ENDINGS, theme_of};
use crate::time::Time;

/// Number of suggestions in an answer.
const SUGGESTIONS: usize = 15;

const WEEK: i64 = 7 * 86_400;

/// `data` of the versions that wrap the note: v1, v3 and v7.
pub(super) fn wrapped(note: &Note, signature: &Signature) -> Value {
    let (user, inner) = (user(&note.author), body(note, signature));
    json!([{ "user": user, "note_list": [inner], "comment_list": [], "track_id": "", "model_type": "note" }])
}

/// `data` of v6: the note itself with its video; empty for a note of pictures.
pub(super) fn bare(note: &Note, signature: &Signature) -> Value {
    let Some(milliseconds) = note.video_ms else {
        return json!([]);
    };
    let mut inner = body(note, signature);
    inner["video_info_v2"] = video(note, milliseconds, signature);
    json!([inner])
}

fn body(note: &Note, signature: &Signature) -> Value {
    let at = signature.at;
    let edited = note.fate.edited_by(at);
    let text = marked(note, edited.is_some());
    let images: Vec<Value> =
        note.pictures.iter().map(|picture| image(picture, signature)).collect();
    let counts = note.counts(at);
    let mut body = filled(
        &NOTE,
        json!({
            "id": note.id,
            "type": if note.video_ms.is_some() { "video" } else { "normal" },
            "desc": text,
            "time": note.born(),
            "last_update_time": edited.unwrap_or(0),
            "ip_location": note.place,
            "text_language_code": "zh",
            "has_related_goods": note.goods,
            "liked_count": counts.likes,
            "collected_count": counts.collects,
            "comments_count": counts.comments,
            "shared_count": counts.shares,
            "view_count": 0,
            "user": user(&note.author),
            "images_list": images,
            "hash_tag": note.tags.iter().map(hashtag).collect::<Vec<_>>(),
            "topics": note.tags.iter().take(1).map(topic).collect::<Vec<_>>(),
            "ats": note.mention.iter().map(user).collect::<Vec<_>>(),
            "share_info": share(note, edited.is_some(), signature),
            "widgets_context": json!({ "flags": {}, "author_id": note.author.id,
                "author_name": note.author.nickname }).to_string(),
        }),
    );
    entitle(&mut body, note.texts.title(edited.is_some()));
    body
}

/// Without a title the key is absent, not empty.
fn entitle(body: &mut Value, title: Option<&str>) {
    if let Some(body) = body.as_object_mut() {
        match title {
            Some(title) => body.insert("title".to_owned(), title.into()),
            None => body.remove("title"),
        };
    }
}

/// The text with its markup: `#tag[话题]#` and `@nickname`.
fn marked(note: &Note, edited: bool) -> String {
    let mut text = note.texts.body(edited).to_owned();
    if let Some(person) = &note.mention {
        text += &format!("\n@{} ", person.nickname);
    }
    let tags: Vec<String> = note.tags.iter().map(|tag| format!("#{}[话题]#", tag.name)).collect();
    format!("{text}\n{}", tags.join(" "))
}

fn user(person: &Person) -> Value {
    let avatar = format!(
        "https://sns-avatar-qc.xhscdn.com/avatar/{}.jpg?imageView2/2/w/120/format/jpg",
        person.avatar
    );
    filled(
        &NOTE_USER,
        json!({ "id": person.id, "userid": person.id, "red_id": person.handle,
            "name": person.nickname, "nickname": person.nickname, "image": avatar }),
    )
}

fn share(note: &Note, edited: bool, signature: &Signature) -> Value {
    let cover = note.pictures.first().map_or("", |picture| &picture.file);
    json!({
        "image": format!("http://sns-img-qc.xhscdn.com/{cover}?imageView2/2/w/360/format/jpg/q/75"),
        "link": format!(
            "https://www.xiaohongshu.com/discovery/item/{}?share_from_user_hidden=true\
             &xsec_source=app_share&xsec_token={}&type={}&author_share=1",
            note.id, signature.trace(), if note.video_ms.is_some() { "video" } else { "normal" }),
        "title": note.texts.title(edited).unwrap_or_default(),
        "content": note.texts.body(edited),
        "wechat_share_desc": note.texts.body(edited),
    })
}

fn hashtag(tag: &Tag) -> Value {
    let link = format!(
        "xhsdiscover://rn/sns-discover/topic/normal?id={}&page_source=note_feed.click_new_big",
        tag.id
    );
    filled(&HASHTAG, json!({ "id": tag.id, "name": tag.name, "type": "topic", "link": link }))
}

fn topic(tag: &Tag) -> Value {
    let link = format!("xhsdiscover://topic/v2/{}?page_source=note_feed.click_new_big", tag.id);
    filled(&TOPIC, json!({ "id": tag.id, "name": tag.name, "link": link }))
}

fn image(picture: &Picture, signature: &Signature) -> Value {
    let url = |width, scene| signature.note_image(&picture.file, width, scene);
    let detail = url(1440, "DETAIL");
    let mut image = filled(
        &NOTE_IMAGE,
        json!({
            "fileid": picture.file, "trace_id": picture.file,
            "width": picture.width, "height": picture.height, "index": 0,
            "origin_img": { "size": 0, "width": picture.width, "height": picture.height },
            "url": detail, "original": url(5000, "ORIGINAL"), "url_8k": url(8192, "PAINTER"),
            "url_multi_level": { "low": detail, "medium": detail, "high": detail },
        }),
    );
    if picture.live {
        image["live_photo_file_id"] = format!("livephoto/{}", picture.file).into();
        image["live_photo"] = live_photo(picture, signature);
    }
    image
}

/// Seconds in `video`, milliseconds in `stream`, as upstream sends them.
fn live_photo(picture: &Picture, signature: &Signature) -> Value {
    let mut rng = Rng::of(0, &["live photo", &picture.file]);
    let milliseconds = rng.between(1500, 3000);
    let mut live = filled(
        &LIVE_PHOTO,
        json!({ "media": {
            "video_id": rng.digits(18),
            "video": { "duration": (milliseconds + 999) / 1000, "width": 1920, "height": 1440 },
        } }),
    );
    if let Some(stream) = live.pointer_mut("/media/stream/h265/0") {
        let url = signature.note_video(&picture.file);
        let filled = filled(
            stream,
            json!({ "stream_type": 66, "width": 1440, "height": 1080, "duration": milliseconds,
                "size": milliseconds * 419, "fps": 30, "video_codec": "hevc",
                "psnr": 35.79199981689453, "master_url": url, "backup_urls": [url] }),
        );
        *stream = filled;
    }
    live
}

fn video(note: &Note, milliseconds: i64, signature: &Signature) -> Value {
    let url = signature.note_video(&note.id);
    let stream = |codec: &str| {
        json!({ "stream_type": 259, "format": "mp4", "width": 720, "height": 1280,
            "duration": milliseconds, "size": milliseconds * 150, "fps": 30,
            "video_codec": codec, "master_url": url, "backup_urls": [url] })
    };
    json!({
        "id": note.id,
        "media": {
            "video_id": 137_833_492_955_647_227_i64,
            "video": { "duration": (milliseconds + 999) / 1000, "width": 720, "height": 1280 },
            "stream": { "h264": [stream("h264")], "h265": [stream("hevc")], "h266": [], "av1": [] },
            "user_level": 0,
        },
        "image": { "first_frame": "", "thumbnail": "" },
        "capa": { "duration": milliseconds / 1000, "frame_ts": 0 },
    })
}

/// The suggestions for a keyword at `at`, in order; the order changes slowly, over weeks.
pub(super) fn suggested(seed: u64, keyword: &str, at: Time) -> Vec<String> {
    let mut rng = Rng::of(seed, &["suggestions", keyword]);
    let theme = theme_of(&mut rng, keyword);
    let mut candidates: Vec<String> =
        SUGGESTION_ENDINGS.iter().map(|ending| format!("{keyword}{ending}")).collect();
    candidates.extend(theme.tags.iter().map(|tag| format!("{keyword}{tag}")));
    candidates.push(format!("附近的{keyword}"));
    candidates.sort_by_cached_key(|text| (-popularity(seed, text, seconds(at)), text.clone()));
    candidates.truncate(SUGGESTIONS);
    candidates
}

/// Popularity interpolated linearly from one week's value to the next, changing daily.
fn popularity(seed: u64, text: &str, at: i64) -> i64 {
    let level = Rng::of(seed, &["popularity", text]).between(0, 1000);
    let week = at.div_euclid(WEEK);
    let mood = |week: i64| Rng::of(seed, &["mood", text, &week.to_string()]).between(0, 300);
    let day = at.rem_euclid(WEEK) / 86_400;
    level + (mood(week) * (7 - day) + mood(week + 1) * day) / 7
}

/// `data` of the suggestions.
pub(super) fn suggestions(seed: u64, keyword: &str, texts: &[String], at: Time) -> Value {
    let day = seconds(at).div_euclid(86_400).to_string();
    let mut ids = Rng::of(seed, &["suggestion ids", keyword, &day]);
    json!({
        "search_cpl_id": ids.hex(32),
        "word_request_id": ids.hex(32),
        "result": { "success": true, "message": "success" },
        "items": texts.iter().map(|text| suggestion(keyword, text)).collect::<Vec<_>>(),
    })
}

fn suggestion(keyword: &str, text: &str) -> Value {
    let icon = "http://picasso-static.xiaohongshu.com/fe-platform/magnifier.png";
    json!({ "text": text, "type": "top_note", "search_type": "notes", "link": "", "icon": icon,
        "icon_night": icon, "is_intervened": false, "highlight_flags": highlights(keyword, text) })
}

/// One flag per character: whether it belongs to the keyword.
fn highlights(keyword: &str, text: &str) -> Vec<bool> {
    let before = text.find(keyword).map_or(0, |at| text.get(..at).unwrap_or("").chars().count());
    let length = keyword.chars().count();
    (0..text.chars().count()).map(|place| (before..before + length).contains(&place)).collect()
}

/// The target of a short link.
pub(super) fn redirect(note: &Note, signature: &Signature) -> Value {
    let url = format!(
        "https://www.xiaohongshu.com/discovery/item/{}?app_platform=android&xsec_source=app_share\
         &type={}&xsec_token={}&apptime={}",
        note.id,
        if note.video_ms.is_some() { "video" } else { "normal" },
        signature.trace(),
        signature.at
    );
    json!({ "redirect_url": url })
}

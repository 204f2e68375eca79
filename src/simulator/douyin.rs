//! Answers of Douyin's endpoints: the platform's own object, as both providers pass it on.

use serde_json::{Value, json};

use super::items::{Person, Picture};
use super::shapes::{Signature, WORK, filled};
use super::works::Work;

/// Names and heights of a video's quality levels.
const QUALITIES: [(&str, i64); 8] = [
    ("normal_1080_0", 1920),
    ("low_1080_1", 1920),
    ("normal_720_0", 1280),
    ("low_720_1", 1280),
    ("normal_540_0", 1024),
    ("low_540_1", 1024),
    ("adapt_lowest_720_1", 1280),
    ("adapt_lower_540_1", 1024),
];

/// The platform's own answer: the work, or the reason why it is not shown.
pub(super) fn platform(work: &Work, signature: &Signature) -> Value {
    let trace = json!({ "impr_id": signature.trace() });
    let extra =
        json!({ "now": signature.at * 1000, "fatal_item_ids": [], "logid": signature.trace() });
    match reason(work, signature.at) {
        None => json!({ "status_code": 0, "aweme_detail": detail(work, signature),
            "extra": extra, "log_pb": trace }),
        Some(reason) => json!({ "status_code": 0, "aweme_detail": null, "extra": extra,
            "log_pb": trace, "filter_detail": {
                "aweme_id": work.id, "filter_reason": reason, "icon": "",
                "detail_msg": "因作品权限或已被删除，无法观看，去看看其他作品吧",
                "notice": "抱歉，作品不见了" } }),
    }
}

/// The reason why a work is not shown at `at`: deleted or hidden by its author.
pub(super) fn reason(work: &Work, at: i64) -> Option<&'static str> {
    let hidden = work.video.len() + work.id.bytes().map(usize::from).sum::<usize>();
    work.fate.is_deleted(at).then_some(if hidden.is_multiple_of(3) {
        "status_self_see"
    } else {
        "status_deleted"
    })
}

fn detail(work: &Work, signature: &Signature) -> Value {
    let at = signature.at;
    let edited = work.fate.edited_by(at).is_some();
    let (desc, extra) = described(work, edited);
    let album = !work.pictures.is_empty();
    let mut detail = filled(
        &WORK,
        json!({
            "aweme_id": work.id,
            "group_id": format!("{}0", work.id.get(..18).unwrap_or_default()),
            "comment_gid": work.id.parse::<i64>().unwrap_or_default(),
            "aweme_type": if album { 68 } else { 0 },
            "media_type": if album { 2 } else { 4 },
            "create_time": work.born(),
            "item_title": work.texts.title(edited).unwrap_or_default(),
            "caption": work.texts.body(edited),
            "desc": desc,
            "text_extra": extra,
            "duration": work.duration_ms,
            "city": work.city,
            "author": author(work, signature),
            "author_user_id": work.author.id.parse::<i64>().unwrap_or_default(),
            "music": music(work),
            "statistics": statistics(work, at),
            "status": { "aweme_id": work.id },
            "share_url": share_url(work, signature),
            "share_info": { "share_url": share_url(work, signature), "share_title": desc },
            "images": pictures(&work.pictures, signature),
            "video": video(work, signature),
            "video_tag": [{ "tag_id": 2003, "tag_name": "生活", "level": 1 },
                { "tag_id": 20_030_070_010_i64, "tag_name": "生活记录", "level": 2 },
                { "tag_id": 0, "tag_name": "", "level": 3 }],
            "component_info_v2": json!({ "desc_lines_limit": 0, "hide_marquee": false }).to_string(),
        }),
    );
    more(&mut detail, work);
    detail
}

/// Members that only some works have.
fn more(detail: &mut Value, work: &Work) {
    if let Some(partner) = &work.partner {
        detail["cooperation_info"] = json!({ "co_creator_nums": 1, "co_creators": [{
            "uid": partner.id, "nickname": partner.nickname, "role_title": "共创者",
            "sec_uid": format!("MS4wLjABAAAA{}", partner.avatar), "role_id": 1 }] });
    }
    match &work.mix {
        Some((id, name, episode)) => {
            detail["mix_info"] = json!({ "mix_id": id, "mix_name": name, "mix_type": 0,
                "statis": { "current_episode": episode, "updated_to_episode": episode + 3,
                    "collect_vv": 0, "play_vv": 0 } });
        }
        None => {
            if let Some(detail) = detail.as_object_mut() {
                detail.remove("mix_info");
            }
        }
    }
}

/// The description, and the positions of its hashtags and mentions in UTF-16 units.
fn described(work: &Work, edited: bool) -> (String, Vec<Value>) {
    let mut desc = work.texts.title(edited).map(|title| format!("{title} ")).unwrap_or_default();
    desc += work.texts.body(edited);
    let mut extra = Vec::new();
    let mut append = |text: String, mut fields: Value| {
        desc.push(' ');
        fields["start"] = desc.encode_utf16().count().into();
        desc += &text;
        fields["end"] = desc.encode_utf16().count().into();
        extra.push(fields);
    };
    if let Some(person) = &work.mention {
        append(
            format!("@{}", person.nickname),
            json!({ "type": 0, "user_id": person.id,
            "sec_uid": format!("MS4wLjABAAAA{}", person.avatar) }),
        );
    }
    for tag in &work.tags {
        append(
            format!("#{}", tag.name),
            json!({ "type": 1, "hashtag_id": tag.id,
            "hashtag_name": tag.name, "is_commerce": false }),
        );
    }
    (desc, extra)
}

fn author(work: &Work, signature: &Signature) -> Value {
    let Person { id, handle, nickname, avatar } = &work.author;
    json!({
        "uid": id, "sec_uid": work.sec_uid, "short_id": handle, "unique_id": "",
        "nickname": nickname, "follower_count": 0, "following_count": 0, "user_age": -1,
        "avatar_thumb": { "uri": avatar, "url_list": [signature.work_image(avatar)],
            "width": 720, "height": 720 },
    })
}

fn music(work: &Work) -> Value {
    let music = &work.music;
    json!({
        "id": music.id.parse::<i64>().unwrap_or_default(), "id_str": music.id, "mid": music.id,
        "title": music.title, "author": music.author, "duration": music.seconds,
        "is_original_sound": music.original,
    })
}

fn statistics(work: &Work, at: i64) -> Value {
    let counts = work.counts(at);
    json!({
        "aweme_id": work.id, "digg_count": counts.likes, "comment_count": counts.comments,
        "collect_count": counts.collects, "share_count": counts.shares, "play_count": 0,
        "download_count": counts.shares / 9, "admire_count": counts.likes / 4000,
        "recommend_count": counts.likes / 50,
    })
}

fn pictures(pictures: &[Picture], signature: &Signature) -> Value {
    if pictures.is_empty() {
        return Value::Null;
    }
    let one = |picture: &Picture| {
        let url = signature.work_image(&picture.file);
        let mut image = json!({ "uri": picture.file, "width": picture.width,
            "height": picture.height, "url_list": [url], "download_url_list": [url] });
        if picture.live {
            image["video"] = json!({ "duration": 2700,
                "play_addr": { "uri": picture.file, "url_list": [signature.work_video(&picture.file)] } });
        }
        image
    };
    pictures.iter().map(one).collect()
}

/// An album has a video object as well: its music, without a duration.
fn video(work: &Work, signature: &Signature) -> Value {
    let cover = format!("tos-cn-i-dy/{}", work.video);
    let album = !work.pictures.is_empty();
    let (width, height) = if album { (720, 720) } else { (1080, 1920) };
    json!({
        "duration": work.duration_ms, "width": width, "height": height, "ratio": "540p",
        "cdn_url_expired": signature.at + 7200,
        "play_addr": { "uri": work.video, "url_list": [signature.work_video(&work.video)],
            "width": width, "height": height, "data_size": work.duration_ms * 43 },
        "cover": { "uri": cover, "url_list": [signature.work_image(&cover)],
            "width": width, "height": height },
        "bit_rate": if album { Value::Null } else { bit_rates(work, signature) },
    })
}

/// The quality levels of a video: most of the length of a real answer.
fn bit_rates(work: &Work, signature: &Signature) -> Value {
    let quality = |(gear, height): &(&str, i64)| {
        let url = signature.work_video(&work.video);
        json!({ "gear_name": gear, "quality_type": 12, "bit_rate": height * 480, "FPS": 30,
            "format": "mp4", "is_h265": 1, "is_bytevc1": 1, "HDR_type": "", "HDR_bit": "",
            "video_extra": json!({ "PktOffsetMap": "", "mvmaf": "" }).to_string(),
            "play_addr": { "uri": work.video, "url_key": format!("{}_{gear}", work.video),
                "width": height * 9 / 16, "height": height, "data_size": work.duration_ms * 40,
                "file_hash": signature.trace(), "url_list": [url, url, url] } })
    };
    QUALITIES.iter().map(quality).collect()
}

fn share_url(work: &Work, signature: &Signature) -> String {
    let kind = if work.pictures.is_empty() { "video" } else { "note" };
    format!(
        "https://www.iesdouyin.com/share/{kind}/{}/?region=CN&mid={}&u_code=0&ts={}&share_sign={}",
        work.id,
        work.music.id,
        signature.at,
        signature.trace()
    )
}

/// The target of a short link.
pub(super) fn redirect(work: &Work, signature: &Signature) -> Value {
    json!({ "redirect_url": share_url(work, signature) })
}

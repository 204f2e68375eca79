//! Shapes of answers: every key that upstream sends, with neutral values, in `shapes/*.json`. The
//! world's values are laid over them.

use std::sync::LazyLock;

use serde_json::Value;

use super::catalogue::seconds;
use super::rng::Rng;
use crate::time::Time;

macro_rules! shape {
    ($name:ident, $file:literal) => {
        pub(super) static $name: LazyLock<Value> = LazyLock::new(|| {
            serde_json::from_str(include_str!(concat!("shapes/", $file))).expect("a shape is JSON")
        });
    };
}

shape!(NOTE, "note.json");
shape!(NOTE_USER, "note_user.json");
shape!(NOTE_IMAGE, "note_image.json");
shape!(LIVE_PHOTO, "live_photo.json");
shape!(HASHTAG, "hashtag.json");
shape!(TOPIC, "topic.json");
shape!(KOL, "kol.json");
shape!(WORK, "work.json");

/// `shape` overlaid with `over`: objects key by key, everything else replaced.
pub(super) fn filled(shape: &Value, over: Value) -> Value {
    let mut filled = shape.clone();
    overlay(&mut filled, over);
    filled
}

fn overlay(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                overlay(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// The signature in the URLs of one answer, different in every answer.
pub(super) struct Signature {
    /// Time of the answer in seconds since 1970.
    pub(super) at: i64,
    sign: String,
}

impl Signature {
    pub(super) fn of(seed: u64, key: &str, at: Time) -> Self {
        let sign = Rng::of(seed, &["sign", key, &at.micros().to_string()]).hex(32);
        Self { at: seconds(at), sign }
    }

    /// URL of a Xiaohongshu picture, at most `width` wide.
    pub(super) fn note_image(&self, file: &str, width: i64, scene: &str) -> String {
        format!(
            "https://sns-i8.rednotecdn.com/{file}?imageView2/2/w/{width}/format/heif/q/75\
             &redImage/frame/0&ap=1&sc={scene}&sign={}&t={:08x}&src=A",
            self.sign, self.at
        )
    }

    /// URL of a Xiaohongshu video.
    pub(super) fn note_video(&self, file: &str) -> String {
        format!(
            "http://sns-v8.rednotecdn.com/stream/{file}_259.mp4?sign={}&t={:08x}",
            self.sign, self.at
        )
    }

    /// URL of a Douyin picture.
    pub(super) fn work_image(&self, uri: &str) -> String {
        format!(
            "https://p3-sign.douyinpic.com/{uri}~tplv-dy-aweme-images:q75.jpeg?lk3s=138a59ce\
             &x-expires={}&x-signature={}",
            self.at + 2_592_000,
            self.sign
        )
    }

    /// URL of a Douyin video.
    pub(super) fn work_video(&self, uri: &str) -> String {
        format!(
            "https://v5-se-coldn.douyinvod.com/{}/{:08x}/video/tos/cn/{uri}/?a=6383&br=340",
            self.sign,
            self.at + 7200
        )
    }

    /// Digits that differ from answer to answer.
    pub(super) fn trace(&self) -> &str {
        &self.sign
    }
}

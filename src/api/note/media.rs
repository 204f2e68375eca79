//! The video and the images of a note.

use crate::api::json::{self, Json};
use crate::api::reading::Odd;
use crate::model::{Field, Image};

/// What is known of a note's video.
pub(super) struct Video {
    pub(super) duration_ms: Field<i64>,
    pub(super) url: Field<String>,
    pub(super) width: Field<i64>,
    pub(super) height: Field<i64>,
}

/// A stream counts milliseconds; the objects around it count seconds, and round them.
pub(super) fn video(note: Json<'_>) -> Video {
    let media = json::at(note, "/video_info_v2/media");
    let old = json::at(note, "/video");
    let stream = stream(media, &["h264", "h265", "av1", "h266"]);
    let seconds = |value, path| {
        json::hidden_if_empty(json::positive(value, path))
            .and_then(|seconds| seconds.checked_mul(1_000))
    };
    let duration_ms = match stream {
        Some(stream) => json::hidden_if_empty(json::positive(stream, "/duration")),
        None => Field::Absent,
    };
    let from = stream.unwrap_or(old);
    Video {
        duration_ms: duration_ms
            .or_else(|| seconds(media, "/video/duration"))
            .or_else(|| seconds(old, "/duration")),
        url: json::first([json::text(from, "/master_url"), json::text(old, "/url")]),
        width: json::pixels(from, "/width"),
        height: json::pixels(from, "/height"),
    }
}

/// The first stream in the first of several codecs that has one.
fn stream<'v>(media: Json<'v>, codecs: &[&str]) -> Option<Json<'v>> {
    let streams = json::at(media, "/stream");
    codecs.iter().find_map(|codec| json::items(json::field(streams, codec)?, "").first())
}

/// Images are told apart by their place: `index` is 0 for each, and `fileid` repeats.
pub(super) fn images(note: Json<'_>, odd: &mut Odd) -> Field<Vec<Image>> {
    odd.rows(json::list(note, "/images_list"), "images_list", |position, image| {
        let media = json::at(image, "/live_photo/media");
        let stream = stream(media, &["h265", "h264"]).unwrap_or(&json::NOTHING);
        Some(Image {
            position,
            file_id: json::first([json::text(image, "/fileid"), json::text(image, "/trace_id")]),
            width: json::pixels(image, "/width"),
            height: json::pixels(image, "/height"),
            url: json::first(
                ["/url_multi_level/high", "/url_size_large", "/url", "/original"]
                    .map(|path| json::text(image, path)),
            ),
            is_live: json::id(image, "/live_photo_file_id").is_some()
                || !json::is_nothing(json::at(image, "/live_photo")),
            live_url: json::text(stream, "/master_url"),
            live_duration_ms: json::hidden_if_empty(json::positive(stream, "/duration")),
            live_video_id: json::text(media, "/video_id"),
        })
    })
}

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
    pub(super) codec: Field<String>,
    pub(super) bytes: Field<i64>,
    pub(super) bit_rate: Field<i64>,
}

/// A stream counts milliseconds; the objects around it count seconds, and round them.
pub(super) fn video(note: Json<'_>) -> Video {
    let media = json::at(note, "/video_info_v2/media");
    let old = json::at(note, "/video");
    let stream = stream(media, &["h264", "h265", "av1", "h266"]);
    let seconds =
        |value, path| json::shown(value, path).and_then(|seconds| seconds.checked_mul(1_000));
    let duration_ms = match stream {
        Some(stream) => json::shown(stream, "/duration"),
        None => Field::Absent,
    };
    let from = stream.unwrap_or(old);
    Video {
        duration_ms: duration_ms
            .or_else(|| seconds(media, "/video/duration"))
            .or_else(|| seconds(old, "/duration")),
        url: json::first([json::text(from, "/master_url"), json::text(old, "/url")]),
        width: json::shown(from, "/width"),
        height: json::shown(from, "/height"),
        codec: json::text(from, "/video_codec"),
        bytes: json::shown(from, "/size"),
        bit_rate: json::shown(from, "/avg_bitrate"),
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
        json::is_object(image).then(|| Image {
            position,
            file_id: json::first([json::text(image, "/fileid"), json::text(image, "/trace_id")]),
            width: json::shown(image, "/width"),
            height: json::shown(image, "/height"),
            url: json::first(
                ["/url_multi_level/high", "/url_size_large", "/url", "/original"]
                    .map(|path| json::text(image, path)),
            ),
            original_url: json::text(image, "/original"),
            largest_url: json::text(image, "/url_8k"),
            latitude: degrees(image, "/latitude"),
            longitude: degrees(image, "/longitude"),
            is_live: json::holds_any(image, &["/live_photo_file_id", "/live_photo"]),
            live_url: json::text(stream, "/master_url"),
            live_duration_ms: json::shown(stream, "/duration"),
            live_video_id: json::text(media, "/video_id"),
            live_codec: json::text(stream, "/video_codec"),
            live_bytes: json::shown(stream, "/size"),
            live_width: json::shown(stream, "/width"),
            live_height: json::shown(stream, "/height"),
        })
    })
}

/// Where a picture was taken; everybody who hides it is shown 0.
fn degrees(image: Json<'_>, path: &str) -> Field<f64> {
    json::float(image, path).and_then(|degrees| (degrees != 0.0).then_some(degrees))
}

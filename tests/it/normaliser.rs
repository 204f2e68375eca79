//! A change of what answers are normalised to is a new version of the normaliser: archives of the
//! older one are told to be replayed.

use sha2::{Digest as _, Sha256};
use tidewatch::api::{Ask, Endpoint};
use tidewatch::document::JsonText;
use tidewatch::model::NORMALISER;

/// The version, and the digest of what it makes of the fixtures.
const KNOWN: (i64, &str) = (1, "eb0a10e8dc3c07e8");

/// Answers with what they were asked for.
const ANSWERS: [(Endpoint, &str, &str); 10] = [
    (Endpoint::NoteDetailV1, "note_detail_image.json", "68a1b2c3d4e5f60718293a4b"),
    (Endpoint::NoteDetailV7, "note_detail_video.json", "68a1b2c3d4e5f60718293a4b"),
    (Endpoint::NoteDetailV6, "note_detail_video_v6.json", "68a1b2c3d4e5f60718293a4b"),
    (Endpoint::SearchSuggestions, "suggestions.json", "露营"),
    (Endpoint::KolSearch, "kol_search_full.json", "{\"keyword\":\"阅读\"}"),
    (Endpoint::KolSearch, "kol_search_page1.json", "{\"keyword\":\"阅读\"}"),
    (Endpoint::WorkDetail, "work_video.json", "7512345678901234567"),
    (Endpoint::WorkDetail, "work_album.json", "7512345678901234567"),
    (Endpoint::AmagiWorkById, "work_amagi_5.json", "7512345678901234567"),
    (Endpoint::AmagiWorkByUrl, "work_amagi_3.json", "https://v.douyin.com/irQCAn4A/"),
];

#[test]
fn change_of_normalised_rows_raises_the_version() {
    let mut digest = Sha256::new();
    for (endpoint, file, key) in ANSWERS {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
        let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
        let subject = endpoint.subject(&text);
        let ask = Ask { key: subject.unwrap_or_else(|| key.to_owned()), page: 1 };
        let reading = endpoint.read(&ask, 200, &JsonText::of(&text));
        assert_ne!(reading.facts, Default::default(), "{file}: {:?}", reading.drift);
        digest.update(format!("{:?} {:?}\n", reading.facts, reading.drift));
    }
    let digest: String = digest.finalize().iter().take(8).map(|it| format!("{it:02x}")).collect();
    let help = "the same answers give other rows: raise NORMALISER, and write both here";
    assert_eq!((NORMALISER, digest.as_str()), KNOWN, "{help}");
}

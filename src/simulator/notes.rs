//! Xiaohongshu notes: every property of a note derived from its id.

use super::catalogue::note_born;
use super::curves::{Counts, Growth};
use super::items::{Fate, Fates, Person, Picture, Tag, Texts, picture, tags};
use super::rng::Rng;
use super::vocabulary::{PLACES, THEMES};

/// Exponent of the typical final number of likes, in thousandths: 2^8 is about 250.
const LIKES: i64 = 8_000;

/// A Xiaohongshu note.
pub(super) struct Note {
    pub(super) id: String,
    pub(super) author: Person,
    pub(super) texts: Texts,
    pub(super) tags: Vec<Tag>,
    pub(super) mention: Option<Person>,
    pub(super) pictures: Vec<Picture>,
    /// In milliseconds; `None` for a note of pictures.
    pub(super) video_ms: Option<i64>,
    pub(super) place: &'static str,
    pub(super) goods: bool,
    pub(super) fate: Fate,
    growth: Growth,
}

impl Note {
    pub(super) fn of(seed: u64, id: &str, fates: Fates) -> Self {
        let mut rng = Rng::of(seed, &["note", id]);
        let rng = &mut rng;
        let theme = rng.pick(&THEMES);
        let born = note_born(rng, id);
        let fate = Fate::draw(rng, born, fates);
        let video_ms = rng.chance(350).then(|| rng.between(6_000, 180_000));
        let pictures = if video_ms.is_some() { 1 } else { rng.between(1, 9) };
        let some_live = rng.chance(250);
        Self {
            id: id.to_owned(),
            author: Person::on_xiaohongshu(rng),
            texts: Texts::draw(rng, theme, 60),
            tags: tags(seed, rng, theme, 24),
            mention: rng.chance(200).then(|| Person::on_xiaohongshu(rng)),
            pictures: (0..pictures)
                .map(|_| picture(rng, "1040g", video_ms.is_none() && some_live))
                .collect(),
            video_ms,
            place: *rng.pick::<&str>(&PLACES),
            goods: rng.chance(120),
            fate,
            growth: Growth::draw(rng, born, LIKES, fate.viral_at),
        }
    }

    pub(super) fn born(&self) -> i64 {
        self.growth.born()
    }

    pub(super) fn counts(&self, at: i64) -> Counts {
        self.growth.at(at)
    }
}

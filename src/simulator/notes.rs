//! Xiaohongshu notes: everything about a note that its id decides.

use super::catalogue::note_born;
use super::curves::{Counts, Growth};
use super::dice::Dice;
use super::items::{Fate, Fates, Person, Picture, Tag, Texts, picture, tags};
use super::words::{PLACES, THEMES};

/// What their likes are around in the end, in thousandths of doublings: 250.
const LIKES: i64 = 8_000;

/// A Xiaohongshu note.
pub(super) struct Note {
    pub(super) id: String,
    pub(super) author: Person,
    pub(super) texts: Texts,
    pub(super) tags: Vec<Tag>,
    pub(super) mention: Option<Person>,
    pub(super) pictures: Vec<Picture>,
    /// Milliseconds; `None` for a note of pictures.
    pub(super) video_ms: Option<i64>,
    pub(super) place: &'static str,
    pub(super) goods: bool,
    pub(super) fate: Fate,
    growth: Growth,
}

impl Note {
    pub(super) fn of(seed: u64, id: &str, fates: Fates) -> Self {
        let mut dice = Dice::of(seed, &["note", id]);
        let dice = &mut dice;
        let theme = dice.pick(&THEMES);
        let born = note_born(dice, id);
        let fate = Fate::roll(dice, born, fates);
        let video_ms = dice.chance(350).then(|| dice.between(6_000, 180_000));
        let pictures = if video_ms.is_some() { 1 } else { dice.between(1, 9) };
        let some_live = dice.chance(250);
        Self {
            id: id.to_owned(),
            author: Person::on_xiaohongshu(dice),
            texts: Texts::roll(dice, theme, 60),
            tags: tags(seed, dice, theme, 24),
            mention: dice.chance(200).then(|| Person::on_xiaohongshu(dice)),
            pictures: (0..pictures)
                .map(|_| picture(dice, "1040g", video_ms.is_none() && some_live))
                .collect(),
            video_ms,
            place: *dice.pick::<&str>(&PLACES),
            goods: dice.chance(120),
            fate,
            growth: Growth::roll(dice, born, LIKES, fate.viral_at),
        }
    }

    pub(super) fn born(&self) -> i64 {
        self.growth.born()
    }

    pub(super) fn counts(&self, at: i64) -> Counts {
        self.growth.at(at)
    }
}

//! Douyin works: everything about a work that its id decides.

use super::catalogue::work_born;
use super::curves::{Counts, Growth};
use super::dice::Dice;
use super::items::{Fate, Fates, Person, Picture, Tag, Texts, picture, tags};
use super::words::{SONGS, THEMES, Theme};

/// What their likes are around in the end, in thousandths of doublings: 4,000.
const LIKES: i64 = 12_000;

/// Administrative codes of cities.
const CITIES: [&str; 4] = ["310000", "440100", "510100", "330100"];

/// A Douyin work.
pub(super) struct Work {
    pub(super) id: String,
    pub(super) author: Person,
    pub(super) sec_uid: String,
    pub(super) texts: Texts,
    pub(super) tags: Vec<Tag>,
    pub(super) mention: Option<Person>,
    /// The images of an album; none for a video.
    pub(super) pictures: Vec<Picture>,
    /// Milliseconds; 0 for an album.
    pub(super) duration_ms: i64,
    pub(super) video: String,
    pub(super) music: Music,
    /// Somebody who made it together with the author.
    pub(super) partner: Option<Person>,
    /// The id, name and episode of the collection it belongs to.
    pub(super) mix: Option<(String, String, i64)>,
    pub(super) city: &'static str,
    pub(super) fate: Fate,
    growth: Growth,
}

/// The music of a work: its own sound, or a song that other works share.
pub(super) struct Music {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) seconds: i64,
    pub(super) original: bool,
}

impl Work {
    pub(super) fn of(seed: u64, id: &str, fates: Fates) -> Self {
        let mut dice = Dice::of(seed, &["work", id]);
        let dice = &mut dice;
        let theme = dice.pick(&THEMES);
        let born = work_born(dice, id);
        let fate = Fate::roll(dice, born, fates);
        let album = if dice.chance(220) { dice.between(2, 9) } else { 0 };
        let duration_ms = if album > 0 { 0 } else { dice.between(5_000, 400_000) };
        let author = Person::on_douyin(dice);
        Self {
            id: id.to_owned(),
            sec_uid: format!("MS4wLjABAAAA{}", dice.letters(43)),
            texts: Texts::roll(dice, theme, 650),
            tags: tags(seed, dice, theme, 16),
            mention: dice.chance(250).then(|| Person::on_douyin(dice)),
            pictures: (0..album).map(|_| picture(dice, "tos-cn-i-0813/o", true)).collect(),
            duration_ms,
            video: format!("v0d00fg10000{}", dice.letters(20).to_lowercase()),
            music: Music::roll(seed, dice, &author, duration_ms),
            partner: dice.chance(60).then(|| Person::on_douyin(dice)),
            mix: dice.chance(150).then(|| mix(dice, theme)),
            city: if dice.chance(930) { *dice.pick::<&str>(&CITIES) } else { "" },
            fate,
            growth: Growth::roll(dice, born, LIKES, fate.viral_at),
            author,
        }
    }

    pub(super) fn born(&self) -> i64 {
        self.growth.born()
    }

    pub(super) fn counts(&self, at: i64) -> Counts {
        self.growth.at(at)
    }
}

impl Music {
    fn roll(seed: u64, dice: &mut Dice, author: &Person, duration_ms: i64) -> Self {
        if dice.chance(500) {
            return Self {
                id: format!("75{}", dice.digits(17)),
                title: format!("@{}创作的原声", author.nickname),
                author: author.nickname.clone(),
                seconds: duration_ms.max(15_000) / 1000,
                original: true,
            };
        }
        let (title, singer) = dice.pick(&SONGS);
        let mut dice = Dice::of(seed, &["song", title]);
        Self {
            id: format!("70{}", dice.digits(17)),
            title: (*title).to_owned(),
            author: (*singer).to_owned(),
            seconds: dice.between(25, 240),
            original: false,
        }
    }
}

fn mix(dice: &mut Dice, theme: &Theme) -> (String, String, i64) {
    (format!("75{}", dice.digits(17)), format!("{}合集", theme.name), dice.between(1, 30))
}

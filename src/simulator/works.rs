//! Douyin works: every property of a work derived from its id.

use super::catalogue::work_born;
use super::curves::{Counts, Growth};
use super::items::{Fate, Fates, Person, Picture, Tag, Texts, picture, tags};
use super::rng::Rng;
use super::vocabulary::{SONGS, THEMES, Theme};

/// Exponent of the typical final number of likes, in thousandths: 2^12 is about 4,000.
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
    /// In milliseconds; 0 for an album.
    pub(super) duration_ms: i64,
    pub(super) video: String,
    pub(super) music: Music,
    /// A co-author.
    pub(super) partner: Option<Person>,
    /// Id, name and episode of the collection it belongs to.
    pub(super) mix: Option<(String, String, i64)>,
    pub(super) city: &'static str,
    pub(super) fate: Fate,
    growth: Growth,
}

/// The music of a work: its own sound, or a song shared with other works.
pub(super) struct Music {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) seconds: i64,
    pub(super) original: bool,
}

impl Work {
    pub(super) fn of(seed: u64, id: &str, fates: Fates) -> Self {
        let mut rng = Rng::of(seed, &["work", id]);
        let rng = &mut rng;
        let theme = rng.pick(&THEMES);
        let born = work_born(rng, id);
        let fate = Fate::draw(rng, born, fates);
        let album = if rng.chance(220) { rng.between(2, 9) } else { 0 };
        let duration_ms = if album > 0 { 0 } else { rng.between(5_000, 400_000) };
        let author = Person::on_douyin(rng);
        Self {
            id: id.to_owned(),
            sec_uid: format!("MS4wLjABAAAA{}", rng.letters(43)),
            texts: Texts::draw(rng, theme, 650),
            tags: tags(seed, rng, theme, 16),
            mention: rng.chance(250).then(|| Person::on_douyin(rng)),
            pictures: (0..album).map(|_| picture(rng, "tos-cn-i-0813/o", true)).collect(),
            duration_ms,
            video: format!("v0d00fg10000{}", rng.letters(20).to_lowercase()),
            music: Music::draw(seed, rng, &author, duration_ms),
            partner: rng.chance(60).then(|| Person::on_douyin(rng)),
            mix: rng.chance(150).then(|| mix(rng, theme)),
            city: if rng.chance(930) { *rng.pick::<&str>(&CITIES) } else { "" },
            fate,
            growth: Growth::draw(rng, born, LIKES, fate.viral_at),
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
    fn draw(seed: u64, rng: &mut Rng, author: &Person, duration_ms: i64) -> Self {
        if rng.chance(500) {
            return Self {
                id: format!("75{}", rng.digits(17)),
                title: format!("@{}创作的原声", author.nickname),
                author: author.nickname.clone(),
                seconds: duration_ms.max(15_000) / 1000,
                original: true,
            };
        }
        let (title, singer) = rng.pick(&SONGS);
        let mut rng = Rng::of(seed, &["song", title]);
        Self {
            id: format!("70{}", rng.digits(17)),
            title: (*title).to_owned(),
            author: (*singer).to_owned(),
            seconds: rng.between(25, 240),
            original: false,
        }
    }
}

fn mix(rng: &mut Rng, theme: &Theme) -> (String, String, i64) {
    (format!("75{}", rng.digits(17)), format!("{}合集", theme.name), rng.between(1, 30))
}

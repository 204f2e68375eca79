//! Traits shared by notes and works: fates, people, hashtags, pictures, texts.

use super::rng::Rng;
use super::vocabulary::{Theme, nickname, sentences, title};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Share of items that meet each fate, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fates {
    /// The title and text change hours or days after publication.
    pub edited: u16,
    /// Deleted or hidden days or weeks after publication.
    pub deleted: u16,
    /// Goes viral days after publication.
    pub viral: u16,
}

impl Default for Fates {
    fn default() -> Self {
        Self { edited: 90, deleted: 30, viral: 50 }
    }
}

/// Later events of one item, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Time of the edit.
    pub edited_at: Option<i64>,
    /// Time of deletion or hiding.
    pub deleted_at: Option<i64>,
    /// Time of going viral.
    pub viral_at: Option<i64>,
}

impl Fate {
    pub(super) fn draw(rng: &mut Rng, born: i64, fates: Fates) -> Self {
        let mut when = |per_mille: u16, from: i64, to: i64| {
            let later = rng.between(from, to);
            rng.chance(per_mille.into()).then_some(born + later)
        };
        Self {
            edited_at: when(fates.edited, 2 * HOUR, 5 * DAY),
            deleted_at: when(fates.deleted, 3 * DAY, 60 * DAY),
            viral_at: when(fates.viral, 2 * DAY, 12 * DAY),
        }
    }

    pub(super) fn is_deleted(&self, at: i64) -> bool {
        self.deleted_at.is_some_and(|deleted| deleted <= at)
    }

    /// Time of the last edit before or at `at`.
    pub(super) fn edited_by(&self, at: i64) -> Option<i64> {
        self.edited_at.filter(|edited| *edited <= at)
    }
}

/// An author or mentioned person.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) nickname: String,
    pub(super) avatar: String,
}

impl Person {
    pub(super) fn on_xiaohongshu(rng: &mut Rng) -> Self {
        let id = format!("{:08x}00000000{}", rng.between(0x5a00_0000, 0x6800_0000), rng.hex(8));
        let handle = match rng.chance(150) {
            true => rng.letters(9).to_lowercase(),
            false => rng.digits(10),
        };
        Self { id, handle, nickname: nickname(rng), avatar: rng.hex(32) }
    }

    pub(super) fn on_douyin(rng: &mut Rng) -> Self {
        Self {
            id: rng.digits(16),
            handle: rng.digits(10),
            nickname: nickname(rng),
            avatar: format!("aweme-avatar/tos-cn-avt-0015_{}", rng.hex(32)),
        }
    }
}

/// A hashtag.
pub(super) struct Tag {
    pub(super) id: String,
    pub(super) name: &'static str,
}

/// A picture, or a live photo.
pub(super) struct Picture {
    pub(super) file: String,
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) live: bool,
}

/// Title and text before and after an edit.
pub(super) struct Texts {
    title: Option<String>,
    body: String,
    edited_title: String,
    edited_body: String,
}

impl Texts {
    pub(super) fn draw(rng: &mut Rng, theme: &Theme, untitled_per_mille: i64) -> Self {
        let count = usize::from(rng.chance(500)) + 2;
        let body = sentences(rng, count);
        Self {
            title: (!rng.chance(untitled_per_mille)).then(|| title(rng, theme)),
            edited_title: title(rng, theme),
            edited_body: format!("【更新】{}\n{body}", sentences(rng, 1)),
            body,
        }
    }

    pub(super) fn title(&self, edited: bool) -> Option<&str> {
        if edited { Some(&self.edited_title) } else { self.title.as_deref() }
    }

    pub(super) fn body(&self, edited: bool) -> &str {
        if edited { &self.edited_body } else { &self.body }
    }
}

/// A few of the theme's hashtags, sometimes one of them twice, as upstream sends them. A hashtag
/// has the same id everywhere.
pub(super) fn tags(seed: u64, rng: &mut Rng, theme: &'static Theme, digits: usize) -> Vec<Tag> {
    let count = usize::try_from(rng.between(1, 5)).unwrap_or(1);
    let mut names = rng.pick_some(theme.tags, count);
    if rng.chance(15) {
        names.extend(names.first().copied());
    }
    let tag = |name: &&'static str| {
        let mut rng = Rng::of(seed, &["hashtag", name]);
        let id = match digits {
            24 => format!("5{}00000000{}", rng.hex(7), rng.hex(8)),
            _ => format!("1{}", rng.digits(digits - 1)),
        };
        Tag { id, name }
    };
    names.into_iter().map(tag).collect()
}

pub(super) fn picture(rng: &mut Rng, prefix: &str, may_live: bool) -> Picture {
    let (width, height) =
        *rng.pick(&[(1080, 1440), (1440, 1080), (1280, 1707), (5712, 4284), (1242, 1242)]);
    Picture {
        file: format!("{prefix}{}", rng.letters(39).to_lowercase()),
        width,
        height,
        live: may_live && rng.chance(400),
    }
}

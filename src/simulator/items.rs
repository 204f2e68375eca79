//! What notes and works have in common: fates, people, hashtags, pictures, texts.

use super::dice::Dice;
use super::words::{Theme, nickname, sentences, title};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// How many of a thousand items meet which fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fates {
    /// Title and text change, some hours or days after publication.
    pub edited: u16,
    /// Deleted or hidden, some days or weeks after publication.
    pub deleted: u16,
    /// Goes viral, some days after publication.
    pub viral: u16,
}

impl Default for Fates {
    fn default() -> Self {
        Self { edited: 90, deleted: 30, viral: 50 }
    }
}

/// What becomes of one item, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// When its text changes.
    pub edited_at: Option<i64>,
    /// When it is deleted or hidden.
    pub deleted_at: Option<i64>,
    /// When it goes viral.
    pub viral_at: Option<i64>,
}

impl Fate {
    pub(super) fn roll(dice: &mut Dice, born: i64, fates: Fates) -> Self {
        let mut when = |per_mille: u16, from: i64, to: i64| {
            let later = dice.between(from, to);
            dice.chance(per_mille.into()).then_some(born + later)
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

    /// The time of the last edit, if there was one by `at`.
    pub(super) fn edited_by(&self, at: i64) -> Option<i64> {
        self.edited_at.filter(|edited| *edited <= at)
    }
}

/// Somebody.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) nickname: String,
    pub(super) avatar: String,
}

impl Person {
    pub(super) fn on_xiaohongshu(dice: &mut Dice) -> Self {
        let id = format!("{:08x}00000000{}", dice.between(0x5a00_0000, 0x6800_0000), dice.hex(8));
        let handle = match dice.chance(150) {
            true => dice.letters(9).to_lowercase(),
            false => dice.digits(10),
        };
        Self { id, handle, nickname: nickname(dice), avatar: dice.hex(32) }
    }

    pub(super) fn on_douyin(dice: &mut Dice) -> Self {
        Self {
            id: dice.digits(16),
            handle: dice.digits(10),
            nickname: nickname(dice),
            avatar: format!("aweme-avatar/tos-cn-avt-0015_{}", dice.hex(32)),
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

/// Title and text as they were first, and as they are after an edit.
pub(super) struct Texts {
    title: Option<String>,
    body: String,
    edited_title: String,
    edited_body: String,
}

impl Texts {
    pub(super) fn roll(dice: &mut Dice, theme: &Theme, untitled_per_mille: i64) -> Self {
        let count = usize::from(dice.chance(500)) + 2;
        let body = sentences(dice, count);
        Self {
            title: (!dice.chance(untitled_per_mille)).then(|| title(dice, theme)),
            edited_title: title(dice, theme),
            edited_body: format!("【更新】{}\n{body}", sentences(dice, 1)),
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

/// A few of the theme's hashtags; now and then the same one twice, as upstream has it.
/// A hashtag has the same id wherever it stands.
pub(super) fn tags(seed: u64, dice: &mut Dice, theme: &'static Theme, digits: usize) -> Vec<Tag> {
    let count = usize::try_from(dice.between(1, 5)).unwrap_or(1);
    let mut names = dice.pick_some(theme.tags, count);
    if dice.chance(15) {
        names.extend(names.first().copied());
    }
    let tag = |name: &&'static str| {
        let mut dice = Dice::of(seed, &["hashtag", name]);
        let id = match digits {
            24 => format!("5{}00000000{}", dice.hex(7), dice.hex(8)),
            _ => format!("1{}", dice.digits(digits - 1)),
        };
        Tag { id, name }
    };
    names.into_iter().map(tag).collect()
}

pub(super) fn picture(dice: &mut Dice, prefix: &str, may_live: bool) -> Picture {
    let (width, height) =
        *dice.pick(&[(1080, 1440), (1440, 1080), (1280, 1707), (5712, 4284), (1242, 1242)]);
    Picture {
        file: format!("{prefix}{}", dice.letters(39).to_lowercase()),
        width,
        height,
        live: may_live && dice.chance(400),
    }
}

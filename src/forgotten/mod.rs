//! What is forgotten, known again: an answer that speaks of it is cut before it is kept, or not kept.
//! Pure, but for what was read from the archive.

mod cut;
mod ids;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

pub(crate) use ids::Ids;

use crate::api::{Ask, Endpoint, Outcome, Reading};
use crate::config::Config;
use crate::model::{Batch, Kind, Platform, Target};
use crate::store::{Body, Tombstone};
use crate::time::Time;

/// What an author is called among the kinds of what is forgotten.
pub const AUTHOR: &str = "author";

/// Why a look is missed whose target is forgotten.
pub const REASON: &str = "forgotten";

/// Entries of a job that are named one by one; the others are counted.
const ENTRIES_NAMED: usize = 5;

/// All that is forgotten. Nobody forgets while others are at work on the archive, so what a process
/// has read at its beginning holds until its end.
#[derive(Clone, Debug, Default)]
pub struct Forgotten {
    tombstones: BTreeMap<(String, String), Tombstone>,
    xiaohongshu: Ids,
    douyin: Ids,
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Heeded {
    /// It speaks of nothing that is forgotten.
    Whole,
    /// Something was cut out of it.
    Redacted,
    /// It is about what is forgotten, and nothing of it may be kept: nor its target, if that was not
    /// known to be forgotten.
    Dropped(Vec<Tombstone>),
}

impl Forgotten {
    /// What these tombstones stand for.
    ///
    /// # Errors
    /// When there are too many to look for.
    pub fn of(tombstones: Vec<Tombstone>) -> Result<Self> {
        let ids = |platform: Platform| {
            let of_it = tombstones.iter().filter(|it| it.platform == platform.as_str());
            Ids::of(of_it.map(|it| it.id.clone()))
        };
        let (xiaohongshu, douyin) = (ids(Platform::Xiaohongshu)?, ids(Platform::Douyin)?);
        let key = |it: &Tombstone| (kind_of(it), it.id.clone());
        let tombstones = tombstones.into_iter().map(|it| (key(&it), it)).collect();
        Ok(Self { tombstones, xiaohongshu, douyin })
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.tombstones.is_empty()
    }

    /// The tombstone of a note, a work or a short link.
    pub fn target(&self, target: &Target) -> Option<&Tombstone> {
        self.item(target.kind, &target.key)
    }

    fn item(&self, kind: Kind, key: &str) -> Option<&Tombstone> {
        self.named(kind.as_str(), key)
    }

    fn author(&self, platform: Platform, id: Option<&str>) -> Option<&Tombstone> {
        self.named(&format!("{AUTHOR} {}", platform.as_str()), id?)
    }

    fn named(&self, kind: &str, id: &str) -> Option<&Tombstone> {
        if self.tombstones.is_empty() {
            return None;
        }
        self.tombstones.get(&(kind.to_owned(), id.to_owned()))
    }

    /// The ids to look for in what comes from a platform.
    pub(crate) fn ids(&self, platform: Platform) -> &Ids {
        match platform {
            Platform::Xiaohongshu => &self.xiaohongshu,
            Platform::Douyin => &self.douyin,
        }
    }

    /// Cuts what is forgotten out of an answer that came at `now`, and reads it again; or says that
    /// nothing of it may be kept, and leaves no rows and no words of it.
    pub fn heed(
        &self,
        endpoint: Endpoint,
        ask: &Ask,
        (http_status, now): (u16, Time),
        body: &mut Body,
        reading: &mut Reading,
    ) -> Heeded {
        let (kind, platform) = (endpoint.kind(), endpoint.kind().platform());
        let ids = self.ids(platform);
        if self.item(kind, &ask.key).is_none() && !ids.occur_in(&body.json) {
            return Heeded::Whole;
        }
        if let Some(tombstones) = self.is_about(kind, ask, reading, now) {
            return dropped(reading, tombstones);
        }
        let names = self.mentioned(platform, &reading.batch);
        let Some(text) = cut::cut(&body.json, ids, &names) else {
            return dropped(reading, Vec::new());
        };
        if text == body.json {
            return Heeded::Whole;
        }
        let (cut, left) =
            Body::read(text.into_bytes(), |body| endpoint.read(ask, http_status, body));
        if reading.outcome == Outcome::Ok && left.outcome != Outcome::Ok {
            return dropped(reading, Vec::new());
        }
        (*body, *reading) = (cut, left);
        Heeded::Redacted
    }

    /// Whether an answer as a whole is about what is forgotten: then, whatever else is by that.
    fn is_about(
        &self,
        kind: Kind,
        ask: &Ask,
        reading: &Reading,
        now: Time,
    ) -> Option<Vec<Tombstone>> {
        if self.item(kind, &ask.key).is_some() {
            return Some(Vec::new());
        }
        let Batch { notes, works, .. } = &reading.batch;
        let notes = notes.iter().map(|it| (Kind::Note, &it.note_id, it.author_id.as_deref()));
        let works = works.iter().map(|it| (Kind::Work, &it.work_id, it.author_id.as_deref()));
        let resolved = reading.resolved.iter().map(|id| (kind, id, None));
        let mut items = notes.chain(works).chain(resolved);
        let (kind, id, root) = items.find_map(|(kind, id, author)| {
            let item = self.item(kind, id);
            let root = item.or_else(|| self.author(kind.platform(), author))?;
            Some((kind, id, root))
        })?;
        let because = root.because.as_ref().unwrap_or(&root.id);
        let mut also = BTreeSet::from([id, &ask.key]);
        also.retain(|key| self.item(kind, key).is_none());
        let also = also.into_iter().map(|key| Tombstone {
            because: Some(because.clone()),
            ..Tombstone::new(kind.as_str(), kind.platform(), key, now)
        });
        Some(also.collect())
    }

    /// By what names an answer mentions those who are forgotten.
    fn mentioned(&self, platform: Platform, batch: &Batch) -> Vec<String> {
        let notes = batch.note_mentions.iter().map(|it| (&it.user_id, &it.nickname));
        let works = batch.work_mentions.iter().map(|it| (&it.user_id, &it.nickname));
        let creators = batch.work_creators.iter().map(|it| (&it.author_id, &it.nickname));
        let people = notes.chain(works).chain(creators);
        let forgotten = people.filter(|(id, _)| self.author(platform, Some(id)).is_some());
        let mut names: Vec<_> = forgotten.filter_map(|(_, name)| name.clone()).collect();
        names.retain(|name| !name.is_empty());
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names
    }

    /// What to say of a job that names what is forgotten: each entry with its place.
    pub fn named_by(&self, config: &Config) -> Vec<String> {
        let mut said = Vec::new();
        for job in &config.jobs {
            let found = job.targets.iter().enumerate().filter_map(|(at, target)| {
                let tombstone = self.target(target)?;
                Some(format!(
                    "{}: {} is not looked at by {}: {}",
                    job.places.of(at, &config.path),
                    target.key,
                    job.name,
                    said_of(tombstone)
                ))
            });
            let found: Vec<_> = found.collect();
            let more = found.len().saturating_sub(ENTRIES_NAMED);
            said.extend(found.into_iter().take(ENTRIES_NAMED));
            if more > 0 {
                said.push(format!("{}: {more} more entries are forgotten", job.name));
            }
        }
        said
    }
}

/// What is to be said of something that is forgotten.
pub fn said_of(tombstone: &Tombstone) -> String {
    let Tombstone { kind, platform, id, because, forgotten_at, .. } = tombstone;
    let of = if kind == AUTHOR { format!("{AUTHOR} {platform}") } else { kind.clone() };
    let again = match because {
        Some(because) => format!("with {because}; undoing that permits it again"),
        None => format!("`tidewatch forget {of} {id} --undo` permits it again"),
    };
    let day = forgotten_at.utc().format("%Y-%m-%d");
    format!("it was forgotten on {day} (UTC); {again}")
}

/// A kind, which of authors says the platform, too.
fn kind_of(tombstone: &Tombstone) -> String {
    match tombstone.kind.as_str() {
        AUTHOR => format!("{AUTHOR} {}", tombstone.platform),
        kind => kind.to_owned(),
    }
}

fn dropped(reading: &mut Reading, tombstones: Vec<Tombstone>) -> Heeded {
    reading.batch = Batch::default();
    (reading.message, reading.drift) = (None, None);
    (reading.listing, reading.resolved) = (None, None);
    Heeded::Dropped(tombstones)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_text::JsonText;

    const LINK: &str = "https://v.douyin.com/abc/";
    const WORK: &str = "7600000000000000001";

    fn heed(forgotten: &Forgotten, author: &str) -> (Heeded, Reading) {
        let now = "2026-03-09 09:00:00".parse().expect("a time");
        let json = format!(
            r#"{{"code":200,"data":{{"aweme_detail":{{"aweme_id":"{WORK}","author":{{"uid":"{author}","nickname":"x"}},"statistics":{{"digg_count":1}}}}}}}}"#
        );
        let (endpoint, mut body) = (Endpoint::AmagiWorkByUrl, Body::new(json.into_bytes()));
        let ask = Ask { key: LINK.to_owned(), page: 1 };
        let mut reading = endpoint.read(&ask, 200, &JsonText::of(&body.json));
        assert_eq!(reading.outcome, Outcome::Ok);
        (forgotten.heed(endpoint, &ask, (200, now), &mut body, &mut reading), reading)
    }

    #[test]
    fn a_work_of_a_forgotten_author_is_forgotten_with_the_link_that_led_to_it() {
        let at = "2026-03-08 09:00:00".parse().expect("a time");
        let author = Tombstone::new(AUTHOR, Platform::Douyin, "700000000001", at);
        let forgotten = Forgotten::of(vec![author]).expect("it is one");
        let (heeded, reading) = heed(&forgotten, "700000000001");
        let Heeded::Dropped(also) = heeded else { panic!("{heeded:?}") };
        let ids: Vec<_> = also.iter().map(|it| (it.id.as_str(), it.because.as_deref())).collect();
        assert_eq!(ids, [(WORK, Some("700000000001")), (LINK, Some("700000000001"))]);
        assert_eq!((reading.batch, reading.resolved), (Batch::default(), None));
        assert_eq!(heed(&forgotten, "700000000002").0, Heeded::Whole, "another's");
        assert_eq!(heed(&Forgotten::default(), "700000000001").0, Heeded::Whole);
    }

    #[test]
    fn an_id_of_one_platform_is_nobody_on_the_other() {
        let at = "2026-03-08 09:00:00".parse().expect("a time");
        let author = Tombstone::new(AUTHOR, Platform::Xiaohongshu, "700000000001", at);
        let forgotten = Forgotten::of(vec![author]).expect("it is one");
        assert_eq!(heed(&forgotten, "700000000001").0, Heeded::Whole);
    }
}

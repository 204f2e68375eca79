//! What is forgotten, known again: an answer that speaks of it is cut before it is kept, or not kept.
//! Pure, but for what was read from the archive.

mod cut;
mod ids;
mod named;

use std::collections::BTreeSet;

use anyhow::Result;

pub(crate) use ids::Ids;
pub use named::{AUTHOR, Tombstones, said_of};

use crate::api::{Ask, Endpoint, Outcome, Reading};
use crate::model::{Batch, Kind, Platform};
use crate::store::{Body, Tombstone, TombstoneVersion};
use crate::time::Time;

/// All that is forgotten, to be known again wherever it is spoken of. Somebody may forget more while
/// this is in use: whoever saves compares the [`TombstoneVersion`] first.
#[derive(Clone, Debug, Default)]
pub struct Forgotten {
    tombstones: Tombstones,
    extent: TombstoneVersion,
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
    /// What these tombstones stand for, which are all there are.
    ///
    /// # Errors
    /// When there are too many to look for.
    pub fn of(tombstones: Vec<Tombstone>) -> Result<Self> {
        let extent = TombstoneVersion::of(&tombstones);
        Self::made(Tombstones::of(tombstones), extent)
    }

    /// The same with more, which are not in the archive yet.
    ///
    /// # Errors
    /// When there are too many to look for.
    pub fn with(&self, more: impl IntoIterator<Item = Tombstone>) -> Result<Self> {
        let mut tombstones = self.tombstones.clone();
        for it in more {
            tombstones.add(it);
        }
        Self::made(tombstones, self.extent)
    }

    fn made(tombstones: Tombstones, extent: TombstoneVersion) -> Result<Self> {
        let ids = |platform: Platform| {
            let of_it = tombstones.all().filter(|it| it.platform == platform.as_str());
            Ids::of(of_it.map(|it| it.id.clone()))
        };
        let (xiaohongshu, douyin) = (ids(Platform::Xiaohongshu)?, ids(Platform::Douyin)?);
        Ok(Self { tombstones, extent, xiaohongshu, douyin })
    }

    /// How much the archive had of it.
    pub fn extent(&self) -> TombstoneVersion {
        self.extent
    }

    /// What is forgotten, by its name.
    pub fn tombstones(&self) -> &Tombstones {
        &self.tombstones
    }

    /// The ids to look for in what comes from a platform.
    pub(crate) fn ids(&self, platform: Platform) -> &Ids {
        match platform {
            Platform::Xiaohongshu => &self.xiaohongshu,
            Platform::Douyin => &self.douyin,
        }
    }

    /// Whether an answer may speak of what is forgotten: without reading it, which most need not be.
    pub(crate) fn concerns(
        &self,
        endpoint: Endpoint,
        (ask, target): (&Ask, &str),
        text: &str,
    ) -> bool {
        let kind = endpoint.kind();
        self.asked(kind, ask, target).is_some() || self.ids(kind.platform()).occur_in(text)
    }

    /// Cuts what is forgotten out of an answer about a target of this key, and reads it again; or says
    /// that nothing of it may be kept, and leaves no rows and no words of it.
    pub fn heed(
        &self,
        endpoint: Endpoint,
        (ask, target): (&Ask, &str),
        (http_status, now): (u16, Time),
        body: &mut Body,
        reading: &mut Reading,
    ) -> Heeded {
        let (kind, platform) = (endpoint.kind(), endpoint.kind().platform());
        if !self.concerns(endpoint, (ask, target), &body.json) {
            return Heeded::Whole;
        }
        if let Some(tombstones) = self.is_about(kind, (ask, target), reading, now) {
            return dropped(reading, tombstones);
        }
        let names = self.mentioned(platform, &reading.batch);
        let Some(text) = cut::cut(&body.json, self.ids(platform), &names) else {
            return dropped(reading, Vec::new());
        };
        if text == body.json {
            return Heeded::Whole;
        }
        let (cut, mut left) =
            Body::read(text.into_bytes(), |body| endpoint.read(ask, http_status, body));
        let is_page = reading.outcome == Outcome::Ok && reading.listing.is_some();
        if is_page && left.outcome != Outcome::Ok {
            // It was seen, though it lists nobody else.
            (left.outcome, left.listing) = (reading.outcome, reading.listing.take());
        }
        if left.outcome != reading.outcome {
            // What is left would say of the target what upstream did not.
            return dropped(reading, Vec::new());
        }
        (*body, *reading) = (cut, left);
        Heeded::Redacted
    }

    /// The tombstone of what was asked for: the item, or the short link to it.
    pub(crate) fn asked(&self, kind: Kind, ask: &Ask, target: &str) -> Option<&Tombstone> {
        [&ask.key, target].into_iter().find_map(|key| self.tombstones.item(kind, key))
    }

    /// Whether an answer as a whole is about what is forgotten: then, whatever else is by that.
    fn is_about(
        &self,
        kind: Kind,
        (ask, target): (&Ask, &str),
        reading: &Reading,
        now: Time,
    ) -> Option<Vec<Tombstone>> {
        let Batch { notes, works, .. } = &reading.batch;
        let notes = notes.iter().map(|it| (Kind::Note, &it.note_id, it.author_id.as_deref()));
        let works = works.iter().map(|it| (Kind::Work, &it.work_id, it.author_id.as_deref()));
        let resolved = reading.resolved.iter().map(|id| (kind, id, None));
        let mut items = notes.chain(works).chain(resolved);
        let about = || {
            items.find_map(|(kind, id, author)| {
                let item = self.tombstones.item(kind, id);
                let author = || self.tombstones.author(kind.platform(), author);
                Some((kind, id.as_str(), item.or_else(author)?))
            })
        };
        let asked = self.asked(kind, ask, target).map(|root| (kind, ask.key.as_str(), root));
        let (kind, id, root) = asked.or_else(about)?;
        let because = root.because.as_ref().unwrap_or(&root.id);
        let mut also = BTreeSet::from([id, &ask.key, target]);
        also.retain(|key| self.tombstones.item(kind, key).is_none());
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
        let forgotten =
            people.filter(|(id, _)| self.tombstones.author(platform, Some(id)).is_some());
        let mut names: Vec<_> = forgotten.filter_map(|(_, name)| name.clone()).collect();
        names.retain(|name| !name.is_empty());
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names
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
    use crate::document::JsonText;

    const LINK: &str = "https://v.douyin.com/abc/";
    const WORK: &str = "7600000000000000001";

    fn heed(forgotten: &Forgotten, author: &str) -> (Heeded, Reading) {
        let now = "2026-03-09 09:00:00".parse().expect("a time");
        let json = format!(
            r#"{{"code":200,"data":{{"aweme_detail":{{"aweme_id":"{WORK}","author":{{"uid":"{author}","nickname":"x"}},"statistics":{{"digg_count":1}}}}}}}}"#
        );
        let (endpoint, mut body) = (Endpoint::AmagiWorkByUrl, Body::new(json.into_bytes()));
        // The second call for a link: by the id that the first one brought.
        let ask = Ask { key: WORK.to_owned(), page: 1 };
        let mut reading = endpoint.read(&ask, 200, &JsonText::of(&body.json));
        assert_eq!(reading.outcome, Outcome::Ok);
        (forgotten.heed(endpoint, (&ask, LINK), (200, now), &mut body, &mut reading), reading)
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

    #[test]
    fn what_is_left_of_an_answer_says_nothing_that_it_did_not() {
        let at = "2026-03-08 09:00:00".parse().expect("a time");
        let id = "5a0000000000000000aaaaaa";
        let gone = |kind: &str| Tombstone::new(kind, Platform::Xiaohongshu, id, at);
        let heed = |kind: &str, endpoint: Endpoint, key: &str, json: String| {
            let forgotten = Forgotten::of(vec![gone(kind)]).expect("it is one");
            let (mut body, ask) = (Body::new(json.into_bytes()), Ask { key: key.into(), page: 1 });
            let mut reading = endpoint.read(&ask, 200, &JsonText::of(&body.json));
            let before = reading.outcome;
            let heeded = forgotten.heed(endpoint, (&ask, key), (200, at), &mut body, &mut reading);
            (before, heeded, reading.outcome, reading.listing.map(|it| it.ids.len()))
        };
        let note = format!(r#"{{"code":0,"data":[{{"note_list":[{{"id":"{id}"}}]}}]}}"#);
        let other = heed("note", Endpoint::NoteDetailV7, "6b0000000000000000b00001", note);
        let dropped = Heeded::Dropped(Vec::new());
        assert_eq!(other, (Outcome::Unreadable, dropped, Outcome::Unreadable, None), "not gone");
        let kols = format!(r#"{{"code":0,"data":{{"total":9,"kols":[{{"userId":"{id}"}}]}}}}"#);
        let page = heed("author", Endpoint::KolSearch, r#"{"keyword":"x"}"#, kols);
        assert_eq!(
            page,
            (Outcome::Ok, Heeded::Redacted, Outcome::Ok, Some(1)),
            "the look was made"
        );
    }
}

//! Tombstones applied to answers before they are saved: one that speaks of what is erased is
//! redacted, and one that is about it, or cannot be redacted, is dropped whole.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::ids::{Ids, has_escaped_letters};
use super::redact::{Known, Redaction, redact};
use super::tombstones::{AUTHOR, Tombstones};
use crate::api::{Ask, Endpoint, Reading};
use crate::document::JsonText;
use crate::model::{Facts, Kind, Mention, MissedReason, Platform};
use crate::store::{Answer, Body, Disposition, Document, Import, Tombstone, TombstoneVersion, Tx};
use crate::time::Time;

/// All tombstones, ready to be applied to answers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    tombstones: Tombstones,
    version: TombstoneVersion,
    ids: BTreeMap<Platform, Ids>,
    /// By what else the erased are known, where the archive has it: while they are erased.
    known: BTreeMap<Platform, Known>,
    /// Tombstones that answers have led to, and that are not on record yet.
    found: Vec<Tombstone>,
}

/// What the tombstones make of a document.
pub(super) enum Verdict {
    /// It says nothing of the erased.
    Untouched,
    /// It is redacted: what it said, what it says, and what else is erased by that.
    Redacted(Facts, Facts, Vec<Tombstone>),
    /// Nothing of it may be kept: what it said, and what else is erased by that.
    Dropped(Facts, Vec<Tombstone>),
}

/// An answer on its way into the archive.
pub(crate) trait Incoming {
    /// What the tombstones may change of it.
    fn parts(&mut self) -> Parts<'_>;
    /// Nothing of it may be kept.
    fn drop_whole(&mut self);
}

/// What the tombstones may change of an answer.
pub(crate) struct Parts<'a> {
    /// What was asked for, and the key of the target.
    names: [&'a str; 2],
    document: Option<&'a mut Document>,
    facts: &'a mut Facts,
    message: &'a mut Option<String>,
}

impl Filter {
    /// Of all tombstones that there are.
    pub(super) fn of(version: TombstoneVersion, tombstones: Vec<Tombstone>) -> Result<Self> {
        let mut filter = Self { version, ..Self::default() };
        filter.add(tombstones)?;
        Ok(filter)
    }

    /// Adds tombstones; which of them are new.
    pub(super) fn add(&mut self, mut tombstones: Vec<Tombstone>) -> Result<Vec<Tombstone>> {
        tombstones.retain(|it| self.tombstones.add(it.clone()));
        let platforms: BTreeSet<_> = tombstones.iter().map(|it| it.platform.clone()).collect();
        for platform in platforms.iter().filter_map(|name| Platform::parse(name)) {
            let all = self.tombstones.all().filter(|it| it.platform == platform.as_str());
            self.ids.insert(platform, Ids::of(all.map(|it| it.id.clone()))?);
        }
        Ok(tombstones)
    }

    /// Applies the tombstones to answers that are to be saved in this transaction, after loading them
    /// again where their version has changed. Nobody erases more until the transaction ends, if it
    /// writes.
    pub(crate) async fn apply(&mut self, tx: &mut Tx, answers: &mut [impl Incoming]) -> Result<()> {
        let version = tx.tombstone_version().await?;
        if version != self.version {
            let found = std::mem::take(&mut self.found);
            *self = Self::of(version, tx.tombstones().await?)?;
            self.found = self.add(found)?;
        }
        loop {
            let found = answers.iter_mut().flat_map(|answer| self.apply_to(answer)).collect();
            let new = self.add(found)?;
            if new.is_empty() {
                return Ok(());
            }
            // What one answer shows to be erased may stand in any other.
            self.found.extend(new);
        }
    }

    /// Adds by what else somebody erased is known.
    pub(super) fn know(&mut self, platform: Platform, known: Known) {
        self.known.entry(platform).or_default().add(known);
    }

    /// By what else the erased are known.
    pub(super) fn known(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    /// What answers have shown to be erased, and the archive does not know of yet.
    pub(super) fn found(&self) -> &[Tombstone] {
        &self.found
    }

    fn apply_to(&self, answer: &mut impl Incoming) -> Vec<Tombstone> {
        let Parts { names: [asked, target], document, facts, message } = answer.parts();
        message.take_if(|message| self.occurs_in(message));
        let Some(document) = document else { return Vec::new() };
        let now = document.imported_at.unwrap_or(document.fetched_at);
        match self.judge(asked, target, document, now) {
            Verdict::Untouched => Vec::new(),
            Verdict::Redacted(_, left, found) => {
                *facts = left;
                found
            }
            Verdict::Dropped(_, found) => {
                answer.drop_whole();
                found
            }
        }
    }

    /// Whether a text names what is erased, of whatever platform.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        self.ids.values().any(|ids| ids.occur_in(text))
    }

    /// The same of what is asked: a short id may be a figure there.
    pub(super) fn is_asked(&self, asked: &str) -> bool {
        self.ids.values().any(|ids| ids.contain(asked) || ids.long_occur_in(asked))
    }

    /// Whether a JSON text may say something of the erased: most need not be read again.
    pub(super) fn may_speak(&self, json: &str) -> bool {
        self.occurs_in(json)
            || self.known().any(|known| known.may_occur_in(json))
            || (!self.ids.is_empty() && has_escaped_letters(json))
    }

    /// Whether an id is an erased person's.
    pub(crate) fn is_erased(&self, platform: Platform, author: &str) -> bool {
        self.tombstones.author(platform, author).is_some()
    }

    /// Applies the tombstones to a document, which is redacted in place.
    pub(super) fn judge(
        &self,
        asked: &str,
        target: &str,
        document: &mut Document,
        now: Time,
    ) -> Verdict {
        let Some(endpoint) = Endpoint::parse(document.endpoint) else { return Verdict::Untouched };
        let (kind, platform) = (endpoint.kind(), endpoint.kind().platform());
        let root = [asked, target].into_iter().find_map(|key| self.tombstones.item(kind, key));
        let is_asked = self.is_asked(asked) || self.is_asked(target);
        if root.is_none() && !is_asked && !self.may_speak(&document.body.json) {
            return Verdict::Untouched;
        }
        let none = Ids::default();
        let ids = self.ids.get(&platform).unwrap_or(&none);
        let ask = Ask { key: asked.to_owned(), page: u32::try_from(document.page).unwrap_or(1) };
        let status = document.http_status;
        let before = endpoint.read(&ask, status, &JsonText::of(&document.body.json));
        let root = root.map(|root| (kind, asked, root)).or_else(|| self.subject(kind, &before));
        if let Some((kind, id, root)) = root {
            let found = self.found_with(root, kind, [id, asked, target], now);
            return Verdict::Dropped(before.facts, found);
        }
        let found = self.also_erased(platform, &before.facts, now);
        if is_asked {
            // Of a search for somebody erased every answer speaks of them.
            return Verdict::Dropped(before.facts, found);
        }
        let mut known = self.known.get(&platform).cloned().unwrap_or_default();
        known.names.extend(self.mentioned(platform, &before.facts));
        let text = match redact(&document.body.json, ids, known) {
            Redaction::Unchanged => return Verdict::Untouched,
            Redaction::Impossible => return Verdict::Dropped(before.facts, found),
            Redaction::Text(text) => text,
        };
        let (body, after) = Body::read(text.into_bytes(), |body| endpoint.read(&ask, status, body));
        if after.outcome != before.outcome {
            // What is left would say of the target what upstream did not.
            return Verdict::Dropped(before.facts, found);
        }
        (document.body, document.drift, document.redacted_at) = (body, after.drift, Some(now));
        Verdict::Redacted(before.facts, after.facts, found)
    }

    /// The erased item that an answer as a whole is about, with its tombstone or its author's.
    fn subject<'a>(
        &'a self,
        kind: Kind,
        reading: &'a Reading,
    ) -> Option<(Kind, &'a str, &'a Tombstone)> {
        let Facts { notes, works, .. } = &reading.facts;
        let notes = notes.iter().map(|it| (Kind::Note, &it.row.note_id, it.row.author_id.value()));
        let works = works.iter().map(|it| (Kind::Work, &it.row.work_id, it.row.author_id.value()));
        let resolved = reading.resolved.iter().map(|id| (kind, id, None));
        notes.chain(works).chain(resolved).find_map(|(kind, id, author)| {
            let author = || self.tombstones.author(kind.platform(), author?);
            Some((kind, id.as_str(), self.tombstones.item(kind, id).or_else(author)?))
        })
    }

    /// Tombstones of the names of an item, as far as it has none, that go with another one.
    fn found_with(
        &self,
        root: &Tombstone,
        kind: Kind,
        names: [&str; 3],
        now: Time,
    ) -> Vec<Tombstone> {
        let because = root.because.as_ref().unwrap_or(&root.id);
        let names = BTreeSet::from(names).into_iter();
        let new = names.filter(|name| self.tombstones.item(kind, name).is_none());
        let found = new.map(|name| Tombstone {
            because: Some(because.clone()),
            ..Tombstone::new(kind.as_str(), kind.platform(), name, now)
        });
        found.collect()
    }

    /// Tombstones of the other ids that an answer gives erased people.
    fn also_erased(&self, platform: Platform, facts: &Facts, now: Time) -> Vec<Tombstone> {
        let Facts { authors, notes, works, .. } = facts;
        let authors = authors.iter().map(|it| (&it.author_id, &it.sec_uid));
        let items = notes.iter().map(|it| (&it.mentions, &it.creators));
        let items = items.chain(works.iter().map(|it| (&it.mentions, &it.creators)));
        let people = items.flat_map(|(mentions, creators)| {
            let mentions = mentions.value().into_iter().flatten();
            let creators = creators.value().into_iter().flatten();
            mentions
                .map(|it| (&it.user_id, &it.sec_uid))
                .chain(creators.map(|it| (&it.author_id, &it.sec_uid)))
        });
        let erased = authors.chain(people).filter_map(|(id, other)| {
            let root = self.tombstones.author(platform, id)?;
            let because = root.because.as_ref().unwrap_or(&root.id);
            Some(Tombstone {
                because: Some(because.clone()),
                ..Tombstone::new(AUTHOR, platform, other.value()?, now)
            })
        });
        erased.collect()
    }

    /// By what names an answer mentions erased people. Of Douyin they stand in the text alone.
    fn mentioned(&self, platform: Platform, facts: &Facts) -> Vec<String> {
        let notes = facts.notes.iter().map(|it| &it.mentions);
        let lists = notes.chain(facts.works.iter().map(|it| &it.mentions));
        let erased = |it: &&Mention| self.is_erased(platform, &it.user_id);
        let all = lists.filter_map(|it| it.value()).flatten().filter(erased);
        all.filter_map(|it| it.nickname.value().cloned()).collect()
    }
}

impl Incoming for Answer {
    fn parts(&mut self) -> Parts<'_> {
        let Self { asked, target, document, facts, end, .. } = self;
        let (document, message) = (document.as_mut(), &mut end.message);
        Parts { names: [asked, target], document, facts, message }
    }

    fn drop_whole(&mut self) {
        (self.document, self.facts, self.resolved) = (None, Facts::default(), None);
        self.end.message = None;
        self.settlement.next = Disposition::Missed(MissedReason::Forgotten);
    }
}

impl Incoming for Import {
    fn parts(&mut self) -> Parts<'_> {
        let Self { asked, target, document, facts, message, erased, .. } = self;
        Parts {
            names: [asked, &target.key],
            document: (!*erased).then_some(document),
            facts,
            message,
        }
    }

    fn drop_whole(&mut self) {
        self.erased = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://v.douyin.com/abc/";
    const WORK: &str = "7600000000000000001";

    fn filter(kind: &str, platform: Platform, id: &str) -> Filter {
        let at = "2026-03-08 09:00:00".parse().expect("a time");
        let tombstones = vec![Tombstone::new(kind, platform, id, at)];
        Filter::of(TombstoneVersion::default(), tombstones).expect("it is one")
    }

    fn document(endpoint: Endpoint, json: &str) -> Document {
        Document {
            endpoint: endpoint.as_str(),
            page: 1,
            fetched_at: Time::EPOCH,
            http_status: 200,
            drift: None,
            body: Body::new(json.as_bytes().to_vec()),
            imported_at: None,
            redacted_at: None,
        }
    }

    /// The second call for a link: by the id that the first one brought.
    fn work_of(author: &str, filter: &Filter) -> Verdict {
        let json = format!(
            r#"{{"code":200,"data":{{"aweme_detail":{{"aweme_id":"{WORK}","author":{{"uid":"{author}","nickname":"x"}},"statistics":{{"digg_count":1}}}}}}}}"#
        );
        let mut document = document(Endpoint::AmagiWorkByUrl, &json);
        filter.judge(WORK, LINK, &mut document, Time::EPOCH)
    }

    #[test]
    fn work_of_an_erased_author_is_dropped_with_the_link_that_led_to_it() {
        let filter = filter(AUTHOR, Platform::Douyin, "700000000001");
        let Verdict::Dropped(_, found) = work_of("700000000001", &filter) else {
            panic!("it is kept")
        };
        let ids: Vec<_> = found.iter().map(|it| (it.id.as_str(), it.because.as_deref())).collect();
        assert_eq!(ids, [(WORK, Some("700000000001")), (LINK, Some("700000000001"))]);
        assert!(matches!(work_of("700000000002", &filter), Verdict::Untouched), "another's");
    }

    #[test]
    fn id_of_one_platform_names_nobody_on_the_other() {
        let filter = filter(AUTHOR, Platform::Xiaohongshu, "700000000001");
        assert!(matches!(work_of("700000000001", &filter), Verdict::Untouched));
    }

    #[test]
    fn answer_of_which_nothing_readable_is_left_is_dropped() {
        let id = "5a0000000000000000aaaaaa";
        let json = format!(r#"{{"code":0,"data":{{"total":9,"kols":[{{"userId":"{id}"}}]}}}}"#);
        let mut document = document(Endpoint::KolSearch, &json);
        let filter = filter(AUTHOR, Platform::Xiaohongshu, id);
        let asked = r#"{"keyword":"x"}"#;
        let verdict = filter.judge(asked, asked, &mut document, Time::EPOCH);
        assert!(matches!(verdict, Verdict::Dropped(_, found) if found.is_empty()));
        assert_eq!(document.redacted_at, None);
    }
}

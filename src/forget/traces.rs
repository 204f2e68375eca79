//! What the rows of an answer are about, and which of them another answer would have made otherwise.

use crate::model::Batch;
use crate::store::AffectedRows;

impl AffectedRows {
    /// Adds whatever has other rows in one reading of an answer than in another.
    pub(super) fn differ(&mut self, one: &Batch, other: &Batch) {
        // Without `..`: a new kind of row must not be forgotten.
        let Batch {
            authors,
            notes,
            note_images,
            hashtags,
            note_hashtags,
            note_mentions,
            note_metrics,
            kols,
            kol_tags,
            kol_notes,
            kol_metrics,
            kol_search_results: _,
            works,
            work_images,
            work_hashtags,
            work_mentions,
            work_creators,
            work_metrics,
            music,
            keyword_suggestions: _,
        } = one;
        let to = &mut self.notes;
        changed(notes, &other.notes, |it| to.insert(it.note_id.clone()));
        changed(note_images, &other.note_images, |it| to.insert(it.note_id.clone()));
        changed(note_hashtags, &other.note_hashtags, |it| to.insert(it.note_id.clone()));
        changed(note_mentions, &other.note_mentions, |it| to.insert(it.note_id.clone()));
        changed(note_metrics, &other.note_metrics, |it| to.insert(it.note_id.clone()));
        let to = &mut self.kols;
        changed(kols, &other.kols, |it| to.insert(it.kol_id.clone()));
        changed(kol_tags, &other.kol_tags, |it| to.insert(it.kol_id.clone()));
        changed(kol_notes, &other.kol_notes, |it| to.insert(it.kol_id.clone()));
        changed(kol_metrics, &other.kol_metrics, |it| to.insert(it.kol_id.clone()));
        let to = &mut self.works;
        changed(works, &other.works, |it| to.insert(it.work_id.clone()));
        changed(work_images, &other.work_images, |it| to.insert(it.work_id.clone()));
        changed(work_hashtags, &other.work_hashtags, |it| to.insert(it.work_id.clone()));
        changed(work_mentions, &other.work_mentions, |it| to.insert(it.work_id.clone()));
        changed(work_creators, &other.work_creators, |it| to.insert(it.work_id.clone()));
        changed(work_metrics, &other.work_metrics, |it| to.insert(it.work_id.clone()));
        let to = &mut self.authors;
        changed(authors, &other.authors, |it| to.insert((it.platform, it.author_id.clone())));
        let to = &mut self.hashtags;
        changed(hashtags, &other.hashtags, |it| to.insert((it.platform, it.hashtag_id.clone())));
        let to = &mut self.music;
        changed(music, &other.music, |it| to.insert(it.music_id.clone()));
    }

    /// Leaves only those rows of a document that are about these.
    pub(super) fn retain(&self, document_id: i64, batch: &mut Batch) {
        let Batch {
            authors,
            notes,
            note_images,
            hashtags,
            note_hashtags,
            note_mentions,
            note_metrics,
            kols,
            kol_tags,
            kol_notes,
            kol_metrics,
            kol_search_results,
            works,
            work_images,
            work_hashtags,
            work_mentions,
            work_creators,
            work_metrics,
            music,
            keyword_suggestions,
        } = batch;
        notes.retain(|it| self.notes.contains(&it.note_id));
        note_images.retain(|it| self.notes.contains(&it.note_id));
        note_hashtags.retain(|it| self.notes.contains(&it.note_id));
        note_mentions.retain(|it| self.notes.contains(&it.note_id));
        note_metrics.retain(|it| self.notes.contains(&it.note_id));
        kols.retain(|it| self.kols.contains(&it.kol_id));
        kol_tags.retain(|it| self.kols.contains(&it.kol_id));
        kol_notes.retain(|it| self.kols.contains(&it.kol_id));
        kol_metrics.retain(|it| self.kols.contains(&it.kol_id));
        works.retain(|it| self.works.contains(&it.work_id));
        work_images.retain(|it| self.works.contains(&it.work_id));
        work_hashtags.retain(|it| self.works.contains(&it.work_id));
        work_mentions.retain(|it| self.works.contains(&it.work_id));
        work_creators.retain(|it| self.works.contains(&it.work_id));
        work_metrics.retain(|it| self.works.contains(&it.work_id));
        authors.retain(|it| self.authors.contains(&(it.platform, it.author_id.clone())));
        hashtags.retain(|it| self.hashtags.contains(&(it.platform, it.hashtag_id.clone())));
        music.retain(|it| self.music.contains(&it.music_id));
        if !self.documents.contains(&document_id) {
            kol_search_results.clear();
            keyword_suggestions.clear();
        }
    }

    /// The ids by which documents are found that make rows about these.
    pub(super) fn ids(&self) -> impl Iterator<Item = String> {
        let Self { notes, kols, works, authors, hashtags, music, documents: _ } = self;
        let items = [notes, kols, works, music].into_iter().flatten().cloned();
        items.chain([authors, hashtags].into_iter().flatten().map(|(_, id)| id.clone()))
    }
}

/// Tells `add` of every row that is in one of the two and not in the other.
fn changed<T: PartialEq>(one: &[T], other: &[T], mut add: impl FnMut(&T) -> bool) {
    for (these, those) in [(one, other), (other, one)] {
        for row in these.iter().filter(|row| !those.contains(row)) {
            add(row);
        }
    }
}

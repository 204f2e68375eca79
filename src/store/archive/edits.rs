//! Answers that are saved together, and the edits between them: a trigger sees an edit where the row of
//! one answer takes the place of another's.

use std::collections::HashMap;

use anyhow::Result;

use super::known::Known;
use crate::model::{Batch, Platform};
use crate::store::db::Tx;
use crate::time::Time;

/// What an item shows: its title, its text, and when it was edited.
type Shown<'a> = (Option<&'a str>, Option<&'a str>, Option<Time>);

/// What the items of some answers show.
#[derive(Default)]
struct Texts<'a>(HashMap<(Platform, &'a str), Shown<'a>>);

impl<'a> Texts<'a> {
    /// Adds those of an answer, unless it shows an edit of one of the others: then whether it does.
    fn are_edited_in(&mut self, batch: &'a Batch) -> bool {
        let notes = batch.notes.iter().map(|it| {
            let shown = (it.title.as_deref(), it.body.as_deref(), it.edited_at);
            ((Platform::Xiaohongshu, it.note_id.as_str()), shown)
        });
        let works = batch.works.iter().map(|it| {
            let shown = (it.title.as_deref(), it.body.as_deref(), None);
            ((Platform::Douyin, it.work_id.as_str()), shown)
        });
        let mut items = notes.chain(works);
        items.any(|(item, shown)| *self.0.entry(item).or_insert(shown) != shown)
    }
}

impl Tx {
    /// Saves the rows of answers, each with its document and when it came: together, but for those
    /// that show an edit of another.
    pub(in crate::store) async fn put_answers(
        &mut self,
        answers: &[(&Batch, i64, Time)],
    ) -> Result<()> {
        let (mut known, mut texts) = (Known::new(), Texts::default());
        for (batch, document_id, at) in answers {
            if texts.are_edited_in(batch) {
                self.put_known(std::mem::replace(&mut known, Known::new())).await?;
                texts = Texts::default();
                texts.are_edited_in(batch);
            }
            known.add(batch, *document_id, *at)?;
        }
        self.put_known(known).await
    }
}

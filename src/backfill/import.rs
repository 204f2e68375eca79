//! Import of stored answers: JSON lines become documents and rows as if they had been fetched at
//! their recorded time.

mod line;

use std::borrow::Cow;
use std::io::BufRead;

use anyhow::Result;
use secrecy::{ExposeSecret as _, SecretString};

use self::line::Parsed;
pub use self::line::no_endpoint;
use super::lines::Lines;
use crate::api::client::Scrubber;
use crate::api::{Ask, Endpoint, Outcome};
use crate::document::JsonText;
use crate::forgotten::{Forgotten, Heeded};
use crate::store::{Document, Import, Store, Tombstone, is_refused};
use crate::time::Time;

/// Answers saved per transaction.
const SAVE_AT_ONCE: usize = 100;

/// How to read a file of answers.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Endpoint of lines that name none.
    pub endpoint: Option<Endpoint>,
    /// Key of the time; default `fetched_at`.
    pub fetched_at_field: Option<String>,
    /// Token to remove from everything that is stored.
    pub token: Option<SecretString>,
}

/// Results of options a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImportSummary {
    /// Answers new to the archive, including unreadable ones.
    pub imported: u64,
    /// Answers already in the archive.
    pub already_there: u64,
    /// New answers that could not be parsed; stored and marked.
    pub unreadable: u64,
    /// Answers that only report a failed call; not stored.
    pub failures: u64,
    /// Answers about erased items; not stored.
    pub forgotten: u64,
    /// Lines that are not answers.
    pub refused: u64,
}

/// Reads a file of answers and calls `each` for every rejected line. With a store, the answers are
/// saved as calls of `owner`; without one they are only checked. Fails if the file cannot be read,
/// the database fails, or `each` fails; what was saved by then stays, and a second import
/// continues.
/// then stays; doing it again goes on.
pub async fn read_answers(
    input: impl BufRead,
    options: &ImportOptions,
    store: Option<(&Store, i64)>,
    now: Time,
    mut each: impl FnMut(u64, &str) -> Result<()>,
) -> Result<ImportSummary> {
    let scrubber = Scrubber::of(options.token.as_ref().map(SecretString::expose_secret));
    let mut done = ImportSummary::default();
    let mut answers = Vec::new();
    let mut importer =
        store.map(|(store, owner)| Importer { store, owner, now, forgotten: Forgotten::default() });
    let read = async {
        for line in Lines::new(input) {
            let (number, line) = line?;
            let line = line.map(|line| scrubber.body_text(line));
            let parsed = match line.as_deref().map(str::trim) {
                Ok("") => continue,
                Ok(text) => options.parse(text, &scrubber, now),
                Err(why) => Parsed::Refused((*why).to_owned()),
            };
            match parsed {
                Parsed::Answer(answer) => answers.push(*answer),
                Parsed::Failure => done.failures += 1,
                Parsed::Refused(why) => {
                    done.refused += 1;
                    each(number, &why)?;
                }
            }
            if answers.len() >= SAVE_AT_ONCE {
                save(&mut answers, importer.as_mut(), &mut done).await?;
            }
        }
        anyhow::Ok(())
    };
    let read = read.await;
    // Save the answers before a line that ends the reading.
    save(&mut answers, importer.as_mut(), &mut done).await?;
    read.map(|()| done)
}

/// Where answers are saved, and the tombstones they are checked against.
struct Importer<'a> {
    store: &'a Store,
    owner: i64,
    now: Time,
    forgotten: Forgotten,
}

/// Saves a batch of answers.
async fn save(
    answers: &mut Vec<Import>,
    importer: Option<&mut Importer<'_>>,
    done: &mut ImportSummary,
) -> Result<()> {
    let Some(importer) = importer else {
        answers.clear();
        return Ok(());
    };
    match importer.save_together(answers).await {
        Ok(new) => done.count(answers, &new),
        Err(error) if is_refused(&error) => {
            for mut answer in answers.drain(..) {
                let new = match importer.save_together(std::slice::from_ref(&answer)).await {
                    Err(error) if is_refused(&error) => {
                        answer.as_text();
                        importer.save_together(std::slice::from_ref(&answer)).await?
                    }
                    other => other?,
                };
                done.count(std::slice::from_ref(&answer), &new);
            }
        }
        Err(error) => return Err(error),
    }
    answers.clear();
    Ok(())
}

impl Importer<'_> {
    /// Saves answers in one transaction. The result says which are new; `None` for erased ones.
    async fn save_together(&mut self, answers: &[Import]) -> Result<Vec<Option<bool>>> {
        let mut tx = self.store.begin().await?;
        // An import is at work beside whoever forgets, and asks each time.
        if tx.tombstone_version().await? != self.forgotten.extent() {
            self.forgotten = Forgotten::of(tx.tombstones().await?)?;
        }
        let (mut heeded, mut also) = self.heed(answers, &self.forgotten);
        let mut found = also.clone();
        while !found.is_empty() {
            // What one shows to be forgotten may stand in the others, too.
            let known = self.forgotten.with(also.iter().cloned())?;
            (heeded, found) = self.heed(answers, &known);
            also.extend(found.iter().cloned());
        }
        let kept: Vec<&Import> = heeded.iter().flatten().map(AsRef::as_ref).collect();
        let mut new = tx.import(&kept, self.owner, self.now).await?.into_iter();
        tx.erase_discovered(&also).await?;
        tx.commit().await?;
        Ok(heeded.iter().map(|answer| answer.as_ref().and_then(|_| new.next())).collect())
    }

    /// The answers without what is forgotten, and what is by them.
    fn heed<'a>(
        &self,
        answers: &'a [Import],
        forgotten: &Forgotten,
    ) -> (Vec<Option<Cow<'a, Import>>>, Vec<Tombstone>) {
        let mut also = Vec::new();
        let heeded = answers.iter().map(|it| heed(it, forgotten, self.now, &mut also));
        (heeded.collect(), also)
    }
}

/// An answer without what is forgotten; `None` where nothing of it may be kept: then `also` learns
/// what is forgotten by that.
fn heed<'a>(
    answer: &'a Import,
    forgotten: &Forgotten,
    now: Time,
    also: &mut Vec<Tombstone>,
) -> Option<Cow<'a, Import>> {
    let document = &answer.document;
    let ask = Ask { key: answer.asked.clone(), page: u32::try_from(document.page).unwrap_or(1) };
    let asked = (&ask, answer.target.key.as_str());
    let concerned = |it: &Endpoint| forgotten.concerns(*it, asked, &document.body.json);
    let Some(endpoint) = Endpoint::parse(document.endpoint).filter(concerned) else {
        return Some(Cow::Borrowed(answer));
    };
    let mut body = document.body.clone();
    let mut reading = endpoint.read(&ask, document.http_status, &JsonText::of(&body.json));
    let came = (document.http_status, now);
    match forgotten.heed(endpoint, asked, came, &mut body, &mut reading) {
        Heeded::Whole => Some(Cow::Borrowed(answer)),
        Heeded::Dropped(more) => {
            also.extend(more);
            None
        }
        Heeded::Redacted => {
            let drift = reading.drift;
            let document = Document { body, drift, redacted_at: Some(now), ..document.clone() };
            let (batch, message) = (reading.batch, reading.message);
            let outcome = reading.outcome;
            Some(Cow::Owned(Import { document, batch, message, outcome, ..answer.clone() }))
        }
    }
}

impl ImportSummary {
    fn count(&mut self, answers: &[Import], new: &[Option<bool>]) {
        for (answer, new) in answers.iter().zip(new) {
            match new {
                None => self.forgotten += 1,
                Some(false) => self.already_there += 1,
                Some(true) => {}
            }
            if *new != Some(true) {
                continue;
            }
            self.imported += 1;
            if answer.outcome == Outcome::Unreadable {
                self.unreadable += 1;
            }
        }
    }
}

//! Import of stored answers: JSON lines become documents and rows as if they had been fetched at
//! their recorded time.

mod line;

use std::io::BufRead;

use anyhow::Result;
use secrecy::{ExposeSecret as _, SecretString};

use self::line::Parsed;
pub use self::line::no_endpoint;
use super::lines::Lines;
use crate::api::client::Scrubber;
use crate::api::{Endpoint, Outcome};
use crate::erasure::{Filter, erase_found};
use crate::store::{Attempts, Import, Imported, Store, is_refused};
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
    /// Tokens to remove from everything that is stored.
    pub tokens: Vec<SecretString>,
}

/// Results of importing a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImportSummary {
    /// Answers new to the archive, including unreadable ones.
    pub imported: u64,
    /// Answers already in the archive.
    pub already_there: u64,
    /// Imported answers with the time of another answer to the same question, and other content.
    pub same_time: u64,
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
/// continues. Rows of items that the archive knew already may wait to be derived afterwards.
pub async fn read_answers(
    input: impl BufRead,
    options: &ImportOptions,
    store: Option<(&Store, i64)>,
    now: Time,
    mut each: impl FnMut(u64, &str) -> Result<()>,
) -> Result<ImportSummary> {
    let scrubber = Scrubber::of(options.tokens.iter().map(SecretString::expose_secret));
    let mut done = ImportSummary::default();
    let mut answers = Vec::new();
    let mut importer =
        store.map(|(store, owner)| Importer { store, owner, now, tombstones: Filter::default() });
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
    tombstones: Filter,
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
                let new = match importer.save_together(std::slice::from_mut(&mut answer)).await {
                    Err(error) if is_refused(&error) => {
                        answer.as_text();
                        importer.save_together(std::slice::from_mut(&mut answer)).await?
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
    /// Saves answers in one transaction, again where another one stood in the way. The result says
    /// what became of each; `None` for erased ones.
    async fn save_together(&mut self, answers: &mut [Import]) -> Result<Vec<Option<Imported>>> {
        let mut attempts = Attempts::default();
        loop {
            match self.save_once(answers).await {
                Ok(new) => return Ok(new),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    async fn save_once(&mut self, answers: &mut [Import]) -> Result<Vec<Option<Imported>>> {
        let mut tx = self.store.begin().await?;
        self.tombstones.apply(&mut tx, answers).await?;
        let kept: Vec<&Import> = answers.iter().filter(|answer| !answer.erased).collect();
        let new = tx.import(&kept, self.owner, self.now).await?;
        erase_found(&mut tx, &self.tombstones).await?;
        tx.commit().await?;
        let mut new = new.into_iter();
        let is_new = |answer: &Import| if answer.erased { None } else { new.next() };
        Ok(answers.iter().map(is_new).collect())
    }
}

impl ImportSummary {
    fn count(&mut self, answers: &[Import], imported: &[Option<Imported>]) {
        for (answer, imported) in answers.iter().zip(imported) {
            match imported {
                None => self.forgotten += 1,
                Some(Imported::Known) => self.already_there += 1,
                Some(Imported::New) => {}
                Some(Imported::Beside) => self.same_time += 1,
            }
            if matches!(imported, None | Some(Imported::Known)) {
                continue;
            }
            self.imported += 1;
            if answer.outcome == Outcome::Unreadable {
                self.unreadable += 1;
            }
        }
    }
}

//! Whom and what a command line names.

use anyhow::{Result, anyhow, bail};
use clap::{Subcommand, ValueEnum};

use crate::cli::format::safe;
use crate::erasure::{AUTHOR, Subject};
use crate::model::{Kind, Platform};
use crate::store::Store;
use crate::watchlist;

#[derive(Debug, Subcommand)]
pub(super) enum Named {
    /// Xiaohongshu notes: ids, links, or pasted share text
    Note {
        #[arg(required = true)]
        notes: Vec<String>,
    },
    /// Douyin works: ids, links, or pasted share text
    Work {
        #[arg(required = true)]
        works: Vec<String>,
    },
    /// People by the platform's id, with all notes or works of theirs
    Author {
        platform: On,
        #[arg(required = true, value_name = "ID")]
        authors: Vec<String>,
    },
    /// KOLs: the same as `author xiaohongshu`
    Kol {
        #[arg(required = true, value_name = "ID")]
        kols: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum On {
    Xiaohongshu,
    Douyin,
}

/// What the arguments name.
pub(super) async fn subjects(store: &Store, named: &Named) -> Result<Vec<Subject>> {
    let (platform, ids) = match named {
        Named::Note { notes } => return items(Kind::Note, notes),
        Named::Work { works } => return items(Kind::Work, works),
        Named::Author { platform: On::Xiaohongshu, authors: ids } | Named::Kol { kols: ids } => {
            (Platform::Xiaohongshu, ids)
        }
        Named::Author { platform: On::Douyin, authors } => (Platform::Douyin, authors),
    };
    let mut people = Vec::new();
    for id in ids {
        people.push(Subject::Author(platform, person(store, platform, id.trim()).await?));
    }
    Ok(people)
}

fn items(kind: Kind, entries: &[String]) -> Result<Vec<Subject>> {
    let item = |entry: &String| match watchlist::parse_exact(kind, entry) {
        Ok(target) => Ok(Subject::Item(target)),
        Err(why) => Err(anyhow!("{}: {why}", safe(entry, 80))),
    };
    entries.iter().map(item).collect()
}

/// The id of a person.
/// Fails where it is none: by a handle only half of a person would be found.
async fn person(store: &Store, platform: Platform, text: &str) -> Result<String> {
    let digits = |is: fn(&u8) -> bool| text.bytes().all(|byte| is(&byte));
    let (is_id, form) = match platform {
        Platform::Xiaohongshu => (
            text.len() == 24 && digits(u8::is_ascii_hexdigit),
            "24 hexadecimal digits, as at the end of the address of a profile",
        ),
        Platform::Douyin => (
            (6..=20).contains(&text.len()) && digits(u8::is_ascii_digit),
            "6 to 20 digits, which answers call `uid`",
        ),
    };
    let id = text.to_ascii_lowercase();
    let people = store.read().await?.author_ids(platform, text).await?;
    if is_id && (people.is_empty() || people.iter().any(|it| it.eq_ignore_ascii_case(&id))) {
        return Ok(id);
    }
    let (text, on) = (safe(text, 80), platform.as_str());
    let commands = people.iter().map(|id| format!("`tidewatch forget {AUTHOR} {on} {id}`"));
    match commands.collect::<Vec<_>>().join(" or ") {
        none if none.is_empty() => bail!("{text} is no id of {on}: an id is {form}"),
        commands => bail!("{text} is a handle and no id; the archive knows whose: {commands}"),
    }
}

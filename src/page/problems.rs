//! Problems: one list; an empty list means that all is well.

use std::time::Duration;

use anyhow::Result;
use maud::{Markup, html};

use super::format::{count, path, visible};
use super::texts::{Text, named};
use super::view::View;
use crate::model::{KolSearch, Pause};
use crate::store::page::RefusedSettings;
use crate::store::{Problem, Tx, Unavailable};
use crate::text::first_problem;
use crate::time::Time;

/// A daemon without a heartbeat for this long is not running.
const SILENT: Duration = Duration::from_secs(150);

/// Age from which an unclaimed slot is a problem.
const OVERDUE: Duration = Duration::from_secs(300);

/// Maximum unavailable targets listed, latest first.
const UNAVAILABLE: i64 = 20;

/// Maximum length of a message in characters.
const LONGEST: usize = 300;

/// Problems of the archive.
pub(super) struct Problems {
    last_beat: Option<Time>,
    pauses: Vec<Pause>,
    problems: Vec<Problem>,
    unavailable: Vec<Unavailable>,
    refused: Vec<RefusedSettings>,
}

impl Problems {
    pub(super) async fn read(view: &View, tx: &mut Tx, midnight: Time) -> Result<Self> {
        Ok(Self {
            last_beat: tx.last_beat_at().await?,
            pauses: tx.pauses(view.as_of).await?,
            problems: tx.problems(midnight, view.as_of.minus(OVERDUE)).await?,
            unavailable: tx.unavailable(UNAVAILABLE).await?,
            refused: tx.refused_settings().await?,
        })
    }

    pub(super) fn shown(&self, view: &View) -> Markup {
        let silent = self.last_beat.is_none_or(|beat| view.now.since(beat) > SILENT);
        let well = self.pauses.is_empty()
            && self.problems.is_empty()
            && self.unavailable.is_empty()
            && self.refused.is_empty();
        html! {
            ul.trouble {
                @if silent {
                    li.bad {
                        (view.say(Text::NoDaemon))
                        @if let Some(beat) = self.last_beat { " " (view.exactly_at(beat)) }
                    }
                }
                @for refused in &self.refused {
                    li.bad {
                        (view.say(Text::RefusedSettings)) " " (view.at(refused.read_at)) ": "
                        (visible(&cut(first_problem(&refused.error))))
                    }
                }
                @for pause in &self.pauses { (paused(view, pause)) }
                @for problem in &self.problems { (wrong(view, problem)) }
                @for target in &self.unavailable { (unseen(view, target)) }
                @if well && !silent { li.good { (view.say(Text::AllWell)) } }
            }
        }
    }
}

fn paused(view: &View, pause: &Pause) -> Markup {
    let language = view.visit.language;
    html! {
        li.bad {
            b { (view.say(Text::Paused)) " " (named(language, pause.scope.as_str())) " " (visible(&pause.name)) }
            ": " (named(language, pause.reason.as_str())) ", " (view.say(Text::Since)) " " (view.at(pause.since))
            @if let Some(until) = pause.until { ", " (view.say(Text::Until)) " " (view.at(until)) }
            @if let Some(note) = &pause.note { ". " span.still { (visible(&cut(note))) } }
        }
    }
}

fn wrong(view: &View, problem: &Problem) -> Markup {
    let language = view.visit.language;
    html! {
        li.warn {
            b { (named(language, problem.kind.as_str())) } ": " (visible(&cut(&named(language, &problem.detail))))
            " × " (count(Some(problem.count)))
            @if let Some(last) = problem.last_at {
                ", " (view.say(Text::Last)) " " (view.at(last))
            }
        }
    }
}

fn unseen(view: &View, target: &Unavailable) -> Markup {
    html! {
        li.warn {
            b { (named(view.visit.language, target.state.as_str())) } " "
            @match target.kind.as_str() {
                "note" | "work" => { a href=(path(&[&target.kind, &target.key])) { (visible(&target.key)) } }
                _ => { (visible(&cut(&KolSearch::shown(&target.kind, &target.key)))) }
            }
            ", " (view.say(Text::Since)) " " (view.at(target.since)) ". "
            span.still { (visible(&cut(&target.evidence))) }
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

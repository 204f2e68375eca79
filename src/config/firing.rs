//! How a job fires beyond its cron pattern: windows, spread, and what becomes of fires that are
//! late or overlap.

use std::time::Duration;

use toml::Spanned;

use super::Reader;
use super::problems::Problem;
use super::wire::JobEntry;
use crate::schedule::{Active, Misfire, Overlap, Schedule};

/// Late fires looked at with `misfire = "all"` unless told otherwise: a day of hours.
pub(super) const MAX_CATCHUP: u32 = 24;

/// The most of them that are accepted.
pub(super) const MOST_CATCHUP: u32 = 1000;

/// What may become of late fires, and of fires that overlap.
pub(super) const MISFIRES: [&str; 3] = ["once", "skip", "all"];
pub(super) const OVERLAPS: [&str; 2] = ["skip", "queue"];

/// How a duration is written.
const DURATION_HELP: &str = "a number with its unit, such as \"90s\", \"10m\", \"6h\" or \"2d\"";

impl Reader<'_> {
    /// The schedule within the windows of its job.
    pub(super) fn active(&mut self, job: &JobEntry, schedule: Schedule) -> Option<Schedule> {
        let Some(texts) = &job.active else { return Some(schedule) };
        let help = "windows are written as \"09:00-23:00\" or \"mon-fri 09:00-18:00\"; without \
                    this line the job fires at any hour";
        let mut active = Active::default();
        for text in texts {
            if let Err(reason) = active.add(text.get_ref()) {
                self.problem(text.span(), Problem::new(reason, help));
                return None;
            }
        }
        match schedule.within(active) {
            Ok(schedule) => Some(schedule),
            Err(reason) => {
                let span = texts.first().map_or(0..0, Spanned::span);
                self.problem(span, Problem::new(reason, help));
                None
            }
        }
    }

    /// Over how long the looks of one fire are spread: less than until the next fire.
    pub(super) fn spread(&mut self, job: &JobEntry, schedule: Option<&Schedule>) -> Duration {
        let Some(spread) = self.duration(job.spread.as_ref()) else { return Duration::ZERO };
        if let (Some(wire), Some(schedule)) = (&job.spread, schedule) {
            let gap = schedule.shortest_gap();
            if spread > gap {
                let title = "the looks of one fire would reach into the next";
                let help = format!("at most \"{}\" here", humantime::format_duration(gap));
                self.problem(wire.span(), Problem::new(title, help));
            }
        }
        Duration::from_secs(spread.as_secs())
    }

    /// What becomes of fires that nobody decided in time.
    pub(super) fn misfire(&mut self, job: &JobEntry) -> Misfire {
        let window = self.duration(job.window.as_ref());
        let most = self.number(&job.max_catchup, MAX_CATCHUP, MOST_CATCHUP);
        let misfire = match self.choice(job.misfire.as_ref(), &MISFIRES, "once") {
            "skip" => Misfire::Skip,
            "all" => Misfire::All { window, most: usize::try_from(most).unwrap_or(usize::MAX) },
            _ => Misfire::Once { window },
        };
        if let (Misfire::Skip, Some(wire)) = (misfire, &job.window) {
            let help = "remove it, or write misfire = \"once\"";
            let title = "with misfire = \"skip\" nothing is made up for, whatever its age";
            self.problem(wire.span(), Problem::new(title, help));
        }
        if let (Misfire::Skip | Misfire::Once { .. }, Some(wire)) = (misfire, &job.max_catchup) {
            let help = "remove it, or write misfire = \"all\"";
            let title = "only with misfire = \"all\" several fires are made up for";
            self.problem(wire.span(), Problem::new(title, help));
        }
        misfire
    }

    /// What becomes of a fire while an older look is not done.
    pub(super) fn overlap(&mut self, job: &JobEntry, misfire: Misfire) -> Overlap {
        let all = matches!(misfire, Misfire::All { .. });
        let default = if all { Overlap::Queue } else { Overlap::Skip };
        let wire = job.overlap.as_ref();
        match (self.choice(wire, &OVERLAPS, default.as_str()), wire) {
            ("queue", _) => Overlap::Queue,
            (_, Some(wire)) if all => {
                let title = "with misfire = \"all\" looks wait for one another";
                let help = "remove this line, or write overlap = \"queue\"";
                self.problem(wire.span(), Problem::new(title, help));
                default
            }
            _ => Overlap::Skip,
        }
    }

    /// A duration of at least a second; `None` where there is none or it is wrong.
    pub(super) fn duration(&mut self, wire: Option<&Spanned<String>>) -> Option<Duration> {
        let wire = wire?;
        let problem = match humantime::parse_duration(wire.get_ref()) {
            Ok(span) if span >= Duration::from_secs(1) => return Some(span),
            Ok(_) => Problem::new("the duration is shorter than a second", DURATION_HELP),
            Err(_) => Problem::new("this is no duration", DURATION_HELP),
        };
        self.problem(wire.span(), problem);
        None
    }
}

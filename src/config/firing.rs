//! Fire settings of a job beyond its cron pattern: windows, spread, misfire and overlap policies.

use std::time::Duration;

use toml::Spanned;

use super::Reader;
use super::problems::Problem;
use super::wire::JobEntry;
use crate::schedule::{Active, Misfire, Overlap, Schedule};

/// Default number of late fires made up for with `misfire = "all"`: a day of hours.
pub(super) const CATCHUP: u32 = 24;

/// Maximum of that number.
pub(super) const MOST_CATCHUP: u32 = 1000;

/// Misfire policies.
pub(super) const MISFIRES: [&str; 3] = ["once", "skip", "all"];
pub(super) const OVERLAPS: [&str; 2] = ["skip", "queue"];

/// Format of a duration.
const DURATION_HELP: &str = "a number with its unit, such as \"90s\", \"10m\", \"6h\" or \"2d\"";

impl Reader<'_> {
    /// The schedule within the job's windows.
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

    /// The spread of one fire's slots: less than the shortest gap between fires.
    pub(super) fn spread(&mut self, job: &JobEntry, schedule: Option<&Schedule>) -> Duration {
        let Some(spread) = self.duration(job.spread.as_ref()) else { return Duration::ZERO };
        if let (Some(wire), Some(schedule)) = (&job.spread, schedule) {
            let gap = schedule.shortest_interval();
            if spread > gap {
                let title = "the slots of one fire would overlap the next fire";
                let help = format!("at most \"{}\" here", humantime::format_duration(gap));
                self.problem(wire.span(), Problem::new(title, help));
            }
        }
        Duration::from_secs(spread.as_secs())
    }

    /// The misfire policy.
    pub(super) fn misfire(&mut self, job: &JobEntry) -> Misfire {
        let window = self.duration(job.window.as_ref());
        let most = self.number(&job.max_catchup, CATCHUP, MOST_CATCHUP);
        let misfire = match self.choice(job.misfire.as_ref(), &MISFIRES, "once") {
            "skip" => Misfire::Skip,
            "all" => Misfire::All { window, most: usize::try_from(most).unwrap_or(usize::MAX) },
            _ => Misfire::Once { window },
        };
        if let (Misfire::Skip, Some(wire)) = (misfire, &job.window) {
            let help = "remove it, or write misfire = \"once\"";
            let title = "with misfire = \"skip\" no late fire is made up for";
            self.problem(wire.span(), Problem::new(title, help));
        }
        if let (Misfire::Skip | Misfire::Once { .. }, Some(wire)) = (misfire, &job.max_catchup) {
            let help = "remove it, or write misfire = \"all\"";
            let title = "several late fires are made up for only with misfire = \"all\"";
            self.problem(wire.span(), Problem::new(title, help));
        }
        misfire
    }

    /// The policy for a fire while an older slot of the same target is open.
    pub(super) fn overlap(&mut self, job: &JobEntry, misfire: Misfire) -> Overlap {
        let all = matches!(misfire, Misfire::All { .. });
        let default = if all { Overlap::Queue } else { Overlap::Skip };
        let wire = job.overlap.as_ref();
        match (self.choice(wire, &OVERLAPS, default.as_str()), wire) {
            ("queue", _) => Overlap::Queue,
            (_, Some(wire)) if all => {
                let title = "with misfire = \"all\" slots are queued";
                let help = "remove this line, or write overlap = \"queue\"";
                self.problem(wire.span(), Problem::new(title, help));
                default
            }
            _ => Overlap::Skip,
        }
    }

    /// A duration of at least a second; `None` if missing or invalid.
    pub(super) fn duration(&mut self, wire: Option<&Spanned<String>>) -> Option<Duration> {
        let wire = wire?;
        let problem = match humantime::parse_duration(wire.get_ref()) {
            Ok(span) if span >= Duration::from_secs(1) => return Some(span),
            Ok(_) => Problem::new("the duration is shorter than a second", DURATION_HELP),
            Err(_) => Problem::new("invalid duration", DURATION_HELP),
        };
        self.problem(wire.span(), problem);
        None
    }
}

//! The windows of time in which a schedule fires.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Timelike, Weekday};
use chrono_tz::Tz;

/// Minutes in a day: the end of a window at 24:00.
const DAY: u32 = 24 * 60;

/// Days in a week.
const WEEK: u64 = 7;

/// Most minutes that a wall clock skips: a zone may skip a whole day.
const LONGEST_GAP: i64 = 26 * 60;

/// Examples for messages.
const EXAMPLE: &str = "such as \"09:00-23:00\", \"22:00-02:00\" or \"mon-fri 09:00-18:00\"";

/// Windows by the wall clock of the schedule's zone. Without any, a schedule fires at all times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Active(Vec<Window>);

/// Some hours of some days, without the end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    /// As written.
    text: String,
    /// The days on which it begins, from Monday.
    days: [bool; 7],
    /// Minutes since midnight.
    begins: u32,
    /// Minutes since midnight; on the next day if before `begins`.
    ends: u32,
}

impl Active {
    /// Adds a window. The error says what is wrong.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        self.0.push(Window::parse(text)?);
        Ok(())
    }

    /// Parses the output of [`Active::text`].
    pub fn parse(text: &str) -> Result<Self, String> {
        let windows = text.split(',').map(Window::parse).collect::<Result<_, _>>()?;
        Ok(Self(windows))
    }

    /// All windows in one text; `None` without windows.
    pub fn text(&self) -> Option<String> {
        let texts: Vec<_> = self.0.iter().map(|window| window.text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }

    /// Whether the windows contain this time.
    pub(super) fn contains(&self, at: &DateTime<Tz>) -> bool {
        self.0.is_empty() || self.0.iter().any(|window| window.contains(at))
    }

    /// The start of the next window after `at`; `None` without windows.
    pub(super) fn opens_after(&self, at: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        let days = (0..=WEEK).filter_map(|n| at.date_naive().checked_add_days(Days::new(n)));
        let begins = days.flat_map(|day| self.0.iter().flat_map(move |it| it.begins_on(day, at)));
        begins.filter(|begins| begins > at).min()
    }
}

impl Window {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (days, hours) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
        let wrong = || format!("this is not a window of time, {EXAMPLE}");
        let (begins, ends) = hours.split_once('-').ok_or_else(wrong)?;
        let (begins, ends) = (minute(begins).ok_or_else(wrong)?, minute(ends).ok_or_else(wrong)?);
        if begins == ends || begins == DAY {
            return Err(format!(
                "this window of time is empty; a whole day is \"00:00-24:00\", or \
                                no window at all, {EXAMPLE}"
            ));
        }
        let days = days_named(days).ok_or_else(|| {
            format!("these are not days: \"mon\" is one, \"sat-sun\" is a range, {EXAMPLE}")
        })?;
        Ok(Self { text: text.to_owned(), days, begins, ends })
    }

    fn contains(&self, at: &DateTime<Tz>) -> bool {
        let minute = at.hour() * 60 + at.minute();
        let on = |day: Weekday| self.days.get(day.num_days_from_monday() as usize) == Some(&true);
        if self.begins < self.ends {
            return on(at.weekday()) && (self.begins..self.ends).contains(&minute);
        }
        (on(at.weekday()) && minute >= self.begins)
            || (on(at.weekday().pred()) && minute < self.ends)
    }

    /// When it begins on a day: twice if the clocks are set back over its beginning, later if they are
    /// set forward over it.
    fn begins_on(&self, day: NaiveDate, near: &DateTime<Tz>) -> Vec<DateTime<Tz>> {
        let begins = NaiveTime::from_num_seconds_from_midnight_opt(self.begins * 60, 0);
        let is_on = self.days.get(day.weekday().num_days_from_monday() as usize) == Some(&true);
        let Some(begins) = begins.filter(|_| is_on) else { return Vec::new() };
        let local = |minutes| day.and_time(begins) + TimeDelta::minutes(minutes);
        let instants = |minutes| local(minutes).and_local_timezone(near.timezone());
        let real = (0..LONGEST_GAP).map(instants).find(|instants| instants.earliest().is_some());
        real.map_or(Vec::new(), |real| real.earliest().into_iter().chain(real.latest()).collect())
    }
}

/// `09:30` as minutes since midnight, up to `24:00`.
fn minute(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| digits)
    };
    let (hour, minute) = (number(hour)?, number(minute).filter(|minute| *minute < 60)?);
    Some(hour * 60 + minute).filter(|minutes| *minutes <= DAY)
}

/// `mon`, or `mon-fri`; every day if empty.
fn days_named(text: &str) -> Option<[bool; 7]> {
    let text = text.trim();
    if text.is_empty() {
        return Some([true; 7]);
    }
    let day = |name: &str| name.trim().parse::<Weekday>().ok();
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (mut at, last) = (day(first)?, day(last)?);
    let mut days = [false; 7];
    loop {
        *days.get_mut(at.num_days_from_monday() as usize)? = true;
        if at == last {
            return Some(days);
        }
        at = at.succ();
    }
}

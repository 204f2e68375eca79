//! A simulated week with every fault of the simulator, compared with the simulator's truth.

mod truth;

use std::collections::BTreeMap;

use tidewatch::simulator::Fates;
use tidewatch::time::Time;

use self::truth::Week;
use crate::databases::{Database, on_both};
use crate::env::{Env, hours, minutes, world};

/// Daily call limit: enough for a quiet day, too few for one with failures.
const CALLS_A_DAY: usize = 320;

/// Faults of a quiet hour, which hit about three calls in ten: first those of one endpoint, then those
/// of all.
const WEATHER: &str = "
    amagi=risk:0.06,dead-cookie:0.04,503:0.04,drop:0.04,transport:0.02,cut:0.03,not-json:0.03,\
          empty:0.01,wrong-id:0.01,redirect:0.01,dup:0.01
    suggestions=301:0.1,500:0.05,302:0.05,drop:0.05,echo-token:0.05
    note=301:0.05,500:0.03,503:0.03,302:0.02,drop:0.03,cut:0.03,not-json:0.03,empty:0.02,201:0.01,\
         wrong-id:0.01,dup:0.01,nul:0.01,surrogate:0.01,echo-token:0.01,101:0.004,202:0.004,\
         300:0.004,redirect:0.01,slow:1:0.01
    *=301:0.1,500:0.05,503:0.05,302:0.05,cut:0.05";

/// The fault of an empty balance at JustOneAPI.
const NO_MONEY: &str = "note=601; suggestions=602; kols=601; work-link=601";

/// The jobs of the week, in which New York changes its clocks.
fn jobs(notes: &[String]) -> String {
    let works: Vec<_> = world().works(3).into_iter().chain(world().work_links(4).pop()).collect();
    format!(
        "timeout_seconds = 3\n[budget]\nmax_calls_per_day = {CALLS_A_DAY}\n\
         [[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {notes:?}\n\
         [[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"0 */2 * * *\"\nurls = {works:?}\n\
         [[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"30 7,19 * * *\"\n\
         timezone = \"America/New_York\"\n\
         keywords = {:?}\n\
         [[job]]\nname = \"kols\"\nkind = \"kols\"\nschedule = \"30 2 * * *\"\n\
         timezone = \"America/New_York\"\nmax_pages = 2\n\
         filter = {{ searchType = \"NOTE\", keyword = \"阅读\" }}\n",
        &world().keywords()[..3],
    )
}

/// Permanent faults of single items.
fn misfortunes() -> String {
    let (notes, works) = (world().notes(8), world().works(3));
    let word = world().keywords()[2];
    format!(
        "note@30#{}=huge; note@35#{}=http:404; note@40#{}=slow:3500; note@20#{}=400\n\
         note@25-50#{}=empty; amagi@10-11#{}=gone; suggestions@6#{word}=404",
        notes[5], notes[5], notes[5], notes[6], notes[7], works[1]
    )
}

/// A time of the week, as `03-04 16:00`.
fn at(time: &str) -> Time {
    format!("2026-{time}:00").parse().unwrap()
}

/// Advances to `time`, then sets `faults`.
async fn until(env: &mut Env, time: &str, faults: &str) {
    env.advance(at(time).since(env.clock.now())).await;
    env.fails(&format!("{faults}\n{}\n{WEATHER}", misfortunes()));
}

/// Plays the week.
async fn live(env: &mut Env) {
    let notes = world().notes(8);
    let fewer: Vec<_> = notes.iter().filter(|id| **id != notes[6]).cloned().collect();
    until(env, "03-02 00:10", "").await;
    // Upstream is down.
    until(env, "03-03 05:10", "*=503").await;
    until(env, "03-03 08:40", "").await;
    // The quota of notes is used up until midnight in Shanghai.
    until(env, "03-04 02:10", "note=303").await;
    until(env, "03-04 15:59", "").await;
    // An entry leaves its watchlist and comes back.
    until(env, "03-05 00:10", "").await;
    env.restart(&jobs(&fewer)).await;
    // The account is empty for six hours.
    until(env, "03-05 00:20", NO_MONEY).await;
    until(env, "03-05 06:20", "").await;
    // No daemon runs.
    until(env, "03-05 12:10", "").await;
    env.down_for(hours(5));
    env.restart(&jobs(&fewer)).await;
    until(env, "03-06 00:10", "").await;
    env.restart(&jobs(&notes)).await;
    // The network is down.
    until(env, "03-06 20:10", "*=drop:0.7,not-json:0.3").await;
    until(env, "03-06 23:40", "").await;
    // The token is denied, and invalid for a while.
    until(env, "03-07 00:10", "suggestions=600").await;
    until(env, "03-07 02:10", "").await;
    until(env, "03-07 07:10", "kols=100").await;
    until(env, "03-07 08:10", "").await;
    until(env, "03-08 23:50", "note=none; amagi=none; suggestions=none; kols=none").await;
    env.advance(minutes(20)).await;
}

on_both!(week_of_faults_accounts_for_every_slot_count_and_cent);
async fn week_of_faults_accounts_for_every_slot_count_and_cent(database: Database) {
    let fates = Fates { edited: 300, deleted: 0, viral: 300 };
    let jobs = jobs(&world().notes(8));
    let mut env = Env::with(database, &jobs, |options| options.fates = fates).await;
    live(&mut env).await;
    let week = Week::of(&env).await;
    week.met_every_fault();
    week.accounts_for_every_cent();
    week.holds_the_budget(CALLS_A_DAY);
    week.holds_true_counts_and_all_of_them(&env).await;
    week.accounts_for_every_slot(&env, &due()).await;
}

/// The slots due by cron, by target and the archive's day, that of Shanghai. A work watched by a short
/// link counts under its id.
fn due() -> BTreeMap<(String, String), i64> {
    let mut due = BTreeMap::new();
    let works = world().works(4).into_iter();
    let words = world().keywords().into_iter().take(3).map(str::to_owned);
    for day in 2..=9_i64 {
        // The week begins after the fire of 08:00 on the 2nd, and ends after that of the 9th.
        let fires = |every: i64| match day {
            2 => (9..24).filter(|hour| hour % every == 0).count() as i64,
            9 => (0..9).filter(|hour| hour % every == 0).count() as i64,
            _ => 24 / every,
        };
        let mut put = |key: String, slots: i64| {
            if slots > 0 {
                due.insert((key, format!("2026-03-{day:02}")), slots);
            }
        };
        for (n, note) in world().notes(8).into_iter().enumerate() {
            // The seventh is not on the list from the 5th to the 6th, each time after 08:00.
            let slots = match (n, day) {
                (6, 5) => 9,
                (6, 6) => 15,
                _ => fires(1),
            };
            put(note, slots);
        }
        works.clone().for_each(|work| put(work, fires(2)));
        // New York's 19:30 and 07:30 are 08:30 and 20:30, until its clocks go forward on the 8th. Its
        // 02:30 is due that day all the same.
        words.clone().for_each(|word| put(word, if day == 9 { 1 } else { 2 }));
        put("search".to_owned(), if day == 9 { 0 } else { 1 });
    }
    due
}

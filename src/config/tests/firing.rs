//! Tests of a job's fire settings.

use super::*;
use crate::schedule::{Misfire, Overlap};

/// The job of the tests with additional lines.
fn job(lines: &str) -> Job {
    config(&format!("{JOB}{lines}\n")).jobs.remove(0)
}

/// Asserts that these lines are refused with a message that contains all parts.
fn refuses(lines: &str, parts: &[&str]) {
    let message = refused(&format!("{JOB}{lines}\n"));
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in the message about\n{lines}\n{message}");
    }
}

#[test]
fn default_misfire_is_once_at_any_hour() {
    let job = job("");
    assert_eq!(job.misfire, Misfire::Once { window: None });
    assert_eq!((job.overlap, job.spread), (Overlap::Skip, Duration::ZERO));
    assert_eq!(job.schedule.active.text(), None);
}

#[test]
fn misfire_settings_are_read() {
    let hours = |hours: u64| Some(Duration::from_secs(3600 * hours));
    assert_eq!(job("misfire = \"skip\"").misfire, Misfire::Skip);
    assert_eq!(job("window = \"6h\"").misfire, Misfire::Once { window: hours(6) });
    let all = job("misfire = \"all\"");
    assert_eq!(all.misfire, Misfire::All { window: None, most: 24 });
    assert_eq!(all.overlap, Overlap::Queue);
    let all = job("misfire = \"all\"\nwindow = \"2d\"\nmax_catchup = 3\noverlap = \"queue\"");
    assert_eq!(all.misfire, Misfire::All { window: hours(48), most: 3 });
}

#[test]
fn contradicting_misfire_settings_are_refused() {
    refuses("misfire = \"never\"", &["jobs.toml:6:11", "\"once\" and \"skip\" and \"all\""]);
    refuses(
        "misfire = \"skip\"\nwindow = \"6h\"",
        &["jobs.toml:7:10", "no late fire is made up for"],
    );
    refuses("max_catchup = 3", &["jobs.toml:6:15", "misfire = \"all\""]);
    refuses("misfire = \"all\"\nmax_catchup = 0", &["1 to 1000"]);
    refuses("misfire = \"all\"\noverlap = \"skip\"", &["jobs.toml:7:11", "slots are queued"]);
}

#[test]
fn durations_need_units() {
    assert_eq!(job("spread = \"90s\"").spread, Duration::from_secs(90));
    assert_eq!(job("spread = \"1h 30m\"").spread, Duration::from_secs(5400));
    for wrong in ["10", "ten minutes", "-1m", "", "10 parsecs", "999999999999999999999h"] {
        refuses(&format!("spread = {wrong:?}"), &["invalid duration", "\"10m\""]);
    }
    refuses("spread = \"10ms\"", &["shorter than a second"]);
    refuses("spread = 10", &["expected a text in quotes, found a whole number"]);
}

#[test]
fn spread_is_limited_by_the_next_fire() {
    let daily = "spread = \"24h\"";
    assert_eq!(job(daily).spread, Duration::from_secs(86_400));
    refuses("spread = \"25h\"", &["jobs.toml:6:10", "overlap the next fire", "at most \"1day\""]);
}

#[test]
fn windows_restrict_the_schedule() {
    let job = job("active = [\"mon-fri 00:00-09:00\", \"sun 00:00-01:00\"]");
    assert_eq!(job.schedule.active.text().as_deref(), Some("mon-fri 00:00-09:00, sun 00:00-01:00"));
    refuses("active = [\"09:00\"]", &["jobs.toml:6:11", "not a window of time"]);
    refuses("active = [\"01:00-02:00\"]", &["`@daily` never fires within these windows"]);
    refuses("active = \"09:00-10:00\"", &["expected a list, found a text"]);
}

#[test]
fn settings_files_are_known_even_if_invalid() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("jobs.toml");
    let token = directory.path().join("token");
    let environment = Environment::of([("JUSTONEAPI_TOKEN_FILE", token.display().to_string())]);
    let files = || match Config::load(&path, &environment) {
        Ok(config) => (true, config.files),
        Err(error) => (false, error.files().to_vec()),
    };
    assert_eq!(files(), (false, vec![path.clone()]));
    std::fs::write(&path, format!("{JOB}keywords_file = \"words.txt\"\n")).expect("a file");
    let all = vec![path.clone(), token.clone(), directory.path().join("words.txt")];
    assert_eq!(files(), (false, all.clone()));
    std::fs::write(&token, "abc").expect("a file");
    std::fs::write(directory.path().join("words.txt"), "露营").expect("a file");
    assert_eq!(files(), (true, all));
}

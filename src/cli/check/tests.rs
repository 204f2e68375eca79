//! Tests of the report.

use std::path::Path;

use super::*;
use crate::config::Environment;

fn sample_report() -> String {
    let text = include_str!("../../../jobs.toml");
    let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
    report(&config.expect("the sample"), "2026-03-09 14:10:42".parse().expect("a time"))
}

#[test]
fn sample_report_shows_fires_targets_and_cost() {
    insta::assert_snapshot!(sample_report(), @r#"
jobs.toml: 4 jobs
Times are in the zone of the job; default Asia/Shanghai.
JustOneAPI address: https://api.justoneapi.com/
amagi address: http://127.0.0.1:4567/api

spring-campaign (notes)
  schedule  0 * * * *  At minute 0 past every hour, Asia/Shanghai
  endpoint  xiaohongshu/get-note-detail/v1
  targets   3
            68a1b2c3d4e5f60718293a4b
            68b0c1d2e3f405162738495a
            https://xhslink.com/a/Ab3dEfGh1
  next      2026-03-09 Mon 23:00:00 +08:00   2026-03-09 15:00:00 UTC
            2026-03-10 Tue 00:00:00 +08:00   2026-03-09 16:00:00 UTC
            2026-03-10 Tue 01:00:00 +08:00   2026-03-09 17:00:00 UTC
            2026-03-10 Tue 02:00:00 +08:00   2026-03-09 18:00:00 UTC
            2026-03-10 Tue 03:00:00 +08:00   2026-03-09 19:00:00 UTC

food-words (keywords)
  schedule  0 9 * * *  At 09:00, Asia/Shanghai
  endpoint  xiaohongshu/search-recommend/v1
  targets   2
            美食
            露营
  next      2026-03-10 Tue 09:00:00 +08:00   2026-03-10 01:00:00 UTC
            2026-03-11 Wed 09:00:00 +08:00   2026-03-11 01:00:00 UTC
            2026-03-12 Thu 09:00:00 +08:00   2026-03-12 01:00:00 UTC
            2026-03-13 Fri 09:00:00 +08:00   2026-03-13 01:00:00 UTC
            2026-03-14 Sat 09:00:00 +08:00   2026-03-14 01:00:00 UTC

reading-kols (kols)
  schedule  @daily  At 00:00, Asia/Shanghai
  endpoint  xiaohongshu-pgy/kol-search/v1
  targets   1
            fansNumberLower=1000 gender=FEMALE keyword=阅读 notePrice=500,5000 searchType=NOTE sor…
  next      2026-03-10 Tue 00:00:00 +08:00   2026-03-09 16:00:00 UTC
            2026-03-11 Wed 00:00:00 +08:00   2026-03-10 16:00:00 UTC
            2026-03-12 Thu 00:00:00 +08:00   2026-03-11 16:00:00 UTC
            2026-03-13 Fri 00:00:00 +08:00   2026-03-12 16:00:00 UTC
            2026-03-14 Sat 00:00:00 +08:00   2026-03-13 16:00:00 UTC

competitor-works (works)
  schedule  */30 * * * *  At every 30 minutes, Asia/Shanghai
  endpoint  amagi/fetch_one_work
  targets   2
            7512345678901234567
            7523456789012345678
  next      2026-03-09 Mon 22:30:00 +08:00   2026-03-09 14:30:00 UTC
            2026-03-09 Mon 23:00:00 +08:00   2026-03-09 15:00:00 UTC
            2026-03-09 Mon 23:30:00 +08:00   2026-03-09 15:30:00 UTC
            2026-03-10 Tue 00:00:00 +08:00   2026-03-09 16:00:00 UTC
            2026-03-10 Tue 00:30:00 +08:00   2026-03-09 16:30:00 UTC

 job               targets  fires/day  calls/day  yuan/day  calls/month  yuan/month
 spring-campaign         3         24         72     10.80         2160      324.00
 food-words              2          1          2      0.10           60        3.00
 reading-kols            1          1          5      1.50          150       45.00
 competitor-works        2         48         96      0.00         2880        0.00
 total                                       175     12.40         5250      372.00
A month is 30 days. In the total, a target that several jobs fetch at the same time counts once.
Resolving 1 short link takes one more call each, once: 0.05 yuan.

warning: JustOneAPI needs a token: set JUSTONEAPI_TOKEN, or JUSTONEAPI_TOKEN_FILE to the path of a file that holds it
"#);
}

#[test]
fn missing_price_is_unknown() {
    let text = include_str!("../../../jobs.toml").replace("\"xiaohongshu-pgy/kol", "# ");
    let config = Config::parse(&text, Path::new("jobs.toml"), &Environment::default());
    let report = report(&config.expect("settings"), "2026-03-09 14:10:42".parse().expect("a time"));
    assert!(report.contains("10.90 + ?         5250  327.00 + ?\n"), "{report}");
    assert!(report.contains("?: set the price"), "{report}");
}

#[test]
fn total_counts_a_target_once_at_a_time() {
    // b fires with a, c between its fires.
    let text = "[justoneapi]\nprice = { \"xiaohongshu/search-recommend\" = 0.1 }\n\
                [[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"@hourly\"\n\
                keywords = [\"露营\", \"徒步\"]\n\
                [[job]]\nname = \"b\"\nkind = \"keywords\"\nschedule = \"0 */3 * * *\"\n\
                keywords = [\"露营\"]\n\
                [[job]]\nname = \"c\"\nkind = \"keywords\"\nschedule = \"30 */3 * * *\"\n\
                keywords = [\"露营\", \"骑行\"]\n";
    let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
    let report = report(&config.expect("settings"), "2026-03-09 12:00:00".parse().expect("a time"));
    let of = |name: &str| {
        let line = report.lines().find(|line| line.trim_start().starts_with(name)).expect(name);
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(of("a  "), "2 24 48 4.80 1440 144.00");
    assert_eq!(of("b  "), "1 8 8 0.80 240 24.00");
    assert_eq!(of("c  "), "2 8 16 1.60 480 48.00");
    assert_eq!(of("total"), "64 6.40 1920 192.00", "{report}");
}

#[test]
fn report_lines_fit_a_terminal() {
    let report = sample_report();
    let columns =
        |line: &str| -> usize { line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum() };
    for line in report.lines().filter(|line| !line.starts_with("warning: ")) {
        assert!(columns(line) <= usize::from(WIDTH), "{line}");
    }
}

#[test]
fn names_and_entries_are_escaped() {
    let text = "[[job]]\nname = \"a\\u202eb\"\nkind = \"keywords\"\nschedule = \"@daily\"\n\
                keywords = [\"c\\u2066d\\ufeff\"]\n";
    let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
    let report = report(&config.expect("settings"), "2026-03-09 14:10:42".parse().expect("a time"));
    assert!(report.contains("\nab (keywords)\n") && report.contains(" cd\n"), "{report:?}");
    assert!(report.chars().all(|c| c == '\n' || crate::text::is_visible(c)), "{report:?}");
}

#[test]
fn fires_follow_clock_changes() {
    let text = "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"0 9 * * *\"\n\
                timezone = \"America/New_York\"\nkeywords = [\"露营\"]\nenabled = true\n";
    let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
    let report = report(&config.expect("settings"), "2027-03-13 00:00:00".parse().expect("a time"));
    assert!(
        report.contains("2027-03-13 Sat 09:00:00 -05:00   2027-03-13 14:00:00 UTC"),
        "{report}"
    );
    assert!(
        report.contains("2027-03-14 Sun 09:00:00 -04:00   2027-03-14 13:00:00 UTC"),
        "{report}"
    );
}

#[test]
fn exceeded_limits_are_warned_of() {
    let text = include_str!("../../../jobs.toml")
        .replace("\n[budget]\n", "\n[budget]\nmax_calls_per_day = 100\nmax_cost_per_day = 5\n")
        .replace("# \"xiaohongshu/share-url", "\"xiaohongshu/share-url")
        .replace("schedule = \"@daily\"", "schedule = \"@daily\"\nmax_calls_per_day = 2");
    let config = Config::parse(&text, Path::new("jobs.toml"), &Environment::default());
    let report = report(&config.expect("settings"), "2026-03-09 14:10:42".parse().expect("a time"));
    // 5 pages of KOLs at midnight, 3 notes and twice 2 works per hour, 2 keywords at nine.
    for said in [
        "warning: the jobs need 175 calls a day, but [budget] allows 100, 75 less: slots will be missed \
         (budget) from about 13:00 on (Asia/Shanghai); raise max_calls_per_day under [budget], or",
        "warning: the jobs need 12.40 yuan a day, but [budget] allows 5.00, 7.40 less: slots will be \
         missed (budget) from about 07:00 on (Asia/Shanghai); raise max_cost_per_day under [budget], or",
        "warning: reading-kols needs 5 calls a day, but its max_calls_per_day allows 2, 3 less: slots \
         will be missed (budget) from about 00:00 on (Asia/Shanghai); raise it, or",
    ] {
        assert!(report.contains(said), "{said}\n{report}");
    }
}

#[test]
fn non_default_fire_settings_are_shown() {
    let text = "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"@hourly\"\n\
                keywords = [\"露营\"]\nactive = [\"mon-fri 09:00-18:00\"]\nspread = \"10m\"\n\
                misfire = \"all\"\nwindow = \"6h\"\n";
    let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
    let report = report(&config.expect("settings"), "2026-03-09 12:00:00".parse().expect("a time"));
    for line in [
        "  active    mon-fri 09:00-18:00\n",
        "  spread    over 10m\n",
        "  late      all are fetched, at most 24, if younger than 6h\n",
        "  overlap   slots are queued\n",
        "  next      2026-03-10 Tue 09:00:00 +08:00   2026-03-10 01:00:00 UTC\n",
    ] {
        assert!(report.contains(line), "{line}{report}");
    }
    assert!(report.contains("6.43"), "45 fires in a week\n{report}");
}

#[test]
fn jobs_over_a_shared_rate_are_warned_of_together() {
    let job = |name: &str, words: usize| {
        let words: Vec<_> = (0..words).map(|n| format!("w{n}")).collect();
        format!(
            "[[job]]\nname = \"{name}\"\nkind = \"keywords\"\nschedule = \"* * * * *\"\n\
             keywords = {words:?}\n"
        )
    };
    let warned = |text: &str| {
        let config = Config::parse(text, Path::new("jobs.toml"), &Environment::default());
        let now = "2026-03-09 12:00:00".parse().expect("a time");
        warnings(&config.expect("settings"), now)
    };
    // Each takes 60 % of a rate of one call per second.
    let rate = "[justoneapi]\nrate_per_second = 1\n";
    let one = warned(&format!("{rate}{}", job("a", 36)));
    assert!(!one.iter().any(|text| text.contains("rate_per_second")), "{one:?}");
    let two = warned(&format!("{rate}{}{}", job("a", 36), job("b", 36)));
    let said =
        "a and b need more calls to xiaohongshu/search-recommend/v1 than rate_per_second = 1";
    assert!(two.iter().any(|text| text.starts_with(said)), "{two:?}");
}

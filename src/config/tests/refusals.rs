//! Tests of invalid settings and their messages.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// Asserts that the message about a text contains all parts.
fn expect(text: &str, parts: &[&str]) {
    let message = refused(text);
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in the message about\n{text}\n{message}");
    }
}

#[test]
fn problem_shows_line_caret_and_fix() {
    let message = refused("timezne = \"Asia/Shanghai\"\n");
    insta::assert_snapshot!(message, @r#"
error: unknown key `timezne`
 --> jobs.toml:1:1
  |
1 | timezne
  | ^^^^^^^
  |
  = help: did you mean `timezone`?
"#);
    let message = refused(&JOB.replace("@daily", "0 25 * * *"));
    insta::assert_snapshot!(message, @r#"
error: invalid schedule: `25` is not a valid hour (0-23); `0 9-18 * * *` is valid
 --> jobs.toml:4:12
  |
4 | schedule = "0 25 * * *"
  |            ^^^^^^^^^^^^
  |
  = help: such as schedule = "0 * * * *" (every hour) or "@daily"
"#);
}

#[test]
fn unknown_keys_get_a_suggestion() {
    expect("timezne = \"UTC\"", &["jobs.toml:1:1", "did you mean `timezone`?"]);
    expect(
        "[justoneapi]\nratePerSecond = 1",
        &["jobs.toml:2:1", "did you mean `rate_per_second`?"],
    );
    expect("[justoneapi]\ncolour = 1", &["jobs.toml:2:1", "the keys here are base_url"]);
    expect("[just_one_api]\n", &["jobs.toml:1:2", "did you mean the section `[justoneapi]`?"]);
    expect("[[jobs]]\nname = \"a\"", &["jobs.toml:1:3", "did you mean the section `[[job]]`?"]);
    expect(&format!("{JOB}cron = \"@daily\""), &["jobs.toml:6:1", "did you mean `schedule`?"]);
    expect(
        "[justoneapi.price]\n\"xiaohongshu/get-note-detai\" = 1",
        &["jobs.toml:2:1", "did you mean \"xiaohongshu/get-note-detail\"?"],
    );
}

#[test]
fn keys_of_another_kind_are_explained() {
    expect(
        &format!("{JOB}notes = []"),
        &[
            "jobs.toml:6:1",
            "`notes` is not a key of jobs of kind `keywords`",
            "this kind has `keywords` and `keywords_file`",
        ],
    );
    expect(&format!("{JOB}max_pages = 2"), &["it belongs to kind `kols`"]);
    expect("[[job]]\nkind = \"works\"\nworks = []", &["did you mean `urls`?"]);
}

#[test]
fn wrong_types_say_what_was_expected_and_found() {
    expect("timezone = 8", &["jobs.toml:1:12", "expected a text in quotes, found a whole number"]);
    expect(
        "[justoneapi]\nconcurrency = \"8\"",
        &["jobs.toml:2:15", "expected a whole number, found a text"],
    );
    expect("[justoneapi]\nconcurrency = 1.5", &["found a number with a point"]);
    expect("[justoneapi]\nallow_insecure_http = 1", &["expected true or false"]);
    expect(
        &JOB.replace("[\"露营\"]", "\"露营\""),
        &["jobs.toml:5:12", "expected a list, found a text"],
    );
    expect(&JOB.replace("\"露营\"", "\"露营\", 5"), &["jobs.toml:5:19", "found a whole number"]);
    expect("justoneapi = 5", &["jobs.toml:1:14", "this is a section, not a value"]);
    expect("job = 5", &["jobs must be a list"]);
    expect("[job]\nname = \"a\"", &["in double brackets"]);
    expect("job = [5]", &["this is a section"]);
}

#[test]
fn numbers_out_of_range_say_the_range_and_the_default() {
    for number in ["0", "-1", "257", "9223372036854775807"] {
        let text = format!("[justoneapi]\nconcurrency = {number}");
        expect(&text, &["jobs.toml:2:15", "from 1 to 256; without this line it is 8"]);
    }
    expect("[justoneapi]\nconcurrency = 9223372036854775808", &["jobs.toml:2"]);
    let kols = "[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@daily\"\nfilter = {}\nmax_pages = 251";
    expect(kols, &["jobs.toml:6:13", "from 1 to 250"]);
}

#[test]
fn choices_and_zones_get_a_suggestion() {
    expect("timezone = \"Asia/Shanghia\"", &["jobs.toml:1:12", "did you mean \"Asia/Shanghai\"?"]);
    expect("timezone = \"Beijing Time Zone\"", &["IANA"]);
    for zone in ["+0800", "China Standard Time", "北京时间", "UTC+8"] {
        expect(&format!("timezone = \"{zone}\""), &["did you mean \"Asia/Shanghai\"?"]);
    }
    expect("timezone = \"Z\"", &["did you mean \"UTC\"?"]);
    expect("timezone = \"\"", &["the time zone is empty"]);
    expect("[justoneapi]\nnote_detail_version = \"v5\"", &["\"v1\" (recommended upstream)"]);
    expect("[amagi]\nparameter = \"awemeid\"", &["did you mean \"aweme_id\"?"]);
    expect("[douyin]\nprovider = \"tiktok\"", &["one of \"justoneapi\" and \"amagi\""]);
    expect(
        &JOB.replace("\"keywords\"", "\"keyword\""),
        &["jobs.toml:3:8", "did you mean \"keywords\"?"],
    );
}

#[test]
fn schedules_are_refused_with_the_reason() {
    let with = |pattern: &str| JOB.replace("@daily", pattern);
    expect(&with("* * * * * *"), &["jobs.toml:4:12", "`* * * * *` (five fields)"]);
    expect(&with("0 0 0 31 2 *"), &["never fires"]);
    expect(&with("@reboot"), &["by the clock only"]);
}

#[test]
fn missing_job_keys_are_reported() {
    expect("[[job]]\n", &["no `name`", "no `kind`", "no `schedule`"]);
    expect("[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@daily\"\n", &["no `filter`"]);
    expect(&JOB.replace("\"露营\"", ""), &["no targets", "`keywords_file`"]);
    expect(&JOB.replace("\"a\"", "\" \""), &["the name is empty"]);
    expect(&JOB.replace("\"a\"", &format!("\"{}\"", "n".repeat(65))), &["at most 64 characters"]);
    expect(
        &format!("{JOB}{JOB}"),
        &["jobs.toml:7:8", "duplicate job name `a`, first used in line 2"],
    );
}

#[test]
fn entries_and_filters_are_refused_at_their_place() {
    let notes = JOB.replace("keywords", "notes");
    expect(&notes, &["jobs.toml:5:10", "neither a link nor an id"]);
    expect(&notes.replace("露营", "7512345678901234567"), &["kind `works`"]);
    let kols = "[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@daily\"\n[job.filter]\n";
    expect(&format!("{kols}gender = \"FEMAL\""), &["jobs.toml:6:1", "did you mean \"FEMALE\"?"]);
    expect(&format!("{kols}page = 1"), &["set `max_pages`"]);
}

#[test]
fn addresses_are_checked() {
    let with = |url: &str| format!("[justoneapi]\nbase_url = \"{url}\"");
    expect(&with("http://203.0.113.7:30015"), &["jobs.toml:2:12", "allow_insecure_http = true"]);
    expect(&with("http://localhost.evil.example"), &["plain http"]);
    expect(&with("ftp://127.0.0.1"), &["start with https or http"]);
    expect(&with("api.justoneapi.com"), &["invalid address"]);
    expect(&with("https://user@example.org"), &["may not contain"]);
    expect(&with("https://example.org?a=1"), &["may not contain"]);
    for url in [
        "http://localhost:1",
        "http://127.9.9.9:1",
        "http://[::1]:1",
        "http://[::ffff:127.0.0.1]:1",
    ] {
        assert!(parse_with(&with(url), &Environment::default()).is_ok(), "{url}");
    }
    let environment = Environment::of([("JUSTONEAPI_BASE_URL", "http://203.0.113.7")]);
    let error = parse_with("", &environment);
    assert!(error.expect_err("refused").to_string().contains("JUSTONEAPI_BASE_URL: plain http"));
}

#[test]
fn proxy_that_would_see_secrets_is_refused() {
    let with = |url: &str, more: &str| format!("[justoneapi]\nproxy = \"{url}\"\n{more}");
    expect(&with("proxy:3128", ""), &["jobs.toml:2:9", "a proxy begins with http, https"]);
    expect(&with("ftp://proxy:1", ""), &["a proxy begins with"]);
    expect(&with("nowhere", ""), &["invalid address of a proxy"]);
    let error = refused(&with("http://me:CANARY@proxy:1", ""));
    assert!(error.contains("proxy_auth_env") && !error.contains("CANARY"), "{error}");
    let http = "base_url = \"http://127.0.0.1:1\"";
    expect(&with("http://proxy:1", http), &["a proxy would see the token"]);
    expect("[justoneapi]\nproxy_auth_env = \"A\"", &["there is no `proxy`"]);
    let error = refused(&with("http://proxy:1", "proxy_auth_env = \"me:CANARY\""));
    assert!(error.contains("is not the name of an environment variable"), "{error}");
    assert!(!error.contains("CANARY"), "{error}");
    let unset = with("http://proxy:1", "proxy_auth_env = \"NOPE\"");
    let config = parse_with(&unset, &Environment::default()).expect("settings");
    assert!(
        config.warnings.iter().any(|it| it.contains("asked without credentials")),
        "{:?}",
        config.warnings
    );
    let alert = "[[alert]]\nkind = \"generic\"\nurl_env = \"HOOK\"\nproxy = \"http://proxy:1\"\n";
    let hook = |url: &str| parse_with(alert, &Environment::of([("HOOK", url)]));
    assert!(hook("http://127.0.0.1:1/").is_err());
    assert!(hook("https://example.org/").is_ok());
}

#[test]
fn proxy_takes_its_credentials_from_the_environment_or_a_file() {
    let text = "[justoneapi]\nproxy = \"socks5://proxy:1080\"\nproxy_auth_env = \"PROXY_AUTH\"\n\
                [amagi]\nproxy = \"http://proxy:3128\"\n";
    let environment =
        Environment::of([("PROXY_AUTH", "me:CANARY"), ("HTTPS_PROXY", "http://elsewhere:1")]);
    let config = parse_with(text, &environment).expect("settings");
    let [ours, amagi] = Provider::ALL.map(|it| config.provider(it).proxy.clone().expect("a proxy"));
    assert_eq!(ours.url.as_str(), "socks5://proxy:1080");
    assert_eq!(ours.auth.map(|auth| auth.expose_secret().to_owned()).as_deref(), Some("me:CANARY"));
    assert!(amagi.auth.is_none(), "it has none");
    assert!(!format!("{config:?}").contains("CANARY"));
    let without = parse_with("", &environment).expect("settings");
    assert!(without.provider(Provider::JustOneApi).proxy.is_none());
}

#[test]
fn invalid_prices_are_refused() {
    for price in
        ["-1", "0.1234567", "\"1,5\"", "nan", "true", "\"\"", "1e300", "99999999999999999999.0"]
    {
        let text = format!("[justoneapi.price]\n\"xiaohongshu/get-note-detail\" = {price}");
        expect(&text, &["jobs.toml:2:33", "invalid price"]);
    }
    expect("[justoneapi.price]\n\"amagi/fetch_one_work\" = 1", &["is not a paid endpoint"]);
}

#[test]
fn all_problems_are_reported_in_order() {
    let text = format!(
        "timezone = 5\n[justoneapi]\nconcurrency = 0\nrate_per_second = \"x\"\ntimeot = 1\n{JOB}{JOB}"
    );
    let error = parse_with(&text, &Environment::default()).expect_err("refused");
    let positions: Vec<&str> = error
        .problems()
        .iter()
        .filter_map(|text| text.lines().nth(1)?.split_once("jobs.toml:").map(|(_, place)| place))
        .collect();
    assert_eq!(positions, ["1:12", "3:15", "4:19", "5:1", "12:8"]);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("folder")).expect("a directory");
    std::fs::write(directory.path().join("binary"), [0xff, 0xff]).expect("a file");
    std::fs::write(directory.path().join("bad.txt"), "露营\na\tb\n").expect("a file");
    std::fs::write(directory.path().join("empty.txt"), "# nothing\n").expect("a file");
    let path = directory.path().join("jobs.toml");
    let job = JOB.replace("keywords = [\"露营\"]\n", "");
    for (file, part) in [
        ("missing.txt", "missing.txt`: No such file"),
        ("folder", "not a regular file"),
        ("binary", "none of UTF-8, UTF-16 and GB18030"),
        ("folder\\notes.txt", "write folders with /"),
        ("../x.txt", "not beside jobs.toml"),
        ("/etc/passwd", "not beside jobs.toml"),
        ("", "not beside jobs.toml"),
        ("bad.txt", "bad.txt:2:1"),
        ("empty.txt", "no targets"),
    ] {
        let text = format!("{job}keywords_file = \"{file}\"\n");
        let error = Config::parse(&text, &path, &Environment::default()).expect_err(file);
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    let error = Config::load(&path, &Environment::default()).expect_err("there is no such file");
    assert!(error.to_string().contains("--config"), "{error}");
}

#[cfg(unix)]
#[test]
fn list_behind_a_link_out_of_the_folder_is_not_read() {
    let inside = tempfile::tempdir().expect("a directory");
    let outside = tempfile::tempdir().expect("a directory");
    let secret = "not-for-your-eyes";
    std::fs::write(outside.path().join("secret"), secret).expect("a file");
    std::fs::write(inside.path().join("words.1"), "露营\n").expect("a file");
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, inside.path().join(name)).expect("a link");
    };
    link(&outside.path().join("secret"), "words.txt");
    link(outside.path(), "folder");
    link(Path::new("words.1"), "current.txt");
    let path = inside.path().join("jobs.toml");
    let read = |file: &str| {
        let text = JOB.replace("keywords = [\"露营\"]", &format!("keywords_file = \"{file}\""));
        Config::parse(&text, &path, &Environment::default())
    };
    for file in ["words.txt", "folder/secret"] {
        let error = read(file).expect_err(file).to_string();
        assert!(error.contains("a link that leads out") && !error.contains(secret), "{error}");
    }
    assert_eq!(read("current.txt").expect("a link inside").jobs[0].targets.len(), 1);
}

#[test]
fn signs_of_other_keyboards_are_named_at_their_place() {
    let with = |from: &str, to: &str| JOB.replace(from, to);
    let list = "[\"露营\"]";
    expect(&with(list, "[“露营”]"), &["jobs.toml:5:13", "`“` is not a sign of TOML", "write `\"`"]);
    expect(&with("\"a\"", "\"a”"), &["jobs.toml:2:10", "write `\"`"]);
    expect(&with(list, "[\"露营\"，\"徒步\"]"), &["jobs.toml:5:17", "write `,`"]);
    expect(&with("schedule =", "schedule ＝"), &["jobs.toml:4:10", "write `=`"]);
    expect(&with("schedule =", "schedule\u{a0}="), &["jobs.toml:4:9", "U+00A0"]);
    expect(&with("name =", "\u{200b}name ="), &["jobs.toml:2:1", "invisible sign (U+200B)"]);
    expect(&format!("timezone = \"UTC\"\n\u{feff}{JOB}"), &["jobs.toml:2:1", "U+FEFF"]);
    expect(&with("[[job]]", "［［job］］"), &["jobs.toml:1:1", "write `[`"]);
    expect(&with("\"露营\"", "\"看【山山的\"作品\"】\""), &["jobs.toml:5:", "between ''' and '''"]);
    expect(&with("\"keywords\"", "\"关键词\""), &["did you mean \"keywords\"?"]);
    let share = with(list, "[\"38 【露营】看 \nhttp://xhslink.cn/o/1Ab 复制\", \"b\"]");
    expect(&share, &["jobs.toml:5:13", "does not end on its line", "between \"\"\" and \"\"\""]);
    let share = with(list, "[\"\"\"38 【露营】看 \nhttp://xhslink.cn/o/1Ab 复制\"\"\", 'b”, “c”]");
    expect(&share, &["jobs.toml:6:", "write `\"`"]);
    let good = format!("# “注释”，＝\n{}", with("露营", "“露营”"));
    assert!(parse_with(&good, &Environment::default()).is_ok(), "{good}");
}

#[test]
fn other_encodings_of_the_file_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("jobs.toml");
    let text = format!("timezone = \"UTC\"\n# 春季\n{JOB}");
    let (gbk, _, _) = encoding_rs::GB18030.encode(&text);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gbk = (gbk.into_owned(), "jobs.toml:2:3: this is gb18030");
    for (bytes, said) in [gbk, (utf16, "this is UTF-16LE")] {
        std::fs::write(&path, bytes).expect("a file");
        let error = Config::load(&path, &Environment::default()).expect_err(said).to_string();
        assert!(error.contains(said) && error.contains("save the file as UTF-8"), "{error}");
    }
}

#[test]
fn oversized_input_is_refused() {
    expect(&"#".repeat((1 << 20) + 1), &["larger than 1024 KiB"]);
    expect(&format!("a = {}", "[".repeat(500_000)), &["jobs.toml:1"]);
    expect(&format!("a = {}1", "{a=".repeat(300_000)), &["jobs.toml:1"]);
    expect(&format!("{}b = 1", "a.".repeat(500_000)), &["jobs.toml:1"]);
    expect(&format!("{} = 1", "x".repeat(1_000_000)), &["jobs.toml:1:1"]);
    let mut many = JOB.replace("[\"露营\"]\n", "[\n");
    for _ in 0..20_000 {
        many.push_str("\"\\u0007\",\n");
    }
    expect(&format!("{many}]"), &["and 19950 more problems"]);
    let mut keys = String::new();
    for key in 0..4_000 {
        let _ = writeln!(keys, "unknown{key} = 1");
    }
    expect(&keys, &["and 3950 more problems"]);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = parse_with(&text, &Environment::default());
    }

    #[test]
    fn no_mangled_sample_makes_it_panic(cut in 0usize..6000, to in 0usize..6000, put in "[\\PC\n]{0,6}") {
        let sample: Vec<char> = include_str!("../../../jobs.toml").chars().collect();
        let (cut, to) = (cut.min(to).min(sample.len()), cut.max(to).min(sample.len()));
        let text: String = sample[..cut].iter().copied().chain(put.chars()).chain(sample[to..].iter().copied()).collect();
        let _ = parse_with(&text, &Environment::default());
    }
}

#[test]
fn invalid_budget_is_refused() {
    expect("[budget]\nmax_calls_per_day = 0\n", &["jobs.toml:2:21", "out of range", "at least 1"]);
    expect("[budget]\nmax_cost_per_day = \"viel\"\n", &["invalid amount", "20.5"]);
    expect("[budget]\nmax_call_per_day = 5\n", &["did you mean `max_calls_per_day`?"]);
    let unpriced = format!("[budget]\nmax_cost_per_day = 5\n{JOB}");
    expect(&unpriced, &["needs the price of", "[justoneapi.price]"]);
    let link = "[budget]\nmax_cost_per_day = 5\n\
                [justoneapi]\nprice = { \"xiaohongshu/get-note-detail\" = 0.15 }\n\
                [[job]]\nname = \"a\"\nkind = \"notes\"\nschedule = \"@daily\"\nnotes = [";
    expect(
        &format!("{link}\"https://xhslink.com/a/Ab3dEfGh1\"]\n"),
        &["needs the price of xiaohongshu/share-url-transfer/v1"],
    );
    let id = format!("{link}\"68a1b2c3d4e5f60718293a4b\"]\n");
    assert!(parse_with(&id, &Environment::default()).is_ok(), "nothing is to be resolved");
    expect(&format!("{JOB}max_calls_per_day = -1\n"), &["out of range", "`enabled = false`"]);
}

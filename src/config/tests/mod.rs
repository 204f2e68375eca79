//! Tests of valid and invalid settings.

mod firing;
mod refusals;
mod schema;
mod secrecy;

use std::path::Path;

use ::secrecy::ExposeSecret;

use super::*;

/// A valid job to combine with mistakes.
const JOB: &str =
    "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"@daily\"\nkeywords = [\"露营\"]\n";

fn parse_with(text: &str, environment: &Environment) -> Result<Config, ConfigError> {
    let read = Config::parse(text, Path::new("jobs.toml"), environment);
    schema::agrees(text, &read);
    read
}

fn config(text: &str) -> Config {
    match parse_with(text, &Environment::default()) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    }
}

fn refused(text: &str) -> String {
    parse_with(text, &Environment::default()).expect_err(text).to_string()
}

fn with_token(token: &str) -> Environment {
    Environment::of([("JUSTONEAPI_TOKEN", token)])
}

#[test]
fn sample_is_valid_without_a_token() {
    let config = config(include_str!("../../../jobs.toml"));
    let names: Vec<&str> = config.jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["spring-campaign", "food-words", "reading-kols", "competitor-works"]);
    let counts: Vec<usize> = config.jobs.iter().map(|job| job.targets.len()).collect();
    assert_eq!(counts, [3, 2, 1, 2]);
    assert_eq!(config.price_micros(Endpoint::NoteDetailV1), Some(150_000));
    assert_eq!(config.endpoint(Kind::Note), Endpoint::NoteDetailV1);
    assert_eq!(config.endpoint(Kind::Work), Endpoint::AmagiWorkById);
    assert_eq!(config.require_token(), Err(TokenMissing::Calls(Provider::JustOneApi)));
}

#[test]
fn sample_shows_the_defaults() {
    let sample = include_str!("../../../jobs.toml");
    // A line such as `# concurrency = 8` shows a default: uncommenting it changes nothing.
    let switched_on: String = sample
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest.contains(" = ")
                    && !rest.contains("_file")
                    && !rest.contains(": ")
                    && !rest.starts_with(' ') =>
            {
                rest
            }
            _ => line,
        })
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(switched_on.contains("\nrate_per_second = 5"), "{switched_on}");
    let [config_on, config_off] = [switched_on.as_str(), sample].map(|text| {
        let mut config = config(text);
        config.provider_mut(Provider::JustOneApi).price_micros.retain(|_, micros| *micros > 0);
        format!("{config:?}")
    });
    assert_eq!(config_on, config_off);
}

#[test]
fn empty_file_has_defaults_and_a_warning() {
    let config = config("");
    assert_eq!(config.timezone, Tz::Asia__Shanghai);
    assert_eq!(
        config.provider(Provider::JustOneApi).base_url.as_str(),
        "https://api.justoneapi.com/"
    );
    assert_eq!(config.provider(Provider::JustOneApi).concurrency, 8);
    assert_eq!(config.provider(Provider::JustOneApi).rate_per_second, 5);
    assert_eq!(config.provider(Provider::JustOneApi).timeout, Duration::from_secs(60));
    assert_eq!(config.provider(Provider::Amagi).base_url.as_str(), "http://127.0.0.1:4567/api");
    assert_eq!(config.provider(Provider::Amagi).concurrency, 2);
    assert_eq!(config.endpoint(Kind::Note), Endpoint::NoteDetailV1);
    assert_eq!(config.endpoint(Kind::Work), Endpoint::WorkDetail);
    assert!(config.warnings[0].contains("no job is enabled"));
    assert!(config.require_token().is_ok());
}

#[test]
fn provider_of_works_follows_the_sections() {
    let detail = |text: &str| config(text).endpoint(Kind::Work);
    assert_eq!(detail("[amagi]"), Endpoint::AmagiWorkById);
    assert_eq!(detail("[amagi]\nparameter = \"url\""), Endpoint::AmagiWorkByUrl);
    assert_eq!(detail("[amagi]\n[douyin]\nprovider = \"justoneapi\""), Endpoint::WorkDetail);
    assert_eq!(detail("[douyin]\nprovider = \"amagi\""), Endpoint::AmagiWorkById);
    assert_eq!(detail("[douyin]"), Endpoint::WorkDetail);
}

#[test]
fn job_zone_defaults_to_the_files() {
    let text = format!("timezone = \"Europe/Berlin\"\n{JOB}timezone = \"America/New_York\"\n");
    let text = text + &JOB.replace("\"a\"", "\"b\"");
    let config = config(&text);
    assert_eq!(config.jobs[0].schedule.zone, Tz::America__New_York);
    assert_eq!(config.jobs[1].schedule.zone, Tz::Europe__Berlin);
}

#[test]
fn prices_are_exact_and_apply_to_all_versions() {
    let text = "[justoneapi.price]\n\"xiaohongshu/get-note-detail\" = \"0.150001\"\n\
                \"xiaohongshu/get-note-detail/v6\" = 0.29\n\"xiaohongshu/search-recommend/v1\" = 2\n";
    let config = config(text);
    assert_eq!(config.price_micros(Endpoint::NoteDetailV1), Some(150_001));
    assert_eq!(config.price_micros(Endpoint::NoteDetailV6), Some(290_000));
    assert_eq!(config.price_micros(Endpoint::NoteDetailV7), Some(150_001));
    assert_eq!(config.price_micros(Endpoint::SearchSuggestions), Some(2_000_000));
    assert_eq!(config.price_micros(Endpoint::KolSearch), None);
    assert_eq!(config.price_micros(Endpoint::AmagiWorkById), Some(0));
}

#[test]
fn kol_search_is_one_target() {
    let text = "[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@daily\"\nmax_pages = 5\n\
                [job.filter]\nkeyword = \"阅读\"\nnotePrice = [1000, 5000]\n";
    let config = config(text);
    let [target] = config.jobs[0].targets.as_slice() else { panic!("one target") };
    let key =
        r#"{"filter":{"keyword":"阅读","notePrice":"1000,5000","sort":"FANS"},"max_pages":5}"#;
    assert_eq!((target.kind, target.key.as_str()), (Kind::KolSearch, key));
}

#[test]
fn disabled_job_is_checked_and_kept_apart() {
    let config = config(&format!("{JOB}enabled = false\n"));
    assert!(config.jobs.is_empty());
    assert_eq!(config.disabled_jobs[0].name, "a");
    assert!(
        refused(&format!("{JOB}enabled = false\nurls = []\n"))
            .contains("is not a key of jobs of kind")
    );
}

#[test]
fn entries_of_list_and_file_are_deduplicated() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("lists")).expect("a directory");
    let list = "\u{feff}# words\n\n  露营 \n#徒步\r\n露营\n";
    std::fs::write(directory.path().join("lists/words.txt"), list).expect("a file");
    let path = directory.path().join("jobs.toml");
    std::fs::write(&path, format!("{JOB}keywords_file = \"lists/words.txt\"\n")).expect("a file");
    let config = Config::load(&path, &Environment::default()).expect("settings");
    let keys: Vec<&str> = config.jobs[0].targets.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(keys, ["露营", "徒步"]);
    let repeats: Vec<&String> =
        config.warnings.iter().filter(|it| it.contains("repeats")).collect();
    assert!(repeats[0].contains("words.txt:3 repeats line 5"), "{repeats:?}");
    assert!(repeats[1].contains("words.txt:5 repeats line 5"), "{repeats:?}");
}

#[test]
fn lists_may_be_tables_in_other_encodings() {
    let directory = tempfile::tempdir().expect("a directory");
    let table = "春季投放\n序号,笔记ID,标题\n1,68a1b2c3d4e5f60718293a4b,露营\n,,\n3,68a1b2,徒步\n";
    let path = directory.path().join("jobs.toml");
    let text = JOB.replace("keywords = [\"露营\"]", "notes_file = \"list.csv\"");
    let text = text.replace("\"keywords\"", "\"notes\"");
    let read = |table: &str| {
        let (gbk, _, _) = encoding_rs::GB18030.encode(table);
        std::fs::write(directory.path().join("list.csv"), gbk).expect("a file");
        Config::parse(&text, &path, &Environment::default())
    };
    let error = read(table).expect_err("the last row").to_string();
    assert!(error.contains("list.csv:5:1") && error.contains("3,68a1b2,徒步"), "{error}");
    let config = read(&table.replace("3,68a1b2,徒步\n", "")).expect("settings");
    assert_eq!(config.jobs[0].targets.len(), 1);
    assert!(
        config.warnings.iter().any(|it| it.contains("is read as gb18030")),
        "{:?}",
        config.warnings
    );
}

#[test]
fn unlikely_settings_are_warned_of() {
    let notes = JOB.replace("keywords", "notes").replace("露营", "68a1b2c3d4e5f60718293a4b");
    let warnings = |text: &str| config(text).warnings.join("\n");
    assert!(!warnings(&notes).contains("is recommended"));
    let v7 = format!("[justoneapi]\nnote_detail_version = \"v7\"\n{notes}");
    assert!(warnings(&v7).contains("v1 is recommended"));
    let v6 = format!("[justoneapi]\nnote_detail_version = \"v6\"\n{notes}");
    assert!(warnings(&v6).contains("video notes only"));
    assert!(warnings(&JOB.replace("@daily", "0 0 1 * MON")).contains("fires on either"));
    assert!(warnings(JOB).contains("JUSTONEAPI_TOKEN"));
    let near =
        warnings(&JOB.replace("\"露营\"", "\"露营 装备\", \"露营装备\", \"露营\u{3000}装备\""));
    assert!(near.contains("`露营 装备` and `露营装备` are nearly the same"), "{near}");
    assert!(near.contains("line 5 repeats line 5"), "{near}");
    assert!(warnings(&JOB.replace("@daily", "*/45 * * * *")).contains("begins anew"));
    assert!(warnings(&format!("timezone = \"Etc/GMT+8\"\n{JOB}")).contains("8 hours behind"));
    let http =
        "[justoneapi]\nbase_url = \"http://203.0.113.7:30015\"\nallow_insecure_http = true\n";
    assert!(warnings(http).contains("plain http to 203.0.113.7"));
}

#[test]
fn short_work_links_need_the_token_unless_amagi_takes_them() {
    let works = |head: &str, link: &str| {
        config(&format!(
            "{head}\n[[job]]\nname = \"w\"\nkind = \"works\"\nschedule = \"@daily\"\nurls = [\"{link}\"]\n"
        ))
        .require_token()
    };
    let (short, full) = ("https://v.douyin.com/irQCAn4A/", "7512345678901234567");
    assert_eq!(works("[amagi]", full), Ok(()));
    let missing = TokenMissing::ShortLinks(Provider::JustOneApi, Endpoint::AmagiWorkById);
    assert_eq!(works("[amagi]", short), Err(missing));
    assert!(missing.to_string().contains("set `parameter = \"url\"` under `[amagi]`"), "{missing}");
    assert_eq!(works("[amagi]\nparameter = \"url\"", short), Ok(()));
    assert_eq!(works("", full), Err(TokenMissing::Calls(Provider::JustOneApi)));
}

#[test]
fn keywords_from_lines_that_begin_with_a_hash_are_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("words.txt"), "# 我的词\n#露营\n野餐\n").expect("a file");
    let text = JOB.replace("keywords = [\"露营\"]", "keywords_file = \"words.txt\"");
    let config = Config::parse(&text, &folder.path().join("jobs.toml"), &with_token("abc"));
    let warnings = config.expect("settings").warnings.join("\n");
    assert!(warnings.contains("words.txt: 1 keyword from lines that begin with #"), "{warnings}");
    assert!(warnings.contains("such as `露营` in line 2"), "{warnings}");
}

#[test]
fn token_of_a_provider_that_takes_none_is_warned_of() {
    for name in ["AMAGI_TOKEN", "AMAGI_TOKEN_FILE"] {
        let config = parse_with("", &Environment::of([(name, "abc")])).expect("settings");
        assert_eq!(config.warnings[0], format!("{name} is not used: amagi takes no token"));
    }
}

#[test]
fn token_is_read_from_environment_or_file() {
    let token = |environment: &Environment| {
        let config = parse_with("", environment).expect("settings");
        config.tokens().next().map(|token| token.expose_secret().to_owned())
    };
    assert_eq!(token(&with_token(" abc\n")).as_deref(), Some("abc"));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "from-file\n").expect("a file");
    let path = file.path().display().to_string();
    let from_file = Environment::of([("JUSTONEAPI_TOKEN_FILE", path.as_str())]);
    assert_eq!(token(&from_file).as_deref(), Some("from-file"));
    let both =
        Environment::of([("JUSTONEAPI_TOKEN_FILE", path.as_str()), ("JUSTONEAPI_TOKEN", "abc")]);
    assert_eq!(token(&both).as_deref(), Some("abc"));
    assert!(parse_with("", &both).expect("settings").warnings[0].contains("both set"));
}

#[test]
fn base_url_of_the_environment_wins() {
    let environment = Environment::of([("JUSTONEAPI_BASE_URL", "http://127.0.0.1:9999/")]);
    let text = "[justoneapi]\nbase_url = \"https://example.org/x/\"";
    let url = |environment| {
        parse_with(text, environment)
            .expect("settings")
            .provider(Provider::JustOneApi)
            .base_url
            .to_string()
    };
    assert_eq!(url(&environment), "http://127.0.0.1:9999/");
    assert_eq!(url(&Environment::default()), "https://example.org/x");
}

#[test]
fn every_kind_has_an_endpoint_and_every_provider_an_address() {
    for kind in Kind::ALL {
        assert_eq!(Endpoint::first_of(kind).kind(), kind);
        assert_eq!(config("").endpoint(kind).kind(), kind);
    }
    for provider in Provider::ALL {
        let section = config(&format!("[{provider}]"));
        assert!(section.provider(provider).base_url.has_host(), "{provider}");
        assert!(section.provider(provider).token.is_none());
        let price = format!("[{provider}]\nprice = {{}}");
        let is_known = parse_with(&price, &Environment::default()).is_ok();
        assert_eq!(is_known, provider.profile().paid, "{provider}");
    }
}

#[test]
fn cost_budget_needs_prices() {
    let jobs = "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"@daily\"\n\
                keywords = [\"x\"]\nmax_calls_per_day = 7\n";
    let budget = "[budget]\nmax_calls_per_day = 2000\nmax_cost_per_day = 20.5\n";
    let price = "[justoneapi.price]\n\"xiaohongshu/search-recommend/v1\" = 0.05\n";
    let whole = config(&format!("{budget}{price}{jobs}"));
    assert_eq!(whole.budget.max_calls_per_day, Some(2000));
    assert_eq!(whole.budget.max_cost_per_day_micros, Some(20_500_000));
    assert_eq!(whole.jobs[0].max_calls_per_day, Some(7));
    assert!(!config(&format!("{price}{jobs}")).budget.is_set());
}

#[test]
fn alert_needs_kind_and_address() {
    let variables = [("HOOK", "https://example.org/x"), ("KEY", " k ")];
    let environment = Environment::of(variables);
    let text = "[[alert]]\nkind = \"feishu\"\nurl_env = \"HOOK\"\nsign_env = \"KEY\"\n\
                [[alert]]\nkind = \"generic\"\nname = \"en\"\nurl_env = \"NOWHERE\"\n\
                language = \"en\"\non = [\"gone\"]\nsilent_after = 9\n\
                [[alert]]\nkind = \"wecom\"\nurl_env = \"NOWHERE_EITHER\"\n";
    let config = parse_with(text, &environment).expect("it is right");
    let [first, second, _] = &config.alerts[..] else { panic!("{:?}", config.alerts) };
    assert_eq!((first.name.as_str(), first.webhook), ("feishu", Webhook::Feishu));
    assert_eq!((first.on.as_slice(), first.silent_after), (&Condition::ALL[..], 3));
    assert_eq!(first.language, Language::Chinese);
    assert_eq!(first.sign.as_ref().map(ExposeSecret::expose_secret), Some("k"));
    assert_eq!((second.name.as_str(), second.webhook), ("en", Webhook::Generic));
    assert_eq!((second.on.as_slice(), second.silent_after), (&[Condition::Gone][..], 9));
    assert_eq!((second.language, second.url.is_none()), (Language::English, true));
    let missing = config.require_alert_urls().expect_err("two have none").to_string();
    let named = missing.contains("the alert en has no address, the alert wecom has no address:");
    assert!(named && config.warnings.contains(&missing), "{missing}");
    assert!(!format!("{config:?}").contains("example.org"));
}

#[test]
fn health_checks_are_off_by_default() {
    assert_eq!(config("").listen, None);
    let listen = config("[health]\nlisten = \"[::1]:9464\"\n").listen;
    assert_eq!(listen.map(|it| it.to_string()).as_deref(), Some("[::1]:9464"));
}

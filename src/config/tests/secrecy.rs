//! No message shows a secret.

use proptest::prelude::*;

use super::*;

const CANARY: &str = "CANARY-9f8e7d6c5b4a";

/// Texts with a secret in `jobs.toml`.
fn leaks() -> Vec<String> {
    let mut texts: Vec<String> = [
        "[justoneapi]\ntoken = \"§\"",
        "token = \"§\"",
        "[justoneapi]\ntokn = \"§\"",
        "[justoneapi]\napi_key = '§'",
        "[justoneapi]\nApiKey = ['§']",
        "[justoneapi]\ntoken = \"\"\"\nline\n§\n\"\"\"\nconcurrency = 0",
        "[justoneapi]\ntoken = { value = \"§\" }",
        "justoneapi = { concurrency = \"x\", token = \"§\" }",
        "justoneapi.token = \"§\"",
        "[justoneapi]\n\"tok\\u0065n\" = \"§\"",
        "[amagi]\nsecret = \"§\"\nparameter = 5",
        "[justoneapi]\nbase_url = \"https://example.org/?token=§\"",
        "[justoneapi]\nbase_url = \"https://u:§@example.org/\" # password",
        "[justoneapi]\nprice = { \"token-§\" = 1 }",
        "timezone = \"token §\"",
        "[[job]]\nschedule = \"0 0 * * §\" # token",
        "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@daily\"\nnotes_file = \"token/§\"",
        "[[job]]\nkind = \"works\"\nurls = [\"https://§.example/?token=§\", \"§://token\"]",
        "[[job]]\nname = \"n\"\nkind = \"\"\"\ntoken = §\n\"\"\"",
        // Syntax errors before, at and after the secret.
        "[justoneapi]\ntoken = §",
        "[justoneapi]\ntoken = \"§",
        "[justoneapi]\ntoken = '§\nx = 1",
        "[justoneapi]\ntoken = \"\"\"\n§\n",
        "[justoneapi]\ntoken = \"a\"\ntoken = \"§\"",
        "[justoneapi]\ntoken \"§\"",
        "[justoneapi]\nconcurrency = = \ntoken = \"§\"",
        "[justoneapi]\ntokn = §",
        // The value of an unknown key is hidden as well.
        "[justoneapi]\nmy_login = \"§\"",
        "my_login = \"§\"",
        "[[job]]\nname = 5\nmy_login = \"§\"",
        // An address or a key where it was to be said in which file or variable it is.
        "[[alert]]\nkind = \"feishu\"\nurl_file = \"https://example.org/x/§\"",
        "[[alert]]\nkind = \"feishu\"\nurl_env = \"https://example.org/x/§\"",
        "[[alert]]\nkind = \"feishu\"\nurl_file = \"§\"",
        "[[alert]]\nkind = \"feishu\"\nurl_env = \"A\"\nsign_file = \"§\"",
        "[[alert]]\nkind = \"feishu\"\nurl_env = \"§\"\nurl_file = \"§\"",
        "[[alert]]\nkind = \"wecom\"\nurl_env = \"A\"\nsign_env = \"§\"",
        "[[alert]]\nkind = \"feishu\"\nurl_file = [\"https://example.org/x/§\"]",
        "[[alert]]\nkind = \"feishu\"\nurl_flie = \"https://example.org/x/§\"",
        "[[alert]]\nkind = \"feishu\"\naddress = \"https://example.org/x/§\"",
        "[[alert]]\nkind = \"feishu\"\nurl = { file = \"https://example.org/x/§\" }",
        "alert = [{ kind = \"feishu\", url_file = \"https://example.org/x/§\" }]",
        "alert = { kind = 5, url_file = \"https://example.org/x/§\" }",
        "[alert]\nurl_file = \"https://example.org/x/§\"",
        "[[alert]]\nkind = \"feishu\"\nurl_file = https://example.org/x/§",
        "[[alert]]\nkind = \"feishu\"\nurl_file = \"https://example.org/x/§",
        "[[alert]]\nkind = = \"feishu\"\nsign_file = \"§\"",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push(format!("{JOB}token = \"§\"\n"));
    texts.push(format!("{JOB}[job.filter]\ntoken = \"§\"\n"));
    let kols = "[[job]]\nname = \"k\"\nkind = \"kols\"\nschedule = \"@daily\"\n";
    texts.push(format!("{kols}filter = {{ token = \"§\", gender = \"x\" }}\n"));
    texts.into_iter().map(|text| text.replace('§', CANARY)).collect()
}

#[test]
fn messages_repeat_no_secret() {
    for text in leaks() {
        let error = parse_with(&text, &Environment::default()).expect_err(&text);
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains(CANARY), "from\n{text}\n{shown}");
        }
        assert!(error.to_string().contains("jobs.toml:"), "{text}\n{error}");
    }
}

#[test]
fn token_in_the_file_is_refused_with_a_hint() {
    let message = refused(&format!("[justoneapi]\ntoken = \"{CANARY}\"\n"));
    insta::assert_snapshot!(message, @r#"
error: secrets do not belong in this file
 --> jobs.toml:2:1
  | (the line is not shown here)
  = help: set JUSTONEAPI_TOKEN, or JUSTONEAPI_TOKEN_FILE to the path of a file that holds it, and remove this line; a token that was shared with this file should be replaced
"#);
}

#[test]
fn real_token_is_never_shown() {
    for text in [
        "timezone = \"@\"",
        "[justoneapi]\nconcurrency = \"@\"",
        "\"@\" = 1",
        "[justoneapi.price]\n\"@\" = 1",
        "[[job]]\nname = \"@\"\nkind = \"@\"\nschedule = \"@\"",
        "[[job]]\nkind = \"kols\"\nfilter = { gender = \"@\", \"@\" = 1 }",
        "x = @",
        "[@]",
    ] {
        let text = text.replace('@', CANARY);
        let error = parse_with(&text, &with_token(CANARY)).expect_err(&text).to_string();
        assert!(!error.contains(CANARY), "from\n{text}\n{error}");
    }
}

#[test]
fn invalid_token_is_refused_and_not_shown() {
    for token in ["", "  \n", "two CANARY-9f8e7d6c5b4a", "CANARY-9f8e7d6c5b4a\u{fffd}"] {
        let error = parse_with("", &with_token(token)).expect_err("refused").to_string();
        assert!(error.contains("JUSTONEAPI_TOKEN"), "{error}");
        assert!(!error.contains(CANARY), "{error}");
    }
    let environment = Environment::of([("JUSTONEAPI_TOKEN_FILE", "/nowhere/at/all")]);
    let error = parse_with("", &environment);
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("JUSTONEAPI_TOKEN_FILE: cannot read the file"), "{error}");
    // The token itself instead of a path.
    let error = parse_with("", &Environment::of([("JUSTONEAPI_TOKEN_FILE", CANARY)]));
    assert!(!error.expect_err("refused").to_string().contains(CANARY));
}

#[test]
fn warnings_repeat_no_key_of_an_alert() {
    let canary = CANARY.replace('-', "_");
    let text = format!(
        "[[alert]]\nkind = \"feishu\"\nurl_env = \"{canary}\"\nsign_env = \"{canary}\"\n\
         [justoneapi]\nproxy = \"http://proxy:1\"\nproxy_auth_env = \"{canary}\"\n"
    );
    let config = parse_with(&text, &Environment::default()).expect("it is right");
    assert!(config.warnings.len() >= 3, "{:?}", config.warnings);
    assert!(!config.warnings.concat().contains(&canary), "{:?}", config.warnings);
}

#[test]
fn settings_can_be_printed_for_debugging() {
    let config = parse_with(JOB, &with_token(CANARY)).expect("settings");
    assert!(!format!("{config:?} {:?}", with_token(CANARY)).contains(CANARY));
}

#[test]
fn xsec_token_of_a_link_is_no_secret() {
    let link = "https://www.xiaohongshu.com/user/profile/5e0000000000000001000abc?xsec_token=AB";
    let text = format!(
        "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@daily\"\nnotes = [\"{link}\"]"
    );
    assert!(refused(&text).contains(link), "{}", refused(&text));
}

proptest! {
    #[test]
    fn no_mangled_file_gives_its_token_away(cut in 0usize..6000, to in 0usize..6000, put in "[\\PC\n]{0,6}|\"\"\"") {
        let sample: Vec<char> = include_str!("../../../jobs.toml").chars().collect();
        let (cut, to) = (cut.min(to).min(sample.len()), cut.max(to).min(sample.len()));
        let before: String = sample[..cut].iter().collect();
        let after: String = sample[to..].iter().collect();
        let text = format!("{before}{put}\ntoken = \"{CANARY}\"\n{after}");
        // A secret in a comment or a text value is valid; then there is no message.
        if let Err(error) = parse_with(&text, &Environment::default()) {
            prop_assert!(!error.to_string().contains(CANARY), "{text}\n{error}");
        }
    }
}

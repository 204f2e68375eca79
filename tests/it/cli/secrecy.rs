//! The token appears nowhere in what is written, shown or stored, whatever fails. It reaches the
//! program in its environment only, so it is on no command line either.

mod traces;

use std::collections::BTreeSet;
use std::time::Duration;

use tidewatch::simulator::Simulator;

use self::traces::Traces;
use crate::databases::{Database, on_both, rows};
use crate::program::{PATIENCE, Place, wait_for};
use crate::upstream;

/// A token with characters that are escaped in a query. The search uses its middle, which is the
/// same in every encoding.
const TOKEN: &str = "CANARY+/7f3a9c0e51b2d846/%9c=&~";

/// Faults of the note endpoint: each meets a note of its own.
const FAULTS: [&str; 31] = [
    "100",
    "101",
    "201",
    "202",
    "300",
    "301",
    "302",
    "303",
    "400",
    "404",
    "500",
    "503",
    "600",
    "601",
    "602",
    "empty",
    "gone",
    "wrong-id",
    "not-json",
    "cut",
    "drop",
    "slow:3000",
    "huge",
    "nul",
    "surrogate",
    "dup",
    "echo-token",
    "redirect",
    "risk",
    "dead-cookie",
    "http:404",
];

/// Faults of the other endpoints with the token.
const ELSEWHERE: &str = "suggestions#露营=redirect; suggestions=echo-token; kols@1=echo-token; \
                         kols@2=cut; work@1=echo-token; work@2=redirect; note-link@1=drop; \
                         note-link=echo-token; work-link=echo-token";

/// A port without a listener.
const NOBODY: &str = "http://127.0.0.1:1";

/// A way to enable all messages.
struct Log {
    variable: Option<(&'static str, &'static str)>,
    flags: &'static [&'static str],
}

/// By the environment and by flags, in both formats.
const LOGS: [Log; 2] = [
    Log { variable: Some(("RUST_LOG", "trace")), flags: &["--log-format", "text"] },
    Log { variable: None, flags: &["-vv", "--log-format", "json"] },
];

async fn simulate() -> Simulator {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let spoilt = spoilt_notes(&simulator);
    let rules: Vec<_> =
        spoilt.iter().zip(FAULTS).map(|(note, fault)| format!("note#{note}={fault}")).collect();
    simulator.set_faults(format!("{}; {ELSEWHERE}", rules.join("; ")).parse().unwrap());
    simulator
}

/// A note without faults.
fn sound_note(simulator: &Simulator) -> String {
    simulator.world().notes(1).remove(0)
}

/// A note for each of the faults.
fn spoilt_notes(simulator: &Simulator) -> Vec<String> {
    simulator.world().notes(1 + FAULTS.len()).split_off(1)
}

/// Jobs of every kind through all endpoints with the token.
fn jobs(simulator: &Simulator) -> String {
    let world = simulator.world();
    let job = |name: &str, list: String| {
        format!(
            "[[job]]\nname = \"{name}\"\nkind = \"{name}\"\nschedule = \"*/10 * * * * *\"\n{list}\n"
        )
    };
    let link = world.note_links(2 + FAULTS.len()).split_off(1 + FAULTS.len());
    let notes = [spoilt_notes(simulator), vec![sound_note(simulator)], link].concat();
    let works = [world.works(2), world.work_links(3).split_off(2)].concat();
    [
        "[justoneapi]\nconcurrency = 64\nrate_per_second = 1000\ntimeout_seconds = 1\n".to_owned(),
        "[douyin]\nprovider = \"justoneapi\"\n".to_owned(),
        job("notes", format!("notes = {notes:?}")),
        job("works", format!("urls = {works:?}")),
        job("keywords", "keywords = [\"美食\", \"露营\"]".to_owned()),
        job("kols", "filter = { searchType = \"NOTE\", keyword = \"阅读\" }".to_owned()),
    ]
    .concat()
}

on_both!(token_appears_nowhere);
async fn token_appears_nowhere(database: Database) {
    let simulator = simulate().await;
    let sound = sound_note(&simulator);
    let mut traces = Traces::new(TOKEN, &sound);
    for log in LOGS {
        let place = || {
            let place = Place::new(&database, &jobs(&simulator)).with_upstream(&simulator, TOKEN);
            log.variable.into_iter().fold(place, |place, (name, value)| place.with(name, value))
        };
        let sound_place = place();
        let verbs = Verbs { place: &sound_place, simulator: &simulator, flags: log.flags };
        verbs.that_end().await;
        verbs.fetch_what_fails().await;
        verbs.watch(&mut traces, &database).await;
        verbs.simulate().await;
        traces.scan_output(&sound_place);
        let place = place().with("JUSTONEAPI_BASE_URL", NOBODY);
        Verbs { place: &place, simulator: &simulator, flags: log.flags }.fetch_from_nobody().await;
        traces.scan_output(&place);
    }
    traces.scan_database(&database);
    let truth = simulator.truth();
    assert!(truth.iter().any(|row| row.key == sound && row.code == Some(0)), "no call succeeded");
    let met = |endpoint, fault| {
        truth
            .iter()
            .any(|row| row.endpoint == Some(endpoint) && row.fault.as_deref() == Some(fault))
    };
    for fault in FAULTS {
        assert!(met("note", fault), "{fault} is untried");
    }
    for endpoint in ["suggestions", "kols", "work", "note-link", "work-link"] {
        assert!(met(endpoint, "echo-token"), "{endpoint} never repeated the token");
    }
    assert!(truth.iter().all(|row| row.path != "/redirected"), "a redirect was followed");
    traces.check();
}

/// Imported answers that contain the token: in an object, and in its text.
fn answers() -> String {
    let body = serde_json::json!({ "code": 0, "data": ["suggestion"], "url": TOKEN });
    let line = |word: &str, body: serde_json::Value| {
        serde_json::json!({ "endpoint": "xiaohongshu/search-recommend/v1", "asked": word,
            "fetched_at": "2026-01-02T03:04:05Z", "body": body })
    };
    let text = body.to_string().replace('/', "\\/");
    let escaped: String = TOKEN.bytes().map(|byte| format!("\\u{byte:04X}")).collect();
    let read = serde_json::json!({ "items": [{ "text": "suggestion §" }] });
    let read = serde_json::json!({ "code": 0, "message": "§", "data": read }).to_string();
    let lines = [
        line("露营", body).to_string(),
        line("美食", text.into()).to_string(),
        // In a string, and once more in a string within it.
        line("水", "§".into()).to_string().replace("\"§\"", &read).replace('§', &escaped),
        line("茶", read.replace('§', &escaped).into()).to_string(),
    ];
    lines.join("\n") + "\n"
}

/// Runs the verbs of the program.
struct Verbs<'a> {
    place: &'a Place,
    simulator: &'a Simulator,
    flags: &'static [&'static str],
}

impl Verbs<'_> {
    fn line<'b>(&self, arguments: &[&'b str]) -> Vec<&'b str> {
        [self.flags, arguments].concat()
    }

    async fn that_end(&self) {
        let sound = sound_note(self.simulator);
        let link = self.simulator.world().work_links(1).remove(0);
        let made = format!("made-{}.toml", self.flags.len());
        self.place.write("answers.jsonl", &answers());
        let ends: [&[&str]; 15] = [
            &["--config", &made, "init"],
            &["demo", "--days", "1"],
            &["migrate"],
            &["check"],
            &["fetch", "note", &sound],
            &["fetch", "--json", "note", &sound],
            &["fetch", "keyword", "美食"],
            &["fetch", "--json", "kols", "keyword=旅行", "--max-pages", "2"],
            &["fetch", "--json", "work", &link],
            &["backfill", "--from-jsonl", "answers.jsonl"],
            &["pause", "provider", "justoneapi", "--for", "1h", "--note", "nothing"],
            &["status"],
            &["status", "--json"],
            &["resume", "provider", "justoneapi", "--note", "paid"],
            &["resume", "--all"],
        ];
        for arguments in ends {
            let code = self.place.run(&self.line(arguments)).await;
            // Slots with faults may be missed; no verb may crash.
            assert!(
                matches!(code, 0 | 1),
                "{arguments:?} ended with {code}: {}",
                self.place.said()
            );
        }
    }

    /// Fetches every note with a fault manually, and stops when each was requested.
    async fn fetch_what_fails(&self) {
        let spoilt = spoilt_notes(self.simulator);
        let notes: Vec<_> = spoilt.iter().map(String::as_str).collect();
        self.resume().await;
        let asked = self.simulator.truth().len();
        let program = self.place.start(&self.line(&[&["fetch", "note"], &*notes].concat()));
        self.wait_for_questions(asked, &spoilt).await;
        program.ask_to_stop();
        // Some of the faults pause the provider and end the fetch.
        let code = program.end().await.code();
        assert_eq!(code, Some(1), "{}", self.place.said());
    }

    /// Ends the pauses caused by earlier faults.
    async fn resume(&self) {
        assert_eq!(self.place.run(&self.line(&["resume", "--all"])).await, 0);
    }

    /// Runs the daemon until every available target was requested.
    async fn watch(&self, traces: &mut Traces, database: &Database) {
        self.resume().await;
        let store = database.open().await;
        let sql = "select t.key from availability a join targets t on t.target_id = a.target_id
                   where a.until is null";
        let unavailable: Vec<(String,)> = rows(&store, sql).await;
        store.close().await;
        let asked = self.simulator.truth().len();
        let daemon = self.place.start(&self.line(&["run"]));
        let words = ["美食", "露营"].map(str::to_owned).to_vec();
        let works = self.simulator.world().works(2);
        let mut keys = [spoilt_notes(self.simulator), words, works].concat();
        // Unavailable targets are requested seldom.
        let all = keys.len();
        keys.retain(|key| !unavailable.iter().any(|(other,)| other == key));
        assert!((all - 6..all).contains(&keys.len()), "{unavailable:?}");
        self.wait_for_questions(asked, &keys).await;
        traces.scan_database(database);
        daemon.ask_to_stop();
        assert_eq!(daemon.end().await.code(), Some(0), "{}", self.place.said());
    }

    async fn wait_for_questions(&self, asked: usize, keys: &[String]) {
        wait_for("every question to be asked", PATIENCE, async || {
            self.resume().await;
            let truth = self.simulator.truth();
            let asked: BTreeSet<_> = truth[asked..].iter().map(|row| &row.key).collect();
            keys.iter().all(|key| asked.contains(key))
        })
        .await;
    }

    async fn fetch_from_nobody(&self) {
        self.resume().await;
        let program = self.place.start(&self.line(&["fetch", "note", &sound_note(self.simulator)]));
        self.wait_until_said("waiting to retry").await;
        program.ask_to_stop();
        assert_eq!(program.end().await.code(), Some(1));
    }

    async fn simulate(&self) {
        let program = self.place.start(&self.line(&["simulate", "--port", "0"]));
        self.wait_until_said("To rehearse with it").await;
        program.ask_to_stop();
        assert_eq!(program.end().await.code(), Some(0));
    }

    async fn wait_until_said(&self, words: &str) {
        wait_for(words, PATIENCE, async || self.place.said().contains(words)).await;
    }
}

on_both!(token_is_not_in_settings_errors);
async fn token_is_not_in_settings_errors(database: Database) {
    let mut traces = Traces::new(TOKEN, "jobs.toml");
    let job = "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@daily\"\n";
    let files = [
        format!("[justoneapi]\ntoken = '{TOKEN}'\n"),
        format!("[justoneapi]\ntoken = '{TOKEN}\n"),
        format!("[justoneapi]\nconcurrency = = '{TOKEN}'\n"),
        format!("timezone = '{TOKEN}'\n"),
        format!("'{TOKEN}' = 1\n"),
        format!("{job}notes = ['{TOKEN}']\n"),
        format!("{job}notes_file = 'list-{TOKEN}'\n"),
        format!("{job}notes_file = 'stderr'\n"),
    ];
    for text in &files {
        let place = Place::new(&database, text).with("JUSTONEAPI_TOKEN", TOKEN);
        refused(&place, &mut traces).await;
    }
    let folder = database.directory().display().to_string();
    let sound = format!("{job}notes = ['68a1b2c3d4e5f60718293a4b']\n");
    for (name, value) in [
        ("JUSTONEAPI_TOKEN_FILE", folder),
        ("JUSTONEAPI_TOKEN", format!("{TOKEN} and more")),
        ("JUSTONEAPI_BASE_URL", format!("{NOBODY}/?token={TOKEN}")),
        ("JUSTONEAPI_BASE_URL", format!("http://user:{TOKEN}@127.0.0.1:1")),
        ("TIDEWATCH_CONFIG", "nowhere/jobs.toml".to_owned()),
    ] {
        refused(&Place::new(&database, &sound).with(name, value), &mut traces).await;
    }
    traces.check();
}

/// Every verb that reads the settings rejects them; `status` goes on to the archive, which does not
/// exist.
async fn refused(place: &Place, traces: &mut Traces) {
    for log in LOGS {
        for verb in [&["check"][..], &["run"], &["status"], &["fetch", "keyword", "美食"]] {
            let code = place.run(&[log.flags, verb].concat()).await;
            let refused = code == 78 || (code == 2 && verb[0] == "status");
            assert!(refused, "{verb:?} ended with {code}: {}", place.said());
        }
    }
    traces.scan_output(place);
}

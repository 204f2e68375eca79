//! Backfills: all sources, limits, crashes, and running beside a daemon.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use tidewatch::api::Provider;
use tidewatch::backfill;
use tidewatch::model::{Kind, Target};
use tidewatch::simulator::{Options, Simulator};
use tidewatch::store::{Limits, NewBackfill, Store};
use tidewatch::time::Clock;

use crate::databases::{Database, count, on_both, rows, sqlite};
use crate::env::{Env, hours, minutes, world};
use crate::program::{PATIENCE, Place, wait_for};
use crate::upstream;

/// Long enough for a signal to arrive while calls are in flight.
const SLOW: Duration = Duration::from_millis(300);

/// Notes that take some seconds at the rate of the settings.
const MANY: usize = 20;

const TOKEN: &str = "backfill-test-token";

/// Prices, and a rate below the calls in flight.
const SETTINGS: &str = "[justoneapi]\nrate_per_second = 3\nconcurrency = 4\n\
    price = { \"xiaohongshu/get-note-detail\" = 0.15, \"xiaohongshu/share-url-transfer/v1\" = 0.05, \
    \"xiaohongshu/search-recommend/v1\" = 0.1 }\n";

const OBSERVED: &str = "select count(*) from slots where outcome = 'observed' and priority = 1";

async fn place(database: &Database, simulator: &Simulator, jobs: &str) -> (Place, Store) {
    let place = Place::new(database, &format!("{SETTINGS}{jobs}")).with_upstream(simulator, TOKEN);
    (place, database.open().await)
}

async fn wait_for_calls(simulator: &Simulator, calls: usize) {
    wait_for("calls", PATIENCE, async || simulator.truth().len() >= calls).await;
}

on_both!(backfill_reads_all_sources_and_formats);
async fn backfill_reads_all_sources_and_formats(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let notes = simulator.world().notes(8);
    let job = format!(
        "[amagi]\nbase_url = {:?}\n[[job]]\nname = \"spring\"\nkind = \"notes\"\n\
         schedule = \"0 0 1 1 *\"\nnotes = [{:?}]\n",
        simulator.base_url(Provider::Amagi),
        notes[1]
    );
    let (place, store) = place(&database, &simulator, &job).await;
    let link = simulator.world().note_links(1).remove(0);
    place.write("plain.txt", &format!("# mine\n{}\n{}\n看 {link} 复制\n", notes[2], notes[2]));
    place.write("export.csv", &format!("title,note_id\n\"a, b\",{}\n", notes[3]));
    place
        .write("works.jsonl", &format!("{{\"aweme_id\":\"{}\"}}\n", simulator.world().works(1)[0]));
    place.write("words.txt", "露营\n");
    place.write("stdin", &format!("{}\n", notes[4]));
    for arguments in [
        &["backfill", "plain.txt"][..],
        &["backfill", "export.csv", "works.jsonl"],
        &["backfill", "words.txt", "--kind", "keywords"],
        &["backfill", "--job", "spring"],
    ] {
        assert_eq!(place.run(arguments).await, 0, "{arguments:?} {}", place.said());
    }
    let stdin = File::open(place.output("stdin")).unwrap();
    let status = place.start_reading(&["backfill", "-"], stdin.into()).end().await;
    assert_eq!(status.code(), Some(0), "{}", place.said());
    // The link resolves to the first note.
    let fetched: Vec<(String,)> = rows(&store, "select note_id from notes order by 1").await;
    let mut expected = notes[..5].to_vec();
    expected.sort();
    assert_eq!(fetched.into_iter().map(|row| row.0).collect::<Vec<_>>(), expected);
    assert_eq!(count(&store, "select count(*) from works").await, 1);
    assert!(count(&store, "select count(*) from keyword_suggestions").await > 0);
    assert_eq!(count(&store, OBSERVED).await, 7);
    assert_eq!(count(&store, "select count(*) from backfills where state = 'done'").await, 5);
    assert_eq!(count(&store, "select count(*) from calls where run_id is null").await, 0);
    let calls = simulator.truth().len();
    // Archived targets are not fetched again, and the same list is not fetched twice.
    assert_eq!(place.run(&["backfill", "export.csv", "--missing", "--name", "again"]).await, 0);
    assert!(place.said().contains("no targets"), "{}", place.said());
    assert_eq!(place.run(&["backfill", "plain.txt"]).await, 2);
    assert!(place.said().contains("of the same list is done"), "{}", place.said());
    assert_eq!(simulator.truth().len(), calls);
    for (name, said) in [(notes[5].as_str(), "`tidewatch fetch` takes"), ("no.txt", "cannot read")]
    {
        assert_eq!(place.run(&["backfill", name]).await, 2);
        assert!(place.said().contains(said), "{}", place.said());
    }
}

on_both!(missed_slots_of_a_backfill_are_named);
async fn missed_slots_of_a_backfill_are_named(database: Database) {
    let faults = "note#{}=empty; note#{}=empty";
    let notes = upstream::simulate(TOKEN, Duration::ZERO).await.world().notes(4);
    let faults = faults.replacen("{}", &notes[1], 1).replacen("{}", &notes[3], 1).parse().unwrap();
    let simulator = upstream::start(Options { faults, ..upstream::options(TOKEN) }).await;
    let (place, _store) = place(&database, &simulator, "").await;
    place.write("list.txt", &notes.join("\n"));
    let (code, out, said) = place.hear(&["backfill", "list.txt", "--name", "spring"]).await;
    assert_eq!(code, 1, "{said}");
    let names =
        |out: &str| notes.iter().filter(|id| out.contains(*id)).cloned().collect::<Vec<_>>();
    let missed = [notes[1].clone(), notes[3].clone()];
    assert_eq!(names(&out), missed, "{out}");
    let (code, out, said) = place.hear(&["backfill", "missed", "spring"]).await;
    assert_eq!((code, names(&out)), (0, missed.to_vec()), "{said}");
    let (code, _, said) = place.hear(&["backfill", "missed", "sprong"]).await;
    assert_eq!(code, 2, "{said}");
}

on_both!(discovered_notes_are_fetched_once);
async fn discovered_notes_are_fetched_once(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let (place, store) = place(&database, &simulator, "").await;
    assert_eq!(place.run(&["fetch", "kols", "keyword=阅读"]).await, 0, "{}", place.said());
    let listed = count(&store, "select count(distinct note_id) from kol_notes").await;
    assert!(listed > 0);
    let code = place.run(&["backfill", "--discovered"]).await;
    assert!(code == 0 || code == 1, "{}", place.said());
    let slots = "select count(*) from slots where priority = 1";
    assert_eq!(count(&store, slots).await, listed);
    let calls = simulator.truth().len();
    // Archived notes are not fetched again.
    let unseen = "select count(*) from (select distinct note_id from kol_notes) k
                  where not exists (select 1 from notes n where n.note_id = k.note_id)";
    let unseen = count(&store, unseen).await;
    assert!(unseen < listed, "nothing was seen at all");
    place.run(&["backfill", "--discovered", "--name", "again"]).await;
    assert_eq!(count(&store, slots).await, listed + unseen, "{}", place.said());
    assert_eq!(simulator.truth().len() > calls, unseen > 0, "{}", place.said());
}

on_both!(link_to_a_listed_note_is_no_miss);
async fn link_to_a_listed_note_is_no_miss(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let (place, store) = place(&database, &simulator, "").await;
    let world = simulator.world();
    place.write("list.txt", &[world.note_links(3), world.notes(3)].concat().join("\n"));
    assert_eq!(place.run(&["backfill", "list.txt"]).await, 0, "{}", place.said());
    assert_eq!(count(&store, OBSERVED).await, 6);
    assert_eq!(simulator.truth().len(), 6, "each link is resolved, each note fetched once");
    assert_eq!(count(&store, "select count(*) from snapshots").await, 3);
}

on_both!(missed_slots_are_made_up_for_once_per_target);
async fn missed_slots_are_made_up_for_once_per_target(database: Database) {
    let jobs = format!(
        "[[job]]\nname = \"notes\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n",
        world().notes(3)
    );
    let place = Place::new(&database, SETTINGS);
    let mut env = Env::new(database, &jobs).await;
    let place = place.with_upstream(&env.api, "token-of-the-tests");
    env.fails(&format!("note#{}=400", world().notes(1)[0]));
    env.advance(hours(2)).await;
    env.down_for(hours(4));
    env.restart(&jobs).await;
    env.advance(minutes(1)).await;
    env.down_for(Duration::ZERO);
    let calls = env.api.truth().len();
    let missed = ["backfill", "--missed", "--since", "2026-03-02"];
    let planned = async |more: &[&str]| {
        let (code, out, said) = place.hear(&[&missed[..], more, &["--dry-run"]].concat()).await;
        assert_eq!(code, 0, "{said}");
        out
    };
    // The refused note is left out unless its reason is named.
    let out = planned(&[]).await;
    assert!(out.contains("2 targets, of 6 missed slots\n"), "{out}");
    assert!(out.contains("total 2 calls, 0.30 yuan"), "{out}");
    let out = planned(&["--reason", "bad_request"]).await;
    assert!(out.contains("1 target, of "), "{out}");
    assert!(planned(&["--until", "2026-03-02 09:00"]).await.contains("0 targets, of 0"));
    assert_eq!(env.api.truth().len(), calls);
    assert_eq!(place.run(&missed).await, 0, "{}", place.said());
    assert_eq!(count(&env.store, OBSERVED).await, 2);
    assert_eq!(env.api.truth().len(), calls + 2);
    let (code, _, said) = place.hear(&[&missed[..], &["--reason", "balanse"]].concat()).await;
    assert!(code == 2 && said.contains("did you mean balance?"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_archive_costs_no_call() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await);
    let (place, store) = place(&database, &simulator, "").await;
    let fetch = ["fetch", "note", &simulator.world().notes(1)[0]];
    assert_eq!(place.run(&fetch).await, 0, "{}", place.said());
    let calls = simulator.truth().len();
    let page: (i64,) =
        rows(&store, "select rootpage from sqlite_schema where name = 'documents'").await.remove(0);
    let size: (i64,) = rows(&store, "select page_size from pragma_page_size()").await.remove(0);
    store.close().await;
    let path = database.url().strip_prefix("sqlite:").unwrap();
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(u64::try_from((page.0 - 1) * size.0).unwrap())).unwrap();
    file.write_all(&[0xa5; 64]).unwrap();
    drop(file);
    for _ in 0..2 {
        assert_eq!(place.run(&fetch).await, 2, "{}", place.said());
        assert!(place.said().contains("the archive is damaged"), "{}", place.said());
    }
    assert_eq!(simulator.truth().len(), calls);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_line_rejects_the_list_unless_skipped() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await);
    let (place, store) = place(&database, &simulator, "").await;
    place.write("list.txt", &format!("{}\nnonsense\n", simulator.world().notes(1)[0]));
    assert_eq!(place.run(&["backfill", "list.txt"]).await, 2);
    assert!(
        place.said().contains("list.txt:2: there is neither a link nor an id"),
        "{}",
        place.said()
    );
    assert_eq!(simulator.truth().len(), 0);
    assert_eq!(place.run(&["backfill", "list.txt", "--skip-bad"]).await, 0, "{}", place.said());
    assert_eq!(count(&store, OBSERVED).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_and_unended_lists_are_told() {
    let place = Place::new(&sqlite(), SETTINGS);
    for (file, said) in [("/dev/zero", "larger than 64 MiB"), ("/bin/sh", "not a text")] {
        assert_eq!(place.run(&["backfill", file, "--dry-run"]).await, 2, "{}", place.said());
        assert!(place.said().contains(said), "{}", place.said());
    }
    place.write("words.txt", "# 我的词\n#露营\n");
    let words = ["backfill", "words.txt", "--kind", "keywords", "--dry-run"];
    assert_eq!(place.run(&words).await, 0, "{}", place.said());
    assert!(place.said().contains("1 keyword from lines that begin with #"), "{}", place.said());
    let (end, mut begin) = std::io::pipe().unwrap();
    let program = place.start_reading(&["backfill", "-", "--dry-run"], end.into());
    let waits = "waiting for the end of stdin";
    wait_for("it to say so", PATIENCE, async || place.said().contains(waits)).await;
    std::io::Write::write_all(&mut begin, b"68a1b2c3d4e5f60718293a4b\n").unwrap();
    drop(begin);
    assert_eq!(program.end().await.code(), Some(0), "{}", place.said());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dry_run_shows_cost_and_writes_nothing() {
    let (database, simulator) = (sqlite(), upstream::simulate(TOKEN, Duration::ZERO).await);
    let place = Place::new(&database, SETTINGS).with_upstream(&simulator, TOKEN);
    let world = simulator.world();
    place.write("list.txt", &[world.notes(3), world.note_links(1)].concat().join("\n"));
    let arguments = ["backfill", "list.txt", "--dry-run", "--json", "--max-calls", "2"];
    assert_eq!(place.run(&arguments).await, 0, "{}", place.said());
    let said = std::fs::read_to_string(place.output("stdout")).unwrap();
    let plan: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(plan["targets"], 4);
    let calls: Vec<_> =
        plan["endpoints"].as_array().unwrap().iter().map(|it| &it["calls"]).collect();
    assert_eq!(calls, [4, 1]);
    assert_eq!(plan["endpoints"][0]["price_micros"], 150_000);
    assert_eq!(place.run(&arguments[..3]).await, 0, "{}", place.said());
    assert!(
        place.said().contains("total 5 calls, 0.65 yuan, if no call fails"),
        "{}",
        place.said()
    );
    let file = database.url().strip_prefix("sqlite:").unwrap();
    assert!(!std::path::Path::new(file).exists(), "a dry run made an archive");
    assert_eq!(simulator.truth().len(), 0);
}

on_both!(plan_over_the_budget_needs_a_limit);
async fn plan_over_the_budget_needs_a_limit(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let budget = "[budget]\nmax_calls_per_day = 5\n";
    let (place, store) = place(&database, &simulator, budget).await;
    place.write("list.txt", &simulator.world().notes(6).join("\n"));
    assert_eq!(place.run(&["backfill", "list.txt"]).await, 2);
    let why = "it takes 6 calls, but today's budget has 5 left";
    assert!(place.said().contains(why), "{}", place.said());
    assert_eq!(place.run(&["backfill", "list.txt", "--dry-run"]).await, 2);
    assert_eq!(count(&store, "select count(*) from slots").await, 0);
    assert_eq!(place.run(&["backfill", "list.txt", "--max-calls", "3"]).await, 1);
    assert!(place.said().contains("limit (3 calls) reached"), "{}", place.said());
    assert_eq!(simulator.truth().len(), 3);
    assert_eq!(count(&store, OBSERVED).await, 3);
    place.write("words.txt", "露营\n");
    let words = ["backfill", "words.txt", "--kind", "keywords", "--max-cost", "0.05"];
    assert_eq!(place.run(&words).await, 1, "{}", place.said());
    assert_eq!(simulator.truth().len(), 3, "the first call would cost more than that");
}

on_both!(cost_limit_refuses_unpriced_endpoints);
async fn cost_limit_refuses_unpriced_endpoints(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let (place, store) = place(&database, &simulator, "[budget]\nmax_cost_per_day = 5\n").await;
    place.write("jsonl", &format!("{{\"aweme_id\":\"{}\"}}\n", simulator.world().works(1)[0]));
    assert_eq!(place.run(&["backfill", "jsonl"]).await, 78, "{}", place.said());
    let why = "max_cost_per_day needs the price of douyin/get-video-detail/v2";
    assert!(place.said().contains(why), "{}", place.said());
    let place_named = "jobs.toml:6: max_cost_per_day";
    assert!(place.said().contains(place_named), "{}", place.said());
    assert_eq!(place.run(&["backfill", "jsonl", "--dry-run"]).await, 78);
    assert!(place.said().contains("would be refused: jobs.toml"), "{}", place.said());
    assert_eq!(place.run(&["fetch", "kols", "keyword=阅读"]).await, 78);
    assert_eq!(place.run(&["fetch", "kols", "keyword=阅读", "foo=1"]).await, 2);
    assert!(place.said().contains("unknown filter `foo`"), "{}", place.said());
    let why = "needs the price of xiaohongshu-pgy/kol-search/v1";
    assert!(place.said().contains(why), "{}", place.said());
    assert_eq!(count(&store, "select count(*) from slots").await, 0);
    // A backfill started without a cost limit cannot be given one later.
    place.write("jobs.toml", SETTINGS);
    let new = NewBackfill {
        name: "works".into(),
        source: "test".into(),
        digest: String::new(),
        limits: Limits::default(),
    };
    let work = Target { kind: Kind::Work, key: simulator.world().works(1).remove(0) };
    let now = Clock::system().now();
    backfill::begin(&store, &new, None, &[work].into(), now).await.unwrap();
    assert_eq!(place.run(&["backfill", "resume", "works", "--max-cost", "5"]).await, 2);
    let why = "--max-cost needs the price of douyin";
    assert!(place.said().contains(why), "{}", place.said());
    assert_eq!(simulator.truth().len(), 0);
    assert_eq!(place.run(&["backfill", "resume", "works"]).await, 0, "{}", place.said());
}

on_both!(limit_holds_after_a_kill);
async fn limit_holds_after_a_kill(database: Database) {
    let simulator = upstream::simulate(TOKEN, SLOW).await;
    let (place, store) = place(&database, &simulator, "").await;
    place.write("list.txt", &simulator.world().notes(10).join("\n"));
    let limited = ["backfill", "list.txt", "--name", "many", "--max-calls", "6"];
    let killed = place.start(&limited);
    wait_for_calls(&simulator, 3).await;
    killed.kill();
    assert_eq!(place.run(&limited).await, 1, "{}", place.said());
    assert!(place.said().contains("limit (6 calls) reached"), "{}", place.said());
    let spent = "select count(*) from calls where run_id is not null and billed <> 'no'";
    assert_eq!(count(&store, spent).await, 6);
    assert!(simulator.truth().len() <= 6);
    // The same limit changes nothing; a larger one does.
    assert_eq!(place.run(&["backfill", "resume", "many"]).await, 1);
    assert_eq!(count(&store, spent).await, 6);
    assert_eq!(place.run(&["backfill", "resume", "many", "--max-calls", "99"]).await, 0);
    assert_eq!(count(&store, OBSERVED).await, 10);
    assert_eq!(count(&store, "select count(*) from note_metrics").await, 10);
    let interrupted =
        count(&store, "select count(*) from calls where outcome = 'interrupted'").await;
    assert_eq!(count(&store, "select count(*) from calls").await, 10 + interrupted);
    assert!(interrupted <= 4, "those in flight");
}

on_both!(stopped_backfill_continues_with_the_same_command);
async fn stopped_backfill_continues_with_the_same_command(database: Database) {
    let simulator = upstream::simulate(TOKEN, SLOW).await;
    let (place, store) = place(&database, &simulator, "").await;
    place.write("list.txt", &simulator.world().notes(MANY).join("\n"));
    let running = place.start(&["backfill", "list.txt"]);
    wait_for_calls(&simulator, 3).await;
    running.ask_to_stop();
    assert_eq!(running.end().await.code(), Some(1), "{}", place.said());
    let seen = i64::try_from(simulator.truth().len()).unwrap();
    assert_eq!(count(&store, OBSERVED).await, seen, "what was in flight is saved");
    assert!(usize::try_from(seen).unwrap() < MANY);
    assert_eq!(count(&store, "select count(*) from backfills where state = 'stopped'").await, 1);
    assert_eq!(place.run(&["backfill", "list.txt"]).await, 0, "{}", place.said());
    assert_eq!(simulator.truth().len(), MANY, "no note is asked for twice");
    assert_eq!(place.run(&["backfill", "list", "--json"]).await, 0);
    assert!(place.said().contains("\"state\":\"done\""), "{}", place.said());
}

on_both!(cancelled_backfill_misses_open_slots);
async fn cancelled_backfill_misses_open_slots(database: Database) {
    let simulator = upstream::simulate(TOKEN, SLOW).await;
    let (place, store) = place(&database, &simulator, "").await;
    place.write("list.txt", &simulator.world().notes(MANY).join("\n"));
    let running = place.start(&["backfill", "list.txt", "--name", "many"]);
    wait_for_calls(&simulator, 3).await;
    assert_eq!(place.run(&["backfill", "cancel", "many"]).await, 0, "{}", place.said());
    assert_eq!(running.end().await.code(), Some(1), "{}", place.said());
    let seen = i64::try_from(simulator.truth().len()).unwrap();
    assert!(usize::try_from(seen).unwrap() < MANY);
    assert_eq!(count(&store, OBSERVED).await, seen);
    let missed = "select count(*) from slots where outcome = 'missed' and reason = 'cancelled'";
    assert_eq!(count(&store, missed).await, i64::try_from(MANY).unwrap() - seen);
    assert_eq!(place.run(&["backfill", "resume", "many"]).await, 2);
    assert_eq!(place.run(&["backfill", "resume", "other"]).await, 2);
    assert!(place.said().contains("unknown backfill other"), "{}", place.said());
}

on_both!(backfill_beside_a_daemon_is_fetched_once);
async fn backfill_beside_a_daemon_is_fetched_once(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::from_millis(100)).await;
    let notes = simulator.world().notes(9);
    let jobs = format!(
        "[[job]]\nname = \"live\"\nkind = \"notes\"\nschedule = \"*/10 * * * * *\"\nnotes = [{:?}]\n",
        notes[0]
    );
    let (place, store) = place(&database, &simulator, &jobs).await;
    place.write("list.txt", &notes[1..].join("\n"));
    let daemon = place.start_to_watch().await;
    assert_eq!(place.run(&["backfill", "list.txt"]).await, 0, "{}", place.said());
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
    let fetched = simulator.truth().iter().filter(|row| row.key != notes[0]).count();
    assert_eq!(fetched, 8);
    assert_eq!(count(&store, OBSERVED).await, 8);
    if store.is_sqlite() {
        let owners = "select count(distinct owner) from calls";
        assert_eq!(count(&store, owners).await, 1, "the daemon has the file");
    }
}

on_both!(backfill_ends_beside_a_busy_daemon);
async fn backfill_ends_beside_a_busy_daemon(database: Database) {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let notes = simulator.world().notes(4);
    simulator.set_faults(format!("note#{}=slow:50000", notes[0]).parse().unwrap());
    let jobs = format!(
        "[[job]]\nname = \"live\"\nkind = \"notes\"\nschedule = \"*/10 * * * * *\"\nnotes = [{:?}]\n",
        notes[0]
    );
    let (place, store) = place(&database, &simulator, &jobs).await;
    place.write("list.txt", &notes[1..].join("\n"));
    let _daemon = place.start(&["run"]);
    let busy = "select count(*) from calls where outcome is null";
    wait_for("a call", PATIENCE, async || count(&store, busy).await == 1).await;
    let targets =
        notes[1..].iter().map(|key| Target { kind: Kind::Note, key: key.clone() }).collect();
    let begin = async |name: &str, max_calls| {
        let new = NewBackfill {
            name: name.into(),
            source: "test".into(),
            digest: String::new(),
            limits: Limits { max_calls, max_cost_micros: None },
        };
        backfill::begin(&store, &new, None, &targets, Clock::system().now()).await.unwrap();
    };
    begin("all", None).await;
    let ended = "select count(*) from backfills where ended_at is not null";
    wait_for("its end", PATIENCE, async || count(&store, ended).await == 1).await;
    begin("few", Some(1)).await;
    let limited = "select count(*) from backfills where state = 'limited'";
    wait_for("its limit", PATIENCE, async || count(&store, limited).await == 1).await;
    assert_eq!(count(&store, busy).await, 1, "the daemon was idle meanwhile");
    let fetched = simulator.truth().iter().filter(|row| row.key != notes[0]).count();
    assert_eq!(fetched, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backfill_beside_a_daemon_reports_pauses() {
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let jobs = "[[job]]\nname = \"live\"\nkind = \"keywords\"\nschedule = \"@yearly\"\nkeywords = [\"美食\"]\n";
    let database = sqlite();
    let (place, _store) = place(&database, &simulator, jobs).await;
    place.write("words.txt", "露营");
    let daemon = place.start_to_watch().await;
    assert_eq!(place.run(&["pause", "provider", "justoneapi"]).await, 0, "{}", place.said());
    let backfill = place.start(&["backfill", "words.txt", "--kind", "keywords"]);
    let words = "paused: no calls until a manual resume";
    wait_for("the pause to be told", PATIENCE, async || place.said().contains(words)).await;
    assert_eq!(place.run(&["resume", "provider", "justoneapi"]).await, 0, "{}", place.said());
    assert_eq!(backfill.end().await.code(), Some(0), "{}", place.said());
    daemon.ask_to_stop();
    assert_eq!(daemon.end().await.code(), Some(0), "{}", place.said());
}

on_both!(scheduled_slots_come_before_backfill_slots);
async fn scheduled_slots_come_before_backfill_slots(database: Database) {
    let notes = world().notes(40);
    let jobs = format!(
        "[[job]]\nname = \"live\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n",
        &notes[..12]
    );
    let mut env = Env::new(database, &jobs).await;
    env.advance(minutes(30)).await;
    env.down_for(minutes(20));
    // Some of them are in a job as well.
    env.backfill(&notes[6..]).await;
    env.down_for(minutes(20));
    env.restart(&jobs).await;
    env.advance(minutes(10)).await;
    let order = "select case when s.priority = 0 then 'live' else 'backfill' end
                 from calls c join slots s on s.target_id = c.target_id and s.due_at = c.due_at
                 order by c.call_id";
    let order = env.ask(order).await;
    assert_eq!(order[..12], ["live"; 12]);
    assert_eq!(order[12..], ["backfill"; 34]);
    // Scheduled slots do not supersede a backfill's slots, nor the other way round.
    env.fails("note=301");
    env.advance(hours(2)).await;
    let mixed = "select priority || ' ' || outcome || ' ' || count(*) from slots
                 where outcome = 'observed' group by priority, outcome order by 1";
    assert_eq!(env.ask(mixed).await, ["0 observed 12", "1 observed 34"]);
}

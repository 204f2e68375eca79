//! Admission: pauses, rate limits and budgets, all of which outlive the daemon.

use tidewatch::backfill;
use tidewatch::model::{Kind, PauseReason, PauseScope, Target};
use tidewatch::store::{Limits, NewBackfill};

use crate::databases::{Database, on_both};
use crate::env::{Env, beginning, hours, minutes, world};

/// A job that watches the first `count` notes on a schedule.
fn notes(name: &str, schedule: &str, count: usize) -> String {
    let notes = world().notes(count);
    format!(
        "[[job]]\nname = \"{name}\"\nkind = \"notes\"\nschedule = \"{schedule}\"\nnotes = {notes:?}\n"
    )
}

const WORDS: &str = "[[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"30 * * * *\"\n\
                     keywords = [\"美食\"]\n";

/// Slots by kind, outcome and reason, as `note observed 3`, `note missed quota 1`.
const SLOTS: &str = "select kind || ' ' || coalesce(outcome, 'open') || coalesce(' ' || reason, '')
                            || ' ' || count(*)
                     from slots group by kind, outcome, reason order by 1";

/// Pauses in force, as `endpoint failing`.
const PAUSES: &str = "select scope || ' ' || reason from pauses where ended_at is null order by 1";

/// Every pause ever, as `provider balance answer`.
const HISTORY: &str = "select scope || ' ' || reason || ' ' || coalesce(ended_by, 'lasts')
                       from pauses order by pause_id";

on_both!(quota_pauses_only_its_endpoint_until_midnight_in_shanghai);
async fn quota_pauses_only_its_endpoint_until_midnight_in_shanghai(database: Database) {
    let jobs = notes("campaign", "@hourly", 3) + WORDS;
    let mut env = Env::new(database, &jobs).await;
    env.advance(hours(11)).await;
    env.fails("note=303");
    env.advance(hours(2)).await;
    assert_eq!(env.ask(PAUSES).await, ["endpoint quota"]);
    // A restart changes nothing.
    env.restart(&jobs).await;
    env.advance(minutes(150)).await;
    let asked = env.ask("select '' || count(*) from calls where outcome = 'quota'").await;
    assert_eq!(asked, ["3"], "those that were in flight together");
    env.fails("");
    env.advance(minutes(30)).await;
    assert_eq!(env.clock.now(), beginning().plus(hours(16)));
    env.advance(minutes(59)).await;
    let slots = ["keyword observed 17", "note missed quota 12", "note observed 36"];
    assert_eq!(env.ask(SLOTS).await, slots);
    assert_eq!(env.ask(HISTORY).await, ["endpoint quota time"]);
}

on_both!(empty_balance_pauses_provider_until_a_probe_is_answered);
async fn empty_balance_pauses_provider_until_a_probe_is_answered(database: Database) {
    let jobs = notes("campaign", "@hourly", 3) + WORDS;
    let mut env = Env::new(database, &jobs).await;
    env.advance(minutes(90)).await;
    env.fails("*=601");
    env.advance(hours(6)).await;
    assert_eq!(env.ask(PAUSES).await, ["provider balance"]);
    let calls = env.ask("select '' || count(*) from calls where outcome = 'balance'").await;
    let calls: i64 = calls[0].parse().unwrap();
    assert!((4..=14).contains(&calls), "{calls} calls asked for money in six hours");
    env.fails("");
    env.advance(minutes(70)).await;
    assert_eq!(env.ask(PAUSES).await, Vec::<String>::new());
    assert_eq!(env.ask(HISTORY).await, ["provider balance answer"]);
    assert_eq!(env.ask("select '' || count(*) from slots where outcome is null").await, ["0"]);
    let unpaid = "select '' || count(*) from calls where outcome = 'balance' and billed <> 'no'";
    assert_eq!(env.ask(unpaid).await, ["0"]);
}

on_both!(rate_limited_endpoint_slows_down_alone_and_recovers);
async fn rate_limited_endpoint_slows_down_alone_and_recovers(database: Database) {
    let jobs = notes("campaign", "@hourly", 10) + WORDS;
    let mut env = Env::new(database, &jobs).await;
    env.fails("note@1-2=302");
    env.advance(minutes(90)).await;
    assert_eq!(env.ask(SLOTS).await, ["keyword observed 2", "note observed 10"]);
    let speeds =
        "select endpoint || ' ' || case when speed_permille < 1000 then 'cut' else 'full' end
                  from rate_limits order by 1";
    let expected = ["xiaohongshu/get-note-detail/v1 cut", "xiaohongshu/search-recommend/v1 full"];
    assert_eq!(env.ask(speeds).await, expected);
    assert_eq!(env.ask(HISTORY).await, Vec::<String>::new());
}

on_both!(upstream_outage_costs_only_probes_and_no_fetchable_slot);
async fn upstream_outage_costs_only_probes_and_no_fetchable_slot(database: Database) {
    // Daily at 01:00 UTC; down for three hours.
    let mut env = Env::new(database, &notes("daily", "0 9 * * *", 20)).await;
    env.fails("note=503");
    env.advance(hours(4)).await;
    assert_eq!(env.ask(PAUSES).await, ["endpoint failing"]);
    let calls = env.ask("select '' || count(*) from calls").await;
    let calls: i64 = calls[0].parse().unwrap();
    assert!((20..=60).contains(&calls), "{calls} calls in three hours of outage");
    env.restart(&notes("daily", "0 9 * * *", 20)).await;
    env.fails("");
    env.advance(minutes(20)).await;
    assert_eq!(env.ask(SLOTS).await, ["note observed 20"]);
    assert_eq!(env.ask(HISTORY).await, ["endpoint failing answer"]);
}

on_both!(failing_resolver_is_probed_by_one_link_at_a_time);
async fn failing_resolver_is_probed_by_one_link_at_a_time(database: Database) {
    let links = world().work_links(20);
    let jobs = format!(
        "concurrency = 20\n[douyin]\nprovider = \"justoneapi\"\n[[job]]\nname = \"links\"\n\
         kind = \"works\"\nschedule = \"0 9 * * *\"\nurls = {links:?}\n"
    );
    let mut env = Env::new(database, &jobs).await;
    env.fails("work-link=503");
    env.advance(hours(4)).await;
    assert_eq!(env.ask(PAUSES).await, ["endpoint failing"]);
    let calls = env.ask("select '' || count(*) from calls").await;
    let calls: i64 = calls[0].parse().unwrap();
    assert!((20..=60).contains(&calls), "{calls} calls in three hours of outage");
    env.fails("");
    env.advance(minutes(20)).await;
    assert_eq!(env.ask(SLOTS).await, ["work observed 20"]);
}

on_both!(one_failing_item_pauses_nothing);
async fn one_failing_item_pauses_nothing(database: Database) {
    let mut env = Env::new(database, &notes("campaign", "@hourly", 6)).await;
    env.fails(&format!("note#{}=301", world().notes(1)[0]));
    env.advance(minutes(180)).await;
    let slots =
        ["note missed upstream_failure 2", "note observed 15", "note open upstream_failure 1"];
    assert_eq!(env.ask(SLOTS).await, slots);
    assert_eq!(env.ask(HISTORY).await, Vec::<String>::new());
}

on_both!(few_targets_that_all_fail_pause_their_endpoint);
async fn few_targets_that_all_fail_pause_their_endpoint(database: Database) {
    // At 01:00 UTC; down for eight minutes.
    let mut env = Env::new(database, &notes("daily", "0 9 * * *", 5)).await;
    env.fails("note=http:502");
    env.advance(minutes(68)).await;
    assert_eq!(env.ask(PAUSES).await, ["endpoint failing"]);
    let calls = env.ask("select '' || count(*) from calls").await;
    let calls: i64 = calls[0].parse().unwrap();
    assert!((5..=10).contains(&calls), "{calls} possibly paid calls in eight minutes of outage");
    env.fails("");
    env.advance(minutes(20)).await;
    assert_eq!(env.ask(SLOTS).await, ["note observed 5"]);
}

on_both!(gone_targets_do_not_keep_an_endpoint_from_being_paused);
async fn gone_targets_do_not_keep_an_endpoint_from_being_paused(database: Database) {
    let mut env = Env::new(database, &notes("campaign", "@hourly", 3)).await;
    env.fails(&format!("note#{}=400", world().notes(1)[0]));
    env.advance(minutes(90)).await;
    assert_eq!(env.ask("select state from availability").await, ["refused"]);
    env.fails("note=http:502");
    env.advance(minutes(40)).await;
    assert_eq!(env.ask(PAUSES).await, ["endpoint failing"]);
}

on_both!(failing_items_beside_a_good_one_pause_nothing);
async fn failing_items_beside_a_good_one_pause_nothing(database: Database) {
    let mut env = Env::new(database, &notes("campaign", "@hourly", 3)).await;
    let bad = world().notes(2).into_iter().map(|note| format!("note#{note}=http:502"));
    env.fails(&bad.collect::<Vec<_>>().join("; "));
    env.advance(minutes(190)).await;
    assert_eq!(env.ask(SLOTS).await, ["note missed upstream_failure 6", "note observed 3"]);
    assert_eq!(env.ask(HISTORY).await, Vec::<String>::new());
}

on_both!(failing_link_alone_pauses_no_resolver);
async fn failing_link_alone_pauses_no_resolver(database: Database) {
    let links = world().work_links(2);
    let jobs = |links: &[String]| {
        format!(
            "[douyin]\nprovider = \"justoneapi\"\n[[job]]\nname = \"links\"\nkind = \"works\"\n\
             schedule = \"@hourly\"\nurls = {links:?}\n"
        )
    };
    let mut env = Env::new(database, &jobs(&links[..1])).await;
    env.fails(&format!("work-link#{}=301", links[0]));
    env.advance(hours(10)).await;
    assert_eq!(env.ask(HISTORY).await, Vec::<String>::new());
    env.reload(&jobs(&links)).await;
    env.advance(hours(1)).await;
    let good = "select '' || count(*) from slots where outcome = 'observed'";
    assert_eq!(env.ask(good).await, ["1"]);
}

on_both!(probe_takes_another_target_than_those_that_failed);
async fn probe_takes_another_target_than_those_that_failed(database: Database) {
    let all = world().notes(7);
    let job = |name: &str, cron: &str, notes: &[String]| {
        format!(
            "[[job]]\nname = \"{name}\"\nkind = \"notes\"\nschedule = \"{cron}\"\nnotes = {notes:?}\n"
        )
    };
    // At 01:00 and 02:00 UTC.
    let jobs = job("bad", "0 9 * * *", &all[..6]) + &job("good", "0 10 * * *", &all[6..]);
    let mut env = Env::new(database, &jobs).await;
    let rules: Vec<_> = all[..6].iter().map(|note| format!("note#{note}=301")).collect();
    env.fails(&rules.join("; "));
    env.advance(minutes(119)).await;
    assert_eq!(env.ask(PAUSES).await, ["endpoint failing"]);
    env.advance(minutes(12)).await;
    let good = "select '' || count(*) from slots where outcome = 'observed'";
    assert_eq!(env.ask(good).await, ["1"]);
    assert_eq!(env.ask(HISTORY).await[0], "endpoint failing answer");
}

on_both!(daily_call_budget_holds_across_restarts_until_the_next_day);
async fn daily_call_budget_holds_across_restarts_until_the_next_day(database: Database) {
    let jobs = "[budget]\nmax_calls_per_day = 10\n".to_owned() + &notes("campaign", "@hourly", 3);
    let mut env = Env::new(database, &jobs).await;
    env.advance(minutes(150)).await;
    env.restart(&jobs).await;
    env.advance(minutes(240)).await;
    assert_eq!(env.api.truth().len(), 10);
    assert_eq!(env.ask(PAUSES).await, ["budget budget"]);
    // 06:30 UTC; the day in Shanghai ends at 16:00 UTC, and the slots due then are fetched.
    env.advance(hours(10)).await;
    let slots = ["note missed budget 35", "note observed 13"];
    assert_eq!(env.ask(SLOTS).await, slots);
    assert_eq!(env.ask(HISTORY).await, ["budget budget time"]);
}

on_both!(daily_cost_budget_counts_calls_that_may_be_billed);
async fn daily_cost_budget_counts_calls_that_may_be_billed(database: Database) {
    let jobs = "[budget]\nmax_cost_per_day = 1.0\n".to_owned() + &notes("campaign", "@hourly", 3);
    let mut env = Env::new(database, &jobs).await;
    env.fails("note@1=drop; note@2=301");
    env.advance(hours(12)).await;
    // 0.15 a call: six fit. A call without an answer counts, a refused one does not.
    let spent = "select billed || ' ' || count(*) from calls group by billed order by 1";
    assert_eq!(env.ask(spent).await, ["no 3", "unknown 3", "yes 3"]);
}

on_both!(unpriced_endpoint_is_held_back_while_cost_is_limited);
async fn unpriced_endpoint_is_held_back_while_cost_is_limited(database: Database) {
    let money = "[budget]\nmax_cost_per_day = 10\n[douyin]\nprovider = \"justoneapi\"\n";
    let target = |kind, key: &String| Target { kind, key: key.replace("http://", "https://") };
    let (link, work) = (&world().note_links(1)[0], &world().works(1)[0]);
    let targets = [target(Kind::Note, link), target(Kind::Work, work)];
    let mut env = Env::new(database, money).await;
    env.look_by_hand(&targets).await;
    let calls = "select '' || count(*) from calls";
    assert_eq!(env.ask(calls).await, ["0"]);
    assert_eq!(env.ask(SLOTS).await, ["note open unpriced 1", "work open 1"]);
    // The cost limit of a backfill alone counts as well.
    env.restart("[douyin]\nprovider = \"justoneapi\"\n").await;
    env.advance(minutes(2)).await;
    assert_eq!(env.ask(SLOTS).await, ["note observed 1", "work observed 1"]);
    assert_eq!(env.ask(calls).await, ["3"]);
    let new = NewBackfill {
        name: "many".into(),
        source: "test".into(),
        digest: String::new(),
        limits: Limits { max_calls: None, max_cost_micros: Some(9_000_000) },
    };
    let works = world().works(2).iter().map(|key| target(Kind::Work, key)).collect();
    backfill::begin(&env.store, &new, None, &works, env.clock.now()).await.unwrap();
    env.advance(minutes(2)).await;
    assert_eq!(env.ask(calls).await, ["3"]);
    assert_eq!(env.ask("select state from backfills").await, ["running"]);
}

on_both!(job_respects_its_call_limit_and_manual_pause);
async fn job_respects_its_call_limit_and_manual_pause(database: Database) {
    let few = notes("few", "10 * * * *", 2) + "max_calls_per_day = 3\n";
    let mut env = Env::new(database, &(few + &notes("campaign", "@hourly", 1))).await;
    env.advance(minutes(239)).await;
    let of_job = "select j.name || ' ' || count(c.call_id) from jobs j
                  join job_runs r on r.job_id = j.job_id join slots s on s.run_id = r.run_id
                  left join calls c on c.target_id = s.target_id and c.due_at = s.due_at
                  group by j.name order by 1";
    assert_eq!(env.ask(of_job).await, ["campaign 3", "few 3"]);
    let mut tx = env.store.begin().await.unwrap();
    let pause = tidewatch::model::Pause {
        scope: PauseScope::Job,
        name: "campaign".into(),
        reason: PauseReason::ByHand,
        note: None,
        since: env.clock.now(),
        until: None,
        probe_at: None,
        failures: 0,
        call_id: None,
    };
    tx.pause(&pause).await.unwrap();
    tx.commit().await.unwrap();
    env.advance(hours(2)).await;
    assert_eq!(env.ask(of_job).await, ["campaign 3", "few 3"]);
    env.resume().await;
    env.advance(minutes(2)).await;
    assert_eq!(env.ask(of_job).await, ["campaign 4", "few 3"]);
    let slots = ["note missed budget 8", "note missed paused 2"];
    assert_eq!(env.ask(SLOTS).await[..2], slots);
}

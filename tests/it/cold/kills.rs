//! Kills at any moment of packing, thawing and forgetting: no answer is lost or doubled.

use std::time::Duration;

use tidewatch::store::Store;

use super::assert_sound;
use crate::databases::{Database, count, on_both, rows};
use crate::flags;
use crate::program::Place;
use crate::store::stale::{import, line};

/// Notes, each with this many answers.
const NOTES: usize = 12;
const ANSWERS: i64 = 80;

fn note(nth: usize) -> String {
    format!("64a0000000000000000001{nth:02}")
}

const PACK: &[&str] = &["cold", "pack", "--older-than", "7d"];
const THAW: &[&str] = &["cold", "thaw", "--all"];

/// A number from 0 to 999 for the nth program, the same in every run.
fn chance(n: u64) -> u64 {
    let mixed = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (mixed >> 33) % 1000
}

/// Every answer by its note, as the program reads it.
async fn texts(store: &Store) -> Vec<(i64, String)> {
    let mut tx = store.read().await.unwrap();
    let places = tx.documents_after(None, 10_000).await.unwrap();
    let kept = tx.kept(&places).await.unwrap();
    kept.iter().map(|it| (it.document_id, it.stored().to_owned())).collect()
}

/// Runs the program and kills it after a while; whether it had ended before.
async fn run_and_kill(place: &Place, arguments: &[&str], after: Duration) -> bool {
    let program = place.start(arguments);
    tokio::time::sleep(after).await;
    program.kill_or_end()
}

on_both!(kills_while_answers_move_lose_and_double_none);
async fn kills_while_answers_move_lose_and_double_none(database: Database) {
    let store = database.open().await;
    let lines: Vec<_> = (0..ANSWERS)
        .flat_map(|minute| (0..NOTES).map(move |nth| line(&note(nth), minute)))
        .collect();
    import(&store, &lines).await;
    let place = Place::new(&database, "");
    let mut truth = texts(&store).await;
    let (kills, mut killed, mut n, mut forgotten, mut seen) = (flags::kills() / 2, 0, 0, 0, [0, 0]);
    // How long the program takes to its end, to kill it before.
    let mut spans = [Duration::ZERO; 3];
    for (span, arguments) in spans.iter_mut().zip([PACK, THAW]) {
        let begun = tokio::time::Instant::now();
        assert_eq!(place.run(arguments).await, 0, "{}", place.said());
        *span = begun.elapsed();
    }
    spans[2] = spans[0];
    while killed < kills && n < 20 * kills {
        let gone = note(forgotten);
        let forget = ["forget", "note", gone.as_str(), "--yes"];
        let forgets = forgotten + 6 < NOTES && n % 6 == 5;
        let (arguments, span) = match n % 6 {
            _ if forgets => (forget.as_slice(), &mut spans[2]),
            n if n % 2 == 1 => (THAW, &mut spans[1]),
            _ => (PACK, &mut spans[0]),
        };
        // Most of the time goes by before it begins to write.
        let after = 0.4 + 0.8 * f64::from(u32::try_from(chance(n)).unwrap()) / 1000.0;
        let ended = run_and_kill(&place, arguments, span.mul_f64(after)).await;
        n += 1;
        if ended {
            *span = span.mul_f64(0.95);
        } else {
            killed += 1;
            *span = span.mul_f64(1.03);
        }
        let now = texts(&store).await;
        if forgets && now.len() < truth.len() {
            let left = format!("select count(*) from targets where key = '{gone}'");
            let left: Vec<(i64,)> = rows(&store, sqlx::AssertSqlSafe(left)).await;
            assert_eq!(left, [(0,)], "all of a note is forgotten, or nothing");
            let is_kept = |it: &(i64, String)| !it.1.contains(&gone);
            truth.retain(is_kept);
            forgotten += 1;
        }
        assert!(now == truth, "after {n} programs: {} of {} answers", now.len(), truth.len());
        let cold = assert_sound(&store).await;
        seen[usize::from(cold > 0)] += 1;
    }
    assert!(killed >= kills.min(5), "{killed} of {n} programs were killed");
    assert!(seen[0] > 0 && seen[1] > 0, "hot and cold by turns: {seen:?}");
    for arguments in [THAW, PACK] {
        assert_eq!(place.run(arguments).await, 0, "{}", place.said());
    }
    assert_eq!(place.run(&["cold", "verify"]).await, 0, "{}", place.said());
    assert_eq!(place.run(&["status"]).await, 0, "{}", place.said());
    let said = "cold in 1 file (1 MB, 1/";
    assert!(place.said().contains(said), "{}", place.said());
    assert_eq!(texts(&store).await, truth);
    assert!(count(&store, "select count(*) from cold_files").await > 0);
    let name = if store.is_sqlite() { "SQLite" } else { "PostgreSQL" };
    eprintln!(
        "{name}: {killed} kills of {n} programs, {forgotten} notes forgotten; cold after {} of them; \
         0 answers lost, 0 doubled",
        seen[1]
    );
}

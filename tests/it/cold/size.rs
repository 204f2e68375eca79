//! What refetched answers take.

use std::time::Duration;

use tidewatch::cold::Packing;

use super::{assert_sound, pack_all};
use crate::databases::sqlite;
use crate::env::{Env, hours, world};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refetched_answers_are_packed_into_a_small_part_of_their_size() {
    let world = world();
    let jobs = format!(
        "[[job]]\nname = \"n\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = {:?}\n\
         [[job]]\nname = \"w\"\nkind = \"works\"\nschedule = \"@hourly\"\nurls = {:?}\n",
        world.notes(12),
        world.works(6)
    );
    let mut env = Env::new(sqlite(), &jobs).await;
    env.advance(hours(65)).await;
    let now = env.clock.now().plus(Duration::from_hours(8 * 24));
    pack_all(&env.store, Packing { cold_after: Duration::from_hours(7 * 24), now }).await;
    assert!(assert_sound(&env.store).await >= 64 * 18);
    for file in env.store.read().await.unwrap().cold_files().await.unwrap() {
        let least = if file.endpoint.starts_with("xiaohongshu") { 30 } else { 25 };
        let ratio = file.text_bytes / file.bytes;
        let each = file.bytes / file.documents;
        eprintln!("{}: 1/{ratio}, {each} bytes an answer", file.endpoint);
        assert!(ratio >= least, "{}: 1/{ratio}", file.endpoint);
    }
}

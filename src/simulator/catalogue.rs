//! Ids and short links of the world's items, and the publication times they encode.

use super::rng::Rng;
use crate::time::Time;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// Publication times accepted as plausible: from 2013, when the platforms began, to 2036.
const BELIEVABLE: std::ops::Range<i64> = 1_356_998_400..2_082_758_400;

/// Age of the oldest catalogue item on the catalogue's day, in seconds.
const OLDEST: i64 = 21 * DAY;

/// Number of hexadecimal digits of a note id, and of decimal digits of a work id.
const NOTE_DIGITS: usize = 24;
const WORK_DIGITS: std::ops::RangeInclusive<usize> = 18..=19;

/// Seconds since 1970.
pub(super) fn seconds(at: Time) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// The code of the `index`th short link to a `note` or `work`.
pub(super) fn short_code(seed: u64, kind: &str, index: usize) -> String {
    Rng::of(seed, &["short code", kind, &index.to_string()]).letters(8)
}

/// The note behind a short link's code. The id starts with the creation time in hexadecimal
/// seconds; some ids have decimal digits only.
pub(super) fn note_of_code(seed: u64, around: Time, code: &str) -> String {
    let mut rng = Rng::of(seed, &["note link", code]);
    let born = published(&mut rng, around);
    let tail = format!("{:02x}0{}", rng.between(0x0b, 0x27), rng.hex(5));
    let id = format!("{born:08x}00000000{tail}");
    if rng.chance(70) { id.replace(|digit: char| digit.is_ascii_alphabetic(), "9") } else { id }
}

/// The work behind a short link's code. The upper half of the id is the upload time in seconds.
pub(super) fn work_of_code(seed: u64, around: Time, code: &str) -> String {
    let mut rng = Rng::of(seed, &["work link", code]);
    let born = published(&mut rng, around) - rng.between(5, 90);
    (i128::from(born) << 32 | i128::from(rng.between(0, u32::MAX.into()))).to_string()
}

/// A publication time in the three weeks before `around`; recent ones are more likely.
fn published(rng: &mut Rng, around: Time) -> i64 {
    let youth = rng.between(0, 1000);
    seconds(around) - 10 * MINUTE - OLDEST * youth / 1000 * youth / 1000
}

/// The first run of 24 hexadecimal digits in `text`: a note id, or the id inside a link.
pub(super) fn note_id_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() == NOTE_DIGITS)
}

/// The first work id in `text`: the id itself, or the id inside a link.
pub(super) fn work_id_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| WORK_DIGITS.contains(&run.len()))
}

/// The code of a short link: the path after the host, up to the next slash, blank or query.
pub(super) fn code_in<'a>(text: &'a str, host: &str) -> Option<&'a str> {
    let (_, path) = text.split_once(host)?;
    let path = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '/').next()?;
    path.split('/').rfind(|part| part.len() > 4)
}

/// The publication time encoded in a note id, or a random one if the id encodes none.
pub(super) fn note_born(rng: &mut Rng, id: &str) -> i64 {
    let prefix = id.get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    believable(rng, prefix)
}

/// The upload time encoded in a work id, or a random one if the id encodes none.
pub(super) fn work_born(rng: &mut Rng, id: &str) -> i64 {
    believable(rng, id.parse::<i64>().ok().map(|id| id >> 32))
}

fn believable(rng: &mut Rng, born: Option<i64>) -> i64 {
    let drawn = rng.between(1_735_689_600, 1_767_225_600); // in 2025
    born.filter(|born| BELIEVABLE.contains(born)).unwrap_or(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_links_and_prose() {
        let note = "看看这个 https://www.xiaohongshu.com/explore/69aed4e2000000000e00c358?x=1 复制";
        assert_eq!(note_id_in(note), Some("69aed4e2000000000e00c358"));
        let work = "https://www.iesdouyin.com/share/video/7588740680004963593/?region=CN";
        assert_eq!(work_id_in(work), Some("7588740680004963593"));
        assert_eq!(work_id_in("12"), None);
    }

    #[test]
    fn codes_are_found_in_short_links_and_prose() {
        assert_eq!(code_in("https://v.douyin.com/irQCAn4A/", "v.douyin.com/"), Some("irQCAn4A"));
        let prose = "3.14 复制打开抖音 https://v.douyin.com/irQCAn4A/ 看看";
        assert_eq!(code_in(prose, "v.douyin.com/"), Some("irQCAn4A"));
        assert_eq!(code_in("http://xhslink.com/a/Abc12De3", "xhslink.com/"), Some("Abc12De3"));
        assert_eq!(code_in("https://example.com/irQCAn4A/", "v.douyin.com/"), None);
    }
}

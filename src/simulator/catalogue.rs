//! Ids and links: which ones exist, and what time of publication they carry.

use super::dice::Dice;
use crate::time::Time;

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// Publication times that are believed: from 2013, when the platforms began, to 2036.
const BELIEVABLE: std::ops::Range<i64> = 1_356_998_400..2_082_758_400;

/// The oldest item of the catalogue was published this long before its day.
const OLDEST: i64 = 21 * DAY;

/// How many hexadecimal digits a note id has, and how many decimal digits a work id.
const NOTE_DIGITS: usize = 24;
const WORK_DIGITS: std::ops::RangeInclusive<usize> = 18..=19;

/// Seconds since 1970.
pub(super) fn seconds(at: Time) -> i64 {
    at.micros().div_euclid(1_000_000)
}

/// The code of the `index`th short link of a kind (`note` or `work`).
pub(super) fn short_code(seed: u64, kind: &str, index: usize) -> String {
    Dice::of(seed, &["short code", kind, &index.to_string()]).letters(8)
}

/// The note behind a short link's code. Its id begins with the second of its creation, in
/// hexadecimal; the ids of some notes happen to have decimal digits only.
pub(super) fn note_of_code(seed: u64, around: Time, code: &str) -> String {
    let mut dice = Dice::of(seed, &["note link", code]);
    let born = published(&mut dice, around);
    let tail = format!("{:02x}0{}", dice.between(0x0b, 0x27), dice.hex(5));
    let id = format!("{born:08x}00000000{tail}");
    if dice.chance(70) { id.replace(|digit: char| digit.is_ascii_alphabetic(), "9") } else { id }
}

/// The work behind a short link's code. Its id holds the second of its upload in the upper half.
pub(super) fn work_of_code(seed: u64, around: Time, code: &str) -> String {
    let mut dice = Dice::of(seed, &["work link", code]);
    let born = published(&mut dice, around) - dice.between(5, 90);
    (i128::from(born) << 32 | i128::from(dice.between(0, u32::MAX.into()))).to_string()
}

/// A time of publication in the weeks before `around`; more of them are young.
fn published(dice: &mut Dice, around: Time) -> i64 {
    let youth = dice.between(0, 1000);
    seconds(around) - 10 * MINUTE - OLDEST * youth / 1000 * youth / 1000
}

/// The first 24 hexadecimal digits in a row in `text`: a note id, or a link to a note.
pub(super) fn note_id_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() == NOTE_DIGITS)
}

/// The first work id in `text`: the id itself, or a link to the work.
pub(super) fn work_id_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit()).find(|run| WORK_DIGITS.contains(&run.len()))
}

/// The code of a short link: what follows the host, up to the next slash, blank or query.
pub(super) fn code_in<'a>(text: &'a str, host: &str) -> Option<&'a str> {
    let (_, path) = text.split_once(host)?;
    let path = path.split(|c: char| !c.is_ascii_alphanumeric() && c != '/').next()?;
    path.split('/').rfind(|part| part.len() > 4)
}

/// When a note was published, going by its id; thrown for it when the id says nothing.
pub(super) fn note_born(dice: &mut Dice, id: &str) -> i64 {
    let prefix = id.get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok());
    believable(dice, prefix)
}

/// When a work was uploaded, going by its id; thrown for it when the id says nothing.
pub(super) fn work_born(dice: &mut Dice, id: &str) -> i64 {
    believable(dice, id.parse::<i64>().ok().map(|id| id >> 32))
}

fn believable(dice: &mut Dice, born: Option<i64>) -> i64 {
    let thrown = dice.between(1_735_689_600, 1_767_225_600); // in 2025
    born.filter(|born| BELIEVABLE.contains(born)).unwrap_or(thrown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_links_and_in_prose() {
        let note = "看看这个 https://www.xiaohongshu.com/explore/69aed4e2000000000e00c358?x=1 复制";
        assert_eq!(note_id_in(note), Some("69aed4e2000000000e00c358"));
        let work = "https://www.iesdouyin.com/share/video/7588740680004963593/?region=CN";
        assert_eq!(work_id_in(work), Some("7588740680004963593"));
        assert_eq!(work_id_in("12"), None);
    }

    #[test]
    fn codes_are_found_in_short_links_and_in_prose() {
        assert_eq!(code_in("https://v.douyin.com/irQCAn4A/", "v.douyin.com/"), Some("irQCAn4A"));
        let prose = "3.14 复制打开抖音 https://v.douyin.com/irQCAn4A/ 看看";
        assert_eq!(code_in(prose, "v.douyin.com/"), Some("irQCAn4A"));
        assert_eq!(code_in("http://xhslink.com/a/Abc12De3", "xhslink.com/"), Some("Abc12De3"));
        assert_eq!(code_in("https://example.com/irQCAn4A/", "v.douyin.com/"), None);
    }
}

//! Growth curves of engagement: fast at first, slower later, faster by day than by night. Integer
//! arithmetic only, so that every machine computes the same counts.

use super::rng::Rng;

/// The unit of a share of the total.
const WHOLE: i64 = 1 << 20;

/// 2^(-1/2), 2^(-1/4), … 2^(-1/1024), in units of 2^-32.
const ROOTS: [u64; 10] = [
    3_037_000_500,
    3_611_622_603,
    3_938_502_376,
    4_112_874_773,
    4_202_935_003,
    4_248_701_965,
    4_271_771_996,
    4_283_353_945,
    4_289_156_690,
    4_292_061_010,
];

/// Activity of readers in each hour of Beijing's day, in thousandths; the sum is 24,000.
const HOURS: [i64; 24] = [
    550, 350, 230, 180, 160, 200, 380, 690, 880, 950, 990, 1080, 1290, 1260, 1080, 1020, 1050,
    1140, 1330, 1560, 1840, 2060, 2060, 1670,
];

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Beijing's offset from UTC in seconds.
const BEIJING: i64 = 8 * HOUR;

/// On average one hour in this many has a few likes withdrawn, for that hour only.
const HOURS_PER_UNLIKE: i64 = 240;

/// Counts of an item at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Likes.
    pub likes: i64,
    /// Collects (bookmarks).
    pub collects: i64,
    /// Comments.
    pub comments: i64,
    /// Shares.
    pub shares: i64,
}

/// Growth of one item's counts.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    born: i64,
    waves: Vec<Wave>,
    collects_per_mille: i64,
    comments_per_mille: i64,
    shares_per_mille: i64,
    unlikes: u64,
}

/// A wave of attention: one at publication, another when an item goes viral.
#[derive(Clone, Debug)]
struct Wave {
    begins: i64,
    likes: i64,
    fast_per_mille: i64,
    fast_half: i64,
    slow_half: i64,
}

impl Growth {
    /// Growth of an item published at `born` (seconds since 1970) that ends around
    /// `2^(middle/1000)` likes and goes viral at `viral_at`, if at all.
    pub(super) fn draw(rng: &mut Rng, born: i64, middle: i64, viral_at: Option<i64>) -> Self {
        let likes = power_of_two((middle + 2300 * rng.bell() / 1000).clamp(0, 22_000));
        let mut waves = vec![Wave {
            begins: born,
            likes,
            fast_per_mille: rng.between(450, 750),
            fast_half: rng.between(2 * HOUR, 14 * HOUR),
            slow_half: rng.between(2 * DAY, 12 * DAY),
        }];
        if let Some(begins) = viral_at {
            waves.push(Wave {
                begins,
                likes: (likes + 300).saturating_mul(rng.between(8, 60)),
                fast_per_mille: rng.between(600, 850),
                fast_half: rng.between(4 * HOUR, 20 * HOUR),
                slow_half: rng.between(DAY, 6 * DAY),
            });
        }
        Self {
            born,
            waves,
            collects_per_mille: rng.between(170, 620),
            comments_per_mille: rng.between(45, 110),
            shares_per_mille: rng.between(8, 28),
            unlikes: rng.between(0, i64::MAX).unsigned_abs(),
        }
    }

    /// Publication time in seconds since 1970.
    pub(super) fn born(&self) -> i64 {
        self.born
    }

    /// Counts at `at`, in seconds since 1970; before publication, the counts at publication.
    pub(super) fn at(&self, at: i64) -> Counts {
        // Collects and comments follow the likes: the same curve, slower.
        let likes = self.likes(at, 100);
        Counts {
            likes: (likes - self.unlikes_at(at)).max(0),
            collects: self.likes(at, 94) * self.collects_per_mille / 1000,
            comments: self.likes(at, 90) * self.comments_per_mille / 1000,
            shares: self.likes(at, 86) * self.shares_per_mille / 1000,
        }
    }

    /// Likes withdrawn during the hour of `at`; usually 0.
    pub(super) fn unlikes_at(&self, at: i64) -> i64 {
        let mut rng = Rng::of(self.unlikes, &["unlike", &(at.div_euclid(HOUR)).to_string()]);
        match rng.between(1, HOURS_PER_UNLIKE) {
            1 => rng.between(1, 3),
            _ => 0,
        }
    }

    fn likes(&self, at: i64, pace_per_cent: i64) -> i64 {
        self.waves.iter().map(|wave| wave.likes_at(at, pace_per_cent)).sum()
    }
}

impl Wave {
    fn likes_at(&self, at: i64, pace_per_cent: i64) -> i64 {
        let age = (wakeful(at) - wakeful(self.begins)).max(0) * pace_per_cent / 100;
        let fast = WHOLE - halved(age, self.fast_half);
        let slow = age * WHOLE / (age + self.slow_half);
        let share = (fast * self.fast_per_mille + slow * (1000 - self.fast_per_mille)) / 1000;
        self.likes * share / WHOLE
    }
}

/// Seconds since 1970, weighted by reader activity: slower by night, but always increasing, so that
/// counts follow the daily rhythm and never fall.
fn wakeful(at: i64) -> i64 {
    let local = at + BEIJING;
    let (day, second) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let mut passed = 0;
    let mut left = second;
    for weight in HOURS {
        let span = left.min(HOUR);
        passed += span * weight;
        left -= span;
    }
    day * DAY + passed / 1000
}

/// `WHOLE` halved once per `half` seconds of `age`.
fn halved(age: i64, half: i64) -> i64 {
    let steps = (age / half).saturating_mul(1024) + age % half * 1024 / half;
    fixed_power(steps, WHOLE)
}

/// 2^(exponent/1000), for exponents from 0 to 40,000.
pub(super) fn power_of_two(exponent: i64) -> i64 {
    let doublings = exponent.div_euclid(1000) + 1;
    let short = (doublings * 1000 - exponent) * 1024 / 1000;
    fixed_power(short, 1 << doublings)
}

/// `whole` × 2^(-steps/1024).
fn fixed_power(steps: i64, whole: i64) -> i64 {
    let (halvings, rest) = (steps / 1024, steps % 1024);
    if halvings >= 62 {
        return 0;
    }
    let mut value = i128::from(whole >> halvings);
    for (bit, root) in ROOTS.iter().enumerate() {
        if rest & (512 >> bit) != 0 {
            value = (value * i128::from(*root)) >> 32;
        }
    }
    i64::try_from(value).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-09 14:10:42 UTC.
    const BORN: i64 = 1_773_065_442;

    fn growth(seed: u64) -> Growth {
        Growth::draw(&mut Rng::of(seed, &["growth"]), BORN, 8000, None)
    }

    #[test]
    fn powers_of_two_are_approximated_closely() {
        assert_eq!(power_of_two(0), 1);
        assert_eq!(power_of_two(10_000), 1024);
        assert!((1440..=1450).contains(&power_of_two(10_500)), "{}", power_of_two(10_500));
        assert_eq!(halved(0, 50), WHOLE);
        assert_eq!(halved(100, 50), WHOLE / 4);
        assert_eq!(halved(i64::MAX / 4096, 50), 0);
    }

    #[test]
    fn weighted_day_has_the_length_of_a_day() {
        assert_eq!(HOURS.iter().sum::<i64>(), 24_000);
        assert_eq!(wakeful(BORN + DAY) - wakeful(BORN), DAY);
    }

    #[test]
    fn counts_fall_only_by_unlikes() {
        for seed in 0..60 {
            let growth = growth(seed);
            let mut before = growth.at(BORN);
            for minute in (0..14 * 24 * 60).step_by(20) {
                let at = BORN + minute * 60;
                let now = growth.at(at);
                assert!(now.likes >= before.likes || growth.unlikes_at(at) > 0, "seed {seed}");
                assert!(now.collects >= before.collects && now.comments >= before.comments);
                assert!(now.shares >= before.shares);
                before = now;
            }
            assert_eq!(growth.born(), BORN);
        }
    }

    #[test]
    fn counts_are_ordered_likes_collects_comments_shares() {
        for seed in 0..60 {
            for day in 1..60 {
                let counts = growth(seed).at(BORN + day * DAY);
                assert!(counts.likes + 3 >= counts.collects);
                assert!(counts.collects >= counts.comments, "{counts:?}");
                assert!(counts.comments >= counts.shares, "{counts:?}");
            }
        }
    }

    #[test]
    fn first_two_days_bring_most_likes_of_a_week() {
        let week: i64 = (0..200).map(|seed| growth(seed).at(BORN + 7 * DAY).likes).sum();
        let start: i64 = (0..200).map(|seed| growth(seed).at(BORN + 2 * DAY).likes).sum();
        assert!(start * 10 > week * 6 && start < week, "{start} of {week}");
    }

    #[test]
    fn viral_wave_lifts_an_old_item() {
        let mut rng = Rng::of(3, &["growth"]);
        let growth = Growth::draw(&mut rng, BORN, 8000, Some(BORN + 9 * DAY));
        let (before, after) = (growth.at(BORN + 9 * DAY), growth.at(BORN + 11 * DAY));
        assert!(after.likes > before.likes * 3, "{before:?} {after:?}");
    }
}

//! Deterministic random values that depend only on the seed and on what they are drawn for.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// FNV-1a, 64 bits: offset basis and prime.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// A stream of random values for one thing.
pub(super) struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream for the thing called `names`: the same on every machine.
    pub(super) fn of(seed: u64, names: &[&str]) -> Self {
        let mut hash = FNV_START;
        let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME);
        seed.to_le_bytes().into_iter().for_each(&mut eat);
        for name in names {
            name.bytes().for_each(&mut eat);
            eat(0xff); // never in UTF-8: keeps ("ab", "c") apart from ("a", "bc")
        }
        Self(ChaCha8Rng::seed_from_u64(hash))
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    /// True with a probability of `per_mille` thousandths.
    pub(super) fn chance(&mut self, per_mille: i64) -> bool {
        self.between(0, 999) < per_mille
    }

    /// A bell curve around 0, in thousandths of the standard deviation, from -6000 to 6000.
    pub(super) fn bell(&mut self) -> i64 {
        (0..12).map(|_| self.between(0, 1000)).sum::<i64>() - 6000
    }

    /// One of `choices`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.random_range(0..choices.len())]
    }

    /// `count` distinct elements of `choices`, or all of them.
    pub(super) fn pick_some<'a, T>(&mut self, choices: &'a [T], count: usize) -> Vec<&'a T> {
        let mut left: Vec<&T> = choices.iter().collect();
        let mut picked = Vec::new();
        while picked.len() < count && !left.is_empty() {
            picked.push(left.swap_remove(self.0.random_range(0..left.len())));
        }
        picked
    }

    /// `length` characters of `alphabet`.
    pub(super) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| *self.pick(&alphabet)).collect()
    }

    /// `length` hexadecimal digits.
    pub(super) fn hex(&mut self, length: usize) -> String {
        self.text("0123456789abcdef", length)
    }

    /// `length` decimal digits; the first is not 0.
    pub(super) fn digits(&mut self, length: usize) -> String {
        self.text("123456789", 1) + &self.text("0123456789", length.saturating_sub(1))
    }

    /// `length` letters and digits.
    pub(super) fn letters(&mut self, length: usize) -> String {
        self.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789", length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_depend_on_seed_and_names_only() {
        let draw = |seed, names: &[&str]| Rng::of(seed, names).hex(16);
        assert_eq!(draw(1, &["note", "a"]), draw(1, &["note", "a"]));
        assert_ne!(draw(1, &["note", "a"]), draw(2, &["note", "a"]));
        assert_ne!(draw(1, &["ab", "c"]), draw(1, &["a", "bc"]));
    }

    #[test]
    fn values_are_the_same_on_every_machine() {
        assert_eq!(Rng::of(7, &["tide"]).between(0, 1_000_000), 225_796);
    }
}

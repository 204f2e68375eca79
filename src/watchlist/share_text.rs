//! Share texts over several lines: the app breaks them before or behind the link.

use super::names_item;

/// Phrases that the apps put around a link.
const PHRASES: [&str; 15] = [
    "复制后打开",
    "复制打开",
    "复制此",
    "复制本条",
    "复制这条",
    "复制下方",
    "长按复制",
    "【小红书】",
    "【抖音】",
    "打开抖音",
    "打开Dou音",
    "打开小红书",
    "小红书笔记",
    "Copy and open",
    "rednote to view",
];

/// Most lines of a share text before its link.
const MOST_LINES: usize = 20;

/// The longest run of letters and digits in a title; a longer one may be an id with a mistake.
const LONGEST_WORD: usize = 12;

/// The entries of numbered lines: each line with a link or an id, with the lines of its share text
/// before it. Any other line is an entry of its own, so that it is refused.
pub(super) struct Entries<'a, I: Iterator<Item = (u64, &'a str)>> {
    lines: std::iter::Peekable<I>,
    /// Lines without an item since the last one.
    waiting: Vec<(u64, &'a str)>,
    /// Whether the line before `waiting` named an item.
    follows_item: bool,
    /// Entries to be given out.
    ready: std::collections::VecDeque<(u64, String)>,
}

impl<'a, I: Iterator<Item = (u64, &'a str)>> Entries<'a, I> {
    /// Of trimmed lines, without comments; an empty line ends a share text.
    pub(super) fn new(lines: I) -> Self {
        Self {
            lines: lines.peekable(),
            waiting: Vec::new(),
            follows_item: false,
            ready: std::collections::VecDeque::new(),
        }
    }

    fn take(&mut self, number: u64, line: &'a str) {
        if line.is_empty() {
            // A head that the app has broken may be followed by an empty line.
            if self.follows_item || !self.waiting.iter().any(|(_, line)| is_phrase(line)) {
                self.flush();
            }
        } else if names_item(line) {
            self.close(number, line);
        } else {
            self.waiting.push((number, line));
            if self.waiting.len() > MOST_LINES {
                self.flush();
            }
        }
    }

    /// Gives out the item of a line together with the lines of its share text.
    fn close(&mut self, number: u64, line: &'a str) {
        let ends = |lines: &mut std::iter::Peekable<I>| {
            lines.peek().is_some_and(|(_, next)| is_phrase(next))
        };
        let is_share = is_phrase(line) || ends(&mut self.lines);
        let mut text = String::new();
        let mut has_head = false;
        for (at, waiting) in std::mem::take(&mut self.waiting) {
            has_head |= is_phrase(waiting);
            if is_phrase(waiting) || ((has_head || is_share) && is_title(waiting)) {
                text = text + waiting + "\n";
            } else {
                self.ready.push_back((at, waiting.to_owned()));
            }
        }
        self.ready.push_back((number, text + line));
        self.follows_item = true;
    }

    /// Gives out the waiting lines, but for the end of the share text before them.
    fn flush(&mut self) {
        let ends = self.follows_item;
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let entries = waiting.filter(|(_, line)| !ends || !is_phrase(line));
        self.ready.extend(entries.map(|(at, line)| (at, line.to_owned())));
        self.follows_item = false;
    }
}

impl<'a, I: Iterator<Item = (u64, &'a str)>> Iterator for Entries<'a, I> {
    type Item = (u64, String);

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.lines.next() {
                Some((number, line)) => self.take(number, line),
                None if self.waiting.is_empty() => return None,
                None => self.flush(),
            }
        }
        self.ready.pop_front()
    }
}

/// Whether a line has a phrase of the apps.
pub(super) fn is_phrase(line: &str) -> bool {
    PHRASES.iter().any(|phrase| line.contains(phrase))
}

/// Whether a line may be part of a title, and not an id with a mistake.
fn is_title(line: &str) -> bool {
    let longest = line.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max();
    (!line.is_ascii() || line.contains(' ')) && longest.is_none_or(|length| length < LONGEST_WORD)
}

//! Slows down guessing of the page's password, over all connections of an address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong passwords of one address within [`WINDOW`]; from then on it is refused until its end.
const MOST_WRONG: u32 = 10;

/// From the first wrong password of an address.
const WINDOW: Duration = Duration::from_secs(60);

/// Addresses that are remembered.
const MOST_ADDRESSES: usize = 1024;

/// Wrong passwords by address.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<IpAddr, (u32, Instant)>>);

impl Attempts {
    /// How long an address has to wait before a password of it is looked at.
    pub(super) fn wait(&self, peer: IpAddr) -> Option<Duration> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (wrong, since) = known.get(&network(peer))?;
        let left = WINDOW.checked_sub(since.elapsed())?;
        (*wrong >= MOST_WRONG && !left.is_zero()).then_some(left)
    }

    /// Counts a wrong password.
    pub(super) fn count(&self, peer: IpAddr) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, since)| since.elapsed() < WINDOW);
        if known.len() >= MOST_ADDRESSES {
            known.clear();
        }
        let (wrong, _) = known.entry(network(peer)).or_insert((0, Instant::now()));
        *wrong += 1;
        match *wrong {
            MOST_WRONG => tracing::warn!(
                %peer,
                "{MOST_WRONG} wrong passwords for the page: this address is refused for a minute"
            ),
            _ => tracing::warn!(%peer, "wrong password for the page"),
        }
    }
}

/// Who has one address of IPv6 has its whole network of 64 bits.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn address_with_many_wrong_passwords_waits_and_others_do_not() {
        let attempts = Attempts::default();
        let [one, same, other] = ["2001:db8::1", "2001:db8::2", "192.0.2.1"]
            .map(|ip| ip.parse::<IpAddr>().expect("an address"));
        for _ in 0..MOST_WRONG {
            assert_eq!(attempts.wait(one), None);
            attempts.count(one);
        }
        assert_eq!((attempts.wait(same), attempts.wait(other)), (Some(WINDOW), None));
        tokio::time::advance(WINDOW).await;
        assert_eq!(attempts.wait(one), None);
        attempts.count(one);
        assert_eq!(attempts.wait(one), None);
    }
}

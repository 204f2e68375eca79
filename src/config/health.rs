//! `[health]`, resolved.

use std::net::SocketAddr;

use toml::Spanned;

use super::Reader;
use super::problems::{Problem, quoted};

impl Reader<'_> {
    pub(super) fn listen(&mut self, wire: Option<&Spanned<String>>) -> Option<SocketAddr> {
        let wire = wire?;
        match loopback(wire.get_ref()) {
            Ok(address) => Some(address),
            Err(why) => {
                let title = format!("{}: {why}", quoted(wire.get_ref()));
                let help = "an address of this machine and a port, such as \"127.0.0.1:9464\"";
                self.problem(wire.span(), Problem::new(title, help));
                None
            }
        }
    }
}

/// An address that only this machine can reach.
///
/// # Errors
/// Says why it is not one.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address: SocketAddr = text.parse().map_err(|_| "not an IP address and a port")?;
    if address.ip().to_canonical().is_loopback() {
        Ok(address)
    } else {
        Err("other machines could reach it, and nothing asks who they are")
    }
}

#[cfg(test)]
mod tests {
    use super::loopback;

    #[test]
    fn only_addresses_of_this_machine_are_listened_on() {
        for text in ["127.0.0.1:9464", "127.9.9.9:1", "[::1]:0", "[::ffff:127.0.0.1]:80"] {
            assert!(loopback(text).is_ok(), "{text}");
        }
        for text in ["0.0.0.0:9464", "[::]:9464", "192.168.1.2:80", "localhost:80", "127.0.0.1"] {
            assert!(loopback(text).is_err(), "{text}");
        }
    }
}

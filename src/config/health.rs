//! `[health]`, resolved.

use std::net::SocketAddr;
use std::path::Path;

use toml::Spanned;

use super::load::read_file;
use super::problems::{Problem, quoted};
use super::{Config, Environment, Reader};

/// The section header on a line of its own.
const HEAD: &str = "[health]";

impl Config {
    /// The health address of a `jobs.toml` with errors in other sections.
    pub fn listen_of(path: &Path) -> Option<SocketAddr> {
        listen_in(&read_file(path).ok()?)
    }
}

fn listen_in(text: &str) -> Option<SocketAddr> {
    let lines = text.lines().skip_while(|line| !line.trim_start().starts_with(HEAD)).skip(1);
    let section: Vec<_> = lines.take_while(|line| !line.trim_start().starts_with('[')).collect();
    let text = format!("{HEAD}\n{}", section.join("\n"));
    Config::parse(&text, Path::new(""), &Environment::default()).ok()?.listen
}

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

/// An address that only this machine can reach. The error says why it is not one.
pub(crate) fn loopback(text: &str) -> Result<SocketAddr, &'static str> {
    let address: SocketAddr = text.parse().map_err(|_| "not an IP address and a port")?;
    if address.ip().to_canonical().is_loopback() {
        Ok(address)
    } else {
        Err("other machines could reach it without authentication")
    }
}

#[cfg(test)]
mod tests {
    use super::{listen_in, loopback};

    #[test]
    fn health_address_is_found_in_an_invalid_file() {
        let text = "[[job]\nname = \"\n  [health] # here\nlisten = \"127.0.0.1:9464\"\n[budget\n";
        assert_eq!(listen_in(text), "127.0.0.1:9464".parse().ok());
        assert_eq!(listen_in("[[job]\nlisten = \"127.0.0.1:9464\"\n"), None);
    }

    #[test]
    fn only_loopback_addresses_are_accepted() {
        for text in ["127.0.0.1:9464", "127.9.9.9:1", "[::1]:0", "[::ffff:127.0.0.1]:80"] {
            assert!(loopback(text).is_ok(), "{text}");
        }
        for text in ["0.0.0.0:9464", "[::]:9464", "192.168.1.2:80", "localhost:80", "127.0.0.1"] {
            assert!(loopback(text).is_err(), "{text}");
        }
    }
}

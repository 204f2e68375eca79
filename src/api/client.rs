//! stub
use super::{Ask, Endpoint};
use crate::config::Config;
use std::time::Duration;
/// x
#[derive(Clone, Debug)]
pub struct Client;
/// x
#[derive(Clone, Debug)]
pub struct Received {
    /// x
    pub http_status: Option<u16>,
    /// x
    pub body: Vec<u8>,
    /// x
    pub sent: bool,
    /// x
    pub duration: Duration,
    /// x
    pub retry_after: Option<Duration>,
    /// x
    pub error: Option<String>,
}
impl Client {
    /// x
    pub fn new(_: &Config) -> anyhow::Result<Self> {
        Ok(Self)
    }
    /// x
    pub async fn send(&self, _: Endpoint, _: &Ask) -> Received {
        unimplemented!()
    }
}

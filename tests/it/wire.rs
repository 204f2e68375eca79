//! The way to upstream: nobody in between sees the token, and nobody else is taken for upstream.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::databases::{count, sqlite};
use crate::program::{PATIENCE, Place, wait_for};
use crate::upstream;

const TOKEN: &str = "token-of-the-tests";

const JOBS: &str = "[[job]]\nname = \"a\"\nkind = \"keywords\"\nschedule = \"*/10 * * * * *\"\n\
                    keywords = [\"露营\"]\n";

/// Whoever comes is counted.
struct Listener {
    address: String,
    seen: Arc<AtomicUsize>,
}

impl Listener {
    fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }

    /// A server that shows this certificate of the fixtures, and counts who takes it for the right one.
    async fn tls(name: &str) -> Self {
        let key = PrivateKeyDer::from_pem_file(fixture("key.pem")).unwrap();
        let certificate = CertificateDer::from_pem_file(fixture(name)).unwrap();
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate], key).unwrap();
        Self::new(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn new(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(AtomicUsize::new(0));
        let count = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let taken = match &tls {
                    Some(tls) => tls.accept(stream).await.is_ok(),
                    None => true,
                };
                count.fetch_add(usize::from(taken), Ordering::Relaxed);
            }
        });
        Self { address, seen }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_of_the_environment_sees_nothing() {
    let (database, proxy) = (sqlite(), Listener::new(None).await);
    let simulator = upstream::simulate(TOKEN, Duration::ZERO).await;
    let mut place = Place::new(&database, "").with_upstream(&simulator, TOKEN);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
    {
        place = place.with(name, format!("http://{}", proxy.address));
    }
    assert_eq!(place.run(&["fetch", "keyword", "露营"]).await, 0, "{}", place.said());
    assert_eq!((simulator.truth().len(), proxy.seen()), (1, 0));
}

/// Certificates that were made for the tests, all for one key, which is good for nothing else; how,
/// stands in `make.sh` beside them.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// A daemon asks `server`, and trusts the authority of the fixtures alone, until `done`.
async fn asks(server: &Listener, done: &'static str) {
    let database = sqlite();
    let store = database.open().await;
    let place = Place::new(&database, JOBS)
        .with("SSL_CERT_FILE", fixture("authority.pem").display().to_string())
        .with("JUSTONEAPI_BASE_URL", format!("https://{}", server.address))
        .with("JUSTONEAPI_TOKEN", TOKEN);
    let daemon = place.start(&["run"]);
    wait_for(done, PATIENCE, async || count(&store, done).await > 0).await;
    daemon.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_goes_to_no_server_that_does_not_show_who_it_is() {
    let refused = "select count(*) from calls where outcome = 'transport' and billed = 'no'
                                                and message like '%certificate%'";
    for name in ["self-signed.pem", "another-host.pem"] {
        let server = Listener::tls(name).await;
        asks(&server, refused).await;
        assert_eq!(server.seen(), 0, "{name}: no question was sent");
    }
    // It asks whom it should, which then hangs up.
    let server = Listener::tls("right.pem").await;
    asks(&server, "select count(*) from calls where outcome = 'transport'").await;
    assert!(server.seen() > 0);
}

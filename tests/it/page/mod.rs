//! The page: content, access control, and escaping.

mod access;
mod browser;
mod content;
mod hostile;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tidewatch::config::{Config, Environment};
use tidewatch::page::{Guard, Page};
use tidewatch::store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::databases::Database;
use crate::env::{Env, hours, world};

/// An archive of some hours, and its page.
pub(crate) struct Site {
    pub(crate) env: Env,
    pub(crate) address: SocketAddr,
}

/// A response.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Three notes, two works, a keyword and a KOL search, with a daily limit.
fn jobs() -> String {
    let list = |items: Vec<String>| {
        items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(", ")
    };
    format!(
        "[budget]\nmax_calls_per_day = 5000\n\
         [[job]]\nname = \"spring\"\nkind = \"notes\"\nschedule = \"@hourly\"\nnotes = [{}]\n\
         [[job]]\nname = \"works\"\nkind = \"works\"\nschedule = \"*/30 * * * *\"\nurls = [{}]\n\
         [[job]]\nname = \"words\"\nkind = \"keywords\"\nschedule = \"@hourly\"\nkeywords = [\"露营\"]\n\
         [[job]]\nname = \"kols\"\nkind = \"kols\"\nschedule = \"@hourly\"\n\
         filter = {{ keyword = \"阅读\" }}\n",
        list(world().notes(3)),
        list(world().works(2)),
    )
}

impl Site {
    /// Six hours, two of them without a daemon.
    pub(crate) async fn new(database: Database) -> Self {
        let url = database.url().to_owned();
        let mut env = Env::new(database, &jobs()).await;
        env.advance(hours(2)).await;
        env.down_for(hours(2));
        env.restart(&jobs()).await;
        env.advance(hours(2)).await;
        let address = serve(&env, &url, None).await;
        Self { env, address }
    }

    /// Requests a page as a browser on this machine does.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, "Accept-Language: en\r\n").await
    }

    /// A request with other headers.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str) -> Reply {
        let host = format!("Host: {}\r\n{headers}", self.address);
        ask(self.address, method, path, &host).await
    }

    /// Every page of this archive.
    pub(crate) async fn pages(&self) -> Vec<String> {
        let (note, work) = (&world().notes(1)[0], &world().works(1)[0]);
        let kol = &self.env.ask("select min(kol_id) from kols").await[0];
        let document = &self.env.ask("select '' || max(document_id) from documents").await[0];
        let fixed =
            ["/", "/?since=7d", "/keywords", "/kols", "/kols?of=video&sort=video_price&up=1"];
        let jobs = ["spring", "works", "words", "kols"].map(|name| format!("/job/{name}"));
        let mut pages = fixed.map(str::to_owned).to_vec();
        pages.extend(jobs);
        pages.extend([
            format!("/note/{note}"),
            format!("/work/{work}"),
            format!("/compare?item=note:{note}&item=work:{work}"),
            format!("/document/{document}"),
            "/keyword/%E9%9C%B2%E8%90%A5".to_owned(),
            format!("/kol/{kol}"),
            format!("/search?q={}", note.get(..6).unwrap()),
        ]);
        pages
    }
}

/// Serves the archive at `url` on a free port.
pub(crate) async fn serve(env: &Env, url: &str, password: Option<&str>) -> SocketAddr {
    let settings = Config::parse(&jobs(), Path::new("jobs.toml"), &Environment::default()).unwrap();
    let page = Page {
        store: Store::open_to_read(url).await.unwrap(),
        clock: env.clock.clone(),
        settings: tokio::sync::watch::channel(Arc::new(settings)).1,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hosts = vec!["watch.example".to_owned()];
    let guard = Guard { address, hosts, password: password.map(Into::into) };
    let metrics = axum::Router::new().route("/metrics", axum::routing::get(async || "m 1"));
    tokio::spawn(page.serve(guard, listener, Some(metrics)));
    address
}

/// A raw HTTP request.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let question = format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

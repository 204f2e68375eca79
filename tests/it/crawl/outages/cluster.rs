//! A PostgreSQL server of one test, which may crash it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

/// A server on its own port, removed after the test.
pub(super) struct Cluster {
    directory: TempDir,
    port: u16,
}

impl Cluster {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        if is_root() {
            let given = Command::new("chown").arg("postgres").arg(directory.path()).status();
            assert!(given.unwrap().success());
        }
        let cluster = Self { directory, port: lasting_port() };
        let options = ["-U", "tidewatch", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "-D"];
        run(server("initdb").args(options).arg(cluster.data()));
        cluster.restart();
        cluster
    }

    /// The address of its database.
    pub(super) fn url(&self) -> String {
        format!("postgres://tidewatch@127.0.0.1:{}/postgres", self.port)
    }

    /// Crashes the server.
    pub(super) fn crash(&self) {
        run(server("pg_ctl").args(["-m", "immediate", "-w", "stop", "-D"]).arg(self.data()));
    }

    pub(super) fn restart(&self) {
        let (port, sockets) = (self.port, self.directory.path().display());
        let options = format!("-p {port} -h 127.0.0.1 -k {sockets} -c fsync=off");
        let log = self.directory.path().join("log");
        let mut start = server("pg_ctl");
        start.args(["-w", "-t", "60", "-o", &options, "start", "-l"]).arg(log);
        run(start.arg("-D").arg(self.data()));
    }

    pub(super) fn crash_and_restart(&self) {
        self.crash();
        self.restart();
    }

    /// Suspends the server, as if its machine were gone: connections stay open without answers.
    pub(super) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Continues the server.
    pub(super) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal to the server and its backends.
    fn signal(&self, name: &str) {
        let file = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let server = file.lines().next().unwrap();
        run(Command::new("kill").args([name, server]));
        let clients = Command::new("pgrep").args(["-P", server]).output().unwrap().stdout;
        for client in String::from_utf8(clients).unwrap().lines() {
            // It may have ended meanwhile.
            let _ = Command::new("kill").args([name, client]).stderr(Stdio::null()).status();
        }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Fails if it is down already.
        let mut stop = server("pg_ctl");
        stop.args(["-m", "immediate", "stop", "-D"]).arg(self.data());
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// A free port below those that outgoing connections get: nobody takes it while the server is down.
fn lasting_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % 400).unwrap() * 50;
    let first = 10_000 + own + NEXT.fetch_add(1, Ordering::Relaxed);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (first..32_000).find(is_free).expect("a free port")
}

/// A program of the server, run as an unprivileged user.
#[expect(clippy::disallowed_methods, reason = "tests/run.sh says where its server is")]
fn server(program: &str) -> Command {
    let folder = std::env::var("TEST_POSTGRES_BIN").expect(
        "TEST_POSTGRES_BIN does not say where PostgreSQL's programs are: run the tests with \
         `bash tests/run.sh`",
    );
    let program = Path::new(&folder).join(program);
    let mut command = Command::new(if is_root() { Path::new("runuser") } else { &program });
    if is_root() {
        command.args(["-u", "postgres", "--"]).arg(program);
    }
    // The server keeps the real date.
    command.env_remove("LD_PRELOAD");
    command
}

fn run(command: &mut Command) {
    // A starting server would keep a pipe open.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap().stdout;
    String::from_utf8_lossy(&id).trim() == "0"
}

//! Runs the real program in a temporary directory.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tidewatch::api::Provider;
use tidewatch::simulator::Simulator;

use crate::databases::Database;
use crate::flags;

/// Polling interval.
const POLL: Duration = Duration::from_millis(25);

/// Maximum of every wait, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A directory with `jobs.toml`, the environment, and the output of the programs so far.
pub(crate) struct Place {
    directory: TempDir,
    environment: BTreeMap<&'static str, String>,
}

/// A running program. Dropping it kills it.
pub(crate) struct Running {
    child: Child,
}

impl Place {
    /// A directory for programs on `database` with these jobs.
    pub(crate) fn new(database: &Database, jobs: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("jobs.toml"), jobs).unwrap();
        let mut environment = BTreeMap::from_iter(flags::faked_date());
        environment.insert("DATABASE_URL", database.url().to_owned());
        Self { directory, environment }
    }

    /// Points the program at `simulator`, with `token`.
    pub(crate) fn with_upstream(self, simulator: &Simulator, token: &str) -> Self {
        self.with("JUSTONEAPI_BASE_URL", simulator.base_url(Provider::JustOneApi))
            .with("JUSTONEAPI_TOKEN", token)
    }

    /// Sets an environment variable; the environment has no others, except for the date.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(name, value.into());
        self
    }

    /// Removes an environment variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Path of the file that collects stdout or stderr.
    pub(crate) fn output(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in this directory atomically, as editors do.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let new = self.directory.path().join("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(new, self.directory.path().join(name)).unwrap();
    }

    /// The output of the programs so far, stdout and stderr.
    pub(crate) fn said(&self) -> String {
        let read = |name| std::fs::read(self.output(name)).unwrap_or_default();
        let bytes = [read("stdout"), read("stderr")].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Runs the program to its end: exit code, stdout and stderr.
    pub(crate) async fn hear(&self, arguments: &[&str]) -> (i32, String, String) {
        for name in ["stdout", "stderr"] {
            let _ = std::fs::remove_file(self.output(name));
        }
        let code = self.run(arguments).await;
        let read = |name| std::fs::read_to_string(self.output(name)).unwrap();
        (code, read("stdout"), read("stderr"))
    }

    /// Starts the program.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_reading(arguments, Stdio::null())
    }

    /// Starts a daemon and waits until it watches its jobs.
    pub(crate) async fn start_to_watch(&self) -> Running {
        let times = || self.said().matches("watching").count();
        let before = times();
        let daemon = self.start(&["run"]);
        wait_for("the daemon", PATIENCE, async || times() > before).await;
        daemon
    }

    /// Starts the program with input on stdin.
    pub(crate) fn start_reading(&self, arguments: &[&str], input: Stdio) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidewatch"));
        command.args(arguments);
        self.spawn(command, input)
    }

    /// Starts a daemon whose files cannot grow beyond this many bytes, as on a full disk, until the
    /// limit is lifted.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_cramped(&self, bytes: u64) -> Running {
        let mut command = Command::new("sh");
        let run = format!("trap '' XFSZ; exec prlimit --fsize={bytes}:unlimited \"$0\" run");
        command.args(["-c", &run, env!("CARGO_BIN_EXE_tidewatch")]);
        self.spawn(command, Stdio::null())
    }

    fn spawn(&self, mut command: Command, input: Stdio) -> Running {
        let file =
            |name| File::options().create(true).append(true).open(self.output(name)).unwrap();
        let child = command
            .current_dir(self.directory.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(input)
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Running { child }
    }

    /// Runs the program to its end and returns the exit code.
    pub(crate) async fn run(&self, arguments: &[&str]) -> i32 {
        let status = self.start(arguments).end().await;
        status.code().unwrap_or_else(|| panic!("{arguments:?}: {status}\n{}", self.said()))
    }
}

impl Running {
    /// Sends SIGKILL.
    pub(crate) fn kill(self) {
        assert!(!self.kill_or_end(), "it had ended before it was killed");
    }

    /// Sends SIGKILL; whether it had ended by itself before.
    pub(crate) fn kill_or_end(mut self) -> bool {
        self.child.kill().unwrap();
        self.child.wait().unwrap().code().is_some()
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        self.signal("-TERM");
    }

    /// Sends SIGSTOP.
    pub(crate) fn suspend(&self) {
        self.signal("-STOP");
    }

    /// Sends SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal such as `-HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Its process id.
    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Waits for its exit.
    pub(crate) async fn end(mut self) -> ExitStatus {
        let child = &mut self.child;
        let mut status = None;
        wait_for("the program's end", PATIENCE, async || {
            status = child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if it has exited, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `done`, at most for `most`.
pub(crate) async fn wait_for(what: &str, most: Duration, done: impl AsyncFnMut() -> bool) {
    assert!(waited_for(most, done).await, "waited {most:?} in vain for {what}");
}

/// Whether `done` within `most`.
pub(crate) async fn waited_for(most: Duration, mut done: impl AsyncFnMut() -> bool) -> bool {
    let waited = tokio::time::timeout(most, async {
        while !done().await {
            tokio::time::sleep(POLL).await;
        }
    });
    waited.await.is_ok()
}

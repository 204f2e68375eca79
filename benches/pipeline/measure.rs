//! Measures a process: time, CPU, memory, and CPU of the database server.
//!
//! A contestant prints `begin` where the measured part begins and `end NUMBER` after that many
//! notes are committed, and then waits for a line.

use std::fmt;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use crate::postgres::Cluster;
use crate::processes::{cpu_of, peak_mb};

/// Results of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) notes: f64,
    pub(crate) seconds: f64,
    /// CPU seconds of the program.
    pub(crate) client: f64,
    /// CPU seconds of the database server.
    pub(crate) server: f64,
    /// Peak memory of the program in MB.
    pub(crate) peak_mb: f64,
}

impl Figures {
    /// CPU microseconds per note, program and server together.
    pub(crate) fn cpu(&self) -> f64 {
        (self.client + self.server) * 1e6 / self.notes
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = |seconds: f64| seconds * 1e6 / self.notes;
        let (client, server) = (each(self.client), each(self.server));
        let rate = self.notes / self.seconds;
        write!(f, "{rate:.0} notes/s, CPU {client:.0} + {server:.0} µs, {:.0} MB", self.peak_mb)
    }
}

/// A measured program.
pub(crate) struct Contestant {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Contestant {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().context("no standard input")?;
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, input, output })
    }

    /// Measures one part, with the CPU of the server if there is one.
    pub(crate) fn measure(&mut self, server: Option<&Cluster>) -> Result<Figures> {
        let first = self.said()?;
        ensure!(first == "begin", "the contestant said {first}");
        let pid = self.child.id();
        let server_cpu = || server.map_or(Ok(0.0), Cluster::cpu);
        let (started, client, at_server) = (now(), cpu_of(pid)?, server_cpu()?);
        let last = self.said()?;
        let seconds = started.elapsed().as_secs_f64();
        let notes = last.strip_prefix("end ").and_then(|count| count.parse().ok());
        let figures = Figures {
            notes: notes.with_context(|| format!("the contestant said {last}"))?,
            seconds,
            client: cpu_of(pid)? - client,
            server: server_cpu()? - at_server,
            peak_mb: peak_mb(pid)?,
        };
        writeln!(self.input)?;
        Ok(figures)
    }

    fn said(&mut self) -> Result<String> {
        match self.output.next() {
            Some(line) => Ok(line?),
            None => bail!("a contestant ended early: {}", self.child.wait()?),
        }
    }

    /// Waits for it to exit.
    pub(crate) fn end(mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "a contestant failed: {status}");
        Ok(())
    }

    /// Kills it.
    pub(crate) fn abandon(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// Contestant side: announces a measured part.
pub(crate) fn begin() {
    println!("begin");
}

/// Contestant side: ends a measured part, and waits until it has been recorded.
pub(crate) fn end(notes: usize) -> Result<()> {
    println!("end {notes}");
    std::io::stdin().read_line(&mut String::new())?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

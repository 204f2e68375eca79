//! A listener that a stranger cannot exhaust: it bounds connections, how long they idle, and how long
//! they last.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// How long nothing may come or go on a connection.
const IDLE: Duration = Duration::from_secs(30);

/// How long a connection lasts: what sends a byte now and then is not idle.
const LONGEST: Duration = Duration::from_secs(300);

/// Wait after a failed accept: without file descriptors the next one fails as well.
const ACCEPT_WAIT: Duration = Duration::from_millis(500);

/// The part of the limit of open files that connections to a listener may take.
const PART_OF_FILES: u64 = 8;

/// Accepts so many connections at once; further ones wait in the kernel's queue.
#[derive(Debug)]
pub struct Bounded {
    listener: TcpListener,
    free: Arc<Semaphore>,
}

impl Bounded {
    /// Up to `most` connections at once, fewer where few files may be open.
    pub fn new(listener: TcpListener, most: usize) -> Self {
        Self { listener, free: Arc::new(Semaphore::new(most.min(of_files()))) }
    }
}

/// Connections that leave files to the store and the providers.
fn of_files() -> usize {
    #[cfg(target_os = "linux")]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(target_os = "linux"))]
    let files = Some(256);
    files.map_or(usize::MAX, |files| usize::try_from(files / PART_OF_FILES).unwrap_or(4).max(4))
}

impl Listener for Bounded {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok(permit) = self.free.clone().acquire_owned().await else {
                return std::future::pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, address)) => return (BoundedStream::new(stream, permit), address),
                Err(error) => {
                    tracing::debug!(%error, "cannot accept a connection");
                    drop(permit);
                    tokio::time::sleep(ACCEPT_WAIT).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Bounded>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection with its place.
#[derive(Debug)]
pub struct BoundedStream {
    stream: TcpStream,
    timeout: Pin<Box<Sleep>>,
    ends: Instant,
    _permit: OwnedSemaphorePermit,
}

impl BoundedStream {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit) -> Self {
        let timeout = Box::pin(tokio::time::sleep(IDLE));
        Self { stream, timeout, ends: Instant::now() + LONGEST, _permit: permit }
    }

    /// What the stream says, or an error once it idles or has lasted too long.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match poll(Pin::new(&mut self.stream), cx) {
            Poll::Ready(done) => {
                self.timeout.as_mut().reset((Instant::now() + IDLE).min(self.ends));
                Poll::Ready(done)
            }
            Poll::Pending => match self.timeout.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx, |stream, cx| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idle_connection_ends_and_makes_room() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut bounded = Bounded { listener, free: Arc::new(Semaphore::new(1)) };
        let _stranger = TcpStream::connect(address).await.expect("it connects");
        let (mut first, _) = bounded.accept().await;
        let _other = TcpStream::connect(address).await.expect("it waits in the queue");
        let reads = tokio::spawn(async move { first.read_u8().await.map(drop) });
        let accepted = tokio::time::timeout(2 * IDLE, bounded.accept()).await;
        assert!(accepted.is_ok(), "the first one made room");
        let idle = reads.await.expect("it ended").expect_err("nothing came");
        assert_eq!(idle.kind(), io::ErrorKind::TimedOut);
    }
}

//! Taking connections, as `axum::serve` does, but with a limit on how many there are at once and on how long a caller may
//! take to say what they want.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// What callers may take up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. Whoever comes then waits in the system's own queue.
    pub connections: usize,
    /// How long the head of a request may take, from the end of the one before; so long does a connection stay that asks
    /// nothing. Proxies commonly keep theirs for a minute, and must be the first to close.
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head: Duration::from_secs(75),
        }
    }
}

/// Serves until `stop`, and until what is under way then has ended.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head);
    loop {
        let taken = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stop.cancelled() => break,
            taken = taken => taken,
        };
        let (socket, peer): (_, SocketAddr) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Of this one connection, or there are no file handles left: others will be closed.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Without it a streamed page waits 40 ms for the peer's acknowledgement.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let router = router.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = open.watch(http.serve_connection(TokioIo::new(socket), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke off");
            }
            drop(place);
        });
    }
    drop(listener);
    open.shutdown().await;
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        time::timeout,
    };

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    async fn start(limits: Limits) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new()
            .route(
                "/",
                get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }),
            )
            .route(
                "/slow",
                get(|| async {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    "at last"
                }),
            );
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, router, limits, stop.clone()));
        (address, stop, served)
    }

    async fn ask(socket: &mut TcpStream, text: &str) -> String {
        socket.write_all(text.as_bytes()).await.expect("it is open");
        let mut answer = String::new();
        timeout(SOON, socket.read_to_string(&mut answer))
            .await
            .expect("it ends in time")
            .expect("it is text");
        answer
    }

    #[tokio::test]
    async fn a_request_that_never_ends_is_given_up() {
        let limits = Limits {
            head: Duration::from_millis(200),
            ..Limits::default()
        };
        let (address, _stop, _served) = start(limits).await;
        for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a\r\nX: "] {
            let mut socket = TcpStream::connect(address).await.expect("it listens");
            let answer = ask(&mut socket, begun).await;
            assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let mut socket = TcpStream::connect(address).await.expect("it listens");
        let own = socket.local_addr().expect("it is connected").to_string();
        let answer = ask(&mut socket, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer.ends_with(&own), "{answer}");
    }

    #[tokio::test]
    async fn so_many_connections_are_served_and_the_next_one_waits() {
        let limits = Limits {
            connections: 2,
            ..Limits::default()
        };
        let (address, _stop, _served) = start(limits).await;
        let idle = TcpStream::connect(address).await.expect("it listens");
        let _other = TcpStream::connect(address).await.expect("it listens");
        // The system takes it; we do not yet.
        let mut third = TcpStream::connect(address).await.expect("it listens");
        third
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .expect("the system keeps it");
        let mut byte = [0];
        let early = timeout(Duration::from_millis(300), third.read(&mut byte)).await;
        assert!(early.is_err(), "there is no room yet");
        drop(idle);
        let answer = ask(&mut third, "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[tokio::test]
    async fn what_is_under_way_ends_before_the_house_does() {
        let (address, stop, served) = start(Limits::default()).await;
        let mut socket = TcpStream::connect(address).await.expect("it listens");
        let _idle = TcpStream::connect(address).await.expect("it listens");
        socket
            .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .expect("it is open");
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
        let answer = ask(&mut socket, "").await;
        assert!(answer.ends_with("at last"), "{answer}");
        timeout(SOON, served)
            .await
            .expect("it ends")
            .expect("nothing panics");
        assert!(TcpStream::connect(address).await.is_err());
    }
}

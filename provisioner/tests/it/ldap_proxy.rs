//! A way to a directory that can be cut at the worst moment, stand still, or be closed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::slapd::free_port;

/// What becomes of what travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Way {
    /// Everything arrives.
    Open,
    /// A change arrives, and its answer is lost with the connection.
    LosesAnswersToChanges,
    /// What is asked arrives, and no answer comes back.
    Silent,
    /// Every connection is closed.
    Closed,
}

/// The proxy. It lives as long as the test's runtime.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub port: u16,
    way: Arc<AtomicU8>,
}

impl Proxy {
    pub async fn to(server: u16) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let way = Arc::new(AtomicU8::new(Way::Open as u8));
        let proxy = Self {
            port,
            way: Arc::clone(&way),
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, Arc::clone(&way)));
            }
        });
        proxy
    }

    pub fn set(&self, way: Way) {
        self.way.store(way as u8, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, server: u16, way: Arc<AtomicU8>) {
    let is = |wanted: Way| way.load(Ordering::SeqCst) == wanted as u8;
    if is(Way::Closed) {
        return;
    }
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let changing = AtomicBool::new(false);
    let there = async {
        let mut bytes = vec![0; 65536];
        while let Ok(count @ 1..) = from_client.read(&mut bytes).await {
            changing.store(is_change(&bytes[..count]), Ordering::SeqCst);
            if is(Way::Closed) || to_server.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        let mut bytes = vec![0; 65536];
        while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
            if is(Way::Closed) || is(Way::LosesAnswersToChanges) && changing.load(Ordering::SeqCst)
            {
                return;
            }
            if !is(Way::Silent) && to_client.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! { () = there => {}, () = back => {} }
}

/// Whether this is a ModifyRequest (RFC 4511, section 4.6): a sequence, the number of the message, then the tag 0x66.
fn is_change(message: &[u8]) -> bool {
    let length = match message.get(1) {
        Some(long @ 0x80..) => usize::from(long & 0x7f),
        _ => 0,
    };
    let number = 2 + length;
    let digits = message.get(number + 1).copied().unwrap_or_default();
    message.get(number + 2 + usize::from(digits)) == Some(&0x66)
}

//! The little of HTTP that peers in these tests speak themselves: one request for each connection.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request as it came.
pub struct Asked {
    /// Request line and headers, without the empty line behind them.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Asked {
    /// Reads one; none if the connection ended before.
    pub async fn read(socket: &mut TcpStream) -> std::io::Result<Option<Self>> {
        let (mut bytes, mut chunk) = (Vec::new(), [0_u8; 16_384]);
        let (head, start, length) = loop {
            let read = socket.read(&mut chunk).await?;
            if read == 0 {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk[..read]);
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                let length: usize = header(&head, "content-length").parse().unwrap_or(0);
                break (head, end + 4, length);
            }
        };
        while bytes.len() < start + length {
            let read = socket.read(&mut chunk).await?;
            if read == 0 {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk[..read]);
        }
        Ok(Some(Self {
            head,
            body: bytes.split_off(start),
        }))
    }

    /// The value of a header; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        header(&self.head, name)
    }
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

/// Answers and closes.
pub async fn answer(
    socket: &mut TcpStream,
    status: u16,
    headers: &str,
    body: &str,
) -> std::io::Result<()> {
    let text = format!(
        "HTTP/1.1 {status} So\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    );
    socket.write_all(text.as_bytes()).await
}

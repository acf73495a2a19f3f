//! Mails over SMTP, as plain text and as HTML in one. Retrying is the job queue's business; here one mail is handed over, or not.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use provisioner::mailer::{Letter, Mailer, NotSent};

use crate::config;

mod page;

/// A mail server.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// How mails and the password travel to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Travel {
    /// Inside TLS from the first byte (`smtps://`).
    Tls,
    /// Inside TLS after STARTTLS, or not at all.
    StartTls,
    /// In clear text, on this machine only.
    Loopback,
    /// In clear text over the network, because the configuration says so outright.
    Clear,
}

/// How they travel with this address, and the address as lettre reads it. lettre takes a plain `smtp://` for clear text;
/// here it means STARTTLS everywhere but on loopback, and an attempt at it (`opportunistic`) is not offered, since whoever
/// stands between would only have to spoil it.
pub fn travel(smtp_url: &str) -> Result<(Travel, String), &'static str> {
    let Ok(mut url) = reqwest::Url::parse(smtp_url) else {
        return Err("must be an address, as smtp://user:password@mail.example.com:587");
    };
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err("must name a server, as smtp://user:password@mail.example.com:587");
    };
    let loopback = host.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback());
    let mut asked = None;
    for (name, value) in url.query_pairs() {
        if name != "tls" || asked.is_some() {
            return Err("may be followed by ?tls=required or ?tls=none, and by nothing else");
        }
        asked = Some(value.into_owned());
    }
    url.set_query(None);
    let travel = match (url.scheme(), asked.as_deref()) {
        ("smtps", None) => Travel::Tls,
        ("smtp", Some("required")) => Travel::StartTls,
        ("smtp", None) if !loopback => Travel::StartTls,
        ("smtp", None | Some("none")) if loopback => Travel::Loopback,
        ("smtp", Some("none")) => Travel::Clear,
        ("smtp", _) => return Err("tls must be required or none"),
        ("smtps", _) => return Err("smtps:// is TLS already: leave ?tls= out"),
        _ => return Err("must begin with smtp:// or smtps://"),
    };
    if travel == Travel::StartTls {
        url.set_query(Some("tls=required"));
    }
    Ok((travel, url.into()))
}

/// Why the configured mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// What was configured as its address.
    #[error("mail.smtp_url: {0}")]
    Address(&'static str),
    /// The address of the server.
    #[error("mail.smtp_url: {0}")]
    Url(#[from] lettre::transport::smtp::Error),
    /// The address of the sender.
    #[error("mail.from: {0}")]
    From(#[from] lettre::address::AddressError),
}

impl Smtp {
    /// Prepares the connection; nothing is sent yet.
    pub fn new(settings: &config::Mail) -> Result<Self, SmtpError> {
        // TLS needs a provider before its first use; a second installation fails, which is fine.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (_, url) = travel(settings.smtp_url.expose()).map_err(SmtpError::Address)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)?
            .timeout(Some(Duration::from_secs(20)))
            .build();
        Ok(Self {
            transport,
            from: settings.from.parse()?,
        })
    }

    /// Whether the server takes connections (and the password), for `latchkey doctor`.
    pub async fn diagnose(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("the server takes no commands".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, NotSent> {
        let refused = |what: String| NotSent {
            what,
            permanent: true,
        };
        let address: Address = letter
            .address
            .parse()
            .map_err(|error| refused(format!("the address cannot be used: {error}")))?;
        // Names come from the directory: one with a line end must not become a header of its own. lettre encodes the rest.
        let name: String = letter.name.chars().filter(|c| !c.is_control()).collect();
        let subject: String = letter.subject.chars().filter(|c| !c.is_control()).collect();
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(name), address))
            .subject(subject)
            // The same in every try, so that a mailbox can tell a repetition.
            .message_id(Some(format!(
                "<{}@{}>",
                letter.id,
                self.from.email.domain()
            )))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(
                letter.plain(),
                page::html(letter),
            ))
            .map_err(|error| refused(error.to_string()))
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let message = self.message(letter)?;
        self.transport
            .send(message)
            .await
            .map(drop)
            .map_err(|error| NotSent {
                permanent: error
                    .status()
                    .is_some_and(|code| of_the_mailbox(code.into())),
                what: error.to_string(),
            })
    }
}

/// Whether a refusal is about the recipient's mailbox: unavailable, elsewhere, or no name for one. All others, a wrong
/// password or a policy for instance, are somebody's to mend, and the mail is tried again.
const fn of_the_mailbox(code: u16) -> bool {
    matches!(code, 550 | 551 | 553)
}

/// Keeps holiday notes from answering (RFC 3834).
#[derive(Clone, Copy, Debug)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

#[cfg(test)]
mod tests;

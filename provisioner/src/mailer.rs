//! Sending mails. The way out is given by whoever starts the worker.

use std::fmt;

use async_trait::async_trait;
use domain::MessageId;

/// One mail to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Names the mail; the same in every try, so that a mailbox can tell a repetition.
    pub id: MessageId,
    /// The address as the directory says it now.
    pub address: String,
    /// The person's name.
    pub name: String,
    /// The subject line.
    pub subject: String,
    /// What happened and what to do, in plain text; paragraphs are apart by a line end.
    pub text: String,
    /// The page that it leads to; none where the text says it itself.
    pub link: Option<String>,
}

/// Says under every mail why one gets it.
pub const WHY: &str = "You get this because Latchkey keeps you up to date about access. Nothing is decided by opening the link.";

impl Letter {
    /// The letter as plain text.
    pub fn plain(&self) -> String {
        match &self.link {
            Some(link) => format!("{}\n\n{link}\n\n{WHY}\n", self.text),
            None => self.text.clone(),
        }
    }
}

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct NotSent {
    /// What happened.
    pub what: String,
    /// Whether trying again cannot help: the address is refused.
    pub permanent: bool,
}

/// A way to send mails.
#[async_trait]
pub trait Mailer: Send + Sync + fmt::Debug {
    /// Hands a mail to the server. Returns once the server has taken it.
    async fn send(&self, letter: &Letter) -> Result<(), NotSent>;
}

/// Sends nothing and says so: for installations without a mail server.
#[derive(Clone, Copy, Debug)]
pub struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, _: &Letter) -> Result<(), NotSent> {
        Err(NotSent {
            what: "No mail server is configured.".into(),
            permanent: true,
        })
    }
}

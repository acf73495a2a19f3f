//! Where the trial's mails go: into a file that anybody can read, never to a mail server.

use std::{fs::OpenOptions, io::Write, path::PathBuf};

use async_trait::async_trait;
use provisioner::mailer::{Letter, Mailer, NotSent};

/// Takes every letter.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// The file that letters are added to; none keeps nothing, for the year that is played at the first start.
    pub file: Option<PathBuf>,
}

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let Some(path) = &self.file else {
            return Ok(());
        };
        let text = format!(
            "To: {} <{}>\nSubject: {}\nMessage-ID: {}\n\n{}\n\n{}\n",
            letter.name,
            letter.address,
            letter.subject,
            letter.id,
            letter.plain(),
            "-".repeat(72)
        );
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| NotSent {
                what: format!("{}: {error}", path.display()),
                permanent: false,
            })
    }
}

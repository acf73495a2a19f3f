//! Against a mail server that nobody here wrote (`.ci/peers/mail.mjs`).

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use domain::MessageId;
use provisioner::mailer::{Letter, Mailer as _};
use serde_json::Value;
use uuid::Uuid;

use super::{Smtp, Travel, travel};
use crate::config;

/// The mail server; dies with the test.
struct Peer {
    address: String,
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Peer {
    fn start(settings: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the crate lies inside the workspace");
        let mut process = Command::new("node")
            .arg(".ci/peers/mail.mjs")
            .current_dir(root)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is needed for this test: install Node 20 or later");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its output can be read");
        let address = line
            .trim_end()
            .strip_prefix("ready smtp://")
            .unwrap_or_else(|| {
                panic!("the mail server did not start (run make setup); it said {line:?}")
            })
            .to_owned();
        Self {
            address,
            process,
            output,
        }
    }

    fn smtp(&self, before: &str, after: &str) -> Smtp {
        Smtp::new(&config::Mail {
            smtp_url: format!("smtp://{before}{}{after}", self.address).into(),
            from: "Latchkey <access@contoso.example>".into(),
        })
        .expect("the settings are right")
    }

    /// The next message that it took.
    fn taken(&mut self) -> Value {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("its output can be read");
        serde_json::from_str(&line).expect("a line is a message")
    }
}

fn letter(address: &str) -> Letter {
    Letter {
        id: MessageId(Uuid::from_u128(0x0e)),
        address: address.into(),
        name: "Örjan \u{202e}Ask\r\nBcc: everybody@contoso.example".into(),
        subject: "Ready: Production database, read\r\nBcc: everybody@contoso.example".into(),
        text: "Åsa approved it.\n.\nReason: <script>alert(1)</script> & \"more\"".into(),
        link: Some("https://access.example.com/requests/1".into()),
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written_and_to_nobody_else() {
    let mut peer = Peer::start(&[]);
    peer.smtp("", "")
        .send(&letter("orjan@contoso.example"))
        .await
        .expect("it is taken");
    let taken = peer.taken();
    assert_eq!(taken["to"], serde_json::json!(["orjan@contoso.example"]));
    assert_eq!(taken["from"], "access@contoso.example");
    let data = taken["data"].as_str().expect("it has a text");
    let (head, body) = data.split_once("\r\n\r\n").expect("it has a body");
    assert!(!head.to_lowercase().contains("\r\nbcc:"), "{head}");
    assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    // The same in every try, so that a mailbox can tell a repetition.
    let id = format!("<{}@contoso.example>", MessageId(Uuid::from_u128(0x0e)));
    assert!(head.contains(&id), "{head}");
    assert!(
        head.contains("multipart/alternative") || body.contains("multipart/alternative"),
        "{head}"
    );
    let plain = body.find("text/plain").expect("it has a plain part");
    let html = body.find("text/html").expect("it has an HTML part");
    assert!(plain < html, "the richest part stands last");
    assert!(
        body.contains("https://access.example.com/requests/1"),
        "{body}"
    );
}

#[test]
fn what_people_wrote_is_only_ever_text() {
    let page = super::page::html(&Letter {
        subject: "Denied: \"><img src=x onerror=alert(1)>".into(),
        ..letter("orjan@contoso.example")
    });
    assert!(
        !page.contains("<script") && !page.contains("<img"),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
    // Nothing is fetched, and one address is led to.
    assert!(!page.contains("src=") || page.contains("&lt;img src="));
    assert_eq!(page.matches("href=").count(), 1);
}

#[tokio::test]
async fn what_cannot_be_mended_is_told_apart_from_what_can() {
    let peer = Peer::start(&[]);
    let smtp = peer.smtp("", "");
    for (address, permanent) in [
        ("nouser@contoso.example", true),
        ("greylist@contoso.example", false),
        ("no address at all", true),
    ] {
        let refused = smtp
            .send(&letter(address))
            .await
            .expect_err("it is not taken");
        assert_eq!(refused.permanent, permanent, "{address}: {refused}");
        assert!(!refused.what.is_empty());
    }
    drop(peer);
    let gone = smtp
        .send(&letter("orjan@contoso.example"))
        .await
        .expect_err("nobody is there");
    assert!(!gone.permanent, "{gone}");
}

#[tokio::test]
async fn a_password_is_sent_and_a_wrong_one_is_said() {
    let mut peer = Peer::start(&[("USERNAME", "portal"), ("PASSWORD", "mailpw")]);
    peer.smtp("portal:mailpw@", "")
        .send(&letter("orjan@contoso.example"))
        .await
        .expect("it is taken");
    assert_eq!(peer.taken()["from"], "access@contoso.example");
    let wrong = peer.smtp("portal:guess@", "").diagnose().await;
    assert!(wrong.is_err_and(|why| !why.contains("guess")));
    // Somebody mends the password, and the mail goes out after all.
    let refused = peer
        .smtp("portal:guess@", "")
        .send(&letter("orjan@contoso.example"))
        .await
        .expect_err("the password is wrong");
    assert!(!refused.permanent, "{refused}");
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_signed_gets_no_mail() {
    let peer = Peer::start(&[("STARTTLS", "required")]);
    let refused = peer
        .smtp("", "?tls=required")
        .send(&letter("orjan@contoso.example"))
        .await
        .expect_err("anybody could have made that certificate");
    assert!(!refused.permanent, "{refused}");
}

#[test]
fn nothing_leaves_this_machine_in_clear_text_unless_that_is_asked_for() {
    for (url, how, given) in [
        (
            "smtps://mail.example.com",
            Travel::Tls,
            "smtps://mail.example.com",
        ),
        (
            "smtp://portal:pw@mail.example.com:587",
            Travel::StartTls,
            "smtp://portal:pw@mail.example.com:587?tls=required",
        ),
        (
            "smtp://localhost.example.com",
            Travel::StartTls,
            "smtp://localhost.example.com?tls=required",
        ),
        (
            "smtp://mail.example.com?tls=required",
            Travel::StartTls,
            "smtp://mail.example.com?tls=required",
        ),
        (
            "smtp://127.0.0.1:25?tls=required",
            Travel::StartTls,
            "smtp://127.0.0.1:25?tls=required",
        ),
        (
            "smtp://127.0.0.1:25",
            Travel::Loopback,
            "smtp://127.0.0.1:25",
        ),
        ("smtp://[::1]:25", Travel::Loopback, "smtp://[::1]:25"),
        (
            "smtp://localhost?tls=none",
            Travel::Loopback,
            "smtp://localhost",
        ),
        (
            "smtp://mail.example.com:25?tls=none",
            Travel::Clear,
            "smtp://mail.example.com:25",
        ),
    ] {
        assert_eq!(travel(url), Ok((how, given.to_owned())), "{url}");
    }
    for wrong in [
        "mail.example.com",
        "smtp://",
        "http://mail.example.com",
        "smtp://mail.example.com?tls=opportunistic",
        "smtp://mail.example.com?tls=",
        "smtp://mail.example.com?tls=required&tls=none",
        "smtp://mail.example.com?TLS=none",
        "smtps://mail.example.com?tls=none",
    ] {
        assert!(travel(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_password_waits_for_tls() {
    let peer = Peer::start(&[("USERNAME", "portal"), ("PASSWORD", "mailpw")]);
    // As a server elsewhere would be called: this one offers no STARTTLS, so the password must not be sent.
    let (_, port) = peer.address.rsplit_once(':').expect("it has a port");
    let smtp = Smtp::new(&config::Mail {
        smtp_url: format!("smtp://portal:mailpw@127.0.0.1:{port}?tls=required").into(),
        from: "Latchkey <access@contoso.example>".into(),
    })
    .expect("the settings are right");
    assert!(smtp.diagnose().await.is_err());
}

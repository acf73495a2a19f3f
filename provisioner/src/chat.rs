//! Posting to a channel of a chat, at the address that the configuration names (an incoming webhook). What is posted is plain
//! text: neither names nor reasons are read as formatting or as links.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use reqwest::StatusCode;
use serde_json::{Value, json};
use workflow::chat::Chat;

use crate::mailer::NotSent;

/// One post to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it says first.
    pub title: String,
    /// What happened and what to do.
    pub text: String,
    /// The page that it leads to.
    pub link: String,
}

/// A way to post.
#[async_trait]
pub trait Poster: Send + Sync + fmt::Debug {
    /// Hands a post to the chat. Returns once it was taken.
    async fn post(&self, chat: Chat, message: &Message) -> Result<(), NotSent>;
}

/// Posts nothing and says so: for installations without a chat.
#[derive(Clone, Copy, Debug)]
pub struct NoChat;

#[async_trait]
impl Poster for NoChat {
    async fn post(&self, _: Chat, _: &Message) -> Result<(), NotSent> {
        Err(NotSent {
            what: "No address is configured for this chat.".into(),
            permanent: true,
        })
    }
}

/// Posts to incoming webhooks.
#[derive(Clone)]
pub struct Webhooks {
    http: reqwest::Client,
    addresses: BTreeMap<Chat, String>,
}

impl fmt::Debug for Webhooks {
    /// Without the addresses: whoever knows one can post.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.addresses.keys()).finish()
    }
}

impl Webhooks {
    /// Posts with this client to these addresses.
    pub fn new(http: reqwest::Client, addresses: BTreeMap<Chat, String>) -> Self {
        Self { http, addresses }
    }
}

#[async_trait]
impl Poster for Webhooks {
    async fn post(&self, chat: Chat, message: &Message) -> Result<(), NotSent> {
        let Some(address) = self.addresses.get(&chat) else {
            return NoChat.post(chat, message).await;
        };
        let answer = self
            .http
            .post(address)
            .json(&payload(chat, message))
            .send()
            .await
            // The address is a secret, and an error of the client would name it.
            .map_err(|error| NotSent {
                what: format!("The chat was not reached: {}", error.without_url()),
                permanent: false,
            })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        Err(NotSent {
            what: format!("The chat answered {status}."),
            // What it calls malformed or too large will not become better; a wrong address is somebody's to mend.
            permanent: matches!(
                status,
                StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE
            ),
        })
    }
}

/// What a chat takes.
fn payload(chat: Chat, message: &Message) -> Value {
    match chat {
        Chat::Teams => teams(message),
        Chat::Slack => slack(message),
    }
}

/// An Adaptive Card, as Teams takes it at an incoming webhook or a workflow's address. `RichTextBlock`, because a
/// `TextBlock` would read Markdown.
fn teams(message: &Message) -> Value {
    let run = |text: &str, bold: bool| {
        json!({"type": "RichTextBlock", "inlines": [{
            "type": "TextRun", "text": text,
            "weight": if bold { "Bolder" } else { "Default" },
            "size": if bold { "Medium" } else { "Default" },
        }]})
    };
    let mut body = vec![run(&message.title, true)];
    body.extend(message.text.lines().map(|line| run(line, false)));
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard", "version": "1.4", "body": body,
            "actions": [{"type": "Action.OpenUrl", "title": "Open in Latchkey", "url": message.link}],
        },
    }]})
}

/// Blocks, as Slack takes them at an incoming webhook; `plain_text`, because `mrkdwn` would read links and mentions. A header
/// has at most 150 characters, a section 3,000.
fn slack(message: &Message) -> Value {
    let plain = |text: &str, most: usize| {
        let text: String = text.chars().take(most).collect();
        json!({"type": "plain_text", "text": text, "emoji": false})
    };
    json!({
        // For notifications. Slack reads mentions here, so what begins one is taken apart.
        "text": message.title.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
        "blocks": [
            {"type": "header", "text": plain(&message.title, 150)},
            {"type": "section", "text": plain(&message.text, 3000)},
            {"type": "actions", "elements": [
                {"type": "button", "text": plain("Open in Latchkey", 75), "url": message.link},
            ]},
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Message {
        Message {
            title: "A decision waits: <!channel> [click](https://evil.example)".into(),
            text: "*Åsa* asks.\nReason: <https://evil.example|Approve>".into(),
            link: "https://access.example.com/approvals/stg_1".into(),
        }
    }

    #[test]
    fn a_card_reads_nothing_as_formatting_and_leads_to_the_portal_only() {
        let card = teams(&hostile());
        let content = &card["attachments"][0]["content"];
        assert_eq!(content["type"], "AdaptiveCard");
        for block in content["body"].as_array().expect("it has a body") {
            assert_eq!(block["type"], "RichTextBlock", "Markdown is read elsewhere");
        }
        let actions = content["actions"].as_array().expect("it has a button");
        assert_eq!(actions.len(), 1);
        assert_eq!(actions[0]["type"], "Action.OpenUrl");
        assert_eq!(actions[0]["url"], hostile().link);
    }

    #[test]
    fn blocks_read_nothing_as_formatting_and_mention_nobody() {
        let mut long = hostile();
        long.title.push_str(&"x".repeat(500));
        let post = slack(&long);
        assert!(!post["text"].as_str().expect("a text").contains('<'));
        let blocks = post["blocks"].as_array().expect("blocks");
        assert_eq!(blocks[0]["text"]["type"], "plain_text");
        assert_eq!(blocks[1]["text"]["type"], "plain_text");
        let header = blocks[0]["text"]["text"].as_str().expect("a text");
        assert_eq!(header.chars().count(), 150);
        assert_eq!(blocks[2]["elements"][0]["url"], long.link);
    }
}

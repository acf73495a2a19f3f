//! A letter as HTML: one column, no pictures, nothing fetched, readable where styles are taken away. Everything that people or
//! the directory wrote is escaped.

use std::fmt::Write;

use provisioner::mailer::{Letter, WHY};

/// The letter as a document. Colours are written out, for mail programs know no variables; they are those of the portal's light
/// look.
pub fn html(letter: &Letter) -> String {
    let mut body = String::new();
    for paragraph in letter.text.lines().filter(|line| !line.trim().is_empty()) {
        let text = linked(paragraph);
        write!(body, "<p style=\"margin:0 0 12px\" dir=\"auto\">{text}</p>")
            .expect("a string takes everything");
    }
    if let Some(link) = &letter.link {
        let link = escape(link);
        write!(
            body,
            "<p style=\"margin:20px 0\"><a href=\"{link}\" style=\"display:inline-block;padding:10px 16px;border-radius:8px;\
             background:#1f4fd8;color:#ffffff;text-decoration:none;font-weight:600\">Open in Latchkey</a></p>\
             <p style=\"margin:0 0 12px;font-size:13px;color:#5b6472\">Or copy this address: {link}</p>"
        )
        .expect("a string takes everything");
    }
    let why = if letter.link.is_some() { WHY } else { "" };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light\"><title>{subject}</title></head>\
         <body style=\"margin:0;padding:24px;background:#f5f6f8;color:#171b21;font:16px/1.5 system-ui,sans-serif\">\
         <div style=\"max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:12px\">\
         <p style=\"margin:0 0 16px;font-size:13px;font-weight:600;color:#5b6472\">Latchkey</p>\
         <h1 style=\"margin:0 0 16px;font-size:20px;line-height:1.3\" dir=\"auto\">{subject}</h1>{body}\
         <p style=\"margin:24px 0 0;font-size:13px;color:#5b6472\">{why}</p></div></body></html>",
        subject = escape(&letter.subject),
    )
}

/// One line, its address clickable where it is nothing but an address (as in a digest).
fn linked(line: &str) -> String {
    let text = escape(line);
    if line.starts_with("https://") && !line.contains(char::is_whitespace) {
        format!("<a href=\"{text}\" style=\"color:#1f4fd8\">{text}</a>")
    } else {
        text
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

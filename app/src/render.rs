//! From a view to a whole HTML document.
//!
//! Pages are rendered in one go, without streaming: everything a page needs was loaded before its view is made, so the status is known
//! before the first byte and nothing half-made leaves the house. Islands inside the view come alive in the browser; the rest is inert.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;

/// What stands in the head of a document.
#[derive(Clone, Debug)]
pub struct Head {
    /// The page's own title; the product's name is added.
    pub title: String,
    /// The nonce of this answer's content security policy.
    pub nonce: Arc<str>,
    /// Where the site's files lie, such as `/pkg/0a1b2c`, without a slash at the end.
    pub assets: Arc<str>,
}

/// Renders a view to HTML. Islands are marked, everything else is inert.
///
/// The view is made inside, because islands look for their context while they are made.
pub fn html<V: IntoView + 'static>(view: impl FnOnce() -> V) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let html = owner.with(|| view().into_view().to_html());
    drop(owner);
    html
}

/// A whole document: head, the view as its body, and the script that hydrates islands if there are any.
pub fn document<V: IntoView + 'static>(head: &Head, view: impl FnOnce() -> V) -> String {
    let body = html(view);
    let Head {
        title,
        nonce,
        assets,
    } = head;
    let title = escape(title);
    let mut out = String::with_capacity(body.len() + 1536);
    out.push_str("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\"><title>");
    out.push_str(&title);
    out.push_str(" · Latchkey</title><link rel=\"icon\" href=\"data:image/svg+xml,");
    out.push_str(ICON);
    out.push_str("\"><link rel=\"stylesheet\" href=\"");
    out.push_str(assets);
    out.push_str("/latchkey.css\">");
    if body.contains("<leptos-island ") {
        out.push_str("<link rel=\"modulepreload\" href=\"");
        out.push_str(assets);
        out.push_str("/latchkey.js\"><script type=\"module\" nonce=\"");
        out.push_str(nonce);
        out.push_str("\">");
        out.push_str(&HYDRATE.replace("$assets", assets));
        out.push_str("</script>");
    }
    out.push_str("</head><body>");
    out.push_str(&body);
    out.push_str("</body></html>");
    out
}

/// Loads the WebAssembly once the page is shown, then wakes every island that it knows. An island of a newer build is left inert.
const HYDRATE: &str = "import init,* as m from'$assets/latchkey.js';\
await init({module_or_path:'$assets/latchkey.wasm'});m.hydrate();\
for(const e of document.querySelectorAll('leptos-island'))m[e.dataset.component]?.(e);\
document.documentElement.dataset.alive='';";

/// The key of the product's mark, as a picture for the browser's tab.
const ICON: &str = "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%23007a68' stroke-width='2.4' stroke-linecap='round'%3E%3Ccircle cx='8' cy='8' r='4.6'/%3E%3Cpath d='M11.4 11.4 20 20M16.4 16.4l2.4-2.4'/%3E%3C/svg%3E";

/// Text made safe for element content and double-quoted attributes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// What one reads of a page, without its markup: for tests of words that have a moment or a link among them.
#[cfg(test)]
pub fn plain(html: &str) -> String {
    let mut out = String::new();
    for (place, part) in html.split('<').enumerate() {
        let text = if place == 0 {
            part
        } else {
            part.split_once('>').map_or("", |(_, text)| text)
        };
        out.push_str(text);
    }
    out.replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

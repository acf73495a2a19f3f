//! The few things that every behaviour asks of the browser.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Document, Element, Event, EventTarget, HtmlInputElement, HtmlTextAreaElement, NodeList,
    RequestInit, Response, SupportedType, Window,
};

/// The window; there always is one where islands run.
pub fn window() -> Window {
    web_sys::window().expect("islands run in a window")
}

/// The document.
pub fn document() -> Document {
    window().document().expect("a window shows a document")
}

/// All elements that match; none if the selector is not one.
pub fn all(selector: &str) -> Vec<Element> {
    list(document().query_selector_all(selector))
}

/// All elements inside that match.
pub fn within(region: &Element, selector: &str) -> Vec<Element> {
    list(region.query_selector_all(selector))
}

fn list(nodes: Result<NodeList, JsValue>) -> Vec<Element> {
    let Ok(nodes) = nodes else {
        return Vec::new();
    };
    (0..nodes.length())
        .filter_map(|place| nodes.get(place)?.dyn_into().ok())
        .collect()
}

/// The first element that matches.
pub fn first(selector: &str) -> Option<Element> {
    document().query_selector(selector).ok().flatten()
}

/// Listens for as long as the page lives.
pub fn on(target: &EventTarget, event: &str, act: impl FnMut(Event) + 'static) {
    let act = Closure::<dyn FnMut(Event)>::new(act).into_js_value();
    drop(target.add_event_listener_with_callback(event, act.unchecked_ref()));
}

/// Acts once, later; gives the handle that takes it back.
pub fn later(milliseconds: i32, act: impl FnOnce() + 'static) -> i32 {
    let act = Closure::once_into_js(act);
    window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(act.unchecked_ref(), milliseconds)
        .unwrap_or_default()
}

/// Acts again and again for as long as the page lives.
pub fn every(milliseconds: i32, act: impl FnMut() + 'static) -> i32 {
    let act = Closure::<dyn FnMut()>::new(act).into_js_value();
    window()
        .set_interval_with_callback_and_timeout_and_arguments_0(act.unchecked_ref(), milliseconds)
        .unwrap_or_default()
}

/// Fetches a page of ours as a document. `None` where it is not to be had, or another page came instead (a session that is over).
pub async fn page(address: &str) -> Option<Document> {
    let ask = RequestInit::new();
    let headers = web_sys::Headers::new().ok()?;
    headers.set("accept", "text/html").ok()?;
    headers.set("x-latchkey-refresh", "1").ok()?;
    ask.set_headers(&headers);
    // A redirect leads to the sign-in: nothing to show, and not to be followed across sites.
    ask.set_redirect(web_sys::RequestRedirect::Manual);
    let answer: Response = JsFuture::from(window().fetch_with_str_and_init(address, &ask))
        .await
        .ok()?
        .dyn_into()
        .ok()?;
    if !answer.ok() {
        return None;
    }
    let text: JsValue = JsFuture::from(answer.text().ok()?).await.ok()?;
    web_sys::DomParser::new()
        .ok()?
        .parse_from_string(&text.as_string()?, SupportedType::TextHtml)
        .ok()
}

/// Tells the other behaviours that a part of the page was put in anew.
pub fn say_swapped() {
    if let Ok(event) = Event::new("latchkey:swapped") {
        drop(document().dispatch_event(&event));
    }
}

/// Hears of parts put in anew.
pub fn on_swapped(mut act: impl FnMut() + 'static) {
    on(&document(), "latchkey:swapped", move |_| act());
}

/// Whether somebody is in the middle of something there: the focus is inside, or a field holds what was typed or chosen.
pub fn busy(region: &Element) -> bool {
    let focused = document()
        .active_element()
        .is_some_and(|active| region.contains(Some(&active)));
    focused || within(region, "input, textarea").iter().any(filled_in)
}

fn filled_in(field: &Element) -> bool {
    if let Some(field) = field.dyn_ref::<HtmlInputElement>() {
        return match field.type_().as_str() {
            "checkbox" | "radio" => field.checked() != field.default_checked(),
            "hidden" | "range" => false,
            _ => field.value() != field.default_value(),
        };
    }
    field.dyn_ref::<HtmlTextAreaElement>().is_some_and(|field| {
        field
            .default_value()
            .is_ok_and(|first| field.value() != first)
    })
}

/// Unfolds in `new` what is unfolded in `old`.
pub fn keep_open(old: &Element, new: &Element) {
    let open: Vec<String> = within(old, "details[open]").iter().map(summary).collect();
    if open.is_empty() {
        return;
    }
    for details in within(new, "details") {
        if open.contains(&summary(&details)) {
            drop(details.set_attribute("open", ""));
        }
    }
}

/// What tells one thing that unfolds from others: where it stands, and its words.
fn summary(details: &Element) -> String {
    let place = details.closest("[id]").ok().flatten();
    let words = details.query_selector("summary").ok().flatten();
    format!(
        "{} {}",
        place.map(|place| place.id()).unwrap_or_default(),
        words
            .and_then(|words| words.text_content())
            .unwrap_or_default()
    )
}

/// The time now by the portal's clock, in milliseconds: the browser's own may be wrong, and the trial's walks ahead.
pub fn portal_now() -> f64 {
    let ahead = document()
        .document_element()
        .and_then(|root| root.get_attribute("data-ahead"))
        .and_then(|ahead| ahead.parse::<i64>().ok())
        .unwrap_or_default();
    js_sys::Date::now() + ahead as f64
}

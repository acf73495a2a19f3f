//! The leaves that come alive in the browser.
use leptos::prelude::*;

/// Counts.
#[island]
pub fn Counter(start: i32) -> impl IntoView {
    let (count, set_count) = signal(start);
    view! { <button type="button" class="btn" on:click=move |_| set_count.update(|c| *c += 1)>"Clicked " {count}</button> }
}

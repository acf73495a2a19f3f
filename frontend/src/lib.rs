//! The WebAssembly half: it carries the islands of `app` into the browser and nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Makes the islands' reactive ground; the script in the page's head calls it before it hydrates each island.
#[wasm_bindgen]
pub fn hydrate() {
    // Without a use the linker would drop the crate, and with it the islands that it exports.
    use app as _;
    leptos::mount::hydrate_islands();
}

//! The icon set: one stroke, 24 by 24. Icons repeat what words say, so they are hidden from screen readers.

use leptos::prelude::*;

macro_rules! signs {
    ($($(#[$meta:meta])* $name:ident = $path:literal),+ $(,)?) => {
        /// An icon by what it means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Sign { $($(#[$meta])* $name),+ }

        impl Sign {
            /// All of them, for the gallery.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The path that draws it.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path),+ }
            }
        }
    };
}

signs! {
    Home = "M4 11.5 12 4l8 7.5M6 10v9h12v-9",
    Catalogue = "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
    Lock = "M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5z",
    Request = "M6 3h9l4 4v14H6zM9 12h7M9 16h5",
    Check = "M5 12l4.5 4.5L19 7",
    List = "M4 6h16M4 12h10M4 18h7M16 17l2 2 4-4",
    People = "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.3 2.7-6 6-6s6 2.7 6 6M16 4.6a3.5 3.5 0 0 1 0 6.2M18 14.4c1.9.9 3 3 3 5.6",
    Person = "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c0-3.9 3.4-6.5 7.5-6.5s7.5 2.6 7.5 6.5",
    Package = "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4.3 7.6 12 12l7.7-4.4M12 12v9",
    Basket = "M4 10h16l-1.8 10H5.8zM8.5 10 12 4l3.5 6",
    Wrench = "M14.5 6.5a4 4 0 0 1 5.2-1.3l-2.6 2.6.3 1.8 1.8.3 2.6-2.6a4 4 0 0 1-5.4 5L8.5 20.2a2 2 0 0 1-2.8 0l-.9-.9a2 2 0 0 1 0-2.8l8-7.9a4 4 0 0 1 1.7-2.1z",
    Eye = "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
    Evidence = "M6 3h9l4 4v14H6zM14.5 3v4.5H19M9 14.5l2 2 4-4",
    Shield = "M12 3l7.5 3v5.5c0 4.6-3.1 8-7.5 9.5-4.4-1.5-7.5-4.9-7.5-9.5V6z",
    Search = "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
    Menu = "M4 7h16M4 12h16M4 17h16",
    Clock = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
    Warning = "M12 8.5v5M12 16.8v.2M12 3l9.5 17h-19z",
    Info = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5.5M12 7.5v.2",
    Question = "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.6 2.6 0 1 1 3.8 2.3c-.8.4-1.3.9-1.3 1.7v.3M12 16.8v.2",
    Cross = "M6 6l12 12M18 6 6 18",
    Plus = "M12 5v14M5 12h14",
    Minus = "M5 12h14",
    Right = "M5 12h14M13 6l6 6-6 6",
    Out = "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
    Open = "M9 5H5v14h14v-4M13 5h6v6M19 5l-9 9",
    Refresh = "M20 11a8 8 0 0 0-14.5-4.5L4 8M4 4v4h4M4 13a8 8 0 0 0 14.5 4.5L20 16M20 20v-4h-4",
    Back = "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
    Download = "M12 4v11M7 10.5l5 5 5-5M5 20h14",
    Print = "M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7z",
    Key = "M8 12.6A4.6 4.6 0 1 0 8 3.4a4.6 4.6 0 0 0 0 9.2zM11.4 11.4 20 20M16.4 16.4l2.4-2.4",
    Calendar = "M5 6h14v14H5zM5 10h14M9 3.5V8M15 3.5V8",
    Dots = "M6 12h.01M12 12h.01M18 12h.01",
    Mail = "M4 6h16v12H4zM4 7l8 6 8-6",
    Keyboard = "M3 7h18v10H3zM7 10.5h.01M10.5 10.5h.01M14 10.5h.01M17.5 10.5h.01M8.5 14h7",
    Log = "M5 4h14v16H5zM8.5 8h7M8.5 12h7M8.5 16h4",
}

/// Draws a sign in the colour of the text around it.
#[component]
pub fn Icon(
    /// Which one.
    sign: Sign,
) -> impl IntoView {
    view! { <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=sign.path()></path></svg> }
}

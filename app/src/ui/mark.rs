//! Small marks: people, applications, tags, keys, meters.

use leptos::prelude::*;

use super::Words;
use crate::words;

/// How large a mark is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// In a line of text.
    Small,
    /// In a row.
    #[default]
    Middle,
    /// In a page's head.
    Large,
}

impl Size {
    const fn class(self) -> &'static str {
        match self {
            Self::Small => " s",
            Self::Middle => "",
            Self::Large => " l",
        }
    }
}

/// A person's initials on a tint that is always theirs. Decoration: the name stands beside it.
#[component]
pub fn Avatar(
    /// The person's name.
    #[prop(into)]
    name: String,
    /// How large.
    #[prop(optional)]
    size: Size,
) -> impl IntoView {
    let class = format!("avatar tint-{}{}", words::tint(&name, 6), size.class());
    view! { <span class=class aria-hidden="true">{words::initials(&name)}</span> }
}

/// A person with avatar, name and a detail under it.
#[component]
pub fn Who(
    /// The name.
    #[prop(into)]
    name: String,
    /// What to say under it: title, department, mail.
    #[prop(optional, into)]
    detail: Words,
    /// Where the name leads.
    #[prop(optional, into)]
    href: Words,
) -> impl IntoView {
    let said = name.clone();
    let label = match href.0 {
        Some(href) => view! { <a class="link" href=href dir="auto">{said}</a> }.into_any(),
        None => view! { <b dir="auto">{said}</b> }.into_any(),
    };
    view! {
        <span class="who"><Avatar name=name/><div>{label}{detail.0.map(|detail| view! { <span class="small dim" dir="auto">{detail}</span> })}</div></span>
    }
}

/// A sign-in name or a mail address, which may be broken where people would break it: after `@`, dots and hyphens.
pub fn address(text: &str) -> AnyView {
    let parts = text
        .split_inclusive(['@', '.', '-', '_'])
        .map(|part| view! { {part.to_owned()}<wbr/> })
        .collect_view();
    view! { <span dir="auto">{parts}</span> }.into_any()
}

/// An application's tile: up to three letters on a tint. Decoration: the name stands beside it.
#[component]
pub fn Tile(
    /// The application's name.
    #[prop(into)]
    name: String,
    /// Its letters; made from the name where there are none.
    #[prop(optional, into)]
    letters: Words,
    /// Its tint in the catalogue, `a` to `f`; always the same one for the same name where there is none.
    #[prop(optional, into)]
    tint: Words,
    /// How large.
    #[prop(optional)]
    size: Size,
) -> impl IntoView {
    let tint = match tint.0.as_deref() {
        Some("a") => 0,
        Some("b") => 1,
        Some("c") => 2,
        Some("d") => 3,
        Some("e") => 4,
        Some("f") => 5,
        _ => words::tint(&name, 10),
    };
    let letters = letters.0.unwrap_or_else(|| tile_letters(&name));
    view! { <span class=format!("tile tint-{tint}{}", size.class()) aria-hidden="true">{letters}</span> }
}

/// The letters of a tile: an abbreviation as it is, else initials, else the first two letters.
fn tile_letters(name: &str) -> String {
    let first = name.split_whitespace().next().unwrap_or_default();
    let short = first.chars().count();
    if (2..=3).contains(&short) && first.chars().all(|c| c.is_uppercase() || c.is_numeric()) {
        return first.into();
    }
    let initials = words::initials(name);
    if initials.chars().count() > 1 {
        return initials;
    }
    words::sentence(&first.chars().take(2).collect::<String>())
}

/// A quiet fact in a frame: `up to 24 hours`.
#[component]
pub fn Tag(
    /// What it says.
    #[prop(into)]
    words: String,
    /// Where it leads, if it filters or explains.
    #[prop(optional, into)]
    href: Words,
    /// Whether it is the one chosen.
    #[prop(optional)]
    current: bool,
) -> impl IntoView {
    match href.0 {
        Some(href) => {
            view! { <a class="tag" href=href aria-current=current.then_some("true")>{words}</a> }
                .into_any()
        }
        None => view! { <span class="tag">{words}</span> }.into_any(),
    }
}

/// A key to press, as a hint. Shown only where the page's script runs.
#[component]
pub fn Key(
    /// The key.
    #[prop(into)]
    key: String,
) -> impl IntoView {
    view! { <kbd class="only-alive" aria-hidden="true">{key}</kbd> }
}

/// So many of so many steps, with its words for those who do not see it.
#[component]
pub fn Meter(
    /// Steps that are on.
    on: u8,
    /// All steps.
    of: u8,
    /// What it means, such as `risk: 4 of 6, high`.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let class = match on * 3 / of.max(1) {
        0 | 1 if on * 2 <= of => "meter",
        0..=2 if on < of => "meter mid",
        _ => "meter high",
    };
    let steps = (0..of)
        .map(|step| view! { <i class=(step < on).then_some("on")></i> })
        .collect_view();
    view! { <span class=class role="img" aria-label=label>{steps}</span> }
}

#[cfg(test)]
mod tests {
    use super::tile_letters;

    #[test]
    fn tiles_say_what_people_say() {
        for (name, letters) in [
            ("SAP", "SAP"),
            ("SAP vendor master", "SAP"),
            ("Figma", "Fi"),
            ("Azure cost reports", "AR"),
            ("Entra ID", "EI"),
            ("", ""),
        ] {
            assert_eq!(tile_letters(name), letters);
        }
    }
}

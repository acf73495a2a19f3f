//! What goes and what stays when access ends or is held back, right by right.

use domain::{Timestamp, grant::GrantSource};
use workflow::views::{
    change::Act,
    effect::{Effect, RightEffect, WayTag},
};

use super::super::said;
use crate::{
    ui::{DeltaLine, DeltaLines},
    words,
};
use leptos::prelude::*;

/// The rights of one grant, each with what becomes of it.
pub fn rights(effect: &Effect, act: Act, now: Timestamp) -> AnyView {
    let lines = effect
        .rights
        .iter()
        .map(|right| line(right, act, now))
        .collect();
    view! { <DeltaLines lines=lines/> }.into_any()
}

fn line(effect: &RightEffect, act: Act, now: Timestamp) -> DeltaLine {
    let name = if effect.right.summary.is_empty() {
        effect.right.name.clone()
    } else {
        effect.right.summary.clone()
    };
    if effect.remains.is_empty() {
        return match act {
            Act::TakeAway | Act::HoldBack => DeltaLine::minus(name),
            Act::LetGoOn => DeltaLine::plus(name),
        };
    }
    let ways: Vec<String> = effect.remains.iter().map(|one| way(one, now)).collect();
    let stays = match act {
        Act::TakeAway | Act::HoldBack => "stays, held also through",
        Act::LetGoOn => "is open already through",
    };
    DeltaLine::same(format!(
        "{} {stays} {}",
        name.trim_end_matches('.'),
        words::list(&ways, "and")
    ))
}

/// One other way, in a few words: `Orders analyst, until 2 December`.
fn way(way: &WayTag, now: Timestamp) -> String {
    let name = way.package.clone().unwrap_or_else(|| {
        if way.source == GrantSource::Import {
            "what was there before this portal".to_owned()
        } else {
            said::source(way.source).to_owned()
        }
    });
    format!("{name} ({})", said::end(way.end, now))
}

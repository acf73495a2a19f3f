//! `/signed-out`: where signing out ends.

use axum::{
    Extension,
    extract::{Query, State as Given},
    response::{Html, IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use crate::{
    render::{self, Head},
    state::{Nonce, State},
    ui::*,
};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Whether all sessions ended, and not only this browser's.
    #[serde(default)]
    everywhere: String,
}

/// The page, for anybody.
pub async fn show(
    Given(state): Given<State>,
    Query(asked): Query<Asked>,
    nonce: Option<Extension<Nonce>>,
) -> Response {
    let everywhere = !asked.everywhere.is_empty();
    let nonce = nonce.map_or_else(|| "".into(), |Extension(nonce)| nonce.0);
    let head = Head {
        title: "Signed out".into(),
        nonce,
        assets: state.assets.clone(),
    };
    Html(render::document(&head, move || page(everywhere))).into_response()
}

fn page(everywhere: bool) -> impl IntoView {
    let (title, text) = if everywhere {
        (
            "You are signed out everywhere",
            "Your access stays as it is; no browser and no device is signed in as you any more.",
        )
    } else {
        (
            "You are signed out",
            "Your access stays as it is; only this browser has forgotten you.",
        )
    };
    view! {
        <PlainPage>
            <div class="stack stack-4">
                <h1>{title}</h1>
                <p class="dim">{text}</p>
                <div class="btns"><LinkButton href="/sign-in" look=Look::Primary>"Sign in again"</LinkButton><LinkButton href="/sign-in?switch=1">"Use another account"</LinkButton></div>
            </div>
        </PlainPage>
    }
}

//! `/request`: the cart: several packages, for oneself or for others, each with its own window, answers and reason, sent together
//! and decided one by one.

mod choose;
pub mod like;
mod list;

use axum::{
    Form,
    extract::{Path, Query},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    DraftLineId, PackageId, PersonId, Refusal,
    request::{Length, Start, Window},
};
use serde::Deserialize;
use workflow::{
    Error, carts,
    requests::{self, NewLine, NewRequest},
    views::{
        cart::{self, CartLine},
        colleagues,
        request_form::RequestForm,
    },
};

use super::{
    ask::{
        self,
        form::{self, Sending},
        question::{self, Picks},
        typed::{Faults, Typed},
    },
    kit,
};
use crate::{
    frame::About,
    problem::Fault,
    ui::{crumb, here},
    visit::{Visit, done},
};

/// The cart.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let cart = cart::load(visit.workflow(), &visit.viewer).await?;
    visit
        .page(TITLE, move || list::page(&cart, &list::Wrong::default()))
        .await
}

/// What the page is called.
const TITLE: &str = "Your cart";

/// Sends everything that is in the cart.
pub async fn send(
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let field = |wanted: &str| {
        fields
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    let (workflow, viewer) = (visit.workflow(), &visit.viewer);
    let reason: String = field("reason").chars().take(4000).collect();
    carts::keep_reason(workflow, viewer, &reason).await?;
    let mut cart = cart::load(workflow, viewer).await?;
    let key = field("key");
    if !key.is_empty() && key.len() <= 64 {
        cart.key = key;
    }
    let mut wrong = list::Wrong::default();
    let mut lines = Vec::with_capacity(cart.lines.len());
    for line in &cart.lines {
        let (meant, faults) = meant(&visit, line, &cart.reason).await?;
        wrong.lines.push(faults);
        lines.push(meant);
    }
    let ask = NewRequest {
        key: cart.key.clone(),
        drafts: cart.lines.iter().map(|line| line.id).collect(),
        lines,
    };
    match requests::submit(workflow, viewer, ask).await {
        Ok(request) => Ok(done(&format!("/requests/{request}"), "asked")),
        Err(Error::Refused(refusals)) => {
            wrong.take(refusals);
            let title = kit::to_fix(wrong.count(), TITLE);
            visit
                .refused(&title, move || list::page(&cart, &wrong))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

/// What was typed in a line; an untouched line is as its form would come.
fn typed(line: &CartLine, form: &RequestForm) -> Typed {
    serde_json::from_str(&line.typed).unwrap_or_else(|_| Typed::fresh(form))
}

/// What a line asks for, as it was typed, with what cannot be read.
async fn meant(visit: &Visit, line: &CartLine, reason: &str) -> Result<(NewLine, Faults), Fault> {
    let mut faults = Faults::default();
    let mut meant = NewLine {
        confirmed: false,
        package: line.package,
        beneficiary: line.whom.id,
        account: None,
        window: Window {
            start: Start::OnActivation,
            length: Length::Seconds(0),
        },
        reason: reason.to_owned(),
        answers: std::collections::BTreeMap::new(),
    };
    if let Some(form) = &line.form {
        let typed = typed(line, form);
        let questions = &form.package.questions;
        let picks = question::look_up(
            visit.workflow(),
            &visit.viewer,
            questions,
            &typed,
            &mut faults,
        )
        .await?;
        meant.window = typed.window(&mut faults);
        meant.answers = question::meant(&typed, &picks);
        if !typed.reason.trim().is_empty() {
            meant.reason = typed.reason;
        }
    }
    Ok((meant, faults))
}

/// Puts a package into the cart: for oneself, or for the people that were chosen.
pub async fn add(
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let mut package = None;
    let mut people: Vec<PersonId> = Vec::new();
    let mut others = false;
    for (name, value) in &fields {
        match name.as_str() {
            "package" => package = Some(kit::id::<PackageId>(value)?),
            "person" => people.push(kit::id(value)?),
            "others" => others = true,
            _ => {}
        }
    }
    let package = package.ok_or_else(Fault::missing)?;
    if others && people.is_empty() {
        let choosing = cart::choosing(visit.workflow(), &visit.viewer, package).await?;
        return visit
            .refused(&choose::title(&choosing), move || {
                choose::page(
                    &choosing,
                    "",
                    &[],
                    Some("Find somebody by name, and tick whom you mean."),
                )
            })
            .await;
    }
    if people.is_empty() {
        people.push(visit.viewer.id());
    }
    match carts::add(visit.workflow(), &visit.viewer, package, &people).await {
        Ok(()) => Ok(done("/request", "added")),
        Err(Error::Refused(refusals)) => {
            let cart = cart::load(visit.workflow(), &visit.viewer).await?;
            let mut wrong = list::Wrong::default();
            wrong.take(refusals);
            visit
                .refused(TITLE, move || list::page(&cart, &wrong))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

/// Whom to find, and for what.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// The package.
    #[serde(default)]
    package: String,
    /// A part of the name.
    #[serde(default)]
    q: String,
}

/// Chooses people to ask for.
pub async fn people(visit: Visit, Query(wanted): Query<Wanted>) -> Result<Response, Fault> {
    if wanted.package.is_empty() {
        return Ok(Redirect::to("/catalog").into_response());
    }
    let package = kit::id(&wanted.package)?;
    let choosing = cart::choosing(visit.workflow(), &visit.viewer, package).await?;
    let text: String = wanted.q.chars().take(200).collect();
    let found = colleagues::find(visit.workflow(), &visit.viewer, &text, choosing.scope).await?;
    let title = choose::title(&choosing);
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(axum::http::StatusCode::OK, &title, about, move || {
            choose::page(&choosing, &text, &found, None)
        })
        .await
}

/// The form of one line.
pub async fn line(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let found = cart::line(visit.workflow(), &visit.viewer, kit::id(&id)?).await?;
    let Some(form) = &found.form else {
        return Ok(Redirect::to("/request").into_response());
    };
    let mut typed = typed(&found, form);
    let mut faults = Faults::default();
    // Untouched, nothing is wrong yet.
    let picks = if found.typed.is_empty() {
        typed.key.clear();
        Picks::new()
    } else {
        judge(&visit, &found, form, &typed, &mut faults).await?
    };
    let (title, form) = (ask::title(form), form.clone());
    let sending = sending(&found, &title);
    let about = About {
        narrow: true,
        ..About::default()
    };
    visit
        .framed(axum::http::StatusCode::OK, &title, about, move || {
            form::page(&form, sending, &typed, &faults, &picks)
        })
        .await
}

/// Keeps what was typed, and says what is wrong with it.
pub async fn keep(
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let id: DraftLineId = kit::id(&id)?;
    let mut found = cart::line(visit.workflow(), &visit.viewer, id).await?;
    let Some(form) = found.form.clone() else {
        return Ok(Redirect::to("/request").into_response());
    };
    let typed = Typed::of(fields, "");
    let text = serde_json::to_string(&typed).map_err(Error::from)?;
    carts::keep(visit.workflow(), &visit.viewer, id, &text).await?;
    found.typed = text;
    let mut faults = Faults::default();
    let picks = judge(&visit, &found, &form, &typed, &mut faults).await?;
    if faults.count() == 0 {
        return Ok(done("/request", "kept"));
    }
    let name = ask::title(&form);
    let sending = sending(&found, &name);
    visit
        .refused(&kit::to_fix(faults.count(), &name), move || {
            form::page(&form, sending, &typed, &faults, &picks)
        })
        .await
}

/// What is wrong with a line as it was typed. A reason that is missing may still come from the cart.
async fn judge(
    visit: &Visit,
    line: &CartLine,
    form: &RequestForm,
    typed: &Typed,
    faults: &mut Faults,
) -> Result<Picks, Fault> {
    let questions = &form.package.questions;
    let (meant, unread) = meant(visit, line, "").await?;
    let mut ignored = Faults::default();
    let picks = question::look_up(
        visit.workflow(),
        &visit.viewer,
        questions,
        typed,
        &mut ignored,
    )
    .await?;
    *faults = unread;
    let elsewhere = typed.reason.trim().is_empty();
    let refusals: Vec<Refusal> = requests::check(visit.workflow(), &visit.viewer, &meant)
        .await?
        .into_iter()
        .filter(|refusal| !(elsewhere && matches!(refusal, Refusal::ReasonTooShort { .. })))
        .collect();
    faults.refuse(&refusals);
    Ok(picks)
}

fn sending(line: &CartLine, title: &str) -> Sending {
    Sending {
        crumbs: vec![crumb(TITLE, "/request"), here(title.to_owned())],
        action: format!("/request/lines/{}", line.id),
        button: "Keep it in the cart",
        not_now: "/request".into(),
        reason_elsewhere: true,
    }
}

/// Takes a line out.
pub async fn remove(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    carts::remove(visit.workflow(), &visit.viewer, kit::id(&id)?).await?;
    Ok(done("/request", "removed"))
}

#[cfg(test)]
mod tests;

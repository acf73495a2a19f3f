//! `/admin/versions`: the editions of the catalogue; `/admin/versions/{id}`: one, with what it changes and what widens.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use domain::{
    CatalogueVersionId, Refusal, Timestamp,
    catalogue::{Change as Part, ChangeKind, FieldChange, Thing},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, catalogue,
    fresh::Act,
    views::{
        Cursor,
        versions::{self, VersionView, Versions},
    },
};

use super::{fresh, kit};
use crate::{
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

#[cfg(test)]
mod tests;

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    /// Where the last page ended.
    #[serde(default)]
    after: String,
    /// What the reader wanted to publish before they were asked to sign in once more.
    #[serde(default)]
    again: String,
}

/// The editions.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let after = Some(asked.after).filter(|after| !after.is_empty());
    let cursor = after.as_deref().map(Cursor::from_text);
    let versions = versions::load(visit.workflow(), &visit.viewer, cursor.as_ref()).await?;
    let later = cursor.is_some();
    visit
        .page_live("Catalogue versions", vec!["catalogue".into()], move || {
            list(versions, later)
        })
        .await
}

/// One edition.
pub async fn one(
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Fault> {
    let id: CatalogueVersionId = kit::id(&id)?;
    let version = versions::one(visit.workflow(), &visit.viewer, id).await?;
    let (title, now) = (format!("Catalogue version {}", version.number), visit.now());
    let kept = fresh::kept(&visit, &asked.again).await?;
    let faults: Vec<String> = kept
        .filter(|kept| matches!(kept.act, Act::Publish(of) if of == id))
        .map(|kept| kept.refusals.iter().map(refusals::sentence).collect())
        .unwrap_or_default();
    visit.page(&title, move || page(version, faults, now)).await
}

/// Publishes it.
pub async fn confirm(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: CatalogueVersionId = kit::id(&id)?;
    match catalogue::confirm(visit.workflow(), &visit.viewer, id).await {
        Ok(()) => Ok(done(&format!("/admin/versions/{id}"), "confirmed")),
        Err(Error::Refused(refused)) if refused == [Refusal::WantsFreshSignIn] => {
            fresh::leave(&visit, Act::Publish(id)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Says no to it.
pub async fn refuse(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: CatalogueVersionId = kit::id(&id)?;
    catalogue::refuse(visit.workflow(), &visit.viewer, id).await?;
    Ok(done(&format!("/admin/versions/{id}"), "dismissed"))
}

fn state(version: &VersionView) -> (State, &'static str) {
    match version.state.as_str() {
        "pending" => (State::Waiting, "waits for a second person"),
        "published" => (State::Ready, "in force"),
        "superseded" => (State::Ended, "replaced"),
        "refused" => (State::Refused, "refused"),
        _ => (State::Plain, "unknown"),
    }
}

fn drafter(version: &VersionView) -> String {
    version
        .drafted_by
        .as_ref()
        .map_or_else(|| "the command line".to_owned(), |by| by.name.clone())
}

/// How much it changes: `3 packages, 1 entitlement`.
fn extent(version: &VersionView) -> String {
    let count = |thing: Thing| {
        i64::try_from(
            version
                .difference
                .changes
                .iter()
                .filter(|change| change.thing == thing)
                .count(),
        )
        .unwrap_or(i64::MAX)
    };
    let parts: Vec<String> = [
        (Thing::Package, "package", "packages"),
        (Thing::Entitlement, "entitlement", "entitlements"),
        (Thing::Application, "application", "applications"),
        (Thing::Conflict, "rule", "rules"),
        (Thing::Calendar, "calendar", "calendars"),
    ]
    .into_iter()
    .filter(|(thing, ..)| count(*thing) > 0)
    .map(|(thing, one, many)| words::count(count(thing), one, many))
    .collect();
    if parts.is_empty() {
        "no recorded changes".into()
    } else {
        words::list(&parts, "and")
    }
}

fn list(versions: Versions, later: bool) -> impl IntoView {
    let now = versions.now;
    let next = versions
        .next
        .as_ref()
        .map(|next| kit::address("/admin/versions", &[("after", next.as_str())]));
    let first = later.then_some("/admin/versions");
    let version = kit::version(
        &versions
            .versions
            .iter()
            .map(|one| (one.number, one.state.as_str()))
            .collect::<Vec<_>>(),
    );
    let body = if versions.versions.is_empty() {
        view! { <Empty sign=Sign::Catalogue title="No catalogue yet" text="An administrator publishes one from its files with the command “latchkey apply”."/> }.into_any()
    } else {
        let rows = versions
            .versions
            .iter()
            .map(|version| row(version, now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! {
        <PageHead title="Catalogue versions" lead="Every edition of the catalogue. One that gives people more waits for a second person."/>
        <Card live="versions" version=version><h2 class="sr">"Versions"</h2>{body}</Card>
        <Pager previous=first next=next back="Newest"/>
    }
}

fn row(version: &VersionView, now: Timestamp) -> impl IntoView + use<> {
    let (state, words) = state(version);
    let said = format!("{} · by {} · ", extent(version), drafter(version));
    let at = version.created_at;
    let detail = view! { {said}<Moment at=at now=now/> }.into_any();
    let widens = version.widens.then(|| view! { <Tag words="widens"/> });
    view! {
        <Row title=format!("Version {}", version.number) detail=detail href=format!("/admin/versions/{}", version.id)>
            {widens}<Badge state=state words=words/>
        </Row>
    }
}

fn page(version: VersionView, faults: Vec<String>, now: Timestamp) -> impl IntoView {
    let (state, said) = state(&version);
    let crumbs = vec![
        crumb("Catalogue versions", "/admin/versions"),
        here(format!("Version {}", version.number)),
    ];
    let by = format!(
        "{}, handed in by {} ",
        words::sentence(&extent(&version)),
        drafter(&version)
    );
    let created_at = version.created_at;
    let lead = view! { {by}<Moment at=created_at now=now/> }.into_any();
    let reasons = version.difference.reasons();
    let widens = (!reasons.is_empty()).then(|| {
        let rows = reasons.into_iter().map(|reason| view! { <li dir="auto">{reason}</li> }).collect_view();
        view! { <Note tone=Tone::Wait title="It widens what people may get."><ul class="stack stack-1">{rows}</ul></Note> }
    });
    let several = version.difference.changes.len() > 1;
    let parts = version
        .difference
        .changes
        .iter()
        .map(|one| part(one, several))
        .collect_view();
    let nothing = version.difference.is_empty().then(|| view! { <Card title="What changes"><Empty title="Nothing to compare" text="The first version has no version before it, or the difference was not recorded."/></Card> });
    let mut facts = vec![
        fact("Handed in by", drafter(&version)),
        fact_view(
            "Handed in",
            view! { <Moment at=created_at now=now say=Say::Stamp/> },
        ),
    ];
    if let Some(by) = &version.decided_by {
        facts.push(fact("Decided by", by.name.clone()));
    }
    if let Some(at) = version.decided_at {
        facts.push(fact_view(
            "Decided",
            view! { <Moment at=at now=now say=Say::Stamp/> },
        ));
    }
    let hash = version.file_hash.clone();
    facts.push(fact_view(
        "SHA-256 of the files",
        view! { <span class="mono">{hash}</span> },
    ));
    view! {
        <PageHead title=format!("Catalogue version {}", version.number) lead=lead crumbs=crumbs><Badge state=state words=said/></PageHead>
        <Faults faults=faults/>
        <div class="two">
            <div class="stack stack-4">{widens}{parts}{nothing}</div>
            <div class="stack stack-4">{decide(&version)}<Card title="Record"><Body><Facts items=facts left=true/></Body></Card></div>
        </div>
    }
}

fn decide(version: &VersionView) -> Option<AnyView> {
    if version.state != "pending" {
        return None;
    }
    if !version.may_decide {
        return Some(view! { <Note title="A second person decides.">"An administrator or catalogue owner who did not hand it in publishes or refuses it."</Note> }.into_any());
    }
    let (confirm, refuse) = (
        format!("/admin/versions/{}/confirm", version.id),
        format!("/admin/versions/{}/refuse", version.id),
    );
    let effects: Vec<String> = version
        .difference
        .changes
        .iter()
        .flat_map(|change| {
            change
                .effect
                .iter()
                .map(|effect| format!("{}: {effect}", change.name))
        })
        .collect();
    let effects = if effects.is_empty() {
        view! { <p>"Nobody who holds a package is affected; from now on people ask under these policies."</p> }.into_any()
    } else {
        let rows = effects
            .into_iter()
            .map(|effect| view! { <li dir="auto">{effect}</li> })
            .collect_view();
        view! { <ul class="stack stack-1 small">{rows}</ul> }.into_any()
    };
    let fresh = version.fresh.then_some(
        " It asks you to sign in once more, as a package in it is privileged or says so.",
    );
    Some(
        view! {
            <Card title="Decide">
                <Body>
                    <p class="small dim">"Read what changes. Publishing takes effect at once."{fresh}</p>
                    <div class="btns">
                        <Ask summary="Publish" look=Look::Primary>{effects}<PostButton action=confirm look=Look::Primary>"Publish this version"</PostButton></Ask>
                        <Ask summary="Refuse" look=Look::Danger><p>"Nothing of it takes effect; the version in force stays."</p><PostButton action=refuse look=Look::DangerSure>"Refuse this version"</PostButton></Ask>
                    </div>
                </Body>
            </Card>
        }
        .into_any(),
    )
}

/// One part; why it widens is said again where there are several.
fn part(part: &Part, several: bool) -> impl IntoView + use<> {
    let thing = match part.thing {
        Thing::Application => "Application",
        Thing::Entitlement => "Entitlement",
        Thing::Package => "Package",
        Thing::Conflict => "Rule",
        Thing::Calendar => "Calendar",
    };
    let (state, did) = match part.kind {
        ChangeKind::Added => (State::Approved, "new"),
        ChangeKind::Changed => (State::Plain, "changed"),
        ChangeKind::Removed => (State::Refused, "removed"),
    };
    let badge = view! { <Badge state=state words=did/> }.into_any();
    let fields = part.fields.iter().map(field).collect_view();
    let sentences = |all: &[String], tone: Tone| {
        let words = all
            .iter()
            .map(|one| words::sentence(one))
            .collect::<Vec<_>>()
            .join(" ");
        (!all.is_empty()).then(|| view! { <Note tone=tone>{words}</Note> })
    };
    let (effect, widens) = (
        sentences(&part.effect, Tone::Plain),
        sentences(if several { &part.widens } else { &[] }, Tone::Wait),
    );
    view! { <Card title=format!("{thing}: {}", part.name) aside=badge><Body>{widens}{effect}<div class="stack stack-3">{fields}</div></Body></Card> }
}

fn field(change: &FieldChange) -> impl IntoView + use<> {
    let name = words::sentence(&change.field.replace('_', " "));
    let mut lines = Vec::new();
    if !change.before.is_empty() {
        lines.push(Change::Minus(change.before.clone()));
    }
    if !change.after.is_empty() {
        lines.push(Change::Plus(change.after.clone()));
    }
    view! { <div class="stack stack-1"><h3 class="small">{name}</h3><Delta changes=lines/></div> }
}

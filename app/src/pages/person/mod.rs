//! `/people/{id}`: one person, what they hold and why, what was asked, what happened.

mod aside;

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    GrantId, PersonId,
    grant::{GrantSource, Health},
    person::PersonState,
    request::LineKind,
};
use leptos::prelude::*;
use workflow::{
    people,
    views::{
        HeldGrant, Name,
        change::Act,
        person::{self, PersonPage},
    },
};

use super::{approvals::asks, change, decision, kit, said};
use crate::{
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

/// The page.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: PersonId = kit::id(&id)?;
    let person = person::load(visit.workflow(), &visit.viewer, id).await?;
    let title = person.facts.person.name.clone();
    visit
        .page_live(&title, vec![id.to_string()], move || page(person))
        .await
}

/// Ends all sessions of somebody: for security and HR.
pub async fn end_sessions(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let id: PersonId = kit::id(&id)?;
    people::end_sessions(visit.workflow(), &visit.viewer, id).await?;
    Ok(done(&format!("/people/{id}"), "sessions"))
}

/// Ends all of one's own sessions, this one among them.
pub async fn sign_out_everywhere(visit: Visit) -> Result<Response, Fault> {
    people::end_sessions(visit.workflow(), &visit.viewer, visit.viewer.id()).await?;
    Ok(Redirect::to("/signed-out?everywhere=1").into_response())
}

fn page(person: PersonPage) -> impl IntoView {
    let now = person.now;
    let name = person.facts.person.name.clone();
    let mark = view! { <Avatar name=name.clone() size=Size::Large/> }.into_any();
    let left = (person.state == PersonState::Left).then(|| {
        let words = person.left_at.map_or_else(
            || "has left".to_owned(),
            |at| format!("left {}", words::day(at, now)),
        );
        view! { <Badge state=State::Ended words=words/> }
    });
    let roles = person
        .roles
        .iter()
        .map(|role| view! { <Tag words=said::role(*role)/> })
        .collect_view();
    let version = kit::version(
        &person
            .held
            .iter()
            .chain(&person.found)
            .chain(&person.ended)
            .map(|grant| {
                (
                    grant.id,
                    grant.health.as_str(),
                    grant.extension,
                    format!("{:?}", grant.marks),
                )
            })
            .collect::<Vec<_>>(),
    );
    let last = person
        .facts
        .last_day_at
        .filter(|_| person.state == PersonState::Active)
        .map(|at| {
            let words = format!(
                "Their last day is {}. All access ends then.",
                words::day(at - chrono::Duration::seconds(1), now)
            );
            view! { <Note tone=Tone::Wait>{words}</Note> }
        });
    view! {
        <PageHead title=name lead=decision::lead(&person.facts) mark=mark>{left}{roles}</PageHead>
        {stopped(&person)}
        {last}
        <div class="stack stack-4" data-live="held" data-version=version>
            {held(HOLDS, &person.held, &person)}
            {held("Found at the target, not approved here", &person.found, &person)}
            {held("Ended within 30 days", &person.ended, &person)}
        </div>
        <div class="two">
            <div class="stack stack-4">{requests(&person)}{events(&person)}</div>
            <div class="stack stack-4">{aside::facts(&person)}{aside::accounts(&person.accounts)}{aside::sessions(&person)}{aside::switch(&person)}{aside::alike(&person)}{aside::reports(&person.reports)}</div>
        </div>
    }
}

/// That they are stopped, and by whom.
fn stopped(person: &PersonPage) -> impl IntoView + use<> {
    let now = person.now;
    let may = person.may_stop;
    let href = format!("/people/{}/suspend", person.facts.person.id);
    person.stopped.clone().map(|stopped| {
        let (at, by, note) = (stopped.at, stopped.by.name, stopped.note);
        let link = may.then(|| view! { <a class="link" href=href>"How far it is, and letting them go on"</a> });
        view! {
            <Note tone=Tone::Bad title="They are stopped">
                <span>"Since "<Moment at=at now=now say=Say::Moment/>", by "<bdi>{by}</bdi>": they sign in nowhere here, decide nothing and hold nothing. "{link}</span>
                <Quote words=note/>
            </Note>
        }
    })
}

/// What can be done to all that somebody holds.
fn together(grants: &[HeldGrant], person: &PersonPage) -> AnyView {
    let from = person.facts.person.id.to_string();
    let several = |may: fn(&HeldGrant) -> bool, act: Act, pick: bool, words: &'static str| {
        let ids: Vec<GrantId> = grants
            .iter()
            .filter(|grant| may(grant))
            .map(|grant| grant.id)
            .take(100)
            .collect();
        (ids.len() > 1).then(|| {
            let href = change::address(act, &ids, &from, pick);
            view! { <LinkButton href=href small=true look=Look::Quiet>{words}</LinkButton> }
        })
    };
    let take = several(
        |grant| grant.marks.may_take_away,
        Act::TakeAway,
        true,
        "Take several away",
    );
    let hold = several(
        |grant| grant.marks.may_hold_back,
        Act::HoldBack,
        false,
        "Hold all of it back",
    );
    let on = several(
        |grant| grant.marks.may_let_go_on,
        Act::LetGoOn,
        false,
        "Let all of it go on",
    );
    view! { <div class="bar wrap">{take}{hold}{on}</div> }.into_any()
}

/// What can be done about one grant, and why it is there.
fn acts(grant: &HeldGrant, person: &PersonPage) -> AnyView {
    let from = person.facts.person.id.to_string();
    let marks = &grant.marks;
    let link =
        |may: bool, act: Act| may.then(|| change::act_link(act, grant.id, &from, &grant.name));
    let why = grant
        .over
        .is_none()
        .then(|| change::why_link(grant.id, &grant.name))
        .filter(|_| person.may_see_why);
    view! {
        <div class="bar wrap">
            {why}{link(marks.may_take_away, Act::TakeAway)}{link(marks.may_hold_back, Act::HoldBack)}{link(marks.may_let_go_on, Act::LetGoOn)}
        </div>
    }
    .into_any()
}

/// The one list that says it where nothing is in it.
const HOLDS: &str = "Holds";

fn held(title: &'static str, grants: &[HeldGrant], person: &PersonPage) -> Option<AnyView> {
    if grants.is_empty() {
        return (title == HOLDS).then(|| {
            view! { <Card title=title><Empty sign=Sign::Lock title="Nothing now" text="What is asked for and approved appears here with its reason and its end."/></Card> }.into_any()
        });
    }
    let rows = grants
        .iter()
        .map(|grant| grant_row(grant, person))
        .collect();
    let columns = vec![
        column("What"),
        column("Time"),
        column("State"),
        column("Why"),
    ];
    let aside = together(grants, person);
    Some(
        view! { <Card title=title aside=aside><Table label=title columns=columns rows=rows/></Card> }
            .into_any(),
    )
}

fn grant_row(grant: &HeldGrant, person: &PersonPage) -> Vec<AnyView> {
    let now = person.now;
    let app = grant
        .package
        .as_ref()
        .map(|package| package.app.name.clone())
        .unwrap_or_default();
    let privileged = grant
        .package
        .as_ref()
        .is_some_and(|package| package.privileged)
        || grant.parts.iter().any(|part| part.privileged);
    let tag = privileged.then(|| view! { <Tag words="privileged"/> });
    let name = grant.name.clone();
    let what = view! { <div class="stack stack-1"><span dir="auto">{name}</span><span class="small dim" dir="auto">{app}</span>{tag.map(|tag| view! { <span>{tag}</span> })}</div> };
    let time = match &grant.over {
        Some(over) => {
            let (at, why) = (over.at, said::end_reason(over.reason));
            let by = over
                .by
                .as_ref()
                .map(|by| format!(" by {}", by.name))
                .unwrap_or_default();
            view! { <div class="stack stack-1"><Moment at=at now=now say=Say::Moment/><span class="small dim" dir="auto">{why}{by}</span></div> }.into_any()
        }
        None => view! { <Life start=grant.from end=grant.end.at() now=now/> }.into_any(),
    };
    let (state, words) = match (grant.source, grant.health) {
        (GrantSource::Import, Health::Ready) => (State::Attention, "not approved here"),
        _ => said::held(grant),
    };
    let why = match &grant.why {
        Some(why) => {
            let yes: Vec<&str> = why
                .approvers
                .iter()
                .map(|person| person.name.as_str())
                .collect();
            let yes = if yes.is_empty() {
                "approved by policy".to_owned()
            } else {
                format!("approved by {}", words::list(&yes, "and"))
            };
            let (number, reason) = (said::number(why.number), words::cut(&why.reason, 120));
            let number = if person.may_open_requests {
                view! { <a class="link" href=format!("/requests/{}", why.request)>{number}</a> }
                    .into_any()
            } else {
                number.into_any()
            };
            view! { <div class="stack stack-1"><span dir="auto">{reason}</span><span class="small dim" dir="auto">{number}", "{yes}</span></div> }.into_any()
        }
        None => cell(said::source(grant.source)),
    };
    let held_back = grant.marks.held_back.as_ref().map(|held| {
        let by = held
            .by
            .as_ref()
            .map_or_else(String::new, |by| format!("by {}: ", by.name));
        let said = format!("{by}{}", words::cut(&held.note, 120));
        view! { <span class="small dim" dir="auto">{said}</span> }
    });
    let marks = [
        (grant.marks.not_renewed, "not to be renewed"),
        (grant.marks.moved, "ends after a move"),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .map(|(_, words)| view! { <span><Tag words=words/></span> })
    .collect_view();
    vec![
        cell_view(what),
        time,
        cell_view(
            view! { <div class="stack stack-1"><span><Badge state=state words=words/></span>{held_back}{marks}</div> },
        ),
        cell_view(view! { <div class="stack stack-1">{why}{acts(grant, person)}</div> }),
    ]
}

fn requests(person: &PersonPage) -> impl IntoView + use<> {
    let now = person.now;
    (!person.requests.is_empty()).then(|| {
        let rows = person
            .requests
            .iter()
            .map(|item| {
                let (state, words) = said::standing(item.standing.word);
                let title = if item.asker.id == item.beneficiary.id && item.kind == LineKind::New {
                    item.package.name.clone()
                } else {
                    let whom = (item.asker.id != item.beneficiary.id).then_some(item.beneficiary.name.as_str());
                    asks(&item.asker.name, whom, item.kind, &item.package.name)
                };
                let detail = format!("{} · {}", said::number(item.number), words::relative(item.submitted_at, now));
                let length = said::window(item.window, now);
                let href = person.may_open_requests.then(|| format!("/requests/{}", item.request));
                view! { <Row title=title detail=detail href=href><Tag words=length/><Badge state=state words=words/></Row> }
            })
            .collect_view();
        view! { <Card title="Requests"><Rows>{rows}</Rows></Card> }
    })
}

fn events(person: &PersonPage) -> impl IntoView + use<> {
    let now = person.now;
    (!person.events.is_empty()).then(|| {
        let steps = person
            .events
            .iter()
            .map(|entry| {
                let at = entry.at;
                let by = entry
                    .actor_name
                    .as_ref()
                    .map_or_else(|| said::actor(&entry.actor), |name| name.name.clone());
                let step = Step::new(Stand::Done, said::event(&entry.kind))
                    .detail(by)
                    .when(view! { <Moment at=at now=now/> });
                let things = things(&entry.subjects, person);
                if things.is_empty() {
                    step
                } else {
                    step.extra(view! { <ul class="tags small">{things}</ul> })
                }
            })
            .collect();
        view! { <Card title="What happened"><Body><Timeline steps=steps/></Body></Card> }
    })
}

/// What an entry is about besides the person: each thing with a name, once, with the way to it where the reader may go.
fn things(subjects: &[Name], person: &PersonPage) -> Vec<AnyView> {
    let own = format!("/people/{}", person.facts.person.id);
    let mut seen: Vec<&str> = vec![&person.facts.person.name];
    seen.extend(
        person
            .accounts
            .iter()
            .map(|account| account.user_name.as_str()),
    );
    let mut things = Vec::new();
    for subject in subjects {
        if subject.name.is_empty() || seen.contains(&subject.name.as_str()) {
            continue;
        }
        seen.push(&subject.name);
        let leads = |path: &str| match path.split('/').nth(1) {
            Some("requests") => person.may_open_requests,
            Some("people") => !person.me && path != own,
            Some("catalog") => true,
            _ => false,
        };
        let name = subject.name.clone();
        let thing = match subject.path.clone().filter(|path| leads(path)) {
            Some(path) => {
                view! { <a class="link inline-block py-0.5" href=path dir="auto">{name}</a> }
                    .into_any()
            }
            None => {
                view! { <span class="dim inline-block py-0.5" dir="auto">{name}</span> }.into_any()
            }
        };
        things.push(view! { <li>{thing}</li> }.into_any());
    }
    things
}

#[cfg(test)]
mod tests;

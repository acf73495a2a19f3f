//! `/access`: what I hold, why, until when, how it stands at the targets; more time, not renewing, and giving back.

use axum::{Form, extract::Path, response::Response};
use domain::{
    GrantId, Timestamp,
    assignment::{Closed, Observed},
    grant::Health,
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    grants,
    views::{
        EntitlementTag, HeldGrant,
        access::{self, Access},
    },
};

use super::{kit, parts, said};
use crate::{
    problem::Fault,
    spans,
    ui::*,
    visit::{Visit, done},
    words,
};

/// The page.
pub async fn show(visit: Visit) -> Result<Response, Fault> {
    let access = access::load(visit.workflow(), &visit.viewer).await?;
    visit.page("My access", move || page(&access)).await
}

/// Gives a grant back.
pub async fn give_back(visit: Visit, Path(grant): Path<String>) -> Result<Response, Fault> {
    grants::give_back(visit.workflow(), &visit.viewer, kit::id(&grant)?).await?;
    Ok(done("/access", "returned"))
}

/// Whether something is to be renewed.
#[derive(Debug, Default, Deserialize)]
pub struct Renewal {
    /// `yes` or `no`.
    #[serde(default)]
    renew: String,
}

/// Says whether a grant is to be renewed: one that is not is not reminded of.
pub async fn renewal(
    visit: Visit,
    Path(grant): Path<String>,
    Form(said): Form<Renewal>,
) -> Result<Response, Fault> {
    let id: GrantId = kit::id(&grant)?;
    let renew = match said.renew.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Fault::missing()),
    };
    grants::set_renewal(visit.workflow(), &visit.viewer, id, renew).await?;
    let key = if renew { "renew-again" } else { "not-renewed" };
    Ok(done("/access", key))
}

pub(super) fn page(access: &Access) -> impl IntoView + use<> {
    let now = access.now;
    let lead = match access.held.len() + access.found.len() {
        0 => "What you are given shows here.".to_owned(),
        1 => "You hold one thing.".into(),
        count => format!(
            "You hold {} things, the soonest end first.",
            words::number(count as i64)
        ),
    };
    let last_day = access.last_day_at.map(|at| {
        view! { <Note tone=Tone::Wait title="Your last working day is near">"Everything here ends "{parts::when::moment(at, now)}" at the latest."</Note> }
    });
    // Each row is a region of its own: the list changes only with which there are, so that nobody is disturbed in one of them.
    let version = kit::version(&access.held.iter().map(|grant| grant.id).collect::<Vec<_>>());
    let held = if access.held.is_empty() {
        view! {
            <Empty sign=Sign::Lock title="You hold nothing yet" text="Find what you need in the catalogue and ask for it. Here you then see why you have it, until when, and you can give it back.">
                <LinkButton href="/catalog">"Look in the catalogue"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        let rows = access
            .held
            .iter()
            .map(|grant| one(grant, now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! {
        <PageHead title="My access" version=kit::version(&lead) lead=lead/>
        {last_day}
        <Card title="What you hold" aside=several(access) live="held" version=version>{held}</Card>
        {found(access)}
        {ended(access)}
    }
}

/// What can be done with several at once.
fn several(access: &Access) -> AnyView {
    let now = access.now;
    let month = chrono::Duration::days(30);
    let soon = |grant: &&HeldGrant| {
        grant.may_extend
            && grant.extension.is_none()
            && grant.end.at().is_some_and(|end| end - now <= month)
    };
    let extend = (access.held.iter().filter(soon).count() > 1).then(
        || view! { <LinkButton href="/access/extend" small=true>"Extend several"</LinkButton> },
    );
    let back = access
        .held
        .iter()
        .filter(|grant| grant.may_give_back)
        .count();
    let back = (back > 1).then(|| view! { <LinkButton href="/access/return" small=true look=Look::Quiet>"Give everything back"</LinkButton> });
    view! { <div class="bar wrap">{extend}{back}</div> }.into_any()
}

fn one(grant: &HeldGrant, now: Timestamp) -> AnyView {
    let (mut state, mut words) = said::held(grant);
    if grant.health == Health::Ready && parts::ends_soon(grant, now) {
        (state, words) = (State::EndsSoon, State::EndsSoon.word());
    }
    let mark = grant
        .package
        .as_ref()
        .map(|package| parts::tile(&package.app, Size::Middle));
    let name = match &grant.package {
        Some(package) => {
            view! { <a href=format!("/catalog/{}", package.id) dir="auto">{grant.name.clone()}</a> }
                .into_any()
        }
        None => view! { <span dir="auto">{grant.name.clone()}</span> }.into_any(),
    };
    let reasons = why(grant, now);
    let app = grant
        .package
        .as_ref()
        .map(|package| view! { <span dir="auto">{package.app.name.clone()}</span>" · " });
    let (live, version) = (
        format!("held-{}", grant.id),
        kit::version(&format!("{grant:?}{words}")),
    );
    let said = format!("{}: {words}", grant.name);
    view! {
        <div class="stack stack-3" role="listitem" id=grant.id.to_string() data-live=live data-version=version data-said=said>
            <div class="bar wrap">{mark}<div class="grow"><h3>{name}</h3><p class="small dim">{app}{parts::until(grant.end, now)}</p></div><Badge state=state words=words/></div>
            {parts::life(grant, now)}
            {trouble(grant, now)}
            <div class="bar wrap items-start">{actions(grant)}<Ask summary="Why do I have this?" small=true look=Look::Quiet>{reasons}</Ask></div>
        </div>
    }
    .into_any()
}

/// What stands between the holder and their access, in words.
fn trouble(grant: &HeldGrant, now: Timestamp) -> Option<AnyView> {
    let said = match (grant.health, &grant.marks.held_back) {
        (Health::Attention, _) => {
            "Setting it up at the target is stuck. Somebody has been told and looks at it; you do not have to do anything."
        }
        (Health::Suspended, Some(held)) => {
            let by = held
                .by
                .as_ref()
                .map_or_else(|| "Somebody".to_owned(), |by| by.name.clone());
            let (at, note) = (held.at, held.note.clone());
            return Some(
                view! {
                    <Note tone=Tone::Wait title="It is held back for now">
                        <span><bdi>{by}</bdi>" did that "<Moment at=at now=now say=Say::Moment/>". It opens nothing until it goes on; its end still comes."</span>
                        <Quote words=note/>
                    </Note>
                }
                .into_any(),
            );
        }
        (Health::Suspended, None) => {
            "It is held back for now: it opens nothing until somebody lets it go on."
        }
        _ if grant.marks.moved => {
            "Your place in the company has changed, and the rules for this no longer mean you. That is why it ends earlier. If you still need it, talk to your manager."
        }
        _ => return None,
    };
    Some(view! { <Note tone=Tone::Wait>{said}</Note> }.into_any())
}

/// Whether it is to be renewed: said once, and no reminder comes any more.
fn renewal_form(grant: &HeldGrant) -> Option<AnyView> {
    if !grant.marks.may_set_renewal || grant.extension.is_some() {
        return None;
    }
    let action = format!("/access/{}/renewal", grant.id);
    let form = if grant.marks.not_renewed {
        let label = format!("Renew after all: {}", grant.name);
        view! {
            <Tag words="not to be renewed"/>
            <PostButton action=action fields=vec![("renew", "yes".to_owned())] look=Look::Quiet small=true label=label>"Renew after all"</PostButton>
        }
        .into_any()
    } else {
        let label = format!("Do not renew {}", grant.name);
        view! { <PostButton action=action fields=vec![("renew", "no".to_owned())] look=Look::Quiet small=true label=label>"Do not renew"</PostButton> }.into_any()
    };
    Some(form)
}

fn actions(grant: &HeldGrant) -> AnyView {
    let open = grant
        .package
        .as_ref()
        .filter(|_| grant.health == Health::Ready)
        .and_then(|package| {
            let href = parts::open_address(&package.app)?;
            let label = format!("Open {} for {}", package.app.name, grant.name);
            Some(view! { <LinkButton href=href small=true label=label>"Open"</LinkButton> })
        });
    let extend = match grant.extension {
        Some(request) => view! { <a class="link small" href=format!("/requests/{request}")>"You asked to extend it"</a> }.into_any(),
        None if grant.may_extend => {
            let label = format!("Extend {}", grant.name);
            view! { <LinkButton href=format!("/access/{}/extend", grant.id) small=true label=label>"Extend"</LinkButton> }.into_any()
        }
        None => ().into_any(),
    };
    view! { {open}{extend}{renewal_form(grant)}{give_back_form(grant)} }.into_any()
}

/// The way to give something back: asks once, and says what it does.
pub fn give_back_form(grant: &HeldGrant) -> Option<AnyView> {
    if !grant.may_give_back {
        return None;
    }
    let effect = match grant.parts.len() {
        0 | 1 => "It is removed from the application within minutes.".to_owned(),
        count => format!("All {count} rights in it are removed within minutes."),
    };
    let label = format!("Give it back now: {}", grant.name);
    let action = format!("/access/{}/return", grant.id);
    Some(
        view! {
            <Ask summary="Give back" small=true look=Look::Quiet>
                <p>{effect}" To have it again you have to ask again."</p>
                <form method="post" action=action><Button look=Look::DangerSure small=true label=label>"Give it back now"</Button></form>
            </Ask>
        }
        .into_any(),
    )
}

fn why(grant: &HeldGrant, now: Timestamp) -> AnyView {
    let mut items = Vec::new();
    match &grant.why {
        Some(why) => {
            let number = said::number(why.number);
            items.push(fact_view(
                "Request",
                view! { <a class="link" href=format!("/requests/{}", why.request)>{number}</a> },
            ));
            if !why.reason.is_empty() {
                items.push(fact("Reason", why.reason.clone()));
            }
            if let Some(asker) = &why.asker {
                items.push(fact("Asked for by", asker.name.clone()));
            }
            let names: Vec<&str> = why
                .approvers
                .iter()
                .map(|person| person.name.as_str())
                .collect();
            items.push(fact(
                "Approved by",
                if names.is_empty() {
                    "the policy, at once".into()
                } else {
                    words::list(&names, "and")
                },
            ));
        }
        None => items.push(fact(
            "Comes from",
            words::sentence(said::source(grant.source)),
        )),
    }
    items.push(fact_view(
        "Since",
        view! { <Moment at=grant.from now=now say=Say::Stamp/> },
    ));
    if let Some(end) = grant.end.at() {
        items.push(fact_view(
            "Until",
            view! { <Moment at=end now=now say=Say::Stamp/> },
        ));
    }
    let rights = (!grant.parts.is_empty()).then(|| view! { <h4 class="font-semibold">"What it opens"</h4><ul class="stack">{grant.parts.iter().map(|part| right(part, now)).collect_view()}</ul> });
    view! { <Facts items=items left=true/>{rights} }.into_any()
}

fn right(part: &EntitlementTag, now: Timestamp) -> AnyView {
    let what = if part.summary.is_empty() {
        part.name.clone()
    } else {
        part.summary.clone()
    };
    let target = part.at_target.as_ref().map(|at| {
        let said = match (at.desired, at.observed) {
            (true, _) if at.closed == Some(Closed::Shadow) => {
                "will be made when the target is switched on".to_owned()
            }
            (false, _) if at.closed == Some(Closed::Shadow) => {
                "will be taken away when the target is switched on".into()
            }
            _ if at.closed.is_some() => {
                "waits until the target was compared, as the database was restored".into()
            }
            (_, Observed::Unknown) => "not read yet".to_owned(),
            (true, Observed::Present) => "there".into(),
            (true, Observed::Absent) => format!(
                "on its way, works within {}",
                spans::span(part.effective_within_seconds)
            ),
            (false, Observed::Present) => "being removed".into(),
            (false, Observed::Absent) => "gone".into(),
        };
        let read = at
            .observed_at
            .map(|when| view! { ", looked at "<Moment at=when now=now/> });
        view! { <span class="small dim">{part.target.clone()}": "{said}{read}</span> }
    });
    let href = format!("/access/why/{}", part.id);
    let label = format!("All ways that you hold it: {what}");
    view! {
        <li class="stack stack-1"><span dir="auto">{what}</span>{target}<a class="link small" href=href aria-label=label>"All ways that you hold it"</a></li>
    }
    .into_any()
}

fn found(access: &Access) -> AnyView {
    let card = (!access.found.is_empty()).then(|| {
        let rows = access
            .found
            .iter()
            .map(|grant| {
                let target = grant.parts.first().map(|part| part.target.clone()).unwrap_or_default();
                let why = grant.parts.first().map(|part| {
                    let (href, label) = (format!("/access/why/{}", part.id), format!("Why do I have this? {}", grant.name));
                    view! { <a class="link small" href=href aria-label=label>"Why?"</a> }
                });
                view! { <Row title=grant.name.clone() detail=target>{why}<Badge state=State::Plain words="not asked for here"/></Row> }
            })
            .collect_view();
        view! {
            <Card title="Access you already had">
                <Body><p class="small dim">"You had these before this portal came. Nobody asked for them here, and they have no end yet."</p></Body><Rows>{rows}</Rows>
            </Card>
        }
    });
    let version = kit::version(&format!("{:?}", access.found));
    view! { <Region name="found" version=version>{card}</Region> }.into_any()
}

fn ended(access: &Access) -> AnyView {
    let now = access.now;
    let card = (!access.ended.is_empty()).then(|| {
        let rows = access
            .ended
            .iter()
            .map(|grant| over(grant, now))
            .collect_view();
        view! { <Card title="Ended in the last 30 days"><Rows>{rows}</Rows></Card> }
    });
    let version = kit::version(&format!("{:?}", access.ended));
    let said = access
        .ended
        .first()
        .map(|grant| format!("{}: {}", grant.name, said::held(grant).1));
    view! { <Region name="ended" version=version said=said>{card}</Region> }.into_any()
}

fn over(grant: &HeldGrant, now: Timestamp) -> AnyView {
    let (state, said) = said::held(grant);
    let mark = grant
        .package
        .as_ref()
        .map(|package| parts::tile(&package.app, Size::Middle));
    let ended = grant.over.as_ref().map(|over| {
        let by = over.by.as_ref().map(|by| view! { " by "<bdi>{by.name.clone()}</bdi> });
        let gone = match over.gone_at {
            Some(at) => view! { ". Confirmed gone "<Moment at=at now=now say=Say::Stamp/> }.into_any(),
            None => ().into_any(),
        };
        view! { <p class="small dim">"Ended "<Moment at=over.at now=now say=Say::Stamp/>": "{said::end_reason(over.reason)}{by}{gone}</p> }
    });
    let again = grant.package.as_ref().map(|package| {
        let label = format!("Ask again for {}", grant.name);
        view! { <a class="link small" href=format!("/request/{}", package.id) aria-label=label>"Ask again"</a> }
    });
    let class = if mark.is_some() { "row" } else { "row bare" };
    view! {
        <div class=class role="listitem">{mark}<div class="text"><h3 dir="auto">{grant.name.clone()}</h3>{ended}</div><div class="end"><Badge state=state words=said/>{again}</div></div>
    }
    .into_any()
}

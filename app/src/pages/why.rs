//! `/access/why/{right}`: every way in which somebody holds a right, and what would remain if one went.

use axum::{extract::Path, response::Response};
use domain::{AssignmentId, EntitlementId, grant::GrantSource};
use leptos::prelude::*;
use workflow::views::why::{self, About, RightWhy, Way, WhyPage};

use super::{parts, said};
use crate::{problem::Fault, ui::*, visit::Visit, words};

/// The page, for an assignment, a right of one's own, or all rights in a grant.
pub async fn show(visit: Visit, Path(right): Path<String>) -> Result<Response, Fault> {
    let about = match (
        right.parse::<AssignmentId>(),
        right.parse::<EntitlementId>(),
    ) {
        (Ok(id), _) => About::Assignment(id),
        (_, Ok(id)) => About::Right(id),
        _ => About::Grant(super::kit::id(&right)?),
    };
    let why = why::load(visit.workflow(), &visit.viewer, about).await?;
    let title = title(&why);
    let topics = vec![why.person.id.to_string()];
    visit.page_live(&title, topics, move || page(&why)).await
}

fn title(why: &WhyPage) -> String {
    if why.me {
        "Why do I have this?".into()
    } else {
        format!("Why does {} have this?", why.person.name)
    }
}

pub(super) fn page(why: &WhyPage) -> AnyView {
    let crumbs = if why.me {
        vec![crumb("My access", "/access"), here("Why")]
    } else {
        vec![here("Why")]
    };
    let cards = why
        .rights
        .iter()
        .map(|right| card(right, why))
        .collect_view();
    let version = super::kit::version(&format!("{:?}", why.rights));
    view! {
        <PageHead title=title(why) lead="Every way in which it is held, and what would remain if one of them went." crumbs=crumbs/>
        <div class="stack stack-4" data-live="why" data-version=version>{cards}</div>
    }
    .into_any()
}

fn card(right: &RightWhy, why: &WhyPage) -> impl IntoView + use<> {
    let now = why.now;
    let tag = &right.right;
    let mut items = vec![fact("Lies at", tag.target.clone())];
    if !tag.summary.is_empty() {
        items.push(fact("Named there", tag.name.clone()));
    }
    if !right.account.is_empty() {
        items.push(fact("Account", right.account.clone()));
    }
    if let Some(at) = &tag.at_target {
        let said = said::observed(at.observed);
        items.push(match at.observed_at {
            Some(when) => fact_view(
                "At the target",
                view! { {said}", looked at "<Moment at=when now=now/> },
            ),
            None => fact("At the target", said),
        });
    }
    let privileged = tag
        .privileged
        .then(|| view! { <Tag words="privileged"/> }.into_any());
    let title = if tag.summary.is_empty() {
        tag.name.clone()
    } else {
        tag.summary.clone()
    };
    let ways = if right.ways.is_empty() {
        view! { <Body><p class="dim">"Nothing gives it now. If it is still there, it is being removed."</p></Body> }
            .into_any()
    } else {
        let rows = right.ways.iter().map(|way| row(way, why)).collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    view! { <Card title=title aside=privileged.unwrap_or_else(|| ().into_any())><Body><Facts items=items left=true/></Body>{ways}</Card> }
}

fn row(way: &Way, why: &WhyPage) -> AnyView {
    let now = why.now;
    let grant = &way.grant;
    let (state, state_words) = match (grant.source, way.covers) {
        (GrantSource::Import, true) => (State::Attention, "not approved here"),
        _ => said::held(grant),
    };
    let name = grant.name.clone();
    let mut items = Vec::new();
    if let Some(asked) = &grant.why {
        let number = said::number(asked.number);
        items.push(if why.may_open_requests {
            fact_view(
                "Request",
                view! { <a class="link" href=format!("/requests/{}", asked.request)>{number}</a> },
            )
        } else {
            fact("Request", number)
        });
        if !asked.reason.is_empty() {
            items.push(fact("Reason", asked.reason.clone()));
        }
        if let Some(asker) = &asked.asker {
            items.push(fact("Asked for by", asker.name.clone()));
        }
        let names: Vec<&str> = asked
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
    } else {
        items.push(fact(
            "Comes from",
            words::sentence(said::source(grant.source)),
        ));
    }
    items.push(fact_view(
        "Since",
        view! { <Moment at=grant.from now=now say=Say::Stamp/> },
    ));
    if let Some(held) = &grant.marks.held_back {
        let by = held
            .by
            .as_ref()
            .map_or_else(String::new, |by| format!("by {}: ", by.name));
        items.push(fact("Held back", format!("{by}{}", held.note)));
    }
    let gone = if !way.covers {
        "It opens nothing now.".to_owned()
    } else if way.remains.is_empty() {
        "If this went, the right would go.".into()
    } else {
        format!(
            "If this went, the right would stay through {}.",
            words::list(&way.remains, "and")
        )
    };
    let until = parts::until(grant.end, now);
    view! {
        <div class="stack stack-2" role="listitem">
            <div class="bar wrap"><div class="grow"><h3 dir="auto">{name}</h3><p class="small dim">{until}</p></div><Badge state=state words=state_words/></div>
            <p dir="auto">{gone}</p>
            <Facts items=items left=true/>
        </div>
    }
    .into_any()
}

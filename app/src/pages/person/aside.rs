//! What stands beside a person's access: what the directory says of them, their accounts, their sessions, who reports to them.

use leptos::prelude::*;
use workflow::views::{
    PersonTag,
    person::{AccountView, PersonPage},
};

use super::super::{cart, kit, said};
use crate::{ui::*, words};

/// Where they are signed in, and the switch for those who may use it.
pub(super) fn sessions(person: &PersonPage) -> Option<AnyView> {
    let count = person.sessions?;
    let body = if count == 0 {
        view! { <p class="small dim">"They are not signed in anywhere."</p> }.into_any()
    } else {
        let open = format!(
            "{}.",
            words::count(count, "session is open", "sessions are open")
        );
        let effect = format!(
            "{} at once; they have to sign in again. Their access stays.",
            words::count(count, "session ends", "sessions end")
        );
        let action = format!("/people/{}/sign-out", person.facts.person.id);
        view! {
            <p class="small dim">{open}</p>
            <Ask summary="End all sessions" look=Look::Danger small=true>
                <p>{effect}</p><PostButton action=action look=Look::DangerSure>"End all sessions"</PostButton>
            </Ask>
        }
        .into_any()
    };
    Some(view! { <Card title="Sessions"><Body>{body}</Body></Card> }.into_any())
}

/// The way to the kill switch, for security.
pub(super) fn switch(person: &PersonPage) -> Option<AnyView> {
    if !person.may_stop || person.stopped.is_some() {
        return None;
    }
    let href = format!("/people/{}/suspend", person.facts.person.id);
    Some(
        view! {
            <Card title="Kill switch"><Body>
                <p class="small dim">"Everything that they hold and can do here stops at once. You see what that is before."</p>
                <div><LinkButton href=href look=Look::Danger small=true>"Stop them"</LinkButton></div>
            </Body></Card>
        }
        .into_any(),
    )
}

fn links(people: &[PersonTag]) -> AnyView {
    let rows = people
        .iter()
        .map(|person| {
            let (href, name) = (format!("/people/{}", person.id), person.name.clone());
            view! { <li><a class="link inline-block py-0.5" href=href dir="auto">{name}</a></li> }
        })
        .collect_view();
    view! { <ul class="stack stack-1">{rows}</ul> }.into_any()
}

pub(super) fn facts(person: &PersonPage) -> impl IntoView + use<> {
    let mut items = Vec::new();
    let mut say = |name: &str, value: &str| {
        if !value.is_empty() {
            items.push(fact(name, value));
        }
    };
    say("Title", &person.facts.job_title);
    say("Department", &person.facts.department);
    say("Office", &person.facts.office);
    say("Country", &person.facts.country);
    say("Company", &person.company);
    say("Kind", &person.facts.employee_type);
    say("Number", person.employee_id.as_deref().unwrap_or_default());
    say(
        "Here since",
        &person.facts.hired_at.map(words::date).unwrap_or_default(),
    );
    if !person.mail.is_empty() {
        items.push(fact_view("Mail", address(&person.mail)));
    }
    if !person.above.is_empty() {
        items.push(fact_view("Reports to", links(&person.above)));
    }
    if !person.sponsors.is_empty() {
        items.push(fact_view("Sponsor", links(&person.sponsors)));
    }
    view! { <Card title="From the directory"><Body><Facts items=items left=true/></Body></Card> }
}

pub(super) fn accounts(accounts: &[AccountView]) -> impl IntoView + use<> {
    (!accounts.is_empty()).then(|| {
        let rows = accounts
            .iter()
            .map(|account| {
                let (state, words) = if account.deleted {
                    (State::Ended, "deleted")
                } else if account.enabled {
                    (State::Ready, "enabled")
                } else {
                    (State::Ended, "disabled")
                };
                view! { <Row title=account.user_name.clone() detail=said::account_kind(account.kind)><Badge state=state words=words/></Row> }
            })
            .collect_view();
        view! { <Card title="Accounts"><Rows>{rows}</Rows></Card> }
    })
}

/// The way to ask for what their team has, for whoever leads them.
pub(super) fn alike(person: &PersonPage) -> Option<AnyView> {
    person.may_ask_alike.then(|| {
        let href = kit::address(
            cart::like::ADDRESS,
            &[("for", &person.facts.person.id.to_string())],
        );
        view! {
            <Card title="Something missing?"><Body>
                <p class="small dim">"What is usual in their team, or what a colleague of theirs has, you can ask for in their place where the package allows it."</p>
                <div><LinkButton href=href small=true>"What their team has"</LinkButton></div>
            </Body></Card>
        }
        .into_any()
    })
}

pub(super) fn reports(reports: &[PersonTag]) -> impl IntoView + use<> {
    (!reports.is_empty()).then(|| {
        let list = links(reports);
        view! { <Card title="Reports to them"><Body>{list}</Body></Card> }
    })
}

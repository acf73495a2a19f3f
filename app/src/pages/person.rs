//! `/people/{id}`: one person, what they hold and why, what was asked, what happened.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    PersonId,
    grant::{GrantSource, Health},
    person::PersonState,
    request::LineKind,
};
use leptos::prelude::*;
use workflow::{
    people,
    views::{
        HeldGrant, Name, PersonTag,
        person::{self, AccountView, PersonPage},
    },
};

use super::{approvals::asks, decision, kit, said};
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
            .map(|grant| (grant.id, grant.health.as_str(), grant.extension))
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
        {last}
        <div class="stack stack-4" data-live="held" data-version=version>
            {held(HOLDS, &person.held, &person)}
            {held("Found at the target, not approved here", &person.found, &person)}
            {held("Ended within 30 days", &person.ended, &person)}
        </div>
        <div class="two">
            <div class="stack stack-4">{requests(&person)}{events(&person)}</div>
            <div class="stack stack-4">{facts(&person)}{accounts(&person.accounts)}{sessions(&person)}{reports(&person.reports)}</div>
        </div>
    }
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
    Some(
        view! { <Card title=title><Table label=title columns=columns rows=rows/></Card> }
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
        (_, health) => said::health(health),
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
    vec![
        cell_view(what),
        time,
        cell_view(view! { <Badge state=state words=words/> }),
        why,
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

/// Where they are signed in, and the switch for those who may use it.
fn sessions(person: &PersonPage) -> Option<AnyView> {
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

fn facts(person: &PersonPage) -> impl IntoView + use<> {
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

fn accounts(accounts: &[AccountView]) -> impl IntoView + use<> {
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

fn reports(reports: &[PersonTag]) -> impl IntoView + use<> {
    (!reports.is_empty()).then(|| {
        let list = links(reports);
        view! { <Card title="Reports to them"><Body>{list}</Body></Card> }
    })
}

#[cfg(test)]
mod tests {
    use domain::{
        grant::End,
        person::{AccountKind, PortalRole},
    };
    use uuid::Uuid;
    use workflow::views::{Entry, Why, decision::Facts as Directory};

    use super::{
        super::approvals::tests::{HOSTILE, is_inert, now, package, person},
        *,
    };
    use crate::render::html;

    fn grant(text: &str, source: GrantSource) -> HeldGrant {
        HeldGrant {
            id: Uuid::from_u128(1).into(),
            package: (source == GrantSource::Request).then(|| package(text)),
            name: text.into(),
            source,
            from: now() - chrono::Duration::hours(2),
            end: End::At(now() + chrono::Duration::hours(6)),
            health: Health::Ready,
            ready_at: Some(now()),
            over: None,
            why: (source == GrantSource::Request).then(|| Why {
                request: Uuid::from_u128(2).into(),
                number: 1042,
                reason: text.into(),
                asker: None,
                approvers: vec![person(3, text)],
            }),
            parts: vec![],
            extension: None,
            may_extend: false,
            may_give_back: false,
        }
    }

    fn somebody(text: &str) -> PersonPage {
        PersonPage {
            now: now(),
            facts: Directory {
                person: person(4, text),
                job_title: text.into(),
                department: "Orders".into(),
                office: text.into(),
                country: "SE".into(),
                employee_type: "contractor".into(),
                user_type: "member".into(),
                manager: Some(person(5, text)),
                reports_to_me: true,
                hired_at: Some(now()),
                last_day_at: Some(now() + chrono::Duration::days(9)),
            },
            me: false,
            mail: text.into(),
            company: text.into(),
            employee_id: Some(text.into()),
            state: PersonState::Active,
            left_at: None,
            above: vec![person(5, text)],
            sponsors: vec![person(6, text)],
            reports: vec![person(7, text)],
            accounts: vec![AccountView {
                id: Uuid::from_u128(8).into(),
                user_name: text.into(),
                kind: AccountKind::Normal,
                enabled: true,
                deleted: false,
            }],
            sessions: Some(2),
            roles: vec![PortalRole::Operator],
            held: vec![grant(text, GrantSource::Request)],
            found: vec![grant(text, GrantSource::Import)],
            ended: vec![],
            requests: vec![],
            may_open_requests: true,
            events: vec![Entry {
                seq: 7,
                at: now(),
                kind: "line_decided".into(),
                actor: "person".into(),
                actor_name: Some(name("per_5", "Astrid", "/people/per_5")),
                behalf: None,
                subjects: vec![
                    name("lin_1", "AR-1042", "/requests/req_2"),
                    name("req_2", "AR-1042", "/requests/req_2"),
                    name("pkg_1", text, "/catalog/pkg_1"),
                    name("gra_1", "Orders", "/people/per_4"),
                    name("asg_1", "sg-orders", "/provisioning/asg_1"),
                    name("stg_1", "", ""),
                ],
                cause: None,
                policy: None,
                before: serde_json::Value::Null,
                after: serde_json::Value::Null,
                hash: String::new(),
            }],
        }
    }

    fn name(id: &str, name: &str, path: &str) -> Name {
        Name {
            id: id.into(),
            name: name.into(),
            path: Some(path.to_owned()).filter(|path| !path.is_empty()),
        }
    }

    #[test]
    fn a_person_says_what_they_hold_and_why() {
        let out = html(|| page(somebody("Johan")));
        for part in [
            "6 h left",
            "AR-1042",
            "approved by Johan",
            "Found at the target, not approved here",
            "reports to you",
            "last day is 30 November",
            "contractor",
            "Operator",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        assert_eq!(out.matches("<h1").count(), 1);
    }

    #[test]
    fn what_happened_says_to_what() {
        let out = html(|| page(somebody("Johan")));
        assert_eq!(
            out.matches("href=\"/requests/req_2\"").count(),
            1,
            "said once: {out}"
        );
        assert!(
            !out.contains("/provisioning/asg_1") && out.contains("sg-orders"),
            "{out}"
        );
        let out = html(|| {
            page(PersonPage {
                may_open_requests: false,
                ..somebody("Johan")
            })
        });
        assert!(
            !out.contains("/requests/") && out.contains("AR-1042"),
            "{out}"
        );
    }

    #[test]
    fn who_may_end_sessions_is_told_how_many_and_what_stays() {
        let out = html(|| page(somebody("Johan")));
        for part in [
            "2 sessions end at once",
            "Their access stays.",
            "/sign-out\"",
        ] {
            assert!(out.contains(part), "{part} is missing in {out}");
        }
        for (sessions, said) in [(Some(0), true), (None, false)] {
            let out = html(|| {
                page(PersonPage {
                    sessions,
                    ..somebody("Johan")
                })
            });
            assert!(!out.contains("/sign-out\""), "{out}");
            assert_eq!(out.contains("not signed in anywhere"), said, "{out}");
        }
    }

    #[test]
    fn hostile_attributes_stay_words() {
        let out = html(|| page(somebody(HOSTILE)));
        assert!(is_inert(&out), "{out}");
    }
}

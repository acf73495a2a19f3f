//! `/findings`: what stands and should not, each with owner, age and due date, and how it could be resolved.

use axum::{
    Form,
    extract::{Path, Query},
    response::Response,
};
use domain::{
    FindingId, Timestamp,
    break_glass::Conclusion,
    conflict::Side,
    exception::ExceptionState,
    finding::{FindingKind, FindingState},
    grant::{End, GrantSource},
};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, findings as acting,
    views::{
        Cursor,
        findings::{self, FindingItem, FindingPage, Findings, Standing, Used, Wanted, WayHeld},
    },
};

use super::{duties, kit};
use crate::{
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// What the list is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    whose: String,
    #[serde(default)]
    after: String,
}

/// The list.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let wanted = Wanted {
        kind: asked.kind.parse().ok(),
        state: asked.state.parse().ok(),
        mine: asked.whose == "mine",
        after: (!asked.after.is_empty()).then(|| Cursor::from_text(&asked.after)),
    };
    let found = findings::list(visit.workflow(), &visit.viewer, &wanted).await?;
    visit
        .page_live("Findings", vec!["findings".into()], move || {
            list(found, &asked)
        })
        .await
}

/// One finding.
pub async fn one(visit: Visit, Path(finding): Path<String>) -> Result<Response, Fault> {
    let finding: FindingId = kit::id(&finding)?;
    let page = findings::one(visit.workflow(), &visit.viewer, finding).await?;
    let title = title(&page.finding);
    visit
        .page_live(&title, vec!["findings".into()], move || {
            finding_page(page, &Typed::default(), &[])
        })
        .await
}

/// What the forms of a finding send.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Typed {
    /// `removing`, `left`, `right`, `all`, `justified` or `not_justified`.
    #[serde(default)]
    act: String,
    /// How, and why.
    #[serde(default)]
    note: String,
}

/// Says that it is being removed, or takes a side away.
pub async fn act(
    visit: Visit,
    Path(finding): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Fault> {
    let finding: FindingId = kit::id(&finding)?;
    let (workflow, viewer) = (visit.workflow(), &visit.viewer);
    let did = match typed.act.as_str() {
        "left" => acting::take_away(workflow, viewer, finding, Some(Side::Left), &typed.note).await,
        "right" => {
            acting::take_away(workflow, viewer, finding, Some(Side::Right), &typed.note).await
        }
        "justified" | "not_justified" => {
            let said = if typed.act == "justified" {
                Conclusion::Justified
            } else {
                Conclusion::NotJustified
            };
            acting::conclude(workflow, viewer, finding, said, &typed.note).await
        }
        "all" => acting::take_away(workflow, viewer, finding, None, &typed.note).await,
        _ => acting::being_removed(workflow, viewer, finding, &typed.note).await,
    };
    match did {
        Ok(()) => Ok(done(&format!("/findings/{finding}"), "noted")),
        Err(Error::Refused(refused)) => {
            let page = findings::one(workflow, viewer, finding).await?;
            let sentences: Vec<String> = refused.iter().map(refusals::sentence).collect();
            let title = kit::to_fix(sentences.len(), &title(&page.finding));
            visit
                .refused(&title, move || finding_page(page, &typed, &sentences))
                .await
        }
        Err(error) => Err(error.into()),
    }
}

fn title(item: &FindingItem) -> String {
    match (item.kind, item.what.as_str()) {
        (FindingKind::RoleChange, "") => "Portal roles that exclude each other".to_owned(),
        (FindingKind::RoleChange, role) => {
            format!("Portal role given outside Latchkey: {role}")
        }
        (kind, "") => duties::kind(kind).to_owned(),
        (kind, what) => format!("{}: {what}", duties::kind(kind)),
    }
}

/// Whom it is about: a person, or what the target calls an account that belongs to nobody here.
fn whom(item: &FindingItem) -> String {
    item.person.as_ref().map_or_else(
        || format!("Account {}", item.holder.as_deref().unwrap_or_default()),
        |person| person.name.clone(),
    )
}

/// One finding in a list.
pub fn row(item: &FindingItem, now: Timestamp) -> AnyView {
    let owner = item
        .owner
        .as_ref()
        .map_or_else(|| "security".to_owned(), |owner| owner.name.clone());
    let title = format!("{}: {}", words::isolate(&whom(item)), title(item));
    let (due, opened, state) = (item.due_at, item.opened_at, item.state);
    let when = match item.closed_at {
        Some(at) => view! { "closed "<Moment at=at now=now/> }.into_any(),
        None if due < now => view! { "was due "<Moment at=due now=now/> }.into_any(),
        None => view! { "due "<Moment at=due now=now/> }.into_any(),
    };
    let href = format!("/findings/{}", item.id);
    let detail = view! { "found "<Moment at=opened now=now/>" · "{when}" · "{owner} }.into_any();
    let late =
        (item.closed_at.is_none() && item.due_at < now && item.state != FindingState::Excepted)
            .then(|| view! { <Badge state=State::Attention words="overdue"/> });
    let severity = item.severity.map(duties::severity);
    view! {
        <Row title=title detail=detail href=href>{severity}{late}{duties::standing(state)}</Row>
    }
    .into_any()
}

fn list(found: Findings, asked: &Asked) -> impl IntoView + use<> {
    let now = found.now;
    let version = kit::version(
        &found
            .findings
            .iter()
            .map(|item| {
                (
                    item.id,
                    item.state.as_str(),
                    item.owner.as_ref().map(|owner| owner.id),
                )
            })
            .collect::<Vec<_>>(),
    );
    let body = if found.findings.is_empty() {
        view! { <Empty sign=Sign::Check title="Nothing stands" text="Broken rules, rights and portal roles that nobody approved here, what was given or taken outside Latchkey, and privileged rights without an end show here with an owner and a due date."/> }.into_any()
    } else {
        let rows = found
            .findings
            .iter()
            .map(|item| row(item, now))
            .collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let next = found.next.map(|cursor| {
        kit::address(
            "/findings",
            &[
                ("kind", &asked.kind),
                ("state", &asked.state),
                ("whose", &asked.whose),
                ("after", cursor.as_str()),
            ],
        )
    });
    let kinds = FindingKind::ALL
        .iter()
        .map(|kind| choice(kind.as_str(), duties::kind(*kind)))
        .collect();
    let states = FindingState::ALL
        .iter()
        .map(|state| choice(state.as_str(), state_word(*state)))
        .collect();
    let whose = found.sees_all.then(|| {
        let options = vec![choice("mine", "Mine to see to")];
        view! { <Select name="whose" label="Whose" options=options value=asked.whose.clone() none="Everybody's"/> }
    });
    let (kind, state) = (asked.kind.clone(), asked.state.clone());
    let lead = if found.mine {
        "What you see to: each has a date by which it should be gone."
    } else {
        "What stands and should not. Each has an owner and a date by which it should be gone."
    };
    view! {
        <PageHead title="Findings" lead=lead/>
        <form method="get" action="/findings" class="flex flex-wrap items-end gap-3">
            <Select name="kind" label="What" options=kinds value=kind none="Everything"/>
            <Select name="state" label="State" options=states value=state none="Not closed"/>
            {whose}
            <Button>"Show"</Button>
        </form>
        <Card title="What was found" live="findings" version=version>{body}</Card>
        <Pager next=next on="Later"/>
    }
}

const fn state_word(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "Open",
        FindingState::BeingRemoved => "Being removed",
        FindingState::Excepted => "Excepted",
        FindingState::Closed => "Closed",
    }
}

fn finding_page(page: FindingPage, typed: &Typed, faults: &[String]) -> impl IntoView + use<> {
    let now = page.now;
    let item = &page.finding;
    let crumbs = vec![crumb("Findings", "/findings"), here(whom(item))];
    let owner = item
        .owner
        .as_ref()
        .map_or_else(|| "Security".to_owned(), |owner| owner.name.clone());
    let (opened, due, state) = (item.opened_at, item.due_at, item.state);
    let mut facts = vec![
        match item.person.clone() {
            Some(person) => fact_view(
                "Person",
                view! { <Who name=person.name.clone() href=format!("/people/{}", person.id)/> },
            ),
            None => fact(
                "Account at the target",
                item.holder.clone().unwrap_or_default(),
            ),
        },
        fact("Sees to it", owner),
        fact_view("Found", view! { <Moment at=opened now=now/> }),
        fact_view("Due", view! { <Moment at=due now=now/> }),
    ];
    if !item.note.is_empty() {
        facts.push(fact("Said last", item.note.clone()));
    }
    let severity = item.severity.map(duties::severity);
    let badges = view! { {severity}{duties::standing(state)} };
    let explained = page.conflict.as_ref().map(|one| {
        let link = page.sees_rule.then(|| {
            let href = format!("/admin/conflicts/{}", one.rule);
            view! { <p><a class="link" href=href>"The rule"</a></p> }
        });
        let explain = one.explain.clone();
        view! { <Card title="The rule"><Body><p>{explain}</p>{link}</Body></Card> }
    });
    let sides = page.conflict.as_ref().map(|one| {
        let (left, right) = (ways(&one.left, now), ways(&one.right, now));
        view! {
            <Card title="Held of the first side"><Rows>{left}</Rows></Card>
            <Card title="Held of the second side"><Rows>{right}</Rows></Card>
        }
    });
    let held = (!page.ways.is_empty()).then(|| {
        let ways = ways(&page.ways, now);
        view! { <Card title="How it is held"><Rows>{ways}</Rows></Card> }
    });
    let used = page.used.as_ref().map(|one| used(one, item, now));
    let role = (item.kind == FindingKind::RoleChange).then(|| role_change(&item.what));
    let astray = astray(item);
    let title = title(item);
    let acts = match &page.used {
        Some(_) => review(&page, typed),
        None => actions(&page, typed),
    };
    view! {
        <PageHead title=title crumbs=crumbs>{badges}</PageHead>
        <div class="stack stack-5">
            <Faults faults=faults.to_vec()/>
            <Card><Body><Facts items=facts/></Body></Card>
            {explained}{sides}{held}{role}{astray}{used}{acts}
        </div>
    }
}

/// What a scan found means, and what may be done about it.
fn astray(item: &FindingItem) -> Option<AnyView> {
    let text = match (item.kind, &item.person) {
        (FindingKind::OutOfBand, Some(_)) => {
            "Somebody gave this right at the target, and no grant explains it. Take it away, or let the person ask for it in the catalogue: once it is granted, or gone at a later scan, this is resolved."
        }
        (FindingKind::OutOfBand, None) => {
            "This account of the target holds the right and belongs to nobody whom Latchkey knows. Look there what it is for. Once it is gone at a later scan, this is resolved."
        }
        (FindingKind::Vanished, _) => {
            "A grant gives this right, and somebody took it away at the target. Latchkey does not put it back by itself. Either end the grant, or have an operator try again on the provisioner's page, which puts it back."
        }
        _ => return None,
    };
    Some(view! { <Card title="What to do"><Body><p>{text}</p></Body></Card> }.into_any())
}

/// What a change of portal roles means, and what may be done about it.
fn role_change(role: &str) -> impl IntoView + use<> {
    let text = if role.is_empty() {
        "None of the roles that exclude each other counts while the person holds both. Take one of them away: end its grant, or remove the app role from the person in Entra."
    } else {
        "It was given in the directory or by the configuration, and nobody approved it here. Either remove the app role from the person in Entra, or let them ask for the role in the catalogue: once it is granted, this is resolved."
    };
    view! {
        <Card title="What to do"><Body>
            <p>{text}</p><p><a class="link" href="/admin/roles">"Who holds which portal role"</a></p>
        </Body></Card>
    }
}

fn ways(ways: &[WayHeld], now: Timestamp) -> impl IntoView + use<> {
    ways.iter()
        .map(|way| {
            let source = match way.source {
                GrantSource::Import => "found at the target, not approved here",
                GrantSource::Request => "asked for and approved",
                GrantSource::Role => "by role",
                GrantSource::Rule => "by rule",
                GrantSource::BreakGlass => "break-glass",
            };
            let until = match way.end() {
                End::Permanent => view! { "without end" }.into_any(),
                End::At(at) => view! { "until "<Moment at=at now=now/> }.into_any(),
            };
            let (name, since) = (way.name.clone(), way.since);
            let detail =
                view! { {source}" · since "<Moment at=since now=now/>" · "{until} }.into_any();
            view! { <Row title=name detail=detail/> }
        })
        .collect_view()
}

/// What somebody who sees to it can do: give up a side, tolerate it for a time, or say that it is under way.
/// One use of break-glass: when, what for, and what was said of it.
fn used(one: &Used, item: &FindingItem, now: Timestamp) -> impl IntoView + use<> {
    let (from, until) = (one.from, one.until);
    let mut facts = vec![fact_view("Opened", view! { <Moment at=from now=now/> })];
    if let Some(until) = until {
        let label = if one.lasts { "Ends" } else { "Ended" };
        facts.push(fact_view(label, view! { <Moment at=until now=now/> }));
    }
    if let Some((said, link)) = one.ticket.clone() {
        facts.push(match link {
            Some(href) => fact_view(
                "Ticket",
                view! { <a class="link" href=href rel="noopener noreferrer">{said}</a> },
            ),
            None => fact("Ticket", said),
        });
    }
    let request = format!("/requests/{}", one.request);
    let number = format!("AR-{}", one.number);
    facts.push(fact_view(
        "Request",
        view! { <a class="link" href=request>{number}</a> },
    ));
    let verdict = item.conclusion.map(|said| {
        let words = match said {
            Conclusion::Justified => "It was justified.",
            Conclusion::NotJustified => "It was not justified.",
        };
        view! { <p><strong>{words}</strong></p> }
    });
    let reason = one.reason.clone();
    view! {
        <Card title="The use"><Body><Facts items=facts/><Quote words=reason/>{verdict}</Body></Card>
    }
}

/// The two answers of a review.
fn review(page: &FindingPage, typed: &Typed) -> Option<AnyView> {
    let action = format!("/findings/{}", page.finding.id);
    let lasts = page.used.as_ref().is_some_and(|one| one.lasts);
    page.may_act.then(|| {
        let effect = if lasts {
            "The access ends now, and what you write stays on record."
        } else {
            "What you write stays on record: what followed from it."
        };
        let note = typed.note.clone();
        let not = take(&action, "not_justified", "It was not justified", effect, typed);
        view! {
            <Card title="Was it right?">
                <Body><p>"Look at what was done while it was open, with the ticket beside it. Until this is reviewed in time, the person cannot open the package again."</p></Body>
                <div class="decide" role="group" aria-label="Was it right?">
                    <Ask summary="It was justified">
                        <form method="post" action=action class="stack stack-4">
                            <Hidden fields=vec![("act", "justified".into())]/>
                            <TextArea name="note" id="note-justified" label="What you looked at, and what you found" value=note required=true shortest=5 longest=2000/>
                            <Button look=Look::Primary>"It was justified"</Button>
                        </form>
                    </Ask>
                    {not}
                </div>
            </Card>
        }
        .into_any()
    })
}

fn actions(page: &FindingPage, typed: &Typed) -> Option<AnyView> {
    let action = format!("/findings/{}", page.finding.id);
    let covered = page
        .conflict
        .as_ref()
        .and_then(|one| one.exception)
        .map(|(id, state)| {
            let (title, text) = if state == ExceptionState::Live {
                ("An exception covers it", "While the exception is in force, this is tolerated.")
            } else {
                ("An exception waits", "Until it is decided, this stands as it is.")
            };
            view! { <Note title=title><p>{text}" "<a class="link" href=format!("/exceptions/{id}")>"Show the exception"</a></p></Note> }
        });
    let propose = page
        .conflict
        .as_ref()
        .filter(|one| one.may_propose)
        .zip(page.finding.person.as_ref())
        .map(|(one, person)| {
            let href = format!("/exceptions/new/{}/{}", one.rule, person.id);
            view! { <p><LinkButton href=href>"Propose an exception"</LinkButton></p> }
        });
    let end = page.may_act.then(|| match &page.conflict {
        Some(one) => sides_to_end(one, &action, typed).into_any(),
        None if !page.ways.is_empty() => {
            take(&action, "all", "Take it away", "All ways in which the right is held here end now. This cannot be taken back; it can be asked for anew.", typed).into_any()
        }
        None if page.finding.kind == FindingKind::OutOfBand && page.finding.person.is_some() => {
            take(&action, "all", "Take it away", "The right is taken away at the target now. It can be asked for in the catalogue.", typed).into_any()
        }
        None => ().into_any(),
    });
    let removing = page.may_act.then(|| {
        let (action, note) = (action.clone(), typed.note.clone());
        view! {
            <Ask summary="It is being removed">
                <form method="post" action=action class="stack stack-4">
                    <Hidden fields=vec![("act", "removing".into())]/>
                    <TextArea name="note" id="note-removing" label="How, and by when" value=note required=true shortest=5 longest=2000/>
                    <Button look=Look::Primary>"Say so"</Button>
                </form>
            </Ask>
        }
    });
    let any = covered.is_some() || propose.is_some() || page.may_act;
    any.then(|| {
        view! {
            <Card title="Resolve it"><Body>{covered}{propose}</Body><div class="decide" role="group" aria-label="Resolve it">{end}{removing}</div></Card>
        }
        .into_any()
    })
}

fn sides_to_end(one: &Standing, action: &str, typed: &Typed) -> impl IntoView + use<> {
    let names = |ways: &[WayHeld]| {
        let names: Vec<&str> = ways.iter().map(|way| way.name.as_str()).collect();
        names.join(", ")
    };
    let (left, right) = (names(&one.left), names(&one.right));
    let least = |side: Side| {
        if one.cheapest == side {
            " This takes least away."
        } else {
            ""
        }
    };
    let text = |gone: &str, stays: &str, side: Side| {
        format!(
            "{gone}: ends now, whole packages included. {stays}: stays.{}",
            least(side)
        )
    };
    let (first, second) = (
        text(&left, &right, Side::Left),
        text(&right, &left, Side::Right),
    );
    view! {
        {take(action, "left", "End the first side", &first, typed)}
        {take(action, "right", "End the second side", &second, typed)}
    }
}

fn take(
    action: &str,
    act: &'static str,
    summary: &'static str,
    effect: &str,
    typed: &Typed,
) -> impl IntoView + use<> {
    let (action, effect) = (action.to_owned(), effect.to_owned());
    let note = typed.note.clone();
    view! {
        <Ask summary=summary look=Look::Danger>
            <form method="post" action=action class="stack stack-4">
                <p dir="auto">{effect}</p>
                <Hidden fields=vec![("act", act.into())]/>
                <TextArea name="note" id=format!("note-{act}") label="Why; the holder reads it" value=note required=true shortest=5 longest=2000/>
                <Button look=Look::DangerSure>{summary}</Button>
            </form>
        </Ask>
    }
}

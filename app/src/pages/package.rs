//! `/catalog/{package}`: what is inside, who may have it, for how long, and who decides, by name.

use axum::{extract::Path, response::Response};
use domain::asking::ForOthers;
use leptos::prelude::*;
use workflow::views::package::{self, PackagePage};

use super::{kit, parts, said};
use crate::{problem::Fault, refusals, spans, ui::*, visit::Visit, words};

/// One package.
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, Fault> {
    let found = package::load(visit.workflow(), &visit.viewer, kit::id(&id)?).await?;
    let title = found.card.name.clone();
    visit.page(&title, move || page(&found)).await
}

pub(super) fn page(found: &PackagePage) -> impl IntoView + use<> {
    let card = &found.card;
    let crumbs = vec![crumb("Catalogue", "/catalog"), here(card.name.clone())];
    let mark = parts::tile(&card.app, Size::Large);
    let actions = actions(found);
    let deciders = if card.break_glass {
        view! {
            <Card title="Who decides"><Body>
                <p>"Nobody is asked first. The owner, the manager and security are told at once, and somebody else reviews afterwards whether it was right."</p>
            </Body></Card>
        }
        .into_any()
    } else {
        let deciders = parts::deciders(&found.stages);
        view! { <Card title="Who decides"><Body>{deciders}</Body></Card> }.into_any()
    };
    view! {
        <PageHead title=card.name.clone() lead=card.summary.clone() crumbs=crumbs mark=mark>{actions}</PageHead>
        {notes(found)}
        <div class="two">
            <div class="stack stack-5">{opens(found)}{eligibility(found)}</div>
            <div class="stack stack-5">{mine(found)}{rules(found)}{deciders}</div>
        </div>
    }
}

fn actions(found: &PackagePage) -> AnyView {
    let emergency = found.card.break_glass;
    let glass = (found.may_ask && emergency).then(|| {
        view! { <LinkButton href=format!("/request/{}", found.card.id) look=Look::Danger>"Break glass"</LinkButton> }
    });
    let ask = (found.may_ask && !emergency)
        .then(|| view! { {parts::to_cart(found.card.id, &found.card.name, false)}<LinkButton href=format!("/request/{}", found.card.id) look=Look::Primary>"Ask for this"</LinkButton> });
    let others = (!found.retired && found.asking.for_others != ForOthers::Nobody).then(|| {
        view! { <LinkButton href=format!("/request/people?package={}", found.card.id) look=Look::Quiet>"For others"</LinkButton> }
    });
    let extend = found.may_extend.map(
        |grant| view! { <LinkButton href=format!("/access/{grant}/extend")>"Extend"</LinkButton> },
    );
    view! { {extend}{others}{glass}{ask} }.into_any()
}

fn notes(found: &PackagePage) -> AnyView {
    let now = found.now;
    let retired = found.retired.then(|| view! { <Note tone=Tone::Wait title="No longer offered">"People who have it keep it until it ends; nobody can ask for it any more."</Note> });
    let waiting = found.card.waiting.map(|request| {
        view! { <Note tone=Tone::Work title="You have asked for this">"It waits for a decision. "<a class="link" href=format!("/requests/{request}")>"See where it stands"</a></Note> }
    });
    let denied = found.denied.as_ref().map(|vote| {
        let note = (!vote.note.is_empty()).then(|| view! { <Quote words=vote.note.clone()/> });
        let (by, at) = (vote.by.name.clone(), vote.at);
        view! {
            <Note tone=Tone::Wait title="This was denied before">
                <span><bdi>{by}</bdi>" decided that "<Moment at=at now=now/>". You may ask again; whoever decides sees it."</span>{note}
            </Note>
        }
    });
    let blocked: Vec<_> = found
        .contents
        .iter()
        .filter_map(|part| {
            part.unmanageable
                .as_ref()
                .map(|why| format!("{}: {why}", part.name))
        })
        .collect();
    let blocked = (!blocked.is_empty()).then(|| view! { <Note tone=Tone::Bad title="It cannot be given right now"><span dir="auto">{refusals::sentences(&blocked)}</span></Note> });
    view! { {retired}{waiting}{denied}{blocked} }.into_any()
}

fn opens(found: &PackagePage) -> AnyView {
    let lines = if found.opens.is_empty() {
        found
            .contents
            .iter()
            .map(|part| {
                if part.summary.is_empty() {
                    part.name.clone()
                } else {
                    part.summary.clone()
                }
            })
            .collect()
    } else {
        found.opens.clone()
    };
    let lines = lines.into_iter().map(|line| view! { <li class="bar items-start"><Icon sign=Sign::Check/><span dir="auto">{line}</span></li> }).collect_view();
    let rows = found
        .contents
        .iter()
        .map(|part| {
            let kind = match part.kind.as_str() {
                "group" => "member of a group",
                "portal_role" => "power over this portal",
                "app_role" => "role in an application",
                "licence" => "licence",
                other => other,
            };
            let mut marks = vec![kind.to_owned()];
            if part.privileged {
                marks.push("privileged".into());
            }
            marks.extend(
                part.control_scope
                    .clone()
                    .filter(|_| found.holders.is_some()),
            );
            vec![
                cell(part.name.clone()),
                cell(marks.join(", ")),
                cell(part.target.clone()),
                cell(format!(
                    "within {}",
                    spans::span(part.effective_within_seconds)
                )),
            ]
        })
        .collect();
    let columns = vec![
        column("Right"),
        column("Kind"),
        column("Where"),
        column("Takes effect"),
    ];
    view! {
        <Card title="What it opens"><Body>
            <ul class="stack">{lines}</ul>
            <More summary="The rights in it, exactly"><Table label="The rights in this package" columns=columns rows=rows/></More>
        </Body></Card>
    }
    .into_any()
}

fn eligibility(found: &PackagePage) -> AnyView {
    let all_met = found.eligibility.iter().all(|condition| condition.met);
    let body = if found.eligibility.is_empty() {
        view! { <p>"Everybody who works here may ask for it."</p> }.into_any()
    } else {
        let lines = found
            .eligibility
            .iter()
            .map(|condition| {
                let (sign, said, class) = if condition.met { (Sign::Check, "You meet this: ", "text-good") } else { (Sign::Cross, "You do not meet this: ", "text-bad") };
                view! { <li class="bar items-start"><span class=class><Icon sign=sign/></span><span><span class="sr">{said}</span><span dir="auto">{words::sentence(&condition.explain)}</span></span></li> }
            })
            .collect_view();
        let owners: Vec<&str> = found
            .owners
            .iter()
            .map(|owner| owner.name.as_str())
            .collect();
        let help = (!all_met).then(|| {
            let who = if owners.is_empty() { "the service desk".into() } else { words::list(&owners, "or") };
            view! { <p class="small dim" dir="auto">{format!("What is marked with a cross stands between you and this package. If you need it for your work all the same, talk to {who}.")}</p> }
        });
        view! { <ul class="stack">{lines}</ul>{help} }.into_any()
    };
    let title = if all_met {
        "Who may have it"
    } else {
        "Why not me?"
    };
    let cedar = found.cedar.clone().map(|cedar| {
        let label = format!("The rules of {} as Cedar", found.card.name);
        view! { <More summary="The rules as Cedar"><pre class="mono whitespace-pre-wrap" tabindex="0" aria-label=label>{cedar}</pre></More> }
    });
    view! { <div id="who-may"><Card title=title><Body>{body}{cedar}</Body></Card></div> }.into_any()
}

fn rules(found: &PackagePage) -> AnyView {
    let limits = found.limits;
    let mut items = vec![fact(
        "Longest",
        if limits.permanent {
            "no end".into()
        } else {
            spans::span(limits.longest_seconds)
        },
    )];
    items.push(fact("Usually for", spans::span(limits.default_seconds)));
    if let Some(seconds) = found.card.usual_seconds {
        items.push(fact("Usually ready", parts::usually(seconds)));
    }
    if limits.furthest_start_seconds > 0 {
        items.push(fact(
            "Can start",
            format!(
                "up to {} from now",
                spans::span(limits.furthest_start_seconds)
            ),
        ));
    }
    if let (Some(most), Some(left)) = (found.asking.most_holders, found.seats_left) {
        items.push(fact(
            "Seats",
            format!("{} of {most} left", words::number(left)),
        ));
    }
    match found.asking.for_others {
        ForOthers::Nobody => {}
        ForOthers::Reports => items.push(fact("For others", "for people who report to you")),
        ForOthers::Colleagues => items.push(fact("For others", "for everybody who works here")),
    }
    if let Some(rule) = found.asking.break_glass {
        items.push(fact(
            "Break-glass",
            format!(
                "opened without an approval, up to {} a week, and reviewed afterwards",
                spans::count(i64::from(rule.uses_per_week), "time", "times")
            ),
        ));
    }
    items.push(fact("Application", found.card.app.name.clone()));
    let owners: Vec<&str> = found
        .owners
        .iter()
        .map(|owner| owner.name.as_str())
        .collect();
    if !owners.is_empty() {
        items.push(fact("Owned by", words::list(&owners, "and")));
    }
    if let Some(holders) = found.holders {
        items.push(fact(
            "Held by",
            said::capped_count(holders, "person", "people"),
        ));
    }
    // Those who may know the holders look after it; the others come to ask.
    if found.holders.is_some() {
        if let Some(scope) = &found.card.control_scope {
            items.push(fact("Watched under", scope.clone()));
        }
        items.push(fact("Edition", words::number(found.edition)));
    }
    let privileged = found.card.privileged.then(|| view! { <Note tone=Tone::Wait title="Privileged">"Powerful access, so it is given for a short time."</Note> });
    view! { <Card title="The rules"><Body>{privileged}<Facts items=items/></Body></Card> }
        .into_any()
}

fn mine(found: &PackagePage) -> Option<AnyView> {
    let grant = found.mine.as_ref()?;
    let (state, said) = said::held(grant);
    let aside = view! { <Badge state=state words=said/> }.into_any();
    let life = parts::life(grant, found.now);
    let href = format!("/access#{}", grant.id);
    Some(
        view! {
            <Card title="You have it" aside=aside><Body>
                {life}
                <p class="small"><a class="link" href=href>"Look at it in My access"</a></p>
            </Body></Card>
        }
        .into_any(),
    )
}

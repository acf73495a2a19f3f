//! Pieces that several of an employee's pages share: packages on a card, requests in a list, who decides, lives of grants.

pub mod effect;
pub mod exception;
pub mod talk;
pub mod when;

use domain::{PackageId, Timestamp, grant::End};
use leptos::prelude::*;
use workflow::views::{
    Answer, AppTag, HeldGrant, PackageTag, PersonTag, StagePreview, Standing, StandingWord,
    catalog::Card, requests::RequestItem,
};

use super::said;
use crate::{spans, ui::*, words};

/// The tile of an application, as the catalogue draws it.
pub fn tile(app: &AppTag, size: Size) -> AnyView {
    view! { <Tile name=app.name.clone() letters=app.initials.clone() tint=app.tint.clone() size=size/> }.into_any()
}

/// The address of an application, if it is one that a browser may be sent to.
pub fn open_address(app: &AppTag) -> Option<String> {
    let web = app.url.starts_with("https://") || app.url.starts_with("http://");
    web.then(|| app.url.clone())
}

/// The button that leads to the application itself.
pub fn open(package: &PackageTag, look: Look) -> Option<AnyView> {
    let href = open_address(&package.app)?;
    let words = format!("Open {}", package.app.name);
    Some(view! { <LinkButton href=href look=look>{words}</LinkButton> }.into_any())
}

/// What was answered. A ticket leads to its page, where the policy knows it.
pub fn answer(answer: &Answer) -> AnyView {
    let said = answer.answer.clone();
    match &answer.link {
        _ if said.is_empty() => "no answer".into_any(),
        Some(href) => {
            view! { <a class="link" href=href.clone() rel="noreferrer" dir="auto">{said}</a> }
                .into_any()
        }
        None => view! { <span dir="auto">{said}</span> }.into_any(),
    }
}

/// How long a package may be held, for a tag.
pub fn longest(card: &Card) -> String {
    if card.permanent {
        "no end".into()
    } else {
        format!("up to {}", spans::span(card.longest_seconds))
    }
}

/// How long it usually takes until access is ready, roughly: `at once`, `in 25 min`, `in 4 h`.
pub fn usually(seconds: i64) -> String {
    const HOUR: i64 = spans::HOUR;
    match seconds {
        ..120 => "at once".into(),
        _ if seconds < HOUR => format!("in {}", spans::about(seconds)),
        _ if seconds < 36 * HOUR => format!("in {} h", (seconds + HOUR / 2) / HOUR),
        _ => format!(
            "in {}",
            words::count((seconds + 12 * HOUR) / (24 * HOUR), "day", "days")
        ),
    }
}

/// A package of the catalogue.
pub fn package_card(card: &Card) -> AnyView {
    let path = format!("/catalog/{}", card.id);
    let end = if card.held.is_some() {
        view! { <Badge state=State::Ready words="you have it"/> }.into_any()
    } else if let Some(request) = card.waiting {
        let label = format!("See it: your request for {}", card.name);
        view! { <Badge state=State::Waiting words="you asked"/><a class="link small" href=format!("/requests/{request}") aria-label=label>"See it"</a> }.into_any()
    } else if card.unmet.is_empty() && card.break_glass {
        let label = format!("Break glass: {}", card.name);
        view! { <LinkButton href=format!("/request/{}", card.id) small=true look=Look::Danger label=label>"Break glass"</LinkButton> }.into_any()
    } else if card.unmet.is_empty() {
        let label = format!("Ask for {}", card.name);
        view! { {to_cart(card.id, &card.name, true)}<LinkButton href=format!("/request/{}", card.id) small=true label=label>"Ask"</LinkButton> }.into_any()
    } else {
        let label = format!("Why not me? {}", card.name);
        view! { <a class="link small" href=format!("{path}#who-may") aria-label=label>"Why not me?"</a> }.into_any()
    };
    let usual = card
        .usual_seconds
        .map(|seconds| format!("ready {}", usually(seconds)));
    let nearby = card.held_nearby.map(|count| {
        format!(
            "{} in your department",
            words::count(count, "colleague", "colleagues")
        )
    });
    view! {
        <article class="card">
            <div class="body stack stack-3 h-full content-between">
                <div class="stack stack-3">
                    <div class="bar">{tile(&card.app, Size::Middle)}
                        <div class="grow"><h3><a href=path dir="auto">{card.name.clone()}</a></h3><p class="small dim clip" dir="auto">{card.app.name.clone()}</p></div>
                    </div>
                    <p class="small dim" dir="auto">{words::cut(&card.summary, 180)}</p>
                    <div class="tags">
                        <Tag words=longest(card)/>
                        {usual.map(|words| view! { <Tag words=words/> })}
                        {card.privileged.then(|| view! { <Tag words="privileged"/> })}
                        {nearby.map(|words| view! { <Tag words=words/> })}
                    </div>
                </div>
                <div class="bar wrap justify-end">{end}</div>
            </div>
        </article>
    }
    .into_any()
}

/// The button that puts a package into the viewer's cart.
pub fn to_cart(package: PackageId, name: &str, small: bool) -> AnyView {
    let label = format!("Add to cart: {name}");
    let fields = vec![("package", package.to_string())];
    view! { <PostButton action="/request/add" fields=fields small=small look=Look::Quiet label=label>"Add to cart"</PostButton> }
        .into_any()
}

/// Packages beside each other.
pub fn cards(cards: &[Card]) -> AnyView {
    let cards = cards.iter().map(package_card).collect_view();
    view! { <div class="tiles">{cards}</div> }.into_any()
}

/// What an asker wants to know of where it stands, in a sentence; `denied_by` where somebody said no.
fn stands(standing: &Standing, denied_by: Option<&PersonTag>, now: Timestamp) -> AnyView {
    let (since, when) = (standing.since, when::relative(standing.since, now));
    match standing.word {
        StandingWord::Waiting => match &standing.next {
            Some(next) if !next.who.is_empty() => {
                format!("{} can decide", said::deciders(next)).into_any()
            }
            _ => "Somebody has to decide".into_any(),
        },
        StandingWord::Stuck => {
            "Nobody can decide this right now; security has been told".into_any()
        }
        StandingWord::WaitsForException => {
            "Approved; it waits for an exception from a rule that it breaks".into_any()
        }
        StandingWord::Scheduled => "Approved; it starts later".into_any(),
        StandingWord::BeingSetUp => "Approved; it is being set up now".into_any(),
        StandingWord::NotSwitchedOn => {
            "Decided; it will be made so when the target is switched on".into_any()
        }
        StandingWord::AfterRestore => {
            "Approved; it waits until somebody has compared the targets, as the database was restored".into_any()
        }
        StandingWord::Attention => {
            "Approved, but setting it up is stuck; somebody is looking at it".into_any()
        }
        StandingWord::Suspended => "Held back for now".into_any(),
        StandingWord::Ready | StandingWord::Extended => match standing.end {
            Some(End::At(at)) if at > now => view! { "Ends "{when::relative(at, now)} }.into_any(),
            Some(End::At(at)) => view! { "Ended "{when::relative(at, now)} }.into_any(),
            Some(End::Permanent) => "No end".into_any(),
            None => view! { "Since "{when::moment(since, now)} }.into_any(),
        },
        StandingWord::BeingRemoved => "Over; it is being removed now".into_any(),
        StandingWord::NothingGiven => "Approved, but nothing could be given".into_any(),
        StandingWord::Denied => {
            let by = denied_by.map(|by| format!("by {} ", by.name));
            view! { "Denied "{by}{when} }.into_any()
        }
        StandingWord::Lapsed => view! { "Lapsed "{when}", as nothing came in time" }.into_any(),
        StandingWord::Ended | StandingWord::StillHeld => view! { "Ended "{when} }.into_any(),
        StandingWord::Cancelled => view! { "Taken back "{when} }.into_any(),
        StandingWord::Superseded => view! { "Asked again "{when} }.into_any(),
        StandingWord::Withdrawn => view! { "Withdrawn "{when} }.into_any(),
    }
}

/// The badge of where it stands; what waits says for how long.
pub fn standing_badge(standing: &Standing, now: Timestamp) -> AnyView {
    let (state, said) = said::standing(standing.word);
    if standing.word == StandingWord::Waiting {
        let waiting =
            view! { "waiting "<Moment at=standing.since now=now say=Say::For/> }.into_any();
        return view! { <Badge state=state words=waiting/> }.into_any();
    }
    let said = if said.is_empty() { state.word() } else { said };
    view! { <Badge state=state words=said/> }.into_any()
}

/// One request in a list.
pub fn request_row(item: &RequestItem, now: Timestamp) -> AnyView {
    let mark = tile(&item.package.app, Size::Middle);
    let title = match item.kind {
        domain::request::LineKind::New => item.package.name.clone(),
        domain::request::LineKind::Extension => format!("Extend {}", item.package.name),
    };
    let whom =
        (item.asker.id != item.beneficiary.id).then(|| format!("for {} · ", item.beneficiary.name));
    let (stands, number) = (
        stands(&item.standing, item.denied_by.as_ref(), now),
        format!(" · {}", said::number(item.number)),
    );
    let detail = view! { {whom}{stands}{number} }.into_any();
    let badge = standing_badge(&item.standing, now);
    view! {
        <Row title=title detail=detail href=format!("/requests/{}", item.request) mark=mark>{badge}</Row>
    }
    .into_any()
}

/// Who would decide, step by step.
pub fn deciders(stages: &[StagePreview]) -> AnyView {
    if stages.is_empty() {
        return view! { <p>"Nobody. If you are eligible you get it at once."</p> }.into_any();
    }
    let several = stages.len() > 1;
    let steps = stages
        .iter()
        .enumerate()
        .map(|(place, stage)| {
            let mut said: Vec<String> = stage.seats.iter().take(4).map(said::seat).collect();
            let more = stage.seats.len().saturating_sub(said.len());
            if more > 0 {
                said.push(words::count(more as i64, "other", "others"));
            }
            let who = if stage.needed > 1 { words::list(&said, "and") } else { words::list(&said, "or") };
            let together = if stage.together { ", at the same time" } else { "" };
            let step = said::step(stage.rule, stage.group.as_deref());
            let title = if several { format!("{}. {}{together}", place + 1, step) } else { step };
            let remark = if stage.stuck {
                Some("Nobody can decide this right now. A request would wait, and security would be told.".to_owned())
            } else if stage.by_subordinates {
                Some("Only people who report to you are left to decide.".to_owned())
            } else if stage.fallback {
                Some("They stand in, because nobody in the first place can decide.".to_owned())
            } else if stage.needed > 1 {
                Some(format!("{} of them must say yes.", stage.needed))
            } else {
                None
            };
            view! {
                <li class="stack stack-1"><span class="small dim">{title}</span>
                    {(!who.is_empty()).then(|| view! { <b dir="auto">{who}</b> })}
                    {remark.map(|remark| view! { <span class="small dim">{remark}</span> })}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="stack stack-3">{steps}</ol> }.into_any()
}

/// The life of a grant.
pub fn life(grant: &HeldGrant, now: Timestamp) -> AnyView {
    view! { <Life start=grant.from end=grant.end.at() now=now/> }.into_any()
}

/// Whether a grant's end is near.
pub fn ends_soon(grant: &HeldGrant, now: Timestamp) -> bool {
    grant
        .end
        .at()
        .is_some_and(|end| end > now && soon(grant.from, end, now))
}

/// When a grant ends, or that it does not.
pub fn until(end: End, now: Timestamp) -> AnyView {
    match end {
        End::At(at) if at > now => {
            view! { "ends "<Moment at=at now=now say=Say::Moment/> }.into_any()
        }
        End::At(at) => view! { "ended "<Moment at=at now=now say=Say::Moment/> }.into_any(),
        End::Permanent => "no end".into_any(),
    }
}

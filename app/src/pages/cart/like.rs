//! `/request/like`: what the team has that one does not: what is usual in it, and what a certain colleague holds. Ticked, it goes
//! into the cart in one press.

use std::collections::BTreeSet;

use axum::{Form, extract::Query, response::Response};
use domain::{PackageId, PersonId};
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    Error, carts,
    views::{
        catalog::Card as Offer,
        suggest::{self, Like, Suggested},
    },
};

use super::super::{ask::question, kit};
use crate::{
    frame::About,
    problem::Fault,
    refusals,
    ui::*,
    visit::{Visit, done},
    words,
};

/// Where it is.
pub const ADDRESS: &str = "/request/like";

/// What the address may say.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    /// Whom to be like.
    #[serde(default)]
    like: String,
    /// For whom, if not for oneself.
    #[serde(default, rename = "for")]
    whom: String,
}

/// What became of an earlier press of the button.
#[derive(Clone, Debug, Default)]
pub struct Back {
    /// What was ticked; none before anything was sent.
    pub ticked: Option<BTreeSet<PackageId>>,
    /// What is in the cart now.
    pub added: Vec<String>,
    /// What is not, and why.
    pub refused: Vec<(String, String)>,
    /// What is wrong with the form.
    pub faults: Vec<String>,
}

fn person(text: &str) -> Result<Option<PersonId>, Fault> {
    if text.is_empty() {
        Ok(None)
    } else {
        kit::id(text).map(Some)
    }
}

async fn load(visit: &Visit, asked: &Asked) -> Result<Suggested, Fault> {
    let (whom, like) = (person(&asked.whom)?, person(&asked.like)?);
    Ok(suggest::load(visit.workflow(), &visit.viewer, whom, like).await?)
}

/// The page.
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, Fault> {
    let found = load(&visit, &asked).await?;
    let about = About {
        narrow: true,
        ..About::default()
    };
    let title = title(&found);
    visit
        .framed(axum::http::StatusCode::OK, &title, about, move || {
            page(&found, &Back::default())
        })
        .await
}

/// Puts what is ticked into the cart, each by itself.
pub async fn add(
    visit: Visit,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let mut asked = Asked::default();
    let mut packages: BTreeSet<PackageId> = BTreeSet::new();
    for (name, value) in fields {
        match name.as_str() {
            "like" => asked.like = value,
            "for" => asked.whom = value,
            "package" => {
                packages.insert(kit::id(&value)?);
            }
            _ => {}
        }
    }
    // Whom one may not ask for or look at is asked first: for others there is no such person.
    let found = load(&visit, &asked).await?;
    let mut back = Back {
        ticked: Some(packages.clone()),
        ..Back::default()
    };
    if packages.is_empty() {
        back.faults
            .push("Tick what you want in your cart, then press the button.".into());
        return again(&visit, found, back).await;
    }
    let wanted: Vec<PackageId> = packages.into_iter().collect();
    let whom = found.whom.id;
    match carts::add_several(visit.workflow(), &visit.viewer, &wanted, whom).await {
        Ok(outcomes) => {
            for outcome in outcomes {
                match outcome.result {
                    Ok(()) => back.added.push(outcome.name),
                    Err(error) => {
                        let why: Vec<String> =
                            error.refusals().iter().map(refusals::sentence).collect();
                        back.refused.push((outcome.name, why.join(" ")));
                    }
                }
            }
        }
        Err(Error::Refused(refusals)) => {
            back.faults = refusals.iter().map(refusals::sentence).collect();
        }
        Err(error) => return Err(error.into()),
    }
    if back.refused.is_empty() && back.faults.is_empty() {
        return Ok(done("/request", "added"));
    }
    // What is in the cart by now is not proposed again.
    let found = load(&visit, &asked).await?;
    again(&visit, found, back).await
}

async fn again(visit: &Visit, found: Suggested, back: Back) -> Result<Response, Fault> {
    let wrong = back.refused.len() + back.faults.len();
    visit
        .refused(&kit::to_fix(wrong, &title(&found)), move || {
            page(&found, &back)
        })
        .await
}

/// What the page is called.
fn title(found: &Suggested) -> String {
    if found.mine {
        "What your team has".to_owned()
    } else {
        format!("What the team of {} has", found.whom.name)
    }
}

/// The page.
pub(super) fn page(found: &Suggested, back: &Back) -> AnyView {
    let lead = if found.mine {
        "Tick what you need, too. Nothing is asked for before you send your cart.".to_owned()
    } else {
        format!(
            "Tick what {} needs, too. Nothing is asked for before you send your cart.",
            found.whom.name
        )
    };
    let crumbs = vec![crumb(super::TITLE, "/request"), here("What the team has")];
    let body = match &found.like {
        Some(like) => like_card(found, like, back),
        None => usual_card(found, back),
    };
    view! {
        <PageHead title=title(found) lead=lead crumbs=crumbs/>
        <Faults faults=back.faults.clone()/>
        <div class="stack stack-4">{became(back)}{body}{colleagues(found)}</div>
    }
    .into_any()
}

/// What was put in, and what was not and why.
fn became(back: &Back) -> AnyView {
    let added = (!back.added.is_empty()).then(|| {
        let names = words::list(&back.added, "and");
        view! { <Note tone=Tone::Good title="In your cart" alert=true><bdi>{names}</bdi>". "<a class="link" href="/request">"Look at the cart"</a></Note> }
    });
    let refused = (!back.refused.is_empty()).then(|| {
        let rows = back
            .refused
            .iter()
            .map(|(name, why)| {
                let why = format!(": {why}");
                view! { <li><bdi>{name.clone()}</bdi>{why}</li> }
            })
            .collect_view();
        view! { <Note tone=Tone::Bad title="Not put in"><ul class="stack stack-1 list-disc ps-5">{rows}</ul></Note> }
    });
    view! { {added}{refused} }.into_any()
}

fn usual_card(found: &Suggested, back: &Back) -> AnyView {
    if found.usual.is_empty() {
        return view! {
            <Card title="Usual in the team"><Empty sign=Sign::People title="Nothing that is missing"
                text="Usual is what at least three, and at least half, of those with the same manager hold. Either there is no such thing, or it is there already, asked for, or not for everybody."/></Card>
        }
        .into_any();
    }
    let form = form(&found.usual, found, None, back.ticked.as_ref());
    view! { <Card title="Usual in the team"><Body>{form}</Body></Card> }.into_any()
}

fn like_card(found: &Suggested, like: &Like, back: &Back) -> AnyView {
    let title = format!("Like {}", like.person.name);
    if like.cards.is_empty() {
        return view! {
            <Card title=title><Empty sign=Sign::People title="Nothing to add"
                text="Of what they hold there is nothing that is missing and may be asked for here. What is privileged or under special rules is never shown."/></Card>
        }
        .into_any();
    }
    let form = form(
        &like.cards,
        found,
        Some(like.person.id),
        back.ticked.as_ref(),
    );
    view! { <Card title=title><Body>{form}</Body></Card> }.into_any()
}

/// What is proposed, ticked, with the one button. What was sent before stays as it was ticked.
fn form(
    cards: &[Offer],
    found: &Suggested,
    like: Option<PersonId>,
    ticked: Option<&BTreeSet<PackageId>>,
) -> AnyView {
    let mut fields = Vec::new();
    if !found.mine {
        fields.push(("for", found.whom.id.to_string()));
    }
    fields.extend(like.map(|like| ("like", like.to_string())));
    let boxes = boxes(cards, ticked);
    view! {
        <form method="post" action=ADDRESS class="fields">
            <Hidden fields=fields/>
            {boxes}
            <div class="btns"><Button look=Look::Primary>"Add to cart"</Button><LinkButton href="/request" look=Look::Quiet>"Back to the cart"</LinkButton></div>
        </form>
    }
    .into_any()
}

fn boxes(cards: &[Offer], ticked: Option<&BTreeSet<PackageId>>) -> AnyView {
    let boxes = cards
        .iter()
        .map(|card| {
            let holders = card
                .held_nearby
                .map(|holders| format!("{} have it. ", words::number(holders)))
                .unwrap_or_default();
            let hint = format!("{holders}{}", card.summary);
            let hint = (!hint.is_empty())
                .then(|| view! { <span dir="auto">{hint}</span> }.into_any());
            let label = format!("{}, {}", card.name, card.app.name);
            let checked = ticked.is_none_or(|ticked| ticked.contains(&card.id));
            view! { <Check name="package" label=label value=card.id.to_string() checked=checked hint=hint/> }
        })
        .collect_view();
    view! { <fieldset class="field"><legend>"What shall it be?"</legend><div class="stack stack-3">{boxes}</div></fieldset> }
        .into_any()
}

/// What is usual in one's team, for the catalogue; nothing where there is nothing.
pub(in crate::pages) fn in_catalogue(cards: &[Offer]) -> Option<AnyView> {
    if cards.is_empty() {
        return None;
    }
    let boxes = boxes(cards, None);
    Some(
        view! {
            <section class="stack stack-3" aria-labelledby="usual">
                <h2 id="usual">"Usual in your team"</h2>
                <form method="post" action=ADDRESS class="fields">
                    {boxes}
                    <div class="btns"><Button look=Look::Primary>"Add to cart"</Button><LinkButton href=ADDRESS look=Look::Quiet>"Like a colleague"</LinkButton></div>
                </form>
            </section>
        }
        .into_any(),
    )
}

/// Whom one may ask to be like.
fn colleagues(found: &Suggested) -> Option<AnyView> {
    if found.colleagues.is_empty() {
        return None;
    }
    let whom = if found.mine {
        String::new()
    } else {
        found.whom.id.to_string()
    };
    let rows = found
        .colleagues
        .iter()
        .map(|one| {
            let href = kit::address(
                ADDRESS,
                &[("like", &one.person.id.to_string()), ("for", &whom)],
            );
            let one = question::option(one);
            let detail = one.detail.unwrap_or_default();
            view! { <Row title=one.label detail=detail href=href/> }
        })
        .collect_view();
    let all = found.like.is_some().then(|| {
        let href = kit::address(ADDRESS, &[("for", &whom)]);
        view! { <a class="link small" href=href>"Usual in the team"</a> }
    });
    let all = all.into_any();
    Some(
        view! {
            <Card title="Like a colleague" aside=all>
                <Rows>{rows}</Rows>
            </Card>
        }
        .into_any(),
    )
}

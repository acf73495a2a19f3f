//! The form itself: what to know first, how long, from when, why, the package's own questions, and what happens then.

use chrono::Duration;
use domain::{
    policy::{Question, QuestionKind},
    request::{REASON_LEAST, TEXT_MOST},
};
use leptos::prelude::*;
use workflow::views::request_form::{Notice, RequestForm};

use super::{
    super::parts::{self, when},
    title,
    typed::{Faults, Shown, Typed},
};
use crate::{islands::StartPicker, refusals, ui::*, words};

/// The page.
pub fn page(form: &RequestForm, typed: &Typed, faults: &Faults) -> impl IntoView + use<> {
    let card = &form.package.card;
    let crumbs = if form.extends.is_some() {
        vec![crumb("My access", "/access"), here("Extend")]
    } else {
        vec![
            crumb("Catalogue", "/catalog"),
            crumb(card.name.clone(), format!("/catalog/{}", card.id)),
            here("Ask"),
        ]
    };
    let mark = parts::tile(&card.app, Size::Large);
    let notices = form
        .notices
        .iter()
        .map(|notice| say(notice, form))
        .collect_view();
    let impossible = form.refused() || form.longest_seconds < 60;
    let body = if impossible {
        closed(form, typed)
    } else {
        open(form, typed, faults)
    };
    view! {
        <PageHead title=title(form) lead=card.summary.clone() crumbs=crumbs mark=mark/>
        {notices}{body}
    }
}

/// Instead of the form, where nothing that could be typed would help. What was typed before it closed is there to be copied.
fn closed(form: &RequestForm, typed: &Typed) -> AnyView {
    let wrote: Vec<AnyView> = std::iter::once(&typed.reason)
        .chain(typed.answers.values())
        .filter(|text| !text.trim().is_empty())
        .map(|text| view! { <Quote words=text.clone()/> }.into_any())
        .collect();
    let wrote = (!wrote.is_empty()).then(|| {
        view! { <div class="stack"><p class="small dim">"What you wrote, to copy if you still need it:"</p>{wrote}</div> }
    });
    let back = if form.extends.is_some() {
        view! { <LinkButton href="/access" look=Look::Quiet>"Back to My access"</LinkButton> }
    } else {
        view! { <LinkButton href="/catalog" look=Look::Quiet>"Back to the catalogue"</LinkButton> }
    };
    view! {
        {wrote}
        <div class="btns">
            <LinkButton href=format!("/catalog/{}", form.package.card.id)>"Look at the package"</LinkButton>{back}
        </div>
    }
    .into_any()
}

const WHY: &str = "Why do you need it?";

fn open(form: &RequestForm, typed: &Typed, faults: &Faults) -> AnyView {
    let package = &form.package;
    let longest = Duration::seconds(form.longest_seconds);
    let usual = Duration::seconds(form.default_seconds);
    let extending = form.extends.is_some();
    let (action, label, not_now) = match &form.extends {
        Some(extended) => (
            format!("/access/{}/extend", extended.grant),
            "How much longer?",
            "/access".to_owned(),
        ),
        None => (
            format!("/request/{}", package.card.id),
            "For how long?",
            format!("/catalog/{}", package.card.id),
        ),
    };
    let mut shown = vec![Shown::new("length", "duration", label)];
    let start = (!extending && package.limits.furthest_start_seconds > 0).then(|| {
        shown.push(Shown::new("start", "start_at", FROM));
        start(form, typed, faults)
    });
    shown.push(Shown::new("reason", "reason", WHY));
    let questions = if extending {
        Vec::new()
    } else {
        package
            .questions
            .iter()
            .map(|question| {
                let name = format!("answer-{}", question.key);
                shown.push(Shown::new(name.clone(), name, question.ask.clone()));
                ask(question, typed, faults)
            })
            .collect::<Vec<_>>()
    };
    let from = form.extends.and_then(|extended| extended.end.at());
    let hint = from.map(|end| {
        view! { "Added to its current end, "{when::moment(end, package.now)}"." }.into_any()
    });
    view! {
        <Faults faults=faults.whole(&shown) fields=faults.of_fields(&shown)/>
        <form method="post" action=action class="fields">
            <Hidden fields=vec![("key", typed.key.clone())]/>
            <DurationField name="duration" label=label quick=quick(usual, longest) longest=longest permanent=form.permanent from=from chosen=typed.length.clone() hint=hint error=faults.of("length")/>
            {start}
            <TextArea name="reason" label=WHY hint="A sentence is enough. Those who decide read it, and it stays on record." required=true
                shortest=REASON_LEAST as u32 longest=TEXT_MOST as u32 value=typed.reason.clone() error=faults.of("reason")/>
            {questions}
            {then(form)}
            <div class="btns"><Button look=Look::Primary>"Send the request"</Button><LinkButton href=not_now look=Look::Quiet>"Not now"</LinkButton></div>
        </form>
    }
    .into_any()
}

const FROM: &str = "From when?";

/// From when. The day is only shown where "Later" is chosen; the island beside it says it by the reader's clock.
fn start(form: &RequestForm, typed: &Typed, faults: &Faults) -> AnyView {
    let now = form.package.now;
    let field = |at: domain::Timestamp| at.format("%Y-%m-%dT%H:%M").to_string();
    let options = vec![
        choice("now", "As soon as it is approved"),
        choice("later", "Later"),
    ];
    let latest = field(form.latest_start);
    let hint = view! { "Up to "{when::moment(form.latest_start, now)}". "<span data-zone>"Time in UTC."</span> }.into_any();
    view! {
        <div class="stack stack-3">
            <RadioCards name="start" label=FROM options=options value=typed.start.clone() required=true across=true/>
            <div class="later">
                <TextField name="start_at" label="On which day, at what time?" kind="datetime-local" bare=true hint=hint min=field(now) max=latest value=typed.start_at.clone() error=faults.of("start")/>
                <Hidden fields=vec![("start_utc", String::new())]/>
                <StartPicker/>
            </div>
        </div>
    }
    .into_any()
}

fn ask(question: &Question, typed: &Typed, faults: &Faults) -> AnyView {
    let name = format!("answer-{}", question.key);
    let value = typed.answers.get(&question.key).cloned();
    let error = faults.of(&name);
    let required = question.required;
    let label = question.ask.clone();
    let options = || {
        question
            .choices
            .iter()
            .map(|one| choice(one.clone(), one.clone()))
            .collect::<Vec<_>>()
    };
    match question.kind {
        QuestionKind::Text => view! { <TextField name=name label=label value=value error=error required=required longest=TEXT_MOST as u32/> }.into_any(),
        QuestionKind::Choice if question.choices.len() <= 5 => {
            view! { <RadioCards name=name label=label options=options() value=value error=error required=required/> }.into_any()
        }
        QuestionKind::Choice => view! { <Select name=name label=label options=options() value=value error=error required=required none="Choose"/> }.into_any(),
    }
}

/// What happens once it is sent.
fn then(form: &RequestForm) -> AnyView {
    let automatic = form.package.stages.is_empty();
    let (at, now) = (form.lapses, form.package.now);
    let deciders = parts::deciders(&form.package.stages);
    let lapse = (!automatic).then(|| {
        view! { <p class="small dim">"If nobody decides by "{when::moment(at, now)}", the request lapses and you are told."</p> }
    });
    let opens = form
        .package
        .opens
        .iter()
        .map(|line| view! { <li dir="auto">{line.clone()}</li> })
        .collect_view();
    let opens = (!form.package.opens.is_empty()).then(|| view! { <More summary="What you get"><ul class="stack list-disc ps-5">{opens}</ul></More> });
    view! {
        <Card title="Who decides"><Body>{deciders}{lapse}{opens}</Body></Card>
    }
    .into_any()
}

/// What to know before asking.
fn say(notice: &Notice, form: &RequestForm) -> AnyView {
    let now = form.package.now;
    match notice {
        Notice::LastDay { at } => {
            let at = *at;
            view! { <Note tone=Tone::Wait title="Your last working day is near">"Access ends "{when::moment(at, now)}" at the latest."</Note> }.into_any()
        }
        Notice::Held { end } => {
            let extend = form.package.may_extend.map(|grant| view! { " "<a class="link" href=format!("/access/{grant}/extend")>"Extend it instead"</a> });
            let until = match end.at() {
                Some(at) => view! { "It ends "{when::moment(at, now)}". A new request must begin after that." }.into_any(),
                None => "It has no end.".into_any(),
            };
            view! { <Note title="You have it already"><span>{until}{extend}</span></Note> }.into_any()
        }
        Notice::Found { rights } => {
            let said = format!("There already: {}. A yes gives it an end of its own; what was there before stays beside it.", rights.join(", "));
            view! { <Note tone=Tone::Wait title="You already hold this outside Latchkey"><span dir="auto">{said}</span></Note> }.into_any()
        }
        Notice::HeldAsLong { latest } => {
            let latest = *latest;
            view! { <Note tone=Tone::Wait title="It cannot be held for ever">"Without a break you may hold it until "<Moment at=latest now=now say=Say::Moment/>" at most. After its end you may ask for it anew."</Note> }.into_any()
        }
        Notice::Waiting { request } => {
            let href = format!("/requests/{request}");
            view! {
                <Note tone=Tone::Wait title="You have asked for this already"><span>"If you send this, it takes the place of "<a class="link" href=href>"the one that waits"</a>"."</span></Note>
            }
            .into_any()
        }
        Notice::Denied { vote } => {
            let note = (!vote.note.is_empty()).then(|| view! { <Quote words=vote.note.clone()/> });
            let (by, at) = (vote.by.name.clone(), vote.at);
            view! {
                <Note tone=Tone::Wait title="This was denied before">
                    <span><bdi>{by}</bdi>" decided that "{when::relative(at, now)}". Whoever decides now sees it; say what has changed."</span>{note}
                </Note>
            }
            .into_any()
        }
        Notice::NotEligible { because } => {
            let lines = because.iter().map(|why| view! { <li dir="auto">{words::sentence(why)}</li> }).collect_view();
            view! { <Note tone=Tone::Bad title="You cannot ask for this as things are"><ul class="list-disc ps-5">{lines}</ul></Note> }.into_any()
        }
        Notice::NotManageable { entitlement, why } => {
            let said = format!("{} The package\u{2019}s owner has to sort that out first.", refusals::sentences(&[format!("{entitlement}: {why}")]));
            view! { <Note tone=Tone::Bad title="It cannot be given right now"><span dir="auto">{said}</span></Note> }.into_any()
        }
        Notice::NobodyDecides => {
            view! { <Note tone=Tone::Wait title="Nobody can decide this right now">"You may send it all the same: it waits, and security is told."</Note> }.into_any()
        }
        Notice::Permanent => view! { <Note title="It has no end">"You hold this without an end, so there is nothing to extend."</Note> }.into_any(),
    }
}

//! The form itself: what to know first, how long, from when, why, the package's own questions, and what happens then.

use chrono::Duration;
use domain::{
    asking::Ticket,
    policy::QuestionKind,
    request::{REASON_LEAST, TEXT_MOST},
};
use leptos::prelude::*;
use workflow::views::request_form::{Notice, RequestForm};

use super::{
    super::{
        decision::risk,
        parts::{self, when},
    },
    question::{self, Picks},
    title,
    typed::{Faults, Shown, Typed},
};
use crate::{islands::StartPicker, refusals, spans, ui::*, words};

/// Where a form is sent to and what its buttons say: it is the same form wherever something is asked for.
pub struct Sending {
    /// The way to the page.
    pub crumbs: Vec<Crumb>,
    /// Where it is sent to.
    pub action: String,
    /// What the button says.
    pub button: &'static str,
    /// Where whoever does not send it goes.
    pub not_now: String,
    /// Whether another reason stands in for an empty one.
    pub reason_elsewhere: bool,
}

impl Sending {
    /// The form that asks at once.
    pub fn now(form: &RequestForm) -> Self {
        let card = &form.package.card;
        let button = if form.package.asking.break_glass.is_some() {
            "Break glass"
        } else {
            "Send the request"
        };
        match &form.extends {
            Some(extended) => Self {
                crumbs: vec![crumb("My access", "/access"), here("Extend")],
                action: format!("/access/{}/extend", extended.grant),
                button,
                not_now: "/access".into(),
                reason_elsewhere: false,
            },
            None => Self {
                crumbs: vec![
                    crumb("Catalogue", "/catalog"),
                    crumb(card.name.clone(), format!("/catalog/{}", card.id)),
                    here("Ask"),
                ],
                action: format!("/request/{}", card.id),
                button,
                not_now: format!("/catalog/{}", card.id),
                reason_elsewhere: false,
            },
        }
    }
}

/// The page.
pub fn page(
    form: &RequestForm,
    sending: Sending,
    typed: &Typed,
    faults: &Faults,
    picks: &Picks,
) -> impl IntoView + use<> {
    let card = &form.package.card;
    let crumbs = sending.crumbs.clone();
    let mark = parts::tile(&card.app, Size::Large);
    let loud = form.package.asking.break_glass.is_some().then(|| {
        view! {
            <Note tone=Tone::Bad title="For an emergency">
                "Nobody is asked first: this opens at once. The package\u{2019}s owner, your manager and security are told now, and somebody else reviews afterwards whether it was right."
            </Note>
        }
    });
    let notices = form
        .notices
        .iter()
        .map(|notice| say(notice, form))
        .collect_view();
    let impossible = form.refused() || form.longest_seconds < 60;
    let body = if impossible {
        closed(form, typed)
    } else {
        open(form, sending, typed, faults, picks)
    };
    view! {
        <PageHead title=title(form) lead=card.summary.clone() crumbs=crumbs mark=mark/>
        {loud}{notices}{body}
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
const WHY_THEY: &str = "Why do they need it?";

fn open(
    form: &RequestForm,
    sending: Sending,
    typed: &Typed,
    faults: &Faults,
    picks: &Picks,
) -> AnyView {
    let package = &form.package;
    let longest = Duration::seconds(form.longest_seconds);
    let usual = Duration::seconds(form.default_seconds);
    let extending = form.extends.is_some();
    let label = if extending {
        "How much longer?"
    } else {
        "For how long?"
    };
    let why = if form.whom.is_some() { WHY_THEY } else { WHY };
    // A day is no good measure for what lasts hours.
    let latest_day =
        (!extending && longest >= Duration::days(2)).then(|| (package.now + longest).date_naive());
    let mut shown = vec![Shown::new("length", "duration", label)];
    let emergency = package.asking.break_glass.is_some();
    let start =
        (!extending && !emergency && package.limits.furthest_start_seconds > 0).then(|| {
            shown.push(Shown::new("start", "start_at", FROM));
            start(form, typed, faults)
        });
    shown.push(Shown::new("reason", "reason", why));
    let questions = if extending {
        Vec::new()
    } else {
        package
            .questions
            .iter()
            .map(|question| {
                let name = format!("answer-{}", question.key);
                // Until somebody is found, what is typed is a name to look for.
                let id = if question.kind == QuestionKind::Person
                    && picks.get(&question.key).is_none_or(Vec::is_empty)
                {
                    format!("find-{}", question.key)
                } else {
                    name.clone()
                };
                shown.push(Shown::new(name, id, question.ask.clone()));
                question::ask(question, typed, faults, picks, package.now)
            })
            .collect::<Vec<_>>()
    };
    let ticket = package
        .asking
        .ticket
        .as_ref()
        .filter(|_| !extending)
        .map(|ticket| {
            let name = format!("answer-{}", Ticket::KEY);
            shown.push(Shown::new(name.clone(), name, question::TICKET));
            question::ticket(ticket, typed, faults)
        });
    let sure = emergency.then(|| {
        shown.push(Shown::new("sure", "sure-yes", SURE));
        view! {
            <Check name="sure" value="yes" label=SURE checked=typed.sure == "yes" required=true error=faults.of("sure")/>
        }
    });
    let held = package.card.held.and_then(|held| held.end.at());
    let from = match &form.extends {
        Some(extended) => extended.end.at(),
        None => held.filter(|end| *end > package.now),
    };
    let hint = from.map(|end| {
        view! { "Added to its current end, "{when::moment(end, package.now)}"." }.into_any()
    });
    let look = if emergency {
        Look::DangerSure
    } else {
        Look::Primary
    };
    let Sending {
        action,
        button,
        not_now,
        reason_elsewhere,
        ..
    } = sending;
    let reason_hint = if reason_elsewhere {
        "Leave it empty to use the reason that you give for the whole cart. Those who decide read it, and it stays on record."
    } else if emergency {
        "A sentence is enough. Those who are told read it, and whoever reviews it."
    } else {
        "A sentence is enough. Those who decide read it, and it stays on record."
    };
    let shortest = if reason_elsewhere {
        0
    } else {
        REASON_LEAST as u32
    };
    view! {
        <Faults faults=faults.whole(&shown) fields=faults.of_fields(&shown)/>
        <form method="post" action=action class="fields">
            <Hidden fields=vec![("key", typed.key.clone())]/>
            <DurationField name="duration" label=label quick=quick(usual, longest) longest=longest permanent=form.permanent latest_day=latest_day from=from chosen=typed.length.clone() hint=hint error=faults.of("length")/>
            {start}
            <TextArea name="reason" label=why hint=reason_hint required=!reason_elsewhere
                shortest=shortest longest=TEXT_MOST as u32 value=typed.reason.clone() error=faults.of("reason")/>
            {ticket}{questions}
            {then(form)}{sure}
            <div class="btns"><Button look=look>{button}</Button><LinkButton href=not_now look=Look::Quiet>"Not now"</LinkButton></div>
        </form>
    }
    .into_any()
}

const SURE: &str =
    "This is an emergency. I know that it is told at once and reviewed by somebody else";

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

/// What happens once it is sent.
fn then(form: &RequestForm) -> AnyView {
    let automatic = form.package.stages.is_empty();
    let (at, now) = (form.lapses, form.package.now);
    let deciders = parts::deciders(&form.package.stages);
    let new = form.extends.is_none() && form.package.card.held.is_none();
    let seats = form.package.seats_left.filter(|_| new).map(|left| {
        let said = format!("{} left.", spans::count(left, "seat is", "seats are"));
        view! { <p class="small dim">{said}</p> }
    });
    let usual = form.package.card.usual_seconds.map(|seconds| {
        view! { <p class="small dim">{format!("Usually ready {}.", parts::usually(seconds))}</p> }
    });
    let lapse = (!automatic).then(|| {
        view! { <p class="small dim">"If nobody decides by "{when::moment(at, now)}", the request lapses and you are told."</p> }
    });
    let opens = form
        .package
        .opens
        .iter()
        .map(|line| view! { <li dir="auto">{line.clone()}</li> })
        .collect_view();
    if form.package.asking.break_glass.is_some() {
        return view! { <Card title="What it opens"><Body><ul class="stack list-disc ps-5">{opens}</ul></Body></Card> }
            .into_any();
    }
    let opens = (!form.package.opens.is_empty()).then(|| view! { <More summary="What you get"><ul class="stack list-disc ps-5">{opens}</ul></More> });
    let parts = &form.risk.parts;
    let security = form.adds_security.then(|| {
        let why: Vec<&str> = parts.iter().map(|one| risk::part(one.part)).collect();
        let why = words::list(&why, "and");
        view! { <p class="small">{format!("Security decides as well, because of its risk: {}.", why.to_lowercase())}</p> }
    });
    let risk = (!parts.is_empty()).then(|| {
        let items = risk::facts(&form.risk);
        let summary = format!(
            "How risky it counts: {}",
            spans::count(i64::from(form.risk.sum), "point", "points")
        );
        view! { <More summary=summary><Facts items=items/></More> }
    });
    view! {
        <Card title="Who decides"><Body>{deciders}{security}{usual}{seats}{lapse}{opens}{risk}</Body></Card>
    }
    .into_any()
}

/// What to know before asking.
pub fn say(notice: &Notice, form: &RequestForm) -> AnyView {
    let now = form.package.now;
    let theirs = form.whom.is_some();
    match notice {
        Notice::LastDay { at } => {
            let at = *at;
            let title = if theirs { "Their last working day is near" } else { "Your last working day is near" };
            view! { <Note tone=Tone::Wait title=title>"Access ends "{when::moment(at, now)}" at the latest."</Note> }.into_any()
        }
        Notice::Held { end } => {
            let title = if theirs { "They have it already" } else { "You have it already" };
            let until = match end.at() {
                Some(at) => view! { "It ends "{when::moment(at, now)}". What is asked for here is added to that, without a gap; only what begins later is a request of its own." }.into_any(),
                None => "It has no end.".into_any(),
            };
            view! { <Note title=title><span>{until}</span></Note> }.into_any()
        }
        Notice::Breaks { clash } => {
            let title = format!("This breaks the rule “{}”", clash.name);
            let held = clash.held.join(", ");
            let said = if held.is_empty() && !clash.asked.is_empty() {
                format!("{} Asked for already: {}. Only one of the two can be given, unless an exception covers it.", clash.explain, clash.asked.join(", "))
            } else if clash.covered {
                format!("{} Held: {held}. An exception covers it.", clash.explain)
            } else {
                format!("{} Held: {held}. Give that back first, or ask for it with an exception: a yes waits for one, 14 days at most, and without one nothing is given.", clash.explain)
            };
            let tone = if clash.covered { Tone::Plain } else { Tone::Bad };
            view! { <Note tone=tone title=title><span dir="auto">{said}</span></Note> }.into_any()
        }
        Notice::BreaksTogether { rule, explain, other } => {
            let title = format!("Together with {other} this breaks the rule “{rule}”");
            let said = format!("{explain} Only one of the two can be given, unless an exception covers it: remove the one that is needed less.");
            view! { <Note tone=Tone::Bad title=title><span dir="auto">{said}</span></Note> }.into_any()
        }
        Notice::Found { rights } => {
            let said = format!("There already: {}. A yes gives it an end of its own; what was there before stays beside it.", rights.join(", "));
            let title = if theirs { "They already hold this outside Latchkey" } else { "You already hold this outside Latchkey" };
            view! { <Note tone=Tone::Wait title=title><span dir="auto">{said}</span></Note> }.into_any()
        }
        Notice::HeldAsLong { latest } => {
            let latest = *latest;
            view! { <Note tone=Tone::Wait title="It cannot be held for ever">"Without a break you may hold it until "<Moment at=latest now=now say=Say::Moment/>" at most. After its end you may ask for it anew."</Note> }.into_any()
        }
        Notice::Waiting { request } => {
            let href = format!("/requests/{request}");
            view! {
                <Note tone=Tone::Wait title="This has been asked for already"><span>"If you send this, it takes the place of "<a class="link" href=href>"the one that waits"</a>"."</span></Note>
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
            let title = if theirs { "They cannot have this as things are" } else { "You cannot ask for this as things are" };
            view! { <Note tone=Tone::Bad title=title><ul class="list-disc ps-5">{lines}</ul></Note> }.into_any()
        }
        Notice::Refused { refusal } => {
            let said = refusals::sentence(refusal);
            view! { <Note tone=Tone::Bad title="It is not possible as things are">{said}</Note> }.into_any()
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

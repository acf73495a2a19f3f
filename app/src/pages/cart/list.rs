//! The cart itself: each line with for whom, how long, who decides and what is wrong, and one button that sends all.

use domain::{
    Refusal,
    asking::{ForOthers, Ticket},
    request::{REASON_LEAST, Start, TEXT_MOST, Window},
};
use leptos::prelude::*;
use workflow::views::{
    cart::{Cart, CartLine},
    request_form::RequestForm,
};

use super::{
    super::{
        ask::{
            form::say,
            typed::{Faults as LineFaults, Typed},
        },
        parts::{self, when},
    },
    like, typed,
};
use crate::{refusals, ui::*, words};

/// What is wrong, line by line and with the whole.
#[derive(Default)]
pub struct Wrong {
    /// By line, in their order.
    pub lines: Vec<LineFaults>,
    whole: Vec<String>,
}

impl Wrong {
    /// Adds what the rules said.
    pub fn take(&mut self, refusals: Vec<Refusal>) {
        for refusal in refusals {
            match refusal {
                Refusal::InLine { line, what } => {
                    let place = line.saturating_sub(1);
                    if self.lines.len() <= place {
                        self.lines.resize_with(place + 1, LineFaults::default);
                    }
                    self.lines[place].refuse(&[*what]);
                }
                whole => self.whole.push(refusals::sentence(&whole)),
            }
        }
    }

    /// How many things are wrong.
    pub fn count(&self) -> usize {
        self.whole.len() + self.lines.iter().map(LineFaults::count).sum::<usize>()
    }

    fn of(&self, place: usize) -> Vec<String> {
        self.lines
            .get(place)
            .map(|faults| faults.whole(&[]))
            .unwrap_or_default()
    }
}

/// The page.
pub fn page(cart: &Cart, wrong: &Wrong) -> impl IntoView + use<> {
    let count = cart.lines.len();
    if count == 0 && wrong.count() == 0 {
        return view! {
            <PageHead title=super::TITLE lead="Collect what you need, then ask for all of it at once."/>
            <Card title="Your cart"><Empty sign=Sign::Package title="Nothing in it" text="Look for what you need and put it in here, for yourself or for somebody else. It is kept until you send it.">
                <LinkButton href="/catalog" look=Look::Primary>"Look in the catalogue"</LinkButton>
                <LinkButton href=like::ADDRESS>"What your team has"</LinkButton>
            </Empty></Card>
        }
        .into_any();
    }
    let lead = format!(
        "{}. Each is decided on its own.",
        words::count(count as i64, "request", "requests")
    );
    let lines = cart
        .lines
        .iter()
        .enumerate()
        .map(|(place, line)| one(line, cart, &wrong.of(place)))
        .collect_view();
    let faulty = wrong.lines.iter().filter(|one| one.count() > 0).count();
    let mut whole = wrong.whole.clone();
    if faulty > 0 {
        whole.push(format!(
            "Something is missing or wrong in {}; it stands beside each. Nothing was lost, and nothing was sent.",
            words::count(faulty as i64, "request", "requests")
        ));
    }
    let send = (count > 0).then(|| send(cart, count));
    view! {
        <PageHead title=super::TITLE lead=lead><LinkButton href="/catalog">"Add more"</LinkButton><LinkButton href=like::ADDRESS look=Look::Quiet>"What your team has"</LinkButton></PageHead>
        <Faults faults=whole/>
        <div class="stack stack-5">{lines}{send}</div>
    }
    .into_any()
}

fn send(cart: &Cart, count: usize) -> AnyView {
    let open: Vec<&CartLine> = cart
        .lines
        .iter()
        .filter(|line| {
            line.form
                .as_ref()
                .is_none_or(|form| typed(line, form).reason.trim().is_empty())
        })
        .collect();
    let hint = if open.is_empty() {
        "Each has a reason of its own already, so this may stay empty.".to_owned()
    } else if open.len() == count {
        "The same reason for all, unless you give one of them its own.".to_owned()
    } else {
        format!(
            "For the {} that have no reason of their own.",
            words::number(open.len() as i64)
        )
    };
    let button = if count == 1 {
        "Send the request".to_owned()
    } else {
        format!("Send {}", words::count(count as i64, "request", "requests"))
    };
    let (needed, reason) = (!open.is_empty(), cart.reason.clone());
    let shortest = if needed { REASON_LEAST as u32 } else { 0 };
    let fields = vec![("key", cart.key.clone())];
    let hint = view! { {hint} }.into_any();
    view! {
        <form method="post" action="/request" class="fields">
            <Hidden fields=fields/>
            <TextArea name="reason" label="Why?" hint=hint required=needed shortest=shortest longest=TEXT_MOST as u32 value=reason/>
            <div class="btns"><Button look=Look::Primary>{button}</Button></div>
        </form>
    }
    .into_any()
}

fn one(line: &CartLine, cart: &Cart, wrong: &[String]) -> AnyView {
    let title = if line.mine {
        line.name.clone()
    } else {
        format!("{} for {}", line.name, line.whom.name)
    };
    let remove = format!("/request/lines/{}/remove", line.id);
    let away = format!("Remove {title}");
    let faults = (!wrong.is_empty()).then(|| {
        let lines = wrong.iter().map(|why| view! { <li>{why.clone()}</li> }).collect_view();
        view! { <Note tone=Tone::Bad title="To put right"><ul class="stack stack-1 list-disc ps-5">{lines}</ul></Note> }
    });
    let Some(form) = &line.form else {
        let why = line.closed.as_ref().map(refusals::sentence);
        return view! {
            <Card title=title><Body>
                <Note tone=Tone::Bad title="It is not possible as things are">{why}</Note>
                <div class="btns"><PostButton action=remove small=true look=Look::Quiet label=away>"Remove"</PostButton></div>
            </Body></Card>
        }
        .into_any();
    };
    let typed = typed(line, form);
    let notices = form
        .notices
        .iter()
        .map(|notice| say(notice, form))
        .collect_view();
    let change = format!("/request/lines/{}", line.id);
    let others = (line.mine && form.package.asking.for_others != ForOthers::Nobody).then(|| {
        let href = format!("/request/people?package={}", line.package);
        view! { <LinkButton href=href small=true look=Look::Quiet>"Ask for others, too"</LinkButton> }
    });
    let again = format!("Change {title}");
    let items = facts(line, form, &typed, cart);
    let deciders = parts::deciders(&form.package.stages);
    view! {
        <Card title=title><Body>
            {faults}{notices}
            <div class="two">
                <Facts items=items left=true/>
                <div class="stack"><h3 class="small dim">"Who decides"</h3>{deciders}</div>
            </div>
            <div class="bar wrap items-start">
                <LinkButton href=change small=true label=again>"Change"</LinkButton>
                <PostButton action=remove small=true look=Look::Quiet label=away>"Remove"</PostButton>
                {others}
            </div>
        </Body></Card>
    }
    .into_any()
}

fn facts(line: &CartLine, form: &RequestForm, typed: &Typed, cart: &Cart) -> Vec<Fact> {
    let now = cart.now;
    let mut ignored = LineFaults::default();
    let window: Window = typed.window(&mut ignored);
    let whom = if line.mine {
        "you".to_owned()
    } else {
        line.whom.name.clone()
    };
    let mut items = vec![fact("For", whom)];
    if ignored.count() == 0 {
        items.push(fact_view("How long", when::length(window, now)));
        if let Start::At(at) = window.start {
            items.push(fact_view(
                "From",
                view! { <Moment at=at now=now say=Say::Stamp/> },
            ));
        }
    }
    if let Some(seconds) = form.package.card.usual_seconds {
        items.push(fact("Usually ready", parts::usually(seconds)));
    }
    if let Some(left) = form.package.seats_left.filter(|left| *left > 0) {
        items.push(fact("Seats left", words::number(left)));
    }
    let open = open(form, typed);
    if open > 0 {
        let href = format!("/request/lines/{}", line.id);
        let said = words::count(open, "answer is needed", "answers are needed");
        items.push(fact_view(
            "Still to fill in",
            view! { <a class="link" href=href>{said}</a> },
        ));
    }
    if !typed.reason.trim().is_empty() {
        items.push(fact("Reason", typed.reason.clone()));
    }
    items
}

/// How many answers are needed and not given.
fn open(form: &RequestForm, typed: &Typed) -> i64 {
    let empty = |key: &str| {
        typed
            .answers
            .get(key)
            .is_none_or(|text| text.trim().is_empty())
    };
    let ticket = form.package.asking.ticket.as_ref();
    let missing = form
        .package
        .questions
        .iter()
        .filter(|question| question.required && empty(&question.key))
        .count()
        + usize::from(ticket.is_some_and(|ticket| ticket.required && empty(Ticket::KEY)));
    i64::try_from(missing).unwrap_or(i64::MAX)
}

//! What somebody should know before they decide: reason, what changes, how it compares, what else is held.

use chrono::Duration;
use domain::{
    grant::End,
    request::{Length, LineKind, Start},
};
use leptos::prelude::*;
use workflow::views::decision::{Compares, DecisionPage, Facts as Person, HeldBeside};

use super::{
    super::{
        parts::{self, when},
        said,
    },
    history,
};
use crate::{ui::*, words};

/// Who the person is, in a line: title, department, manager, place.
pub fn lead(person: &Person) -> String {
    let mut parts = Vec::new();
    match (person.job_title.as_str(), person.department.as_str()) {
        ("", "") => {}
        (one, "") | ("", one) => parts.push(one.to_owned()),
        (title, department) => parts.push(format!("{title}, {department}")),
    }
    if person.reports_to_me {
        parts.push("reports to you".into());
    } else if let Some(manager) = &person.manager {
        parts.push(format!("reports to {}", manager.name));
    }
    if !person.office.is_empty() {
        parts.push(person.office.clone());
    }
    if person.user_type == "guest" || !matches!(person.employee_type.as_str(), "" | "employee") {
        let kind = if person.user_type == "guest" {
            "guest"
        } else {
            person.employee_type.as_str()
        };
        parts.push(kind.to_owned());
    }
    parts.join(" · ")
}

/// The body of the page.
pub fn view(facts: &DecisionPage) -> impl IntoView + use<> {
    let answers = (!facts.answers.is_empty()).then(|| {
        let items = facts
            .answers
            .iter()
            .map(|answer| fact_view(&answer.ask, parts::answer(answer)))
            .collect();
        view! { <Facts items=items left=true/> }
    });
    view! {
        <div class="stack"><h2 class="sr">"Why"</h2><Quote words=facts.reason.clone()/></div>
        {answers}
        <div class="stack"><h2>"What changes"</h2><DeltaLines lines=changes(facts)/></div>
        {history::application(facts)}
        {notes(facts)}
        <div class="stack"><h2>"How it compares"</h2><Facts items=compares(facts)/></div>
    }
}

fn changes(facts: &DecisionPage) -> Vec<DeltaLine> {
    let now = facts.now;
    let mut lines = Vec::new();
    if let Some(extended) = facts.extends {
        let total = extended.total_seconds.map(|seconds| {
            let held = words::about(Duration::seconds(seconds));
            format!("held for {held} in all by then")
        });
        lines.push(match (extended.ended, extended.end) {
            (true, End::At(at)) => DeltaLine::same(
                view! { "it ended "{when::moment(at, now)}"; a yes starts a new one" }.into_any(),
            ),
            (true, End::Permanent) => {
                DeltaLine::same("it has ended meanwhile; a yes starts a new one")
            }
            (false, End::At(at)) => {
                DeltaLine::minus(view! { "ends "{when::moment(at, now)} }.into_any())
            }
            (false, End::Permanent) => DeltaLine::minus("ends never"),
        });
        let goes_on = when::for_length(facts.window, now);
        lines.push(DeltaLine::plus(view! { "goes on "{goes_on} }.into_any()));
        lines.extend(total.map(DeltaLine::same));
        lines.push(DeltaLine::same("no other rights than before"));
        return lines;
    }
    lines.extend(facts.opens.iter().map(DeltaLine::plus));
    for right in &facts.contents {
        let privileged = if right.privileged { ", privileged" } else { "" };
        let scope = right
            .control_scope
            .as_ref()
            .map(|scope| format!(", {scope}"))
            .unwrap_or_default();
        let what = match right.kind.as_str() {
            "portal_role" => "power over this portal, ".to_owned(),
            "app_role" => format!("role {} in {}, ", right.name, right.target),
            "licence" => format!("licence {} of {}, ", right.name, right.target),
            _ => format!("member of {} in {}, ", right.name, right.target),
        };
        let how_long = when::for_length(facts.window, now);
        lines.push(DeltaLine::plus(
            view! { {what}{how_long}{privileged}{scope} }.into_any(),
        ));
    }
    if let Start::At(at) = facts.window.start {
        lines.push(DeltaLine::same(
            view! { "begins "{when::moment(at, now)} }.into_any(),
        ));
    }
    lines.push(DeltaLine::same(match facts.window.length {
        Length::Permanent => "nothing else; it stays until somebody takes it away",
        Length::Seconds(_) | Length::Until(_) => {
            "nothing else; ends by itself, confirmed at the target"
        }
    }));
    lines
}

fn notes(facts: &DecisionPage) -> impl IntoView + use<> {
    let now = facts.now;
    let denied = facts.denied.as_ref().map(|vote| {
        let (by, note) = (vote.by.name.clone(), vote.note.clone());
        let title =
            view! { "Denied "{when::relative(vote.at, now)}" by "<bdi>{by}</bdi>"." }.into_any();
        view! { <Note tone=Tone::Wait title=title><span dir="auto">{note}</span></Note> }
    });
    let last_day = facts.beneficiary.last_day_at.map(|at| {
        let words = format!(
            "Their last day is {}; the access ends then at the latest.",
            words::day(at - Duration::seconds(1), now)
        );
        view! { <Note>{words}</Note> }
    });
    let capped = facts.cap_so_far.map(|cap| {
        let words = format!(
            "Somebody before you approved for at most {}. A yes gives no more than that.",
            said::seconds(cap)
        );
        view! { <Note tone=Tone::Work>{words}</Note> }
    });
    let blocked: Vec<String> = facts
        .contents
        .iter()
        .filter_map(|right| {
            right
                .unmanageable
                .as_ref()
                .map(|why| format!("{} cannot be set by the portal: {why}.", right.name))
        })
        .collect();
    let blocked = (!blocked.is_empty()).then(
        || view! { <Note tone=Tone::Bad title="It would not work now.">{blocked.join(" ")}</Note> },
    );
    view! { {denied}{capped}{last_day}{blocked} }
}

fn compares(facts: &DecisionPage) -> Vec<Fact> {
    let Compares {
        team,
        team_holding,
        team_names,
        team_longest_seconds,
        had,
        had_ended,
        others,
    } = &facts.compares;
    let mut items = Vec::new();
    if *team > 0 {
        let mut held = match team_holding {
            0 => format!("none of {team}"),
            holding => format!("{holding} of {team}"),
        };
        if let (1.., Some(longest)) = (team_holding, team_longest_seconds) {
            held += ", at most ";
            held += &said::seconds(*longest);
            held += " at a time";
        }
        if !team_names.is_empty() {
            held += ": ";
            held += &said::people(team_names, team_holding - team_names.len() as i64, "and");
        }
        items.push(fact("Held in the same team", held));
    }
    let mut times = match had {
        0 => "never in 12 months".to_owned(),
        1 => "once in 12 months".into(),
        2 => "twice in 12 months".into(),
        had => format!("{had} times in 12 months"),
    };
    for (reason, count) in had_ended {
        times += "; ";
        times += said::end_reason(*reason);
        if *count > 1 {
            times += " ";
            times += &words::count(*count, "time", "times");
        }
    }
    items.push(fact(
        if facts.kind == LineKind::Extension {
            "Had it"
        } else {
            "Had it before"
        },
        times,
    ));
    items.push(fact(
        "Others with it now",
        match others.count {
            0 => "nobody".to_owned(),
            _ => said::capped_count(*others, "person", "people"),
        },
    ));
    let usual = said::seconds(facts.limits.default_seconds);
    let longest = said::seconds(facts.limits.longest_seconds);
    items.push(fact(
        "Usual for this package",
        if usual == longest {
            usual
        } else {
            format!("{usual}, at most {longest}")
        },
    ));
    items
}

/// What the person holds besides.
pub fn beside(facts: &DecisionPage) -> impl IntoView + use<> {
    let held = facts.holds.clone();
    let now = facts.now;
    let name = facts.beneficiary.person.name.clone();
    let inner = if held.is_empty() {
        view! { <Body><p class="small dim">"Nothing else that the portal knows of."</p></Body> }
            .into_any()
    } else {
        let rows = held.into_iter().map(|one| row(one, now)).collect_view();
        view! { <Rows>{rows}</Rows> }.into_any()
    };
    let found = (!facts.found.is_empty()).then(|| {
        let rights = facts.found.join(", ");
        view! { <Body><p class="small" dir="auto">"They already hold this outside Latchkey: "{rights}", found at the target. A yes gives it an end of its own; what was found stays beside it."</p></Body> }
    });
    view! { <Card title=format!("{name} also holds")>{found}{inner}</Card> }
}

fn row(held: HeldBeside, now: domain::Timestamp) -> impl IntoView + use<> {
    let detail = match (held.found, held.end) {
        (true, _) => "had it before this portal; not approved here".into_any(),
        (false, end) => when::end(end, now),
    };
    let privileged = held.privileged.then(|| view! { <Tag words="privileged"/> });
    let scope = held.control_scope.map(|scope| view! { <Tag words=scope/> });
    view! { <Row title=held.name detail=detail>{privileged}{scope}</Row> }
}

/// What the decider signs off, in digits and in words.
pub fn signed(facts: &DecisionPage) -> impl IntoView + use<> {
    let answers = if facts.answers.is_empty() {
        ""
    } else {
        ", these answers"
    };
    let now = facts.now;
    let what = format!(": this person, this package in edition {}, ", facts.edition);
    let length = when::length(facts.window, now);
    let request = format!(
        ", this reason{answers}. Request {}, asked ",
        said::number(facts.number)
    );
    let (asked, lapses) = (
        when::relative(facts.submitted_at, now),
        when::relative(facts.lapse_at, now),
    );
    let (short, href) = (
        facts.to_sign_short.clone(),
        format!("/requests/{}", facts.request),
    );
    view! { <p class="small dimmer">"You sign off "<span class="mono">{short}</span>{what}{length}{request}{asked}"; it lapses "{lapses}". "<a class="link" href=href>"See the whole request"</a></p> }
}

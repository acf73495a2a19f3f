//! The rules that an ask breaks, and its risk with the parts of the sum.

use domain::risk::{Risk, RiskPart};
use leptos::prelude::*;
use workflow::views::decision::DecisionPage;

use crate::{
    pages::{duties, kit, parts::exception},
    ui::*,
    words,
};

/// The rules that it breaks, each with its exception as far as there is one. Nothing where none is broken.
pub fn rules(facts: &DecisionPage) -> Option<AnyView> {
    if facts.waits_since.is_some() {
        return Some(waits(facts));
    }
    if facts.checks.conflicts.is_empty() {
        return None;
    }
    let rows = facts
        .checks
        .conflicts
        .iter()
        .map(|clash| {
            let side = |what: &str, names: &[String]| {
                if names.is_empty() {
                    String::new()
                } else {
                    format!(" {what} on the other side: {}.", names.join(", "))
                }
            };
            let held = format!(
                "{}{}{}",
                clash.explain,
                side("Held", &clash.held),
                side("Asked for", &clash.asked)
            );
            let severity = clash.severity;
            let wanted = facts.wanted.iter().find(|one| one.rule == clash.rule);
            let end = if clash.covered {
                Some(view! { <Badge state=State::Approved words="excepted"/> }.into_any())
            } else {
                wanted.and_then(exception::link)
            };
            view! { <Row title=clash.name.clone() detail=held>{duties::severity(severity)}{end}</Row> }
        })
        .collect_view();
    let warning = facts.checks.stands_against().map(|_| {
        view! { <Note tone=Tone::Wait title="A yes waits for an exception">"After the last yes it waits, 14 days at most: the owner of the rule accepts an exception, then security confirms it, and in that moment it is given. If the exception is refused or does not come, nothing is given."</Note> }
    });
    let proposed = proposed(facts);
    Some(
        view! { <Card title="Breaks a rule"><Body>{warning}</Body><Rows>{rows}</Rows>{proposed}</Card> }
            .into_any(),
    )
}

/// How far the exceptions are that an uncovered rule wants, with what is proposed.
fn proposed(facts: &DecisionPage) -> AnyView {
    facts
        .wanted
        .iter()
        .map(|wanted| {
            let said = exception::said(wanted);
            let more = exception::facts(wanted, facts.now);
            view! { <Body><p class="small" dir="auto">{said}</p>{more}</Body> }.into_any()
        })
        .collect_view()
        .into_any()
}

/// What it waits for since all have said yes. Refreshes by itself.
fn waits(facts: &DecisionPage) -> AnyView {
    let rows = facts
        .wanted
        .iter()
        .map(|wanted| {
            let said = exception::sentence(wanted);
            let severity = wanted.severity;
            let link = exception::link(wanted);
            view! { <Row title=wanted.name.clone() detail=said>{duties::severity(severity)}{link}</Row> }
        })
        .collect_view();
    let until = facts.lapse_at;
    let said: Vec<String> = facts.wanted.iter().map(exception::sentence).collect();
    let version = kit::version(&said);
    let now = facts.now;
    view! {
        <Card title="Waits for an exception" live="waits" version=version>
            <Body><Note tone=Tone::Wait title="All have said yes">"It is given in the moment in which the exception is in force, after another look. Without that it lapses "<Moment at=until now=now say=Say::Moment/>"."</Note></Body>
            <Rows>{rows}</Rows>
        </Card>
    }
    .into_any()
}

/// The risk with its parts. Nothing where it has none.
pub fn card(facts: &DecisionPage) -> Option<AnyView> {
    let risk = &facts.checks.risk;
    if risk.parts.is_empty() {
        return None;
    }
    let items = self::facts(risk);
    let sum = format!("{} points", words::number(i64::from(risk.sum)));
    let aside = view! { <span class="small dim num">{sum}</span> }.into_any();
    Some(
        view! { <Card title="Risk" aside=aside><Body><Facts items=items/></Body></Card> }
            .into_any(),
    )
}

/// The parts of a sum, each with its points.
pub fn facts(risk: &Risk) -> Vec<Fact> {
    risk.parts
        .iter()
        .map(|one| fact(part(one.part), words::number(i64::from(one.points))))
        .collect()
}

/// One part of the sum in words.
pub const fn part(part: RiskPart) -> &'static str {
    match part {
        RiskPart::Level => "The package itself",
        RiskPart::Privileged => "A privileged right",
        RiskPart::ControlScope => "Under a control regime",
        RiskPart::Duration => "Without end, or for long",
        RiskPart::HolderType => "Not an employee",
        RiskPart::Outlier => "Few of the team hold it",
        RiskPart::Conflict => "Breaks a rule",
    }
}

//! The rules that an ask breaks, and its risk with the parts of the sum.

use domain::risk::{Risk, RiskPart};
use leptos::prelude::*;
use workflow::views::decision::DecisionPage;

use crate::{pages::duties, ui::*, words};

/// The rules that it breaks: without an exception nothing would be given. Nothing where none is broken.
pub fn rules(facts: &DecisionPage) -> Option<AnyView> {
    if facts.checks.conflicts.is_empty() {
        return None;
    }
    let person = facts.beneficiary.person.id;
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
            let end = if clash.covered {
                view! { <Badge state=State::Approved words="excepted"/> }.into_any()
            } else {
                let href = format!("/exceptions/new/{}/{person}", clash.rule);
                let label = format!("Propose an exception from {}", clash.name);
                view! { <LinkButton href=href small=true label=label>"Propose an exception"</LinkButton> }
                    .into_any()
            };
            view! { <Row title=clash.name.clone() detail=held>{duties::severity(severity)}{end}</Row> }
        })
        .collect_view();
    let warning = facts.checks.stands_against().map(|_| {
        view! { <Note tone=Tone::Bad title="A yes gives nothing yet">"It is given only if an exception covers it when the last yes falls. Without one, say no, or wait with your yes."</Note> }
    });
    Some(
        view! { <Card title="Breaks a rule"><Body>{warning}</Body><Rows>{rows}</Rows></Card> }
            .into_any(),
    )
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

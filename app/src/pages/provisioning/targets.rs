//! The targets: whether each answers, what waits for it, and the switch that holds it.

use domain::{Timestamp, assignment::Closed};
use leptos::prelude::*;
use workflow::views::provisioning::TargetView;

use super::{
    super::{kit, said},
    scans,
};
use crate::{ui::*, words};

/// One card for each target.
pub fn cards(targets: Vec<TargetView>, now: Timestamp, may_act: bool) -> impl IntoView {
    let cards = targets
        .into_iter()
        .map(|target| card(target, now, may_act, true))
        .collect_view();
    view! { <div class="tiles">{cards}</div> }
}

/// What a target speaks.
fn kind(kind: &str) -> &'static str {
    match kind {
        "graph" => "Entra ID",
        "scim" => "SCIM 2.0",
        "ldap" => "LDAP",
        "webhook" => "webhook",
        "manual" => "by hand",
        "portal" => "Latchkey itself",
        _ => "another",
    }
}

fn health(target: &TargetView, now: Timestamp) -> (State, AnyView) {
    if target.paused {
        (State::Attention, "paused".into_any())
    } else if target.closed == Some(Closed::Shadow) {
        (State::Plain, "not switched on".into_any())
    } else if let Some(at) = target.not_before.filter(|at| *at > now) {
        let goes_on = view! { "asked us to wait, goes on "<Moment at=at now=now/> };
        (State::SettingUp, goes_on.into_any())
    } else if target.closed == Some(Closed::Restored) {
        (State::Attention, "gives nothing".into_any())
    } else if target.problem.is_some() {
        (State::Attention, "in trouble".into_any())
    } else {
        (State::Ready, "answers".into_any())
    }
}

/// One target's card, with or without the way to the target's own page.
pub fn card(target: TargetView, now: Timestamp, may_act: bool, leads: bool) -> impl IntoView {
    let (state, said_health) = health(&target, now);
    let version = kit::version(&(
        target.paused,
        target.not_before,
        (target.problem.as_deref(), target.closed.map(Closed::as_str)),
        (
            target.due.count,
            target.settling.count,
            target.attention.count,
        ),
        target
            .scan
            .as_ref()
            .map(|scan| (scan.begun_at, scan.ended_at, scan.given, scan.vanished)),
    ));
    let badge = view! { <Badge state=state words=said_health/> }.into_any();
    let problem = target.problem.as_ref().map(|problem| {
        let since = target
            .problem_at
            .map(|at| view! { " Since "<Moment at=at now=now say=Say::Moment/>"." });
        // A target's name stays as it is written, at the beginning of a sentence as well.
        let words = problem.trim_end_matches('.');
        let words = if words.starts_with(&target.name) {
            words.to_owned()
        } else {
            words::sentence(words)
        };
        view! { <Note tone=Tone::Bad title="What is wrong">{words}"."{since}</Note> }
    });
    let mut facts = vec![
        fact("Kind", kind(&target.kind)),
        fact("To be sent", said::capped(target.due)),
        fact("Being confirmed", said::capped(target.settling)),
        fact("Need a person", said::capped(target.attention)),
    ];
    if let Some(oldest) = target.oldest {
        facts.push(fact_view(
            "The oldest waits",
            view! { <Moment at=oldest now=now say=Say::For/> },
        ));
    }
    if let Some(calls) = target.calls {
        let most = i64::try_from(calls.most).unwrap_or(i64::MAX);
        let under_way = i64::try_from(calls.under_way).unwrap_or(i64::MAX);
        facts.push(fact(
            "Calls under way",
            format!(
                "{} of at most {}",
                words::number(under_way),
                words::number(most)
            ),
        ));
    }
    facts.push(match target.succeeded_at {
        Some(at) => fact_view("Last answered", view! { <Moment at=at now=now/> }),
        None => fact("Last answered", "not yet"),
    });
    let scan_problem = target.scan.as_ref().and_then(scans::problem);
    if let Some(scan) = &target.scan {
        facts.extend(scans::facts(scan, now));
    }
    let href = format!("/provisioning/targets/{}", target.id);
    let more_words = if target.closed == Some(Closed::Shadow) {
        "What switching it on would change"
    } else {
        "What waits there"
    };
    let waits = format!("{more_words}: {}", target.name);
    let list = leads.then(|| {
        view! { <p class="at-head"><a class="link small" href=href aria-label=waits>{more_words}</a></p> }
            .into_any()
    });
    let scan = may_act.then(|| scans::button(&target)).flatten();
    let waiting = target.due.count + target.settling.count;
    let more = if target.due.more || target.settling.more {
        "+"
    } else {
        ""
    };
    let (live, changes) = (
        format!("target-{}", target.id),
        format!("{}{more}", words::count(waiting, "change", "changes")),
    );
    // The portal's own powers are never paused: an end counts in its own database at once.
    let act = (may_act && target.kind != "portal").then(|| {
        if target.paused {
            let (go, name) = (format!("{changes} go out at once, ends of access first."), format!("Resume {}", target.name));
            let action = format!("/provisioning/targets/{}/resume", target.id);
            view! {
                <Ask summary="Resume" look=Look::Primary>
                    <p>{go}</p>
                    <PostButton action=action look=Look::Primary>{name}</PostButton>
                </Ask>
            }
            .into_any()
        } else {
            let action = format!("/provisioning/targets/{}/pause", target.id);
            let field = format!("why-{}", target.id);
            let (wait, name) = (format!(". {changes} wait now."), format!("Pause {}", target.name));
            view! {
                <Ask summary="Pause" look=Look::Danger>
                    <form method="post" action=action class="stack stack-4">
                        <p>"Nothing is sent there until somebody resumes it: nobody gets access, and access that ends is "<b>"not removed"</b>{wait}</p>
                        <TextField name="why" id=field label="Why" hint="For the audit log." longest=500/>
                        <div class="btns"><Button look=Look::DangerSure>{name}</Button></div>
                    </form>
                </Ask>
            }
            .into_any()
        }
    });
    view! {
        <Card title=target.name.clone() aside=badge live=live version=version>
            <Body>{problem}{scan_problem}<Facts items=facts/>{list}{scan}{act}</Body>
        </Card>
    }
}

//! A request on paper: everything that was asked, decided and done, with its audit trail, tied to the log by a hash.

use domain::approval::Verdict;
use leptos::prelude::*;
use workflow::views::{
    Entry,
    request::{LineView, RequestEvidence, RequestPage},
};

use super::{said, timeline};
use crate::{refusals, spans, ui::*, words};

/// The sheet.
pub fn sheet(found: &RequestEvidence) -> impl IntoView + use<> {
    let page = &found.page;
    let number = said::number(page.number);
    let lines = page.lines.iter().map(|one| line(one, page)).collect_view();
    let (seq, hash) = found.head.clone();
    let lead = format!(
        "Everything recorded about this request, as it stood on {}.",
        words::exact(page.now)
    );
    let facts = vec![
        fact("Number", number.clone()),
        fact("Id", page.id.to_string()),
        fact("Asked by", page.asker.name.clone()),
        fact("Asked on", words::exact(page.at)),
    ];
    view! {
        <main class="main" id="main">
            <p class="no-print small"><a class="link" href=format!("/requests/{}", page.id)>"Back to the request"</a>" · Print this page with your browser."</p>
            <PageHead title=format!("Evidence of request {number}") lead=lead/>
            <Card title="Request"><Body><Facts left=true items=facts/></Body></Card>
            {lines}
            {trail(&found.trail)}
            <p class="small">"Head of the audit log when this was read: entry "<span class="mono">{seq.to_string()}</span>", hash "<span class="mono">{hash}</span>"."</p>
        </main>
    }
}

fn line(one: &LineView, page: &RequestPage) -> AnyView {
    let now = page.now;
    let mut items = vec![
        fact(
            "Package",
            format!("{}, edition {}", one.package.name, one.edition),
        ),
        fact("Application", one.package.app.name.clone()),
        fact("For", one.beneficiary.name.clone()),
        fact("Account", one.account.clone()),
        fact("Window asked for", said::window(one.window, now)),
        fact("Longest allowed", spans::span(one.longest_seconds)),
        fact("Reason", one.reason.clone()),
    ];
    items.extend(one.answers.iter().map(|answer| {
        fact(
            answer.ask.clone(),
            if answer.answer.is_empty() {
                "no answer".into()
            } else {
                answer.answer.clone()
            },
        )
    }));
    items.push(fact("Opens", refusals::sentences(&one.opens)));
    items.push(fact("Signed off", one.sign_off.clone()));
    let votes: Vec<Vec<AnyView>> = one
        .steps
        .iter()
        .filter_map(|step| match &step.what {
            workflow::views::request::What::Stage(stage) => Some(stage),
            _ => None,
        })
        .flat_map(|stage| {
            stage.votes.iter().map(|vote| {
                let verdict = match vote.verdict {
                    Verdict::Approve => "yes",
                    Verdict::Deny => "no",
                };
                let cap = vote
                    .cap_seconds
                    .map(|seconds| format!(", at most {}", spans::span(seconds)))
                    .unwrap_or_default();
                let fresh = vote
                    .fresh_at
                    .map(|at| format!(", signed in anew {}", words::stamp(at)))
                    .unwrap_or_default();
                vec![
                    cell(vote.by.name.clone()),
                    cell(format!(
                        "{} (step {})",
                        said::step(stage.rule, stage.group.as_deref()),
                        stage.position + 1
                    )),
                    cell(format!("as {}", said::via(vote.via))),
                    cell(format!("{verdict}{cap}{fresh}")),
                    cell(vote.note.clone()),
                    cell(words::stamp(vote.at)),
                ]
            })
        })
        .collect();
    let decided = if votes.is_empty() {
        view! { <Body><p>"Nobody has voted."</p></Body> }.into_any()
    } else {
        let columns = vec![
            column("Who"),
            column("Step"),
            column("Seat"),
            column("Vote"),
            column("Note"),
            column("When"),
        ];
        view! { <Table label="Votes" columns=columns rows=votes/> }.into_any()
    };
    let steps = timeline::on_paper(one, page);
    view! {
        <Card title="What was asked"><Body><Facts left=true items=items/></Body></Card>
        <Card title="Decisions">{decided}</Card>
        <Card title="What happened"><Body><Timeline steps=steps/></Body></Card>
        {operations(one)}
    }
    .into_any()
}

fn operations(one: &LineView) -> Option<AnyView> {
    let rows: Vec<Vec<AnyView>> = one
        .parts
        .iter()
        .flat_map(|part| {
            part.operations.iter().map(|call| {
                vec![
                    cell(part.entitlement.clone()),
                    cell(part.target.clone()),
                    cell(call.kind.clone()),
                    cell(call.status.map_or_else(
                        || call.outcome.clone(),
                        |status| format!("{} ({status})", call.outcome),
                    )),
                    cell(call.request_id.clone().unwrap_or_default()),
                    cell(words::stamp(call.at)),
                ]
            })
        })
        .collect();
    let columns = vec![
        column("Right"),
        column("Target"),
        column("Call"),
        column("Outcome"),
        column("Target\u{2019}s id"),
        column("When"),
    ];
    (!rows.is_empty()).then(|| view! { <Card title="Calls at the targets"><Table label="Calls at the targets" columns=columns rows=rows/></Card> }.into_any())
}

fn trail(entries: &[Entry]) -> AnyView {
    let rows = entries
        .iter()
        .map(|entry| {
            let who = entry
                .actor_name
                .as_ref()
                .map_or_else(|| said::actor(&entry.actor), |name| name.name.clone());
            let short: String = entry.hash.chars().take(16).collect();
            vec![
                cell_view(view! { <span class="mono">{entry.seq.to_string()}</span> }),
                cell(words::stamp(entry.at)),
                cell(said::event(&entry.kind)),
                cell(who),
                cell(entry.policy.clone().unwrap_or_default()),
                cell_view(view! { <span class="mono">{short}</span> }),
            ]
        })
        .collect();
    let columns = vec![
        column("Entry"),
        column("When"),
        column("What"),
        column("Who"),
        column("Policy"),
        column("Hash begins"),
    ];
    view! { <Card title="Audit trail"><Table label="Audit trail" columns=columns rows=rows/></Card> }.into_any()
}

//! After a restore from a backup: why nothing is given, what scans found at each target, and the word to go on.

use axum::response::Response;
use domain::Timestamp;
use leptos::prelude::*;
use serde::Deserialize;
use workflow::{
    restores::{self, Compared, Seen},
    views::restore::{Restore, RestoredTarget},
};

use super::super::kit;
use crate::{
    problem::Fault,
    ui::*,
    visit::{Visit, done},
    words,
};

/// What the page showed.
#[derive(Debug, Default, Deserialize)]
pub struct Shown {
    #[serde(default)]
    given: i64,
    #[serde(default)]
    missing: i64,
}

/// Lets the targets be written again.
pub async fn reconcile(
    visit: Visit,
    axum::Form(shown): axum::Form<Shown>,
) -> Result<Response, Fault> {
    let seen = Seen {
        given: shown.given,
        missing: shown.missing,
    };
    restores::go_on(visit.workflow(), &visit.viewer, seen).await?;
    Ok(done("/provisioning", "reconciled"))
}

/// The card, in a region that is there also while it is empty.
pub(super) fn card(restore: Option<Restore>, now: Timestamp) -> AnyView {
    let version = kit::version(&restore.as_ref().map(|restore| {
        let targets = &restore.targets;
        targets
            .iter()
            .map(|one| (one.id, words_of(one), one.given, one.missing, one.waiting))
            .collect::<Vec<_>>()
    }));
    let card = restore.map(|restore| whole(restore, now));
    view! { <Region name="restore" version=version>{card}</Region> }.into_any()
}

fn whole(restore: Restore, now: Timestamp) -> AnyView {
    let Restore {
        why,
        noted_at,
        targets,
        seen,
        may_go_on,
    } = restore;
    let noted =
        noted_at.map(|at| view! { "Noted "<Moment at=at now=now say=Say::Moment/>": "{why}"." });
    let waiting: i64 = targets.iter().map(|one| one.waiting).sum();
    let act = may_go_on.then(|| go_on(seen, waiting));
    let columns = vec![
        column("Target"),
        column("Compared"),
        numbers("Held, unknown here"),
        numbers("Missing there"),
        numbers("Waits to be given"),
    ];
    let rows = targets.into_iter().map(row).collect();
    view! {
        <Card title="The database was restored">
            <Body>
                <Note tone=Tone::Bad title="Nothing is given at these targets">
                    <p>"What was taken away since the backup would be given again. Access that ends is taken away as always. "{noted}</p>
                </Note>
                <p>
                    "Every target is scanned. What is held there and unknown here is a "<a class="link" href="/findings">"finding"</a>
                    "; what is missing there is left so, and waits under Needs attention. What a program cannot list, look at there. Then let the targets go on."
                </p>
            </Body>
            <Table label="Targets since the restore" columns=columns rows=rows/>
            {act}
        </Card>
    }
    .into_any()
}

fn go_on(seen: Seen, waiting: i64) -> AnyView {
    let fields = vec![
        ("given", seen.given.to_string()),
        ("missing", seen.missing.to_string()),
    ];
    let given = words::count(waiting, "right is", "rights are");
    let said = format!(
        "{given} given that waited. What was missing stays so until somebody tries it again. The audit log keeps what was found and who let it go on."
    );
    view! {
        <Body>
            <Ask summary="Let the targets go on" look=Look::Danger>
                <p>{said}</p>
                <PostButton action="/provisioning/restore/go-on" fields=fields look=Look::DangerSure>"Go on"</PostButton>
            </Ask>
        </Body>
    }
    .into_any()
}

fn row(one: RestoredTarget) -> Vec<AnyView> {
    let said = words_of(&one);
    let href = format!("/provisioning/targets/{}", one.id);
    vec![
        cell_view(view! { <a class="link" href=href dir="auto">{one.name}</a> }),
        cell(said),
        cell(words::number(one.given)),
        cell(words::number(one.missing)),
        cell(words::number(one.waiting)),
    ]
}

fn words_of(one: &RestoredTarget) -> String {
    match one.compared {
        Compared::Whole => "whole".to_owned(),
        Compared::ByHand => "no program can list it".into(),
        Compared::Scanning => "being scanned".into(),
        Compared::NotWhole if one.uncompared > 0 => format!(
            "not whole: {} left",
            words::count(one.uncompared, "right", "rights")
        ),
        Compared::NotWhole => "not whole: the scan could not be done".into(),
        Compared::Paused => "paused: it stays closed until it was scanned".into(),
    }
}

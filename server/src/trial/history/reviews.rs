//! Access reviews in the course of the year: one of privileged access that was signed off, and one that is running.

use chrono::Duration;
use domain::{
    CampaignId, PersonId,
    certification::{Answer, ItemState, Reasons, ReviewerRule, Scope, Silence, Suggestion},
};
use sandbox::company;
use workflow::reviews::{self, Draft, Template, Verdict};

use super::{Past, actors::Actors};

/// A review that somebody begins, and what follows.
#[derive(Debug)]
pub(super) struct Reviewed {
    maker: &'static str,
    name: &'static str,
    template: Template,
    /// Whose access; empty for everybody's.
    department: &'static str,
    silence: Silence,
    steps: &'static [(i64, Step)],
}

/// A step, so many minutes after the start.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Reviewers answer so many in a hundred of what is open.
    Answer(usize),
    /// Security closes it.
    Close(&'static str),
    /// Security signs it off.
    SignOff(&'static str),
}

const DAY: i64 = 24 * 60;

/// How long before today, and what.
pub(super) const REVIEWED: &[(Duration, Reviewed)] = &[
    (
        Duration::days(96),
        Reviewed {
            maker: "elin.berg",
            name: "Privileged access, summer",
            template: Template::Privileged,
            department: "",
            silence: Silence::Escalate,
            steps: &[
                (DAY, Step::Answer(60)),
                (3 * DAY, Step::Answer(100)),
                (5 * DAY, Step::Close("elin.berg")),
                (6 * DAY, Step::SignOff("tomas.ek")),
            ],
        },
    ),
    (
        Duration::days(4),
        Reviewed {
            maker: "elin.berg",
            name: "Autumn review: Orders",
            template: Template::Everything,
            department: "Orders",
            silence: Silence::Escalate,
            steps: &[(DAY, Step::Answer(25)), (3 * DAY, Step::Answer(15))],
        },
    ),
];

/// Begins one. Gives it with the steps that follow.
pub(super) async fn begin(
    past: &Past<'_>,
    actors: &Actors,
    reviewed: &Reviewed,
) -> workflow::Result<(CampaignId, &'static [(i64, Step)])> {
    let workflow = past.workflow;
    let maker = known(actors, reviewed.maker)?;
    let viewer = actors.viewer(workflow, maker).await?;
    let id = reviews::make(workflow, &viewer, reviewed.template).await?;
    let of = Draft::of(reviewed.template);
    let draft = Draft {
        name: reviewed.name.into(),
        silence: reviewed.silence,
        reviewers: if of.scope.privileged {
            ReviewerRule::PackageOwner
        } else {
            ReviewerRule::Manager
        },
        reasons: Reasons::Against,
        scope: Scope {
            department: reviewed.department.into(),
            ..of.scope.clone()
        },
        repeat_months: 0,
        ..of
    };
    reviews::save(workflow, &viewer, id, &draft).await?;
    reviews::start(workflow, &viewer, id).await?;
    Ok((id, reviewed.steps))
}

fn known(actors: &Actors, user: &str) -> workflow::Result<PersonId> {
    actors
        .person(company::user(user))
        .ok_or(workflow::Error::Missing)
}

/// Takes one step.
pub(super) async fn step(
    past: &Past<'_>,
    actors: &Actors,
    id: CampaignId,
    step: Step,
) -> workflow::Result<()> {
    let workflow = past.workflow;
    match step {
        Step::Answer(share) => answer(past, actors, id, share).await,
        Step::Close(user) => {
            let viewer = actors.viewer(workflow, known(actors, user)?).await?;
            reviews::close(workflow, &viewer, id).await.map(drop)
        }
        Step::SignOff(user) => {
            let viewer = actors.viewer(workflow, known(actors, user)?).await?;
            let note =
                "Drew ten items by hand, each with its request and the reading at the target";
            reviews::sign_off(workflow, &viewer, id, note, true).await
        }
    }
}

/// Everything stays, so that the rest of the year finds what it looks for.
async fn answer(
    past: &Past<'_>,
    actors: &Actors,
    id: CampaignId,
    share: usize,
) -> workflow::Result<()> {
    let workflow = past.workflow;
    let mut tx = workflow.store().read().await?;
    let state = Some(ItemState::Open);
    let open = tx.items_of_campaign(id, state, None, 2_000).await?;
    drop(tx);
    for (place, item) in open.iter().enumerate() {
        let Some(reviewer) = item
            .reviewer_id
            .filter(|_| place * 100 < share * open.len())
        else {
            continue;
        };
        let against = item.suggestion == Suggestion::Revoke;
        let verdict = Verdict {
            item: item.id,
            version: item.version,
            answer: Answer::Keep,
            until: None,
            reason: if against {
                "Stands in for the team, so others need it less".into()
            } else {
                String::new()
            },
        };
        let viewer = actors.viewer(workflow, reviewer).await?;
        match reviews::decide(workflow, &viewer, &verdict).await {
            Ok(()) | Err(workflow::Error::Refused(_) | workflow::Error::Missing) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

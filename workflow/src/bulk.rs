//! Deciding many at once: what is plain enough is ticked in the queue, and each is decided by itself, through the same
//! door as every other decision, with its own signed hash and its own outcome.

use domain::{Refusal, StageId, bulk::bulk_bar, policy::ApproverRule, refusal::BulkBar};

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    decide::{self, Vote, Way},
};

/// The most that are decided together: a page of the queue.
pub const MOST: usize = 30;

/// What became of one of several votes.
#[derive(Debug)]
pub struct Outcome {
    /// The stage.
    pub stage: StageId,
    /// Whether the vote counts, or why not.
    pub result: Result<()>,
}

/// Casts several votes, each in its own transaction: one that is refused or late does not stop the others.
pub async fn decide_together(
    workflow: &Workflow,
    viewer: &Viewer,
    votes: Vec<Vote>,
) -> Result<Vec<Outcome>> {
    if votes.len() > MOST {
        return Err(Refusal::TooMany { after_seconds: 0 }.into());
    }
    let stages: Vec<StageId> = votes.iter().map(|vote| vote.stage).collect();
    let rows = workflow.store().read().await?.ticked(&stages).await?;
    let first = stages
        .iter()
        .find_map(|stage| rows.iter().find(|row| row.stage_id == *stage));
    let Some(rule) = first.map(|row| row.approvers) else {
        return Err(Error::Missing);
    };
    let mut outcomes = Vec::with_capacity(votes.len());
    for vote in votes {
        let stage = vote.stage;
        let result = decide::by(workflow, viewer, vote, Way::Together(rule)).await;
        outcomes.push(Outcome { stage, result });
    }
    Ok(outcomes)
}

/// Why the line of a stage is not decided in a list, read in the transaction that decides.
pub(crate) async fn barred(
    unit: &mut Unit,
    stage: StageId,
    rule: ApproverRule,
) -> Result<Option<Refusal>> {
    let row = unit
        .tx
        .ticked(&[stage])
        .await?
        .pop()
        .ok_or(Error::Missing)?;
    Ok(bulk_bar(&row.ticked(), rule).map(|why: BulkBar| Refusal::NotInBulk { why }))
}

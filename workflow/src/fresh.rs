//! A fresh sign-in for one decision: a yes is kept exactly as it was typed, whoever gave it signs in once more, and the vote is
//! cast with that proof, in the same transaction in which the proof is used up. Only here a vote gets a proof.

use domain::{
    FreshId, Refusal, StageId, Timestamp,
    approval::Verdict,
    fresh::{self, Asked, Came},
    person::AccountKey,
    refusal::FreshBar,
};
use store::fresh::FreshRow;

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    decide::{self, Vote, Way},
};

/// A fresh sign-in that counts for one kept yes, until the transaction uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub id: FreshId,
    begun_at: Timestamp,
    signed_in_at: Timestamp,
}

impl Proof {
    /// Uses the proof up. Whoever comes second with it is too late.
    pub(crate) async fn counts(self, unit: &mut Unit) -> Result<()> {
        let now = unit.workflow().clock().system_now();
        if now >= self.begun_at + fresh::COUNTS_FOR {
            let why = FreshBar::Late;
            return Err(Refusal::NoFreshSignIn { why }.into());
        }
        if unit.tx.prove_fresh(self.id, self.signed_in_at, now).await? {
            Ok(())
        } else {
            Err(Error::Stale)
        }
    }
}

/// A yes that waits for a fresh sign-in, or that had one.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What was typed.
    pub vote: Vote,
    /// Which authentication context is asked for, if one is configured.
    pub context: Option<String>,
    /// Whether it may still be signed in for.
    pub waits: bool,
    /// What stood against it, once it was tried.
    pub refusals: Vec<Refusal>,
}

/// Who signed in, as a token says that was checked in full.
#[derive(Clone, Debug)]
pub struct SignedInAgain {
    /// Tenant and object id.
    pub account: AccountKey,
    /// When they last proved who they are.
    pub at: Option<Timestamp>,
    /// The authentication contexts that are satisfied.
    pub contexts: Vec<String>,
}

/// Keeps a yes that wants a fresh sign-in, if nothing else stands against it.
pub async fn keep(workflow: &Workflow, viewer: &Viewer, vote: &Vote) -> Result<FreshId> {
    let mut unit = workflow.unit().await?;
    let seated = decide::seated(&mut unit, viewer.id(), vote.stage, &[]).await?;
    let refusals = decide::faults(vote, &seated);
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals));
    }
    if !decide::wants_fresh(vote, &seated) {
        return Err(Error::internal("this vote wants no fresh sign-in"));
    }
    let row = FreshRow {
        id: unit.new_id(),
        stage_id: vote.stage,
        person_id: viewer.id(),
        account_id: viewer.account,
        cap_seconds: vote.cap_seconds,
        note: vote.note.trim().to_owned(),
        signed_hash: vote.signed_hash.clone(),
        context: workflow.settings().step_up.clone(),
        begun_at: workflow.clock().system_now(),
        signed_in_at: None,
        proven_at: None,
        refusals: None,
    };
    unit.tx.insert_fresh(&row).await?;
    unit.commit().await?;
    Ok(row.id)
}

/// What a person keeps under an id; for others there is no such thing.
pub async fn kept(workflow: &Workflow, viewer: &Viewer, id: FreshId) -> Result<Kept> {
    let row = own(workflow, viewer, id).await?;
    let now = workflow.clock().system_now();
    Ok(Kept {
        waits: row.proven_at.is_none()
            && row.refusals.is_none()
            && now < row.begun_at + fresh::COUNTS_FOR,
        refusals: said(&row)?,
        context: row.context.clone(),
        vote: vote(row),
    })
}

/// In which stage it waits; for whoever must lead somebody back whose session is over. Says nothing else.
pub async fn stage_of(workflow: &Workflow, id: FreshId) -> Result<StageId> {
    let mut tx = workflow.store().read().await?;
    let row = tx.fresh(id).await?.ok_or(Error::Missing)?;
    Ok(row.stage_id)
}

/// Casts what was kept, exactly as it was typed, if `signed_in` is a fresh sign-in of the same account for it. Gives what
/// stands against it; nothing if the vote counts. What has an outcome already keeps it.
pub async fn carry_out(
    workflow: &Workflow,
    viewer: &Viewer,
    id: FreshId,
    signed_in: &SignedInAgain,
) -> Result<Vec<Refusal>> {
    let row = own(workflow, viewer, id).await?;
    if row.proven_at.is_some() || row.refusals.is_some() {
        return said(&row);
    }
    let account = workflow
        .store()
        .read()
        .await?
        .account(viewer.account)
        .await?;
    let same_account = viewer.account == row.account_id
        && account.is_some_and(|account| account.into_domain().key == signed_in.account);
    let asked = Asked {
        begun_at: row.begun_at,
        context: row.context.as_deref(),
    };
    let came = Came {
        same_account,
        signed_in_at: signed_in.at,
        contexts: &signed_in.contexts,
    };
    let now = workflow.clock().system_now();
    if let Some(why) = fresh::bar(asked, came, now) {
        return give_up(workflow, id, why).await;
    }
    let Some(signed_in_at) = signed_in.at else {
        return give_up(workflow, id, FreshBar::NotFresh).await;
    };
    let proof = Proof {
        id,
        begun_at: row.begun_at,
        signed_in_at,
    };
    match decide::by(workflow, viewer, vote(row), Way::Fresh(proof)).await {
        Ok(()) => Ok(Vec::new()),
        Err(Error::Refused(refusals)) => settle(workflow, id, refusals).await,
        Err(error) => Err(error),
    }
}

/// Notes that no fresh sign-in came: what was typed is kept for its page, and can no longer be signed in for.
pub async fn give_up(workflow: &Workflow, id: FreshId, why: FreshBar) -> Result<Vec<Refusal>> {
    settle(workflow, id, vec![Refusal::NoFreshSignIn { why }]).await
}

async fn settle(workflow: &Workflow, id: FreshId, refusals: Vec<Refusal>) -> Result<Vec<Refusal>> {
    let text = serde_json::to_string(&refusals)?;
    let mut tx = workflow.store().begin().await?;
    tx.refuse_fresh(id, &text).await?;
    tx.commit().await?;
    Ok(refusals)
}

async fn own(workflow: &Workflow, viewer: &Viewer, id: FreshId) -> Result<FreshRow> {
    let mut tx = workflow.store().read().await?;
    let row = tx.fresh(id).await?.ok_or(Error::Missing)?;
    if row.person_id == viewer.id() {
        Ok(row)
    } else {
        Err(Error::Missing)
    }
}

fn said(row: &FreshRow) -> Result<Vec<Refusal>> {
    let refusals = row.refusals.as_deref().map(serde_json::from_str);
    Ok(refusals.transpose()?.unwrap_or_default())
}

fn vote(row: FreshRow) -> Vote {
    Vote {
        stage: row.stage_id,
        verdict: Verdict::Approve,
        note: row.note,
        cap_seconds: row.cap_seconds,
        signed_hash: row.signed_hash,
    }
}

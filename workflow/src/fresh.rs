//! A fresh sign-in for one thing that matters: a yes, a word about an exception, an edition of the catalogue, the kill switch. It
//! is kept exactly as it was typed, whoever does it signs in once more, and it is done with that proof, in the same
//! transaction in which the proof is used up. Only here something gets a proof.

use domain::{
    CatalogueVersionId, EntitlementId, ExceptionId, FreshId, PersonId, Refusal, Timestamp,
    approval::Verdict,
    fresh::{self, Asked, Came, FreshAct, Weight},
    person::AccountKey,
    policy::Policy,
    refusal::FreshBar,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{Tx, fresh::FreshRow};
use uuid::Uuid;

use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    catalogue,
    decide::{self, Vote, Way},
    exceptions::{self, Word},
    frozen::hex,
    kill_switch::{self, Holdings},
};

/// Something that may want a fresh sign-in, as it comes from a form.
#[derive(Clone, Debug)]
pub enum Act {
    /// A yes in a stage.
    Vote(Vote),
    /// Accepting or confirming an exception.
    Say {
        /// Which.
        exception: ExceptionId,
        /// Which of the two.
        word: Word,
        /// What goes with it.
        note: String,
    },
    /// Publishing an edition that waits.
    Publish(CatalogueVersionId),
    /// Stopping a person.
    Stop {
        /// Whom.
        person: PersonId,
        /// What becomes of what they hold.
        holdings: Holdings,
        /// Why.
        reason: String,
    },
}

impl From<Vote> for Act {
    fn from(vote: Vote) -> Self {
        Self::Vote(vote)
    }
}

/// Whether what is about these rights wants a fresh sign-in: one is privileged, or a package that gives one says so.
pub(crate) async fn weighs(tx: &mut Tx, rights: &[EntitlementId]) -> Result<bool> {
    let mut weight = Weight {
        privileged: tx.any_privileged(rights).await?,
        ..Weight::default()
    };
    for policy in tx.policies_giving(rights).await? {
        let policy: Policy = serde_json::from_str(&policy)?;
        weight.said |= policy.risk.step_up;
    }
    Ok(weight.wants_fresh())
}

/// What was signed in for, beside a yes: the act, the thing, and what the page showed of it.
pub(crate) fn shown(act: FreshAct, subject: Uuid, what: &str) -> String {
    hex(&Sha256::digest(format!("{act}:{subject}:{what}")))
}

/// A fresh sign-in that counts for one kept yes, until the transaction uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub id: FreshId,
    begun_at: Timestamp,
    signed_in_at: Timestamp,
}

impl Proof {
    /// Uses the proof up for anything but a yes, if it is for that.
    pub(crate) async fn counts_for(
        self,
        unit: &mut Unit,
        act: FreshAct,
        subject: Uuid,
        what: &str,
    ) -> Result<()> {
        let kept = unit.tx.fresh(self.id).await?.ok_or(Error::Missing)?;
        if kept.act != act || kept.subject_id != Some(subject) {
            return Err(Error::Missing);
        }
        if kept.signed_hash != shown(act, subject, what) {
            return Err(Refusal::Changed.into());
        }
        self.counts(unit).await
    }

    /// What was proven and when, by which context, for the log: never what proved it.
    pub(crate) async fn said(self, unit: &mut Unit) -> Result<Value> {
        let kept = unit.tx.fresh(self.id).await?.ok_or(Error::Missing)?;
        Ok(json!({"id": kept.id, "signed_in_at": kept.signed_in_at, "context": kept.context}))
    }

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

/// What waits for a fresh sign-in, or had one.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What was typed.
    pub act: Act,
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

/// Keeps what wants a fresh sign-in, if nothing else stands against it.
pub async fn keep(workflow: &Workflow, viewer: &Viewer, act: impl Into<Act>) -> Result<FreshId> {
    let act = act.into();
    let mut unit = workflow.unit().await?;
    let mut row = FreshRow {
        id: unit.new_id(),
        act: FreshAct::Decide,
        stage_id: None,
        subject_id: None,
        person_id: viewer.id(),
        account_id: viewer.account,
        cap_seconds: None,
        note: String::new(),
        signed_hash: String::new(),
        context: workflow.settings().step_up.clone(),
        begun_at: workflow.clock().system_now(),
        signed_in_at: None,
        proven_at: None,
        refusals: None,
    };
    let wants = match &act {
        Act::Vote(vote) => {
            let seated = decide::seated(&mut unit, viewer.id(), vote.stage, &[]).await?;
            let refusals = decide::faults(vote, &seated);
            if !refusals.is_empty() {
                return Err(Error::Refused(refusals));
            }
            row.stage_id = Some(vote.stage);
            row.cap_seconds = vote.cap_seconds;
            vote.note.trim().clone_into(&mut row.note);
            row.signed_hash.clone_from(&vote.signed_hash);
            decide::wants_fresh(vote, &seated)
        }
        Act::Say {
            exception,
            word,
            note,
        } => {
            note.trim().clone_into(&mut row.note);
            row.subject_id = Some(exception.0);
            let asked = exceptions::asked(&mut unit, viewer, *exception, *word, &row.note).await?;
            (row.act, row.signed_hash) = asked.ok_or_else(wants_none)?;
            unit.tx.wants_fresh(row.act, exception.0).await?
        }
        Act::Publish(id) => {
            row.act = FreshAct::Publish;
            row.subject_id = Some(id.0);
            row.signed_hash = catalogue::asked(&mut unit, viewer, *id).await?;
            unit.tx.wants_fresh(row.act, id.0).await?
        }
        Act::Stop {
            person,
            holdings,
            reason,
        } => {
            row.act = holdings.act();
            row.subject_id = Some(person.0);
            reason.trim().clone_into(&mut row.note);
            row.signed_hash = shown(row.act, person.0, &row.note);
            kill_switch::asked(&mut unit, viewer, *person, &row.note).await?
        }
    };
    if !wants {
        return Err(wants_none());
    }
    unit.tx.insert_fresh(&row).await?;
    unit.commit().await?;
    Ok(row.id)
}

fn wants_none() -> Error {
    Error::internal("this wants no fresh sign-in")
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
        act: act(row)?,
    })
}

/// What is kept under an id; for whoever must lead somebody back whose session is over, to the page of the thing.
pub async fn act_of(workflow: &Workflow, id: FreshId) -> Result<Act> {
    let mut tx = workflow.store().read().await?;
    act(tx.fresh(id).await?.ok_or(Error::Missing)?)
}

/// Does what was kept, exactly as it was typed, if `signed_in` is a fresh sign-in of the same account for it. Gives what
/// stands against it; nothing if it counts. What has an outcome already keeps it.
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
    let done = match act(row)? {
        Act::Vote(vote) => Box::pin(decide::by(workflow, viewer, vote, Way::Fresh(proof))).await,
        Act::Say {
            exception,
            word,
            note,
        } => {
            Box::pin(exceptions::by(
                workflow,
                viewer,
                exception,
                word,
                &note,
                Some(proof),
            ))
            .await
        }
        Act::Publish(id) => Box::pin(catalogue::by(workflow, viewer, id, Some(proof))).await,
        Act::Stop {
            person,
            holdings,
            reason,
        } => {
            Box::pin(kill_switch::by(
                workflow,
                viewer,
                person,
                holdings,
                &reason,
                Some(proof),
            ))
            .await
        }
    };
    match done {
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

fn act(row: FreshRow) -> Result<Act> {
    if let Some(stage) = row.stage_id {
        return Ok(Act::Vote(Vote {
            stage,
            verdict: Verdict::Approve,
            note: row.note,
            cap_seconds: row.cap_seconds,
            signed_hash: row.signed_hash,
        }));
    }
    let subject = row.subject_id.ok_or(Error::Missing)?;
    let say = |word, note| Act::Say {
        exception: subject.into(),
        word,
        note,
    };
    let stop = |holdings, reason| Act::Stop {
        person: subject.into(),
        holdings,
        reason,
    };
    Ok(match row.act {
        FreshAct::Decide => return Err(Error::Missing),
        FreshAct::Accept => say(Word::Accept, row.note),
        FreshAct::Confirm => say(Word::Confirm, row.note),
        FreshAct::Publish => Act::Publish(subject.into()),
        FreshAct::Stop => stop(Holdings::HeldBack, row.note),
        FreshAct::End => stop(Holdings::End, row.note),
    })
}

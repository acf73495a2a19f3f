//! The end of a campaign: closed, signed off by somebody other than its maker, and sealed by a hash over its report.

use std::{collections::BTreeMap, fmt::Write as _};

use domain::{
    CampaignId, ItemId, PersonId, Refusal, Timestamp,
    audit::{Actor, Event, EventKind},
    certification::{
        CampaignState, Cause, ItemState, Proof, SignOffBar, Tally, VoidCause, sign_off_bar,
        wants_sign_off,
    },
    person::PortalRole,
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Tx,
    certification::{CampaignItemRow, CampaignRow, StageAnswerRow},
    views::reviews::CoverageRow,
};

use super::{
    Listing, changed, due, listings, locked, must_be, scope_of, security, settled, stages,
    tally_of, text,
};
use crate::{
    Error, Result, Unit, Workflow,
    access::Viewer,
    frozen::hex,
    mail::{self, Mail},
    people::again,
};

/// How many items of a report are read at once.
const PAGE: i64 = 2_000;

/// Writes down that a campaign as a whole moved on.
pub(super) fn moved(
    unit: &mut Unit,
    row: &CampaignRow,
    to: CampaignState,
    actor: Actor,
    more: serde_json::Value,
) {
    let mut after = json!({"state": to});
    if let (Some(after), serde_json::Value::Object(more)) = (after.as_object_mut(), more) {
        after.extend(more);
    }
    unit.record(
        Event::new(EventKind::CampaignMoved, unit.now, actor)
            .about(row.id)
            .changing(json!({"state": row.state}), after),
    );
    changed(unit, row.id, None);
}

/// Closes a running campaign in which nothing is open: what was said no to takes effect now. A small one in which nothing was
/// privileged is over with that, its report is kept as it is.
pub(super) async fn finish(
    unit: &mut Unit,
    row: &CampaignRow,
    actor: Actor,
    cause: &str,
) -> Result<()> {
    let now = unit.now;
    unit.tx.enforce_all(row.id, now).await?;
    let (from, to) = (CampaignState::Running, CampaignState::Closed);
    if !unit.tx.end_campaign(row.id, from, to, now).await? {
        return Err(Error::Stale);
    }
    due::arm_effect(unit, row.id, now);
    let tally = tally_of(&mut unit.tx, row.id).await?;
    moved(
        unit,
        row,
        to,
        actor,
        json!({"cause": cause, "tally": tally}),
    );
    let small = unit.tx.small_review(row.id).await?;
    unit.tx.end_small_review(row.id, now).await?;
    if small.is_some_and(|small| !wants_sign_off(true, small.privileged)) {
        return Ok(());
    }
    let mail = Mail {
        kind: "review_closed",
        subject: format!("To be signed off: {}", row.name),
        text: format!(
            "“{}” has closed: {} of {} answered. What was said no to is being taken away; then somebody other than its maker signs it off.",
            row.name,
            tally.answered(),
            tally.population()
        ),
        path: format!("/reviews/{}", row.id),
    };
    for person in security(&mut unit.tx).await? {
        if Some(person) != row.made_by {
            mail::queue(unit, person, &format!("review_closed:{}", row.id), &mail);
        }
    }
    Ok(())
}

/// Ends the stage that is asked before its deadline, once everything in it has an answer; after the last one the campaign
/// closes. True if it has closed. For security.
pub async fn close(workflow: &Workflow, viewer: &Viewer, id: CampaignId) -> Result<bool> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Running)?;
        let open = tally_of(&mut unit.tx, id).await?.open;
        if open > 0 {
            return Err(Refusal::StillOpen { open }.into());
        }
        let actor = Actor::Person(viewer.id());
        let closed = stages::over(&mut unit, &row, actor, "everything was answered").await?;
        unit.commit().await?;
        Ok(closed)
    })
    .await
}

/// Gives a running campaign up, with a reason: what is open becomes void, and answers that have not taken effect never do.
/// For security.
pub async fn cancel(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    reason: &str,
) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Running)?;
        let reason = text("note", reason, true)?;
        let now = unit.now;
        loop {
            let state = Some(ItemState::Open);
            let open = unit.tx.items_of_campaign(id, state, None, 500).await?;
            if open.is_empty() {
                break;
            }
            let ids: Vec<ItemId> = open.iter().map(|item| item.id).collect();
            unit.tx.void_items(&ids, VoidCause::Cancelled, now).await?;
            for item in &open {
                let after = json!({"state": ItemState::Void, "cause": VoidCause::Cancelled});
                settled(&mut unit, item, "the campaign was given up", after);
            }
        }
        unit.cancel(&format!("review_enforce:{id}")).await?;
        let (from, to) = (CampaignState::Running, CampaignState::Cancelled);
        if !unit.tx.end_campaign(id, from, to, now).await? {
            return Err(Error::Stale);
        }
        unit.tx.end_small_review(id, now).await?;
        let actor = Actor::Person(viewer.id());
        moved(&mut unit, &row, to, actor, json!({"reason": reason}));
        unit.commit().await
    })
    .await
}

/// Reminds everybody who has something open, at most once a day by the same mail. Gives how many. For security.
pub async fn chase(workflow: &Workflow, viewer: &Viewer, id: CampaignId) -> Result<usize> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Running)?;
        let key = format!("review_chase:{id}:{}", unit.now.date_naive());
        let told = due::remind(&mut unit, &row, Actor::Person(viewer.id()), &key).await?;
        unit.commit().await?;
        Ok(told)
    })
    .await
}

/// Signs a closed campaign off and seals its report. For security, never its maker, and never who answered in what the portal
/// made. What is not covered, not reviewed or not confirmed yet must be acknowledged.
pub async fn sign_off(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    note: &str,
    acknowledged: bool,
) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Closed)?;
        let small = unit.tx.small_review(id).await?;
        if small.is_some_and(|small| !wants_sign_off(true, small.privileged)) {
            return Err(Refusal::WrongState {
                state: row.state.to_string(),
            }
            .into());
        }
        if let Some(why) = barred(&mut unit.tx, &viewer, &row).await? {
            return Err(Refusal::SignOffBarred { why }.into());
        }
        let note = text("note", note, false)?;
        let now = unit.now;
        let tally = tally_of(&mut unit.tx, id).await?;
        let enforced = unit.tx.enforcement(id, now).await?;
        let open = tally.open + enforced.waiting;
        if open > 0 {
            return Err(Refusal::StillOpen { open }.into());
        }
        let coverage = unit.tx.coverage_of(id).await?;
        let unseen = if row.second_look > 0 {
            unit.tx.looked(id, stages::look_of(&row)?).await?.stood
        } else {
            0
        };
        let listed = listings::of(&mut unit.tx, id).await?;
        if !acknowledged && must_acknowledge(&tally, enforced.pending, unseen, &coverage, &listed)
        {
            return Err(Refusal::NotAcknowledged.into());
        }
        unit.tx.prove_items(id).await?;
        let signed = CampaignRow {
            signed_by: Some(viewer.id()),
            signed_at: Some(now),
            sign_note: note.clone(),
            ..row.clone()
        };
        let hash = report_hash(&mut unit.tx, &signed).await?;
        if !unit
            .tx
            .sign_off_campaign(id, viewer.id(), now, &note, &hash)
            .await?
        {
            return Err(Error::Stale);
        }
        unit.record(
            Event::new(EventKind::CampaignSignedOff, now, Actor::Person(viewer.id()))
                .about(id)
                .changing(
                    json!({"state": row.state}),
                    json!({
                        "state": CampaignState::SignedOff, "report_hash": hash, "population": row.population,
                        "population_hash": row.population_hash, "tally": tally, "note": note, "acknowledged": acknowledged,
                        "not_covered": coverage.iter().filter(|one| one.listed_at.is_none()).map(|one| one.target_id).collect::<Vec<_>>(),
                    }),
                ),
        );
        changed(&mut unit, id, None);
        unit.commit().await
    })
    .await
}

/// What bars somebody from signing a campaign off.
pub(crate) async fn barred(
    tx: &mut Tx,
    viewer: &Viewer,
    row: &CampaignRow,
) -> Result<Option<SignOffBar>> {
    let runs_portal = viewer.roles.iter().copied().any(PortalRole::runs_portal);
    let answered = tx.answered_in(row.id, viewer.id()).await?;
    Ok(sign_off_bar(
        viewer.id(),
        runs_portal,
        row.made_by,
        answered,
    ))
}

/// Whether a sign-off has to take note of something: a target that was not listed whole and lately, what was found there that
/// nobody here gave, what nobody reviewed, what was drawn for a second look and nobody looked at, what the targets have not
/// confirmed.
pub(crate) fn must_acknowledge(
    tally: &Tally,
    pending: i64,
    unseen: i64,
    coverage: &[CoverageRow],
    listed: &[Listing],
) -> bool {
    let found = |one: &Listing| one.covered && one.found.is_some_and(|found| found > 0);
    tally.not_reviewed > 0
        || pending > 0
        || unseen > 0
        || coverage.iter().any(|one| one.listed_at.is_none())
        || listed.iter().any(found)
}

/// The first line of a report: the campaign, by ids. Complete enough to be checked without the database.
#[derive(Debug, Serialize)]
struct Head<'a> {
    campaign: CampaignId,
    number: i64,
    name: &'a str,
    scope: domain::certification::Scope,
    reviewers: domain::certification::ReviewerRule,
    silence: domain::certification::Silence,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_look: Option<serde_json::Value>,
    made_by: Option<PersonId>,
    started_by: Option<PersonId>,
    started_at: Option<Timestamp>,
    escalated_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    signed_by: Option<PersonId>,
    signed_at: Option<Timestamp>,
    note: &'a str,
    population: i64,
    population_hash: Option<&'a str>,
    tally: Tally,
    completion_percent: i64,
    targets: Vec<serde_json::Value>,
    // What was signed off before there were these is the same bytes still.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listings: Vec<Listing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Caused>,
    #[serde(skip_serializing_if = "is_zero")]
    late_removals: i64,
}

/// What made a small review.
#[derive(Debug, Serialize)]
struct Caused {
    cause: Cause,
    said: String,
    at: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands it by reference"
)]
const fn is_zero(count: &i64) -> bool {
    *count == 0
}

/// One line of a report: one item, by ids.
#[derive(Debug, Serialize)]
struct Line<'a> {
    item: ItemId,
    grant: domain::GrantId,
    person: PersonId,
    account: domain::AccountId,
    package: Option<domain::PackageId>,
    right: &'a str,
    source: domain::grant::GrantSource,
    privileged: bool,
    control_scope: Option<&'a str>,
    from: Timestamp,
    end: Option<Timestamp>,
    suggestion: domain::certification::Suggestion,
    reviewer: Option<PersonId>,
    via: Option<domain::certification::Via>,
    state: ItemState,
    answer: Option<domain::certification::Answer>,
    until: Option<Timestamp>,
    reason: &'a str,
    decided_by: Option<PersonId>,
    decided_at: Option<Timestamp>,
    together: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<StageLine<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stood: bool,
    void_cause: Option<VoidCause>,
    enforced_at: Option<Timestamp>,
    proof: Option<Proof>,
    confirmed_at: Option<Timestamp>,
}

/// What a stage that was over said of an item, by ids.
#[derive(Debug, Serialize)]
struct StageLine<'a> {
    stage: i64,
    reviewer: Option<PersonId>,
    via: Option<domain::certification::Via>,
    answer: Option<domain::certification::Answer>,
    until: Option<Timestamp>,
    reason: &'a str,
    by: Option<PersonId>,
    at: Timestamp,
    together: bool,
}

impl<'a> From<&'a StageAnswerRow> for StageLine<'a> {
    fn from(row: &'a StageAnswerRow) -> Self {
        Self {
            stage: row.stage,
            reviewer: row.reviewer_id,
            via: row.via,
            answer: row.answer,
            until: row.until_at,
            reason: &row.reason,
            by: row.by_id,
            at: row.at,
            together: row.together,
        }
    }
}

/// What the head says of the stages; none for a campaign of one.
fn staged(row: &CampaignRow) -> Result<Option<serde_json::Value>> {
    let stages = stages::of(row)?;
    Ok((stages.len() > 1).then(|| {
        let asked: Vec<_> = stages
            .iter()
            .map(|stage| json!({"reviewers": stage.rule, "named": stage.named, "days": stage.days}))
            .collect();
        json!({"asked": asked, "goes_on": row.passes})
    }))
}

/// What the head says of the second look; none where there was none.
async fn looked(tx: &mut Tx, row: &CampaignRow) -> Result<Option<serde_json::Value>> {
    if row.second_look == 0 {
        return Ok(None);
    }
    let stage = stages::look_of(row)?;
    let found = tx.looked(row.id, stage).await?;
    Ok(Some(json!({
        "percent": row.second_look, "stage": stage, "drawn": found.drawn, "done": found.done, "differed": found.differed,
        "stood": found.stood,
    })))
}

/// The first line of a campaign's report, as JSON with a line feed.
pub async fn report_head(tx: &mut Tx, row: &CampaignRow) -> Result<String> {
    let tally = tally_of(tx, row.id).await?;
    let listings = listings::of(tx, row.id).await?;
    let counts = listings::by_target(&listings);
    let event = tx.small_review(row.id).await?.map(|small| Caused {
        cause: small.cause,
        said: small.said,
        at: small.happened_at,
    });
    let (_, late_removals) = tx.late_told(row.id).await?;
    let targets = tx
        .coverage_of(row.id)
        .await?
        .into_iter()
        .map(|one| {
            let mut target = json!({
                "target": one.target_id, "rights": one.rights, "present": one.present, "oldest_read": one.oldest_read,
                "newest_read": one.newest_read, "listed_at": one.listed_at, "covered": one.listed_at.is_some(),
            });
            if let Some(counts) = counts.get(&one.target_id) {
                target["there_and_here"] = json!({
                    "rights": counts.rights, "unread": counts.unread, "listed": counts.listed, "believed": counts.believed,
                    "found": counts.found, "vanished": counts.vanished, "difference": counts.difference(),
                });
            }
            target
        })
        .collect();
    let head = Head {
        campaign: row.id,
        number: row.number,
        name: &row.name,
        scope: scope_of(row)?,
        reviewers: row.reviewers,
        silence: row.silence,
        stages: staged(row)?,
        second_look: looked(tx, row).await?,
        made_by: row.made_by,
        started_by: row.started_by,
        started_at: row.started_at,
        escalated_at: row.escalated_at,
        closed_at: row.closed_at,
        signed_by: row.signed_by,
        signed_at: row.signed_at,
        note: &row.sign_note,
        population: row.population,
        population_hash: row.population_hash.as_deref(),
        tally,
        completion_percent: tally.completion(),
        targets,
        listings,
        event,
        late_removals,
    };
    let mut text = serde_json::to_string(&head)?;
    text.push('\n');
    Ok(text)
}

/// The lines of items, each as JSON with a line feed.
pub async fn report_lines(tx: &mut Tx, items: &[CampaignItemRow]) -> Result<String> {
    let ids: Vec<ItemId> = items.iter().map(|item| item.id).collect();
    let mut said: BTreeMap<ItemId, Vec<StageAnswerRow>> = BTreeMap::new();
    for row in tx.stage_answers(&ids).await? {
        said.entry(row.item_id).or_default().push(row);
    }
    let mut text = String::new();
    for item in items {
        let said = said.get(&item.id).map_or(&[][..], Vec::as_slice);
        text.push_str(&report_line(item, said)?);
    }
    Ok(text)
}

fn report_line(item: &CampaignItemRow, said: &[StageAnswerRow]) -> Result<String> {
    let mut text = String::new();
    let line = Line {
        item: item.id,
        grant: item.grant_id,
        person: item.person_id,
        account: item.account_id,
        package: item.package_id,
        right: &item.right_name,
        source: item.source,
        privileged: item.privileged,
        control_scope: item.control_scope.as_deref(),
        from: item.valid_from,
        end: item.end_at,
        suggestion: item.suggestion,
        reviewer: item.reviewer_id,
        via: item.via,
        state: item.state,
        answer: item.answer,
        until: item.until_at,
        reason: &item.reason,
        decided_by: item.decided_by,
        decided_at: item.decided_at,
        together: item.together,
        stages: said.iter().map(StageLine::from).collect(),
        stood: item.stood,
        void_cause: item.void_cause,
        enforced_at: item.enforced_at,
        proof: item.proof,
        confirmed_at: item.proof_at,
    };
    writeln!(text, "{}", serde_json::to_string(&line)?).map_err(|_| Error::internal("no room"))?;
    Ok(text)
}

/// The SHA-256 (hex) of a campaign's whole report, as it is sealed.
pub async fn report_hash(tx: &mut Tx, row: &CampaignRow) -> Result<String> {
    let mut hasher = Sha256::new();
    hasher.update(report_head(tx, row).await?);
    let mut after = None;
    loop {
        let items = tx.items_of_campaign(row.id, None, after, PAGE).await?;
        let Some(last) = items.last() else { break };
        after = Some(last.id);
        hasher.update(report_lines(tx, &items).await?);
    }
    Ok(hex(&hasher.finalize()))
}

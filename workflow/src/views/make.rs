//! From wide rows to what pages show.

use std::collections::BTreeMap;

use domain::{
    GrantId, LineId, StageId, Timestamp,
    approval::Verdict,
    assignment::{Closed, Observed, Phase, Step},
    grant::{End, EndReason, GrantSource, GrantState, Health, Part, health},
    request::{LineKind, LineState},
};
use store::{
    Tx,
    holding::MarkRow,
    views::{
        approvals::QueueRow,
        catalog::{AppRow, ContentsRow},
        grants::{HeldPartRow, HeldRow},
        lines::{ItemRow, NamedSeatRow},
        request::NamedVoteRow,
    },
};

use super::{
    AppTag, AtTarget, Deciders, EntitlementTag, GrantOver, HeldBack, HeldGrant, Marks, PackageTag,
    PersonTag, Standing, StandingWord, Vote, Why, approvals::QueueItem, requests::RequestItem,
    sight::sees_target,
};
use crate::{Result, access::Viewer, assignments::Problem};

/// How many names of an open stage a list shows.
const NAMES: i64 = 3;

/// The application of a row that carries its columns.
macro_rules! app_tag {
    ($row:expr) => {
        $crate::views::AppTag {
            id: $row.app_id,
            key: $row.app_key.clone(),
            name: $row.app_name.clone(),
            initials: $row.app_initials.clone(),
            tint: $row.app_tint.clone(),
            url: $row.app_url.clone(),
        }
    };
}
/// The package of a row that carries its and its application's columns.
macro_rules! package_tag {
    ($row:expr) => {
        $crate::views::PackageTag {
            id: $row.package_id,
            name: $row.package_name.clone(),
            app: $crate::views::make::app_tag!($row),
            privileged: $row.privileged,
        }
    };
}
pub(super) use {app_tag, package_tag};

impl From<AppRow> for AppTag {
    fn from(row: AppRow) -> Self {
        Self {
            id: row.id,
            key: row.key,
            name: row.name,
            initials: row.initials,
            tint: row.tint,
            url: row.url,
        }
    }
}

impl From<ContentsRow> for EntitlementTag {
    fn from(row: ContentsRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            summary: row.summary,
            kind: row.kind,
            target: row.target_name,
            privileged: row.privileged,
            control_scope: row.control_scope,
            effective_within_seconds: row.effective_within_seconds,
            unmanageable: (!row.manageable).then(|| row.unmanageable_reason.unwrap_or_default()),
            at_target: None,
        }
    }
}

impl EntitlementTag {
    /// For people: `whole` with the target's own words.
    fn held(row: HeldPartRow, whole: bool) -> Self {
        let closed = waits_for(&row);
        let at_target = match (row.assignment_id, row.desired, row.observed, row.phase) {
            (Some(assignment), Some(desired), Some(observed), Some(phase)) => Some(AtTarget {
                assignment,
                desired,
                observed,
                observed_at: row.observed_at,
                phase,
                problem: row
                    .problem
                    .as_deref()
                    .filter(|_| whole)
                    .and_then(Problem::read),
                closed,
            }),
            _ => None,
        };
        Self {
            id: row.entitlement_id,
            name: row.name,
            summary: row.summary,
            kind: row.kind,
            target: row.target_name,
            privileged: row.privileged,
            control_scope: row.control_scope,
            effective_within_seconds: row.effective_within_seconds,
            unmanageable: (!row.manageable).then(|| row.unmanageable_reason.unwrap_or_default()),
            at_target,
        }
    }
}

impl From<NamedVoteRow> for Vote {
    fn from(row: NamedVoteRow) -> Self {
        Self {
            by: PersonTag::new(row.decider_id, row.name),
            behalf: row
                .for_id
                .map(|id| PersonTag::new(id, row.for_name.unwrap_or_default())),
            via: row.via,
            verdict: row.verdict,
            note: row.note,
            cap_seconds: row.cap_seconds,
            at: row.decided_at,
            fresh_at: row.fresh_at,
        }
    }
}

impl From<QueueRow> for QueueItem {
    fn from(row: QueueRow) -> Self {
        Self {
            stage: row.stage_id,
            line: row.line_id,
            request: row.request_id,
            number: row.number,
            kind: row.kind,
            asker: PersonTag::new(row.asker_id, row.asker_name.clone()),
            beneficiary: PersonTag::new(row.beneficiary_id, row.beneficiary_name.clone()),
            package: package_tag!(row),
            window: row.window(),
            since: row.opened_at,
            lapse_at: row.lapse_at,
            asked_back: row.asked_back_at.is_some(),
            tick: None,
            rule: row.approvers,
            via: row.via,
            reason: row.reason,
        }
    }
}

/// What an edition opens, line by line: a JSON list, or plain lines.
pub(super) fn opens(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(ToOwned::to_owned)
            .collect()
    })
}

/// The parts of a grant as health wants them. A right without an assignment has nothing confirmed.
fn parts_of(rows: &[&HeldPartRow]) -> Vec<Part> {
    rows.iter()
        .map(|row| Part {
            desired: row.desired.unwrap_or(false),
            observed: row.observed.unwrap_or(Observed::Unknown),
            attention: row.phase == Some(Phase::Attention),
        })
        .collect()
}

/// A grant's health. What was confirmed as gone stays gone, whoever is given the same right afterwards.
pub(super) fn health_of(
    state: GrantState,
    gone_at: Option<Timestamp>,
    rows: &[&HeldPartRow],
) -> Health {
    if gone_at.is_some() {
        return Health::Gone;
    }
    if rows.is_empty() && state == GrantState::Active {
        return Health::BeingSetUp;
    }
    health(state, &parts_of(rows))
}

/// Why what a grant still wants changed at a target waits, if it does.
pub(super) fn closed_of(rows: &[&HeldPartRow]) -> Option<Closed> {
    rows.iter().find_map(|row| waits_for(row))
}

/// Why a right that is not as it should be is left so for now.
fn waits_for(row: &HeldPartRow) -> Option<Closed> {
    let step = match (row.desired?, row.observed?) {
        (true, Observed::Absent | Observed::Unknown) => Step::Add,
        (false, Observed::Present | Observed::Unknown) => Step::Remove,
        (true, Observed::Present) | (false, Observed::Absent) => Step::Rest,
    };
    row.closed.filter(|closed| closed.keeps(step))
}

/// By grant.
pub(super) fn by_grant(rows: &[HeldPartRow]) -> BTreeMap<GrantId, Vec<&HeldPartRow>> {
    let mut map: BTreeMap<GrantId, Vec<&HeldPartRow>> = BTreeMap::new();
    for row in rows {
        map.entry(row.grant_id).or_default().push(row);
    }
    map
}

/// By stage.
pub(super) fn deciders(row: &ItemRow, seats: &[NamedSeatRow]) -> Option<Deciders> {
    let own: Vec<&NamedSeatRow> = seats
        .iter()
        .filter(|seat| Some(seat.stage_id) == row.stage_id)
        .collect();
    let who: Vec<PersonTag> = own
        .iter()
        .map(|seat| PersonTag::new(seat.person_id, seat.name.clone()))
        .collect();
    let seated = own.first().map_or(0, |seat| seat.seated);
    Some(Deciders {
        rule: row.stage_approvers?,
        more: seated - i64::try_from(who.len()).unwrap_or(0),
        who,
        needed: row.stage_needed?,
        fallback: row.stage_fallback?,
        by_subordinates: row.stage_by_subordinates?,
        stuck: row.stage_stuck?,
        since: row.stage_opened_at.unwrap_or(row.submitted_at),
    })
}

/// What standing needs to know of a grant.
pub(super) struct GrantFacts<'a> {
    pub state: GrantState,
    pub from: Timestamp,
    pub end: End,
    pub ready_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub gone_at: Option<Timestamp>,
    pub parts: Vec<&'a HeldPartRow>,
}

/// Where a line stands, in one word.
pub(super) fn standing(
    state: LineState,
    kind: LineKind,
    submitted_at: Timestamp,
    (waits_since, ended_at): (Option<Timestamp>, Option<Timestamp>),
    next: Option<Deciders>,
    grant: Option<GrantFacts<'_>>,
) -> Standing {
    let over = ended_at.unwrap_or(submitted_at);
    let plain = |word, since| Standing {
        word,
        since,
        next: None,
        end: None,
    };
    match (state, grant) {
        (LineState::AwaitingApproval, _) => match waits_since {
            Some(since) => plain(StandingWord::WaitsForException, since),
            None => Standing {
                word: if next.as_ref().is_some_and(|next| next.stuck) {
                    StandingWord::Stuck
                } else {
                    StandingWord::Waiting
                },
                since: next.as_ref().map_or(submitted_at, |next| next.since),
                next,
                end: None,
            },
        },
        (LineState::Denied, _) => plain(StandingWord::Denied, over),
        (LineState::Cancelled, _) => plain(StandingWord::Cancelled, over),
        (LineState::Lapsed, _) => plain(StandingWord::Lapsed, over),
        (LineState::Superseded, _) => plain(StandingWord::Superseded, over),
        (LineState::Withdrawn, _) => plain(StandingWord::Withdrawn, over),
        (LineState::Approved, None) if kind == LineKind::Extension => {
            plain(StandingWord::Extended, over)
        }
        (LineState::Approved, None) => plain(StandingWord::NothingGiven, over),
        (LineState::Approved, Some(grant)) => {
            let ended = grant.ended_at.unwrap_or(over);
            let health = health_of(grant.state, grant.gone_at, &grant.parts);
            let closed = closed_of(&grant.parts);
            let (word, since) = match health {
                Health::BeingSetUp if closed == Some(Closed::Shadow) => {
                    (StandingWord::NotSwitchedOn, grant.from)
                }
                Health::BeingSetUp if closed == Some(Closed::Restored) => {
                    (StandingWord::AfterRestore, grant.from)
                }
                Health::BeingRemoved if closed == Some(Closed::Shadow) => {
                    (StandingWord::NotSwitchedOn, ended)
                }
                Health::Scheduled => (StandingWord::Scheduled, over),
                Health::BeingSetUp => (StandingWord::BeingSetUp, grant.from),
                Health::Ready => (StandingWord::Ready, grant.ready_at.unwrap_or(grant.from)),
                Health::Suspended => (StandingWord::Suspended, grant.from),
                Health::Attention => (StandingWord::Attention, grant.from),
                Health::BeingRemoved => (StandingWord::BeingRemoved, ended),
                Health::Gone => (StandingWord::Ended, ended),
                Health::StillHeld => (StandingWord::StillHeld, ended),
            };
            Standing {
                word,
                since,
                next: None,
                end: Some(grant.end),
            }
        }
    }
}

/// Lines for a list: their deciders by name, their targets and who said no, in three more statements for the whole list.
pub(super) async fn items(tx: &mut Tx, rows: Vec<ItemRow>) -> Result<Vec<RequestItem>> {
    let stages: Vec<StageId> = rows.iter().filter_map(|row| row.stage_id).collect();
    let seats = tx.named_seats(&stages, NAMES).await?;
    // What is confirmed as gone needs no look at the targets.
    let grants: Vec<GrantId> = rows
        .iter()
        .filter(|row| row.grant_gone_at.is_none())
        .filter_map(|row| row.grant_id)
        .collect();
    let parts = tx.held_parts(&grants).await?;
    let parts = by_grant(&parts);
    let denied: Vec<LineId> = rows
        .iter()
        .filter(|row| row.state == LineState::Denied)
        .map(|row| row.id)
        .collect();
    let mut denials = tx.named_votes(&denied).await?;
    denials.retain(|vote| vote.verdict == Verdict::Deny);
    Ok(rows
        .into_iter()
        .map(|row| {
            let grant = match (row.grant_state, row.grant_from) {
                (Some(state), Some(from)) => Some(GrantFacts {
                    state,
                    from,
                    end: row.grant_end.map_or(End::Permanent, End::At),
                    ready_at: row.grant_ready_at,
                    ended_at: row.grant_ended_at,
                    gone_at: row.grant_gone_at,
                    parts: row
                        .grant_id
                        .and_then(|id| parts.get(&id).cloned())
                        .unwrap_or_default(),
                }),
                _ => None,
            };
            let next = deciders(&row, &seats);
            let denied_by = denials
                .iter()
                .find(|vote| vote.line_id == row.id)
                .map(|vote| PersonTag::new(vote.decider_id, vote.name.clone()));
            RequestItem {
                request: row.request_id,
                line: row.id,
                number: row.number,
                kind: row.kind,
                package: package_tag!(row),
                asker: PersonTag::new(row.asker_id, row.asker_name.clone()),
                beneficiary: PersonTag::new(row.beneficiary_id, row.beneficiary_name.clone()),
                window: row.window(),
                submitted_at: row.submitted_at,
                standing: standing(
                    row.state,
                    row.kind,
                    row.submitted_at,
                    (row.waits_since, row.ended_at),
                    next,
                    grant,
                ),
                denied_by,
                grant: row.grant_id,
                reason: row.reason,
            }
        })
        .collect())
}

/// Grants for a list: their parts and approvers, in two more statements for the whole list.
pub(super) async fn held(
    tx: &mut Tx,
    viewer: &Viewer,
    rows: Vec<HeldRow>,
) -> Result<Vec<HeldGrant>> {
    let ids: Vec<GrantId> = rows.iter().map(|row| row.id).collect();
    let lines: Vec<LineId> = rows.iter().filter_map(|row| row.line_id).collect();
    let parts = tx.held_parts(&ids).await?;
    let approvers = tx.approvers_of(&lines).await?;
    let marks: BTreeMap<GrantId, MarkRow> = tx
        .marks_of_grants(&ids)
        .await?
        .into_iter()
        .map(|mark| (mark.grant_id, mark))
        .collect();
    let parts = by_grant(&parts);
    Ok(rows
        .into_iter()
        .map(|row| {
            let own = parts.get(&row.id).cloned().unwrap_or_default();
            let yes = approvers
                .iter()
                .filter(|vote| Some(vote.line_id) == row.line_id)
                .map(|vote| PersonTag::new(vote.person_id, vote.name.clone()))
                .collect();
            let mark = marks.get(&row.id);
            one_held(viewer, row, &own, yes, mark)
        })
        .collect())
}

fn one_held(
    viewer: &Viewer,
    row: HeldRow,
    parts: &[&HeldPartRow],
    approvers: Vec<PersonTag>,
    mark: Option<&MarkRow>,
) -> HeldGrant {
    let health = health_of(row.state, row.gone_at, parts);
    let end = row.end();
    let package = match (row.package_id, row.package_name.as_ref(), row.app_id) {
        (Some(id), Some(name), Some(app)) => Some(PackageTag {
            id,
            name: name.clone(),
            app: AppTag {
                id: app,
                key: row.app_key.unwrap_or_default(),
                name: row.app_name.unwrap_or_default(),
                initials: row.app_initials.unwrap_or_default(),
                tint: row.app_tint.unwrap_or_default(),
                url: row.app_url.unwrap_or_default(),
            },
            privileged: row.privileged.unwrap_or(false),
        }),
        _ => None,
    };
    let why = match (row.request_id, row.number) {
        (Some(request), Some(number)) => Some(Why {
            request,
            number,
            reason: row.reason.unwrap_or_default(),
            asker: row
                .asker_id
                .filter(|asker| *asker != row.person_id)
                .map(|asker| PersonTag::new(asker, row.asker_name.unwrap_or_default())),
            approvers,
        }),
        _ => None,
    };
    let over = match (row.ended_at, row.end_reason) {
        (Some(at), Some(reason)) => Some(GrantOver {
            at,
            reason,
            by: row
                .ended_by
                .map(|by| PersonTag::new(by, row.ended_by_name.unwrap_or_default())),
            note: row.end_note,
            gone_at: row.gone_at,
        }),
        _ => None,
    };
    let mine = row.person_id == viewer.id() && row.state != GrantState::Ended;
    let timed = row.package_id.is_some() && end != End::Permanent;
    let held_back = row.state == GrantState::Suspended;
    let marks = Marks {
        held_back: mark.filter(|_| held_back).and_then(|mark| {
            Some(HeldBack {
                at: mark.suspended_at?,
                by: mark.suspended_by.map(|by| {
                    PersonTag::new(by, mark.suspended_by_name.clone().unwrap_or_default())
                }),
                note: mark.suspend_note.clone().unwrap_or_default(),
                cause: mark.suspend_cause?,
            })
        }),
        not_renewed: mark.is_some_and(|mark| mark.not_renewed_at.is_some()),
        moved: mark.is_some_and(|mark| mark.end_cause == Some(EndReason::Mover)),
        may_set_renewal: mine && timed,
        ..Marks::default()
    };
    HeldGrant {
        id: row.id,
        name: row.package_name.unwrap_or_else(|| {
            parts
                .first()
                .map_or_else(String::new, |part| part.name.clone())
        }),
        package,
        source: row.source,
        from: row.valid_from,
        end,
        health,
        ready_at: row.ready_at,
        over,
        why,
        parts: parts
            .iter()
            .map(|part| EntitlementTag::held((*part).clone(), sees_target(viewer)))
            .collect(),
        extension: row.extension,
        may_extend: mine
            && row.offered == Some(true)
            && timed
            && !held_back
            && row.source != GrantSource::BreakGlass,
        may_give_back: mine && row.source != GrantSource::Import,
        marks,
    }
}

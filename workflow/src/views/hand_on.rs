//! The page on which somebody seated looks for a colleague to hand their decision on to.

use domain::{
    PersonId, StageId, Timestamp,
    approval::{Seating, StageState, Verdict, seat},
    hand_on::take_over_bar,
    person::PersonState,
    policy::{Policy, StageRule},
    refusal::TakeOverBar,
    request::{LineKind, LineState},
};
use serde::Serialize;
use store::people::{PeopleQuery, PersonRow};

use super::{PersonTag, line, seating::Bench};
use crate::{Error, Result, Workflow, access::Viewer, fold::fold, people, route};

/// The most people that are shown.
const MOST: i64 = 12;

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HandOnPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// The stage.
    pub stage: StageId,
    /// The short number (`AR-1042`).
    pub number: i64,
    /// Something new or more time.
    pub kind: LineKind,
    /// Who asked.
    pub asker: PersonTag,
    /// For whom.
    pub beneficiary: PersonTag,
    /// What is asked for, by name.
    pub package: String,
    /// What was looked for, trimmed.
    pub find: String,
    /// Who was found, at most twelve.
    pub found: Vec<Colleague>,
    /// Whether there are more than that.
    pub more: bool,
}

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Colleague {
    /// Who.
    pub person: PersonTag,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
    /// Why they may not take it over, exactly as handing on would refuse it; none if they may.
    pub bar: Option<TakeOverBar>,
}

/// Looks for colleagues by name. For those seated in the open stage who have not voted; for anybody else there is no such
/// page. `chosen` is shown as well, whatever is looked for.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    stage: StageId,
    find: &str,
    chosen: Option<PersonId>,
) -> Result<HandOnPage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx.full_line_of_stage(stage).await?.ok_or(Error::Missing)?;
    let stages = tx.stages_of(&[row.id]).await?;
    let votes = tx.named_votes(&[row.id]).await?;
    let current = stages
        .iter()
        .find(|one| one.id == stage)
        .filter(|one| one.state == StageState::Open && row.state == LineState::AwaitingApproval)
        .ok_or(Error::Missing)?;
    let voted = |person: PersonId| {
        votes
            .iter()
            .any(|vote| vote.stage_id == stage && vote.decider_id == person)
    };
    let policy: Policy = serde_json::from_str(&row.policy)?;
    let rule: StageRule = serde_json::from_str(&current.rule)?;
    let beneficiary = tx
        .person(row.beneficiary_id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    let route = std::slice::from_ref(&rule);
    let bench = Bench::load(
        &mut tx,
        now,
        row.asker_id,
        &beneficiary,
        row.package_id,
        route,
    )
    .await?;
    let mut facts = bench.facts(&line::earlier(&row, &policy, &stages, &votes, stage));
    facts.said_yes = votes
        .iter()
        .filter(|vote| vote.stage_id == stage && vote.verdict == Verdict::Approve)
        .map(|vote| vote.for_id.unwrap_or(vote.decider_id))
        .collect();
    facts.voted = votes
        .iter()
        .filter(|vote| vote.stage_id == stage && vote.verdict == Verdict::Approve)
        .map(|vote| vote.decider_id)
        .collect();
    facts.yes_by_subordinates = current.by_subordinates;
    let handed = tx.hand_ons(stage).await?;
    let takers: Vec<PersonId> = handed.iter().map(|row| row.to_id).collect();
    let takers = people::candidates(&mut tx, &takers, now).await?;
    facts.handed_on = route::handed_on(&handed, &takers);
    let seating: Seating = seat(&rule, &facts);
    let mine = seating
        .seats
        .iter()
        .copied()
        .find(|seat| seat.person == viewer.id() && !voted(seat.person))
        .ok_or(Error::Missing)?;
    let find = find.trim();
    let mut rows: Vec<PersonRow> = match chosen {
        Some(chosen) => tx.person(chosen).await?.into_iter().collect(),
        None => Vec::new(),
    };
    let mut more = false;
    if !find.is_empty() {
        let query = PeopleQuery {
            text: Some(fold(find)),
            state: Some(PersonState::Active),
            limit: MOST + 1,
            ..PeopleQuery::default()
        };
        let mut found = tx.people_page(&query).await?;
        more = found.len() as i64 > MOST;
        found.truncate(MOST as usize);
        found.retain(|row| Some(row.id) != chosen && row.id != viewer.id());
        rows.extend(found);
    }
    let ids: Vec<PersonId> = rows.iter().map(|row| row.id).collect();
    let candidates = people::candidates(&mut tx, &ids, now).await?;
    let found = rows
        .into_iter()
        .filter_map(|row| {
            let candidate = candidates.iter().find(|one| one.person == row.id)?;
            Some(Colleague {
                bar: take_over_bar(mine, candidate, &rule, &facts, &seating),
                person: PersonTag::new(row.id, row.name),
                job_title: row.job_title,
                department: row.department,
            })
        })
        .collect();
    Ok(HandOnPage {
        now,
        stage,
        number: row.number,
        kind: row.kind,
        asker: PersonTag::new(row.asker_id, row.asker_name),
        beneficiary: PersonTag::new(row.beneficiary_id, row.beneficiary_name),
        package: row.package_name,
        find: find.to_owned(),
        found,
        more,
    })
}

//! Drafting a campaign: from a template, changed as often as one likes, given up or started.

use domain::{
    CampaignId, PersonId, Refusal,
    audit::{Actor, Event, EventKind},
    certification::{
        CampaignState, DAYS, Enforce, LOOKS, LaterStage, Passes, REPEATS, Reasons, ReviewerRule,
        STAGES, Scope, Silence, shares,
    },
    grant::GrantSource,
    words,
};
use serde_json::json;
use store::certification::CampaignRow;

use super::{as_security, locked, must_be};
use crate::{Error, Result, Unit, Workflow, access::Viewer, people::again};

/// The longest name of a campaign.
const NAME_MOST: usize = 120;

words! {
    /// What a new campaign begins with.
    pub enum Template {
        /// Everything, reviewed by managers.
        Everything = "everything",
        /// Everything privileged, reviewed by its owners.
        Privileged = "privileged",
        /// What was found at targets and nobody asked for, reviewed by the owners of the rights.
        Found = "found",
        /// What external people hold, reviewed by their managers, each quarter.
        External = "external",
    }
}

/// What a draft says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What it is called.
    pub name: String,
    /// What it looks at.
    pub scope: Scope,
    /// Who reviews.
    pub reviewers: ReviewerRule,
    /// The one who reviews where the rule names one, and who stands in otherwise.
    pub named: Option<PersonId>,
    /// What silence means.
    pub silence: Silence,
    /// When reasons are needed.
    pub reasons: Reasons,
    /// When answers take effect.
    pub enforce: Enforce,
    /// How much one reviewer should get at most.
    pub most_each: Option<i64>,
    /// How many days it runs, all stages together.
    pub days: i64,
    /// The stages after the first.
    pub later: Vec<LaterStage>,
    /// Which answers of a stage go on to the next.
    pub passes: Passes,
    /// How many percent of what was kept are looked at again; 0 for none.
    pub second_look: i64,
    /// After how many months it comes again; 0 for once.
    pub repeat_months: i64,
}

impl Draft {
    /// What a template says.
    pub fn of(template: Template) -> Self {
        let plain = Self {
            name: "Access review".into(),
            scope: Scope::default(),
            reviewers: ReviewerRule::Manager,
            named: None,
            silence: Silence::Revoke,
            reasons: Reasons::Removals,
            enforce: Enforce::AtOnce,
            most_each: Some(200),
            days: 14,
            later: vec![],
            passes: Passes::Kept,
            second_look: 0,
            repeat_months: 0,
        };
        match template {
            Template::Everything => plain,
            Template::Privileged => Self {
                name: "Privileged access".into(),
                scope: Scope {
                    privileged: true,
                    ..Scope::default()
                },
                reviewers: ReviewerRule::PackageOwner,
                reasons: Reasons::Always,
                repeat_months: 3,
                ..plain
            },
            Template::Found => Self {
                name: "Access found at the targets".into(),
                scope: Scope {
                    source: Some(GrantSource::Import),
                    ..Scope::default()
                },
                reviewers: ReviewerRule::EntitlementOwner,
                silence: Silence::Escalate,
                ..plain
            },
            Template::External => Self {
                name: "Access of contractors".into(),
                scope: Scope {
                    employee_type: "contractor".into(),
                    ..Scope::default()
                },
                repeat_months: 3,
                ..plain
            },
        }
    }

    pub(super) fn of_row(row: &CampaignRow) -> Result<Self> {
        Ok(Self {
            name: row.name.clone(),
            scope: super::scope_of(row)?,
            reviewers: row.reviewers,
            named: row.named_id,
            silence: row.silence,
            reasons: row.reasons,
            enforce: row.enforce,
            most_each: row.most_each,
            days: row.days,
            later: super::stages::later_of(row)?,
            passes: row.passes,
            second_look: row.second_look,
            repeat_months: row.repeat_months,
        })
    }

    fn write(&self, row: &mut CampaignRow) -> Result<()> {
        self.name.trim().clone_into(&mut row.name);
        row.scope = serde_json::to_string(&self.scope)?;
        row.reviewers = self.reviewers;
        row.named_id = self.named;
        row.silence = self.silence;
        row.reasons = self.reasons;
        row.enforce = self.enforce;
        row.most_each = self.most_each;
        row.days = self.days;
        row.later = serde_json::to_string(&self.later)?;
        row.passes = self.passes;
        row.second_look = self.second_look;
        row.repeat_months = self.repeat_months;
        Ok(())
    }

    fn said(&self) -> serde_json::Value {
        json!({
            "scope": self.scope, "reviewers": self.reviewers, "named": self.named, "silence": self.silence,
            "reasons": self.reasons, "enforce": self.enforce, "most_each": self.most_each, "days": self.days,
            "later": self.later, "passes": self.passes, "second_look": self.second_look, "repeat_months": self.repeat_months,
        })
    }
}

/// A new draft's row.
pub(super) async fn insert(
    unit: &mut Unit,
    draft: &Draft,
    made_by: Option<PersonId>,
    previous: Option<CampaignId>,
) -> Result<CampaignRow> {
    let id = unit.new_id();
    let because = previous.map(|id| id.to_string());
    enter(unit, id, draft, made_by, previous, because).await
}

/// A new draft's row with this id, and what it is there for.
pub(super) async fn enter(
    unit: &mut Unit,
    id: CampaignId,
    draft: &Draft,
    made_by: Option<PersonId>,
    previous: Option<CampaignId>,
    because: Option<String>,
) -> Result<CampaignRow> {
    let mut row = CampaignRow {
        id,
        number: unit.tx.count("campaign").await?,
        name: String::new(),
        state: CampaignState::Draft,
        scope: String::new(),
        reviewers: draft.reviewers,
        named_id: None,
        silence: draft.silence,
        reasons: draft.reasons,
        enforce: draft.enforce,
        most_each: None,
        days: draft.days,
        later: String::new(),
        passes: draft.passes,
        second_look: draft.second_look,
        stage: 1,
        repeat_months: 0,
        previous_id: previous,
        made_by,
        made_at: unit.now,
        started_by: None,
        started_at: None,
        due_at: None,
        escalated_at: None,
        population: 0,
        population_hash: None,
        closed_at: None,
        signed_by: None,
        signed_at: None,
        sign_note: String::new(),
        report_hash: None,
        version: 0,
    };
    draft.write(&mut row)?;
    unit.tx.insert_campaign(&row).await?;
    let actor = made_by.map_or(Actor::Portal, Actor::Person);
    let mut event = Event::new(EventKind::CampaignMade, unit.now, actor)
        .about(row.id)
        .changing(serde_json::Value::Null, draft.said());
    if let Some(because) = because {
        event = event.because(because);
    }
    unit.record(event);
    unit.changed("reviews");
    Ok(row)
}

/// Begins a draft from a template. For security.
pub async fn make(workflow: &Workflow, viewer: &Viewer, template: Template) -> Result<CampaignId> {
    viewer.must_have(&[domain::person::PortalRole::Security])?;
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let viewer = as_security(&mut unit, viewer).await?;
        let row = insert(&mut unit, &Draft::of(template), Some(viewer.id()), None).await?;
        unit.commit().await?;
        Ok(row.id)
    })
    .await
}

/// Changes a draft. False if it says the same already. For security.
pub async fn save(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
    draft: &Draft,
) -> Result<bool> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, mut row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Draft)?;
        let refusals = faults(&mut unit, draft).await?;
        if !refusals.is_empty() {
            return Err(Error::Refused(refusals));
        }
        let before = Draft::of_row(&row)?;
        if before == *draft {
            return Ok(false);
        }
        draft.write(&mut row)?;
        if !unit.tx.update_draft(&row).await? {
            return Err(Error::Stale);
        }
        unit.record(
            Event::new(
                EventKind::CampaignMade,
                unit.now,
                Actor::Person(viewer.id()),
            )
            .about(id)
            .changing(before.said(), draft.said()),
        );
        super::changed(&mut unit, id, None);
        unit.commit().await?;
        Ok(true)
    })
    .await
}

async fn faults(unit: &mut Unit, draft: &Draft) -> Result<Vec<Refusal>> {
    let mut refusals = Vec::new();
    let length = draft.name.trim().chars().count();
    if length < 3 {
        refusals.push(Refusal::TooShort {
            field: "name".into(),
            least: 3,
        });
    }
    if length > NAME_MOST {
        refusals.push(Refusal::TooLong {
            field: "name".into(),
            most: NAME_MOST,
        });
    }
    let range = |field: &str, least, most| Refusal::OutOfRange {
        field: field.into(),
        least,
        most,
    };
    if !DAYS.contains(&draft.days) {
        refusals.push(range("days", *DAYS.start(), *DAYS.end()));
    }
    if draft
        .most_each
        .is_some_and(|most| !(1..=10_000).contains(&most))
    {
        refusals.push(range("most_each", 1, 10_000));
    }
    if !REPEATS.contains(&draft.repeat_months) {
        refusals.push(range("repeat", 0, 12));
    }
    // The next one would begin before this one is over.
    if draft.repeat_months == 1 && draft.days > 28 {
        refusals.push(range("days", 1, 28));
    }
    if !LOOKS.contains(&draft.second_look) {
        refusals.push(range("second_look", *LOOKS.start(), *LOOKS.end()));
    }
    refusals.extend(stage_faults(draft));
    let named = draft
        .later
        .iter()
        .map(|stage| (stage.reviewers, stage.named.or(draft.named)))
        .chain([(draft.reviewers, draft.named)]);
    let mut works = true;
    for (rule, named) in named {
        works &= match named {
            Some(id) => works_now(unit, id).await?,
            None => rule != ReviewerRule::Named,
        };
    }
    if !works {
        refusals.push(Refusal::ReviewBarred {
            why: domain::certification::ReviewerBar::Inactive,
        });
    }
    Ok(refusals)
}

async fn works_now(unit: &mut Unit, id: PersonId) -> Result<bool> {
    let now = unit.now;
    let row = unit.tx.person(id).await?;
    Ok(row.is_some_and(|row| row.into_domain().works_at(now)))
}

/// What is wrong with the days of the stages: each has at least one, and the first what the later ones leave.
fn stage_faults(draft: &Draft) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let fault = |stage: usize, most: i64| Refusal::OutOfRange {
        field: format!("days_{stage}"),
        least: 1,
        most: most.max(1),
    };
    // One day is left for each of the other stages.
    let most = draft.days - i64::try_from(draft.later.len()).unwrap_or(i64::MAX);
    for (index, stage) in draft.later.iter().enumerate() {
        if !(1..=most).contains(&stage.days) {
            refusals.push(fault(index + 2, most));
        }
    }
    if let Some((_, others)) = draft.later.split_last()
        && refusals.is_empty()
        && DAYS.contains(&draft.days)
        && shares(draft.days, &draft.later).is_none()
    {
        let others: i64 = others.iter().map(|stage| stage.days).sum();
        let last = (draft.later.len() + 1).min(STAGES);
        refusals.push(fault(last, draft.days - 1 - others));
    }
    refusals
}

/// Gives a draft up. For security.
pub async fn discard(workflow: &Workflow, viewer: &Viewer, id: CampaignId) -> Result<()> {
    again(|| async move {
        let mut unit = workflow.unit().await?;
        let (viewer, row) = locked(&mut unit, viewer, id).await?;
        must_be(&row, CampaignState::Draft)?;
        let now = unit.now;
        let (from, to) = (CampaignState::Draft, CampaignState::Cancelled);
        if !unit.tx.end_campaign(id, from, to, now).await? {
            return Err(Error::Stale);
        }
        super::seal::moved(&mut unit, &row, to, Actor::Person(viewer.id()), json!({}));
        unit.commit().await
    })
    .await
}

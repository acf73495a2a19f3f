//! One campaign for security and auditors: the draft with its preview, how it goes, how it ended.

use std::collections::BTreeSet;

use domain::{
    ApplicationId, CampaignId, EntitlementId, PackageId, PersonId, TargetId, Timestamp,
    certification::{
        Answer, CONFIRMED_WITHIN, CampaignState, ENOUGH, Enforce, Given, Next, Passes, Reasons,
        ReviewerRule, Scope, SignOffBar, Silence, Tally, Then, quality,
    },
    person::PortalRole,
};
use serde::Serialize;
use store::{
    Tx,
    certification::CampaignRow,
    views::{
        catalog::CardQuery,
        names::Named,
        reviews::{CoverageRow, ProgressRow},
    },
};

use super::{EventView, event, named, people};
use crate::{
    Error, Result, Workflow,
    access::Viewer,
    reviews::{self, Counts, Listing, PREVIEWED, READERS, Share, scope_of, stages, tally_of},
    views::PersonTag,
};

/// How many reviewers and departments a page shows.
const ROWS: i64 = 100;
/// How many answers are looked at for how a campaign was reviewed.
const ANSWERS: i64 = 10_000;
/// From how many percent of hasty answers on, or of answers given together, somebody should look closer.
const MUCH: i64 = 50;
/// How many packages and rights a form offers.
const OFFERED: i64 = 500;

/// What a campaign says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Settings {
    /// What it looks at.
    pub scope: Scope,
    /// The application's name, where the scope names one.
    pub application: Option<String>,
    /// The package's name, where the scope names one.
    pub package: Option<String>,
    /// The person's name, where the scope names one.
    pub person: Option<String>,
    /// The right's name, where the scope names one.
    pub right: Option<String>,
    /// Who reviews first.
    pub reviewers: ReviewerRule,
    /// The one who reviews by name, or stands in.
    pub named: Option<PersonTag>,
    /// All stages, the first one first.
    pub stages: Vec<StageView>,
    /// Which answers of a stage go on to the next.
    pub passes: Passes,
    /// How many percent of what was kept are looked at again; 0 for none.
    pub second_look: i64,
    /// What silence means.
    pub silence: Silence,
    /// When reasons are needed.
    pub reasons: Reasons,
    /// When answers take effect.
    pub enforce: Enforce,
    /// How much one reviewer should get at most.
    pub most_each: Option<i64>,
    /// How many days it runs.
    pub days: i64,
    /// After how many months it comes again; 0 for once.
    pub repeat_months: i64,
}

/// A stage as a campaign says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageView {
    /// Who reviews.
    pub reviewers: ReviewerRule,
    /// The one whom this stage names itself.
    pub named: Option<PersonTag>,
    /// For how many days.
    pub days: i64,
}

/// How the second look went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// How many items were drawn.
    pub drawn: i64,
    /// How many were looked at.
    pub done: i64,
    /// Of those, how many were answered otherwise.
    pub differed: i64,
    /// How many nobody looked at.
    pub stood: i64,
}

/// What a form offers to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScopeWords {
    /// The applications, by name.
    pub applications: Vec<(ApplicationId, String)>,
    /// The packages, by name.
    pub packages: Vec<(PackageId, String)>,
    /// The catalogue's rights, by name.
    pub rights: Vec<(EntitlementId, String)>,
    /// The departments.
    pub departments: Vec<String>,
    /// The kinds of employment.
    pub employee_types: Vec<String>,
    /// The control scopes.
    pub control_scopes: Vec<String>,
}

/// How much one reviewer would get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShareView {
    /// Who; none for what nobody may review.
    pub reviewer: Option<PersonTag>,
    /// How many items.
    pub items: u32,
    /// Of those, how many as a fallback.
    pub fallback: u32,
}

/// What a draft would freeze if it were started now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// How many items.
    pub items: i64,
    /// Of how many people.
    pub people: i64,
    /// How many give a privileged right.
    pub privileged: i64,
    /// Who would get how much, stage by stage, the most first; a later stage as if everything went on to it.
    pub shares: Vec<Vec<ShareView>>,
    /// What the targets listed of the same rights, target by target.
    pub listed: Vec<Listed>,
    /// Whether the shares are of a part only, because there are so many.
    pub partial: bool,
    /// What the form offers.
    pub words: ScopeWords,
}

/// What a target listed of the rights in a draft's scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The target's name.
    pub target: String,
    /// When the oldest of its listings was read, if all were, whole and lately; none: it is not covered.
    pub listed_at: Option<Timestamp>,
    /// What the listings come to.
    pub counts: Counts,
}

/// How far a reviewer, or a department, is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The reviewer; none for nobody, and for a department.
    pub reviewer: Option<PersonId>,
    /// The name; empty for nobody.
    pub name: String,
    /// How many are open.
    pub open: i64,
    /// How many were answered.
    pub answered: i64,
    /// How many there are.
    pub all: i64,
}

/// How well a campaign was reviewed, in aggregate: never by person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    /// How many reviewers have answered anything.
    pub reviewers: i64,
    /// How many percent of the answers were given together with others.
    pub together_percent: i64,
    /// How many of the reviewers with at least ten answers kept everything.
    pub keep_all: i64,
    /// Half of the answers that have a time took at most so many seconds since the same reviewer's answer before.
    pub median_seconds: Option<i64>,
    /// How many percent of the answers that have a time came within five seconds of the one before.
    pub hasty_percent: i64,
    /// Whether somebody should look closer.
    pub look: bool,
}

/// How a target stood when the campaign started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The target's name.
    pub target: String,
    /// How many rights of it were frozen.
    pub rights: i64,
    /// How many of those were seen there.
    pub present: i64,
    /// The oldest reading among them.
    pub oldest_read: Option<Timestamp>,
    /// When it was last listed whole; none: it is not covered.
    pub listed_at: Option<Timestamp>,
    /// What its listings come to.
    pub counts: Counts,
}

/// How it stands with what was said no to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Enforced {
    /// Not due yet.
    pub waiting: i64,
    /// Ended, not confirmed by the targets.
    pub pending: i64,
    /// Confirmed.
    pub done: i64,
    /// Not confirmed for more than a day.
    pub overdue: i64,
    /// Told of as late, of those that were overdue at any time.
    pub told: i64,
}

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CampaignPage {
    /// Now.
    pub now: Timestamp,
    /// Which.
    pub id: CampaignId,
    /// The short number.
    pub number: i64,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub state: CampaignState,
    /// What happened, for a small review.
    pub event: Option<EventView>,
    /// What it says.
    pub settings: Settings,
    /// The stage that is asked, from 1; after the last, the second look.
    pub stage: i64,
    /// What comes when that is over.
    pub next: Next,
    /// What becomes of what nobody answers until then.
    pub then: Then,
    /// How the second look went, once it has begun.
    pub looked: Option<Looked>,
    /// Who made it; none for the portal.
    pub maker: Option<PersonTag>,
    /// When.
    pub made_at: Timestamp,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// The deadline of the stage that is asked.
    pub due_at: Option<Timestamp>,
    /// When what was open went to security.
    pub escalated_at: Option<Timestamp>,
    /// When it closed.
    pub closed_at: Option<Timestamp>,
    /// Who signed it off, when, and what they wrote.
    pub signed: Option<(PersonTag, Timestamp, String)>,
    /// The hash over the population.
    pub population_hash: Option<String>,
    /// The hash of the sealed report.
    pub report_hash: Option<String>,
    /// What it would freeze; for drafts.
    pub preview: Option<Preview>,
    /// How the items stand.
    pub tally: Tally,
    /// How far each reviewer is.
    pub reviewers: Vec<Progress>,
    /// How far each department is.
    pub departments: Vec<Progress>,
    /// How well it was reviewed.
    pub reviewed: Reviewed,
    /// How each target stood.
    pub coverage: Vec<Coverage>,
    /// How it stands with what was said no to.
    pub enforced: Enforced,
    /// Whether the viewer runs it.
    pub may_run: bool,
    /// What bars the viewer from signing it off.
    pub barred: Option<SignOffBar>,
    /// Whether a sign-off has to take note of something.
    pub must_acknowledge: bool,
    /// Whether the viewer reviews something in it.
    pub reviews: bool,
}

/// Reads a campaign. For security and auditors; for others there is none.
pub async fn campaign(
    workflow: &Workflow,
    viewer: &Viewer,
    id: CampaignId,
) -> Result<CampaignPage> {
    viewer.must_have(READERS).map_err(|_| Error::Missing)?;
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let row = tx.campaign(id).await?.ok_or(Error::Missing)?;
    let settings = settings(&mut tx, &row).await?;
    let ids: Vec<PersonId> = [row.made_by, row.signed_by].into_iter().flatten().collect();
    let people = people(&mut tx, &ids).await?;
    let preview = if row.state == CampaignState::Draft {
        Some(preview(&mut tx, &row, now).await?)
    } else {
        None
    };
    let tally = tally_of(&mut tx, id).await?;
    let by_reviewer = tx.progress_of_reviewers(id, ROWS).await?;
    let reviewed = reviewed(&mut tx, id).await?;
    let departments = tx.progress_of_departments(id, ROWS).await?;
    let coverage = tx.coverage_of(id).await?;
    let listed = reviews::listings_of(&mut tx, id).await?;
    let enforced = tx.enforcement(id, now - CONFIRMED_WITHIN).await?;
    let (told, _) = tx.late_told(id).await?;
    let event = event(&mut tx, id).await?;
    let looked = looked(&mut tx, &row).await?;
    let next = stages::next_of(&row)?;
    let then = stages::then_of(row.stage, &row.later, row.silence)?;
    let barred = reviews::sign_off_barred(&mut tx, viewer, &row).await?;
    let signed = named(&people, row.signed_by)
        .zip(row.signed_at)
        .map(|(by, at)| (by, at, row.sign_note.clone()));
    Ok(CampaignPage {
        now,
        id,
        number: row.number,
        name: row.name,
        state: row.state,
        stage: row.stage,
        next,
        then,
        looked,
        event,
        settings,
        maker: named(&people, row.made_by),
        made_at: row.made_at,
        started_at: row.started_at,
        due_at: row.due_at,
        escalated_at: row.escalated_at,
        closed_at: row.closed_at,
        signed,
        population_hash: row.population_hash,
        report_hash: row.report_hash,
        preview,
        tally,
        reviewed,
        reviewers: by_reviewer.into_iter().map(progress).collect(),
        departments: departments.into_iter().map(progress).collect(),
        must_acknowledge: reviews::must_acknowledge(
            &tally,
            enforced.pending,
            looked.map_or(0, |looked| looked.stood),
            &coverage,
            &listed,
        ),
        coverage: complete(coverage, &listed),
        enforced: Enforced {
            waiting: enforced.waiting,
            pending: enforced.pending,
            done: enforced.done,
            overdue: enforced.overdue,
            told,
        },
        may_run: viewer.has(PortalRole::Security),
        barred,
        reviews: tx.reviews_in(id, viewer.id()).await?,
    })
}

async fn looked(tx: &mut Tx, row: &CampaignRow) -> Result<Option<Looked>> {
    let stage = stages::look_of(row)?;
    if row.second_look == 0 || row.stage < stage {
        return Ok(None);
    }
    let found = tx.looked(row.id, stage).await?;
    Ok(Some(Looked {
        drawn: found.drawn,
        done: found.done,
        differed: found.differed,
        stood: found.stood,
    }))
}

fn complete(rows: Vec<CoverageRow>, listed: &[Listing]) -> Vec<Coverage> {
    let counts = reviews::by_target(listed);
    rows.into_iter()
        .map(|row| Coverage {
            target: row.name,
            rights: row.rights,
            present: row.present,
            oldest_read: row.oldest_read,
            listed_at: row.listed_at,
            counts: counts.get(&row.target_id).copied().unwrap_or_default(),
        })
        .collect()
}

fn progress(row: ProgressRow) -> Progress {
    Progress {
        reviewer: row.person_id,
        name: row.name,
        open: row.open,
        answered: row.answered,
        all: row.open + row.answered + row.other,
    }
}

async fn reviewed(tx: &mut Tx, id: CampaignId) -> Result<Reviewed> {
    let given: Vec<Given> = tx
        .answers_given(id, ANSWERS)
        .await?
        .into_iter()
        .map(|row| Given {
            by: row.by_id,
            at: row.at,
            together: row.together,
            kept: row.answer == Answer::Keep,
        })
        .collect();
    let found = quality(&given);
    let percent = |part: usize, of: usize| (part * 100 / of.max(1)) as i64;
    let (together_percent, hasty_percent) = (
        percent(found.together, found.answers),
        percent(found.hasty, found.timed),
    );
    let enough = found.timed >= ENOUGH;
    let much = found.answers >= ENOUGH && together_percent >= MUCH;
    Ok(Reviewed {
        reviewers: found.reviewers as i64,
        together_percent,
        keep_all: found.keep_all as i64,
        median_seconds: found.median_seconds,
        hasty_percent,
        look: found.keep_all > 0 || much || (enough && hasty_percent >= MUCH),
    })
}

pub(super) async fn settings(tx: &mut Tx, row: &CampaignRow) -> Result<Settings> {
    let scope = scope_of(row)?;
    let later = stages::later_of(row)?;
    let ids: Vec<PersonId> = [row.named_id, scope.person]
        .into_iter()
        .chain(later.iter().map(|stage| stage.named))
        .flatten()
        .collect();
    let people = people(tx, &ids).await?;
    let application = match scope.application {
        Some(id) => tx.application_tag(id).await?.map(|row| row.name),
        None => None,
    };
    let package = match scope.package {
        Some(id) => tx.offer(id).await?.map(|row| row.name),
        None => None,
    };
    let named_in = std::iter::once(None).chain(later.iter().map(|stage| stage.named));
    let stages = stages::of(row)?
        .into_iter()
        .zip(named_in)
        .map(|(stage, own)| StageView {
            reviewers: stage.rule,
            named: named(&people, own),
            days: stage.days,
        })
        .collect();
    let right = match scope.entitlement {
        Some(id) => tx.names(Named::Entitlement, &[id.0]).await?.pop(),
        None => None,
    };
    let right = right.map(|row| row.name);
    Ok(Settings {
        stages,
        passes: row.passes,
        second_look: row.second_look,
        application,
        package,
        person: named(&people, scope.person).map(|tag| tag.name),
        right,
        scope,
        reviewers: row.reviewers,
        named: named(&people, row.named_id),
        silence: row.silence,
        reasons: row.reasons,
        enforce: row.enforce,
        most_each: row.most_each,
        days: row.days,
        repeat_months: row.repeat_months,
    })
}

async fn preview(tx: &mut Tx, row: &CampaignRow, now: Timestamp) -> Result<Preview> {
    let scope = scope_of(row)?;
    let count = tx.count_in_scope(&scope, now).await?;
    let listed = listed(tx, &scope, now).await?;
    let shares = reviews::preview(tx, row, now).await?;
    let ids: BTreeSet<PersonId> = shares
        .iter()
        .flatten()
        .filter_map(|share| share.reviewer)
        .collect();
    let ids: Vec<PersonId> = ids.into_iter().collect();
    let people = people(tx, &ids).await?;
    let view = |share: Share| ShareView {
        reviewer: named(&people, share.reviewer),
        items: share.items,
        fallback: share.fallback,
    };
    Ok(Preview {
        items: count.items,
        people: count.people,
        privileged: count.privileged,
        shares: shares
            .into_iter()
            .map(|stage| stage.into_iter().map(view).collect())
            .collect(),
        listed,
        partial: count.items > PREVIEWED,
        words: words(tx).await?,
    })
}

async fn listed(tx: &mut Tx, scope: &Scope, now: Timestamp) -> Result<Vec<Listed>> {
    let listings = reviews::listings_preview(tx, scope, now).await?;
    let counts = reviews::by_target(&listings);
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = counts.keys().map(|id| id.0).collect();
    let mut found: Vec<Listed> = tx
        .names(Named::Target, &ids)
        .await?
        .into_iter()
        .map(|name| {
            let target = TargetId(name.id);
            let of_target = listings.iter().filter(|one| one.target == target);
            let counts = counts.get(&target).copied().unwrap_or_default();
            Listed {
                target: name.name,
                listed_at: of_target
                    .filter_map(|one| one.scanned_at)
                    .min()
                    .filter(|_| counts.unread == 0),
                counts,
            }
        })
        .collect();
    found.sort_by(|one, other| one.target.cmp(&other.target));
    Ok(found)
}

async fn words(tx: &mut Tx) -> Result<ScopeWords> {
    let mut words = ScopeWords {
        applications: tx
            .application_tags()
            .await?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect(),
        ..ScopeWords::default()
    };
    let query = CardQuery {
        limit: OFFERED,
        ..CardQuery::default()
    };
    words.packages = tx
        .cards(&query)
        .await?
        .into_iter()
        .map(|row| (row.id, row.name))
        .collect();
    words.rights = tx
        .catalogue_rights(OFFERED)
        .await?
        .into_iter()
        .map(|row| (EntitlementId(row.id), row.name))
        .collect();
    for (kind, word) in tx.scope_words().await? {
        match kind.as_str() {
            "department" => words.departments.push(word),
            "employee_type" => words.employee_types.push(word),
            _ => words.control_scopes.push(word),
        }
    }
    Ok(words)
}

//! Out of office: who stands in for whom, and what is needed to name somebody.

use domain::{
    ApplicationId, DeputyId, PersonId, Timestamp, deputy::may_arrange, person::PersonState,
    policy::ApproverRule,
};
use serde::Serialize;
use store::{
    Tx,
    deputies::NamedDeputyRow,
    people::{PeopleQuery, PersonRow},
};

use super::{PersonTag, search::FoundPerson};
use crate::{Error, Result, Workflow, access::Viewer, fold::fold};

/// Deputyships that are shown.
const SHOWN: i64 = 100;
/// People among whom a manager chooses for whom.
const REPORTS: i64 = 200;
/// Colleagues that are found at once.
const FOUND: i64 = 8;
/// A name is looked for from so many letters on.
const LETTERS: usize = 2;

/// The page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeputiesPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Who is looking.
    pub me: PersonId,
    /// What is in force or to come, in which the viewer has a part or whose manager they are; the first to begin first.
    pub items: Vec<DeputyItem>,
    /// For whom the viewer may name somebody: themselves, then their reports.
    pub people: Vec<PersonTag>,
    /// For whom it is now.
    pub of: PersonTag,
    /// What a name was looked for with, trimmed.
    pub text: String,
    /// Colleagues whose name fits, at most eight.
    pub found: Vec<FoundPerson>,
    /// Whether there are more.
    pub more: bool,
    /// The applications that it may be limited to, by name.
    pub applications: Vec<(ApplicationId, String)>,
}

/// One deputyship.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeputyItem {
    /// Which.
    pub id: DeputyId,
    /// For whom.
    pub person: PersonTag,
    /// Who stands in.
    pub deputy: PersonTag,
    /// From.
    pub from: Timestamp,
    /// Until.
    pub until: Timestamp,
    /// Only for this application.
    pub application: Option<String>,
    /// Only where this rule seats them.
    pub approvers: Option<ApproverRule>,
    /// Who named them, if not whom they stand in for.
    pub made_by: Option<PersonTag>,
    /// Whether it has begun.
    pub begun: bool,
}

/// Reads the page. `of` is for whom somebody is to be named: the viewer if none is given; for somebody who is neither
/// they nor reports to them there is no such page. `text` is a name to look for.
pub async fn load(
    workflow: &Workflow,
    viewer: &Viewer,
    of: Option<PersonId>,
    text: &str,
) -> Result<DeputiesPage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let of = tx
        .person(of.unwrap_or(viewer.id()))
        .await?
        .ok_or(Error::Missing)?;
    let tag = PersonTag::new(of.id, of.name.clone());
    if !may_arrange(viewer.id(), &of.into_domain()) {
        return Err(Error::Missing);
    }
    let items = tx.named_deputies(viewer.id(), now, SHOWN).await?;
    let mut people = vec![PersonTag::new(viewer.id(), viewer.person.name.clone())];
    let reports = PeopleQuery {
        manager: Some(viewer.id()),
        state: Some(PersonState::Active),
        limit: REPORTS,
        ..PeopleQuery::default()
    };
    people.extend(
        tx.people_page(&reports)
            .await?
            .into_iter()
            .map(|row| PersonTag::new(row.id, row.name)),
    );
    let text = text.trim();
    let (found, more) = colleagues(&mut tx, tag.id, text).await?;
    Ok(DeputiesPage {
        now,
        me: viewer.id(),
        items: items.into_iter().map(|row| item(row, now)).collect(),
        people,
        of: tag,
        text: text.to_owned(),
        found,
        more,
        applications: tx
            .application_tags()
            .await?
            .into_iter()
            .map(|row| (row.id, row.name))
            .collect(),
    })
}

/// Colleagues whose name fits, other than the person themselves, and whether there are more than are shown.
async fn colleagues(tx: &mut Tx, of: PersonId, text: &str) -> Result<(Vec<FoundPerson>, bool)> {
    if text.chars().count() < LETTERS {
        return Ok((Vec::new(), false));
    }
    let query = PeopleQuery {
        text: Some(fold(text)),
        state: Some(PersonState::Active),
        limit: FOUND + 2,
        ..PeopleQuery::default()
    };
    let mut rows: Vec<PersonRow> = tx.people_page(&query).await?;
    rows.retain(|row| row.id != of);
    let most = usize::try_from(FOUND).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let found = rows
        .into_iter()
        .map(|row| FoundPerson {
            person: PersonTag::new(row.id, row.name),
            job_title: row.job_title,
            department: row.department,
        })
        .collect();
    Ok((found, more))
}

fn item(row: NamedDeputyRow, now: Timestamp) -> DeputyItem {
    DeputyItem {
        id: row.id,
        made_by: (row.made_by != row.person_id)
            .then(|| PersonTag::new(row.made_by, row.made_by_name)),
        person: PersonTag::new(row.person_id, row.person_name),
        deputy: PersonTag::new(row.deputy_id, row.deputy_name),
        from: row.from_at,
        until: row.until_at,
        application: row.application_name,
        approvers: row.approvers,
        begun: row.from_at <= now,
    }
}

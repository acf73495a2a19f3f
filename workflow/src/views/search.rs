//! The search box at the head of every page: packages, people, requests.

use domain::{PersonId, RequestId, Timestamp};
use serde::Serialize;
use store::{Tx, people::PeopleQuery, views::catalog::CardQuery};

use super::{
    PersonTag,
    catalog::{self, Card},
    make, person,
    requests::RequestItem,
    sight::may_see_line,
};
use crate::{Result, Workflow, access::Viewer, fold::fold};

/// The most of each kind that is shown.
const MOST: usize = 8;
/// How many are looked at where not all may be shown.
const LOOKED_AT: i64 = 40;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What was looked for, trimmed.
    pub text: String,
    /// Packages, at most eight.
    pub packages: Vec<Card>,
    /// People whose page the viewer may open, at most eight.
    pub people: Vec<FoundPerson>,
    /// Requests with this short number that the viewer may see, or their own whose package fits; at most eight.
    pub requests: Vec<RequestItem>,
    /// The one request whose number was typed: go there at once; nothing else is looked for then.
    pub exactly: Option<RequestId>,
}

/// A person found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundPerson {
    /// Who.
    pub person: PersonTag,
    /// Job title.
    pub job_title: String,
    /// Department.
    pub department: String,
}

/// Searches. People are found by those above them, HR, security, auditors and operators only.
pub async fn load(workflow: &Workflow, viewer: &Viewer, text: &str) -> Result<Found> {
    let now = workflow.clock().now();
    let text = text.trim();
    let mut found = Found {
        now,
        text: text.to_owned(),
        packages: Vec::new(),
        people: Vec::new(),
        requests: Vec::new(),
        exactly: None,
    };
    if text.is_empty() {
        return Ok(found);
    }
    let mut tx = workflow.store().read().await?;
    let (requests, exactly) = requests(&mut tx, viewer, text).await?;
    found.requests = requests;
    found.exactly = exactly;
    if exactly.is_some() {
        return Ok(found);
    }
    let (mut rows, _) = catalog::find(&mut tx, text, &CardQuery::default(), None).await?;
    rows.truncate(MOST);
    found.packages = catalog::cards(&mut tx, viewer, rows).await?;
    found.people = people(&mut tx, viewer, text).await?;
    Ok(found)
}

/// People whose page the viewer may open.
async fn people(tx: &mut Tx, viewer: &Viewer, text: &str) -> Result<Vec<FoundPerson>> {
    let reads = viewer.must_have(person::READERS).is_ok();
    if !reads && tx.reports_of(viewer.id(), None, 1).await?.is_empty() {
        return Ok(Vec::new());
    }
    let query = PeopleQuery {
        text: Some(fold(text)),
        limit: if reads { MOST as i64 } else { LOOKED_AT },
        ..PeopleQuery::default()
    };
    let mut rows = tx.people_page(&query).await?;
    if !reads {
        let ids: Vec<PersonId> = rows.iter().map(|row| row.id).collect();
        let above = tx.managers_above(&ids).await?;
        rows.retain(|row| {
            row.id != viewer.id()
                && above
                    .iter()
                    .any(|one| one.person_id == row.id && one.above_id == viewer.id())
        });
        rows.truncate(MOST);
    }
    Ok(rows
        .into_iter()
        .map(|row| FoundPerson {
            person: PersonTag::new(row.id, row.name),
            job_title: row.job_title,
            department: row.department,
        })
        .collect())
}

/// The request with this number, if the viewer may see it; else the viewer's own whose package fits.
async fn requests(
    tx: &mut Tx,
    viewer: &Viewer,
    text: &str,
) -> Result<(Vec<RequestItem>, Option<RequestId>)> {
    let bare = text
        .get(..3)
        .filter(|prefix| prefix.eq_ignore_ascii_case("AR-"))
        .map_or(text, |_| &text[3..]);
    if let Ok(number) = bare.parse::<i64>() {
        let Some(id) = tx.request_by_number(number).await? else {
            return Ok((Vec::new(), None));
        };
        let mut rows = Vec::new();
        for row in tx.items_of_requests(&[id]).await? {
            if may_see_line(tx, viewer, row.id, row.asker_id, row.beneficiary_id).await? {
                rows.push(row);
            }
        }
        let exactly = (!rows.is_empty()).then_some(id);
        return Ok((make::items(tx, rows).await?, exactly));
    }
    let words = catalog::words(text);
    let mut rows = tx.items_of(viewer.id(), false, None, LOOKED_AT).await?;
    rows.retain(|row| {
        let name = fold(&format!("{} {}", row.package_name, row.app_name));
        !words.is_empty() && words.iter().all(|word| name.contains(word.as_str()))
    });
    rows.truncate(MOST);
    Ok((make::items(tx, rows).await?, None))
}

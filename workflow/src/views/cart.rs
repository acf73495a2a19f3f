//! The cart: what the viewer is about to ask for, each line with everything that its own form would say.

use domain::{DraftLineId, PackageId, Refusal, Timestamp, asking::ForOthers, person::Person};
use serde::Serialize;
use store::{
    Tx,
    drafts::DraftLineRow,
    people::{AccountRow, PersonRow},
};

use super::{
    PersonTag,
    request_form::{self, Notice, RequestForm},
};
use crate::{Error, Result, Workflow, access::Viewer, conflicts};

/// The cart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cart {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Sent back with the form, so that the same form sent many times is one request.
    pub key: String,
    /// The reason for all lines that have none of their own.
    pub reason: String,
    /// Its lines, in the order in which they were added.
    pub lines: Vec<CartLine>,
}

/// One line of the cart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CartLine {
    /// Which.
    pub id: DraftLineId,
    /// What is to be asked for.
    pub package: PackageId,
    /// Its name.
    pub name: String,
    /// For whom.
    pub whom: PersonTag,
    /// Whether that is the viewer.
    pub mine: bool,
    /// What was typed, as the form kept it; empty for an untouched line.
    pub typed: String,
    /// The form, as it is for them now; none if nothing could be asked for: what stands in the way is in `closed`.
    pub form: Option<RequestForm>,
    /// Why there is no form.
    pub closed: Option<Refusal>,
}

/// Reads the viewer's cart.
pub async fn load(workflow: &Workflow, viewer: &Viewer) -> Result<Cart> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let draft = tx.draft_of(viewer.id()).await?;
    let rows = match &draft {
        Some(draft) => tx.draft_lines(draft.id).await?,
        None => Vec::new(),
    };
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        lines.push(line_of(&mut tx, workflow, viewer, row).await?);
    }
    compare(&mut tx, &mut lines).await?;
    Ok(Cart {
        now,
        key: workflow
            .ids()
            .new_id::<uuid::Uuid>(now)
            .simple()
            .to_string(),
        reason: draft.map(|draft| draft.reason).unwrap_or_default(),
        lines,
    })
}

/// Says to both lines of a pair that would break a rule together which one the other is.
async fn compare(tx: &mut Tx, lines: &mut [CartLine]) -> Result<()> {
    let asks: Vec<_> = lines
        .iter()
        .map(|line| {
            let contents = line.form.iter().flat_map(|form| &form.package.contents);
            (line.whom.id, contents.map(|part| part.id).collect())
        })
        .collect();
    for (first, second, rule) in conflicts::among(tx, &asks).await? {
        let names = (lines[first].name.clone(), lines[second].name.clone());
        for (line, other) in [(first, names.1), (second, names.0)] {
            if let Some(form) = &mut lines[line].form {
                form.notices.push(Notice::BreaksTogether {
                    rule: rule.name.clone(),
                    explain: rule.explain.clone(),
                    other,
                });
            }
        }
    }
    Ok(())
}

/// Reads one line of the viewer's cart.
pub async fn line(workflow: &Workflow, viewer: &Viewer, id: DraftLineId) -> Result<CartLine> {
    let mut tx = workflow.store().read().await?;
    let row = tx
        .draft_line(viewer.id(), id)
        .await?
        .ok_or(Error::Missing)?;
    line_of(&mut tx, workflow, viewer, row).await
}

async fn line_of(
    tx: &mut Tx,
    workflow: &Workflow,
    viewer: &Viewer,
    row: DraftLineRow,
) -> Result<CartLine> {
    let mine = row.beneficiary_id == viewer.id();
    let person = tx
        .person(row.beneficiary_id)
        .await?
        .map(PersonRow::into_domain)
        .ok_or(Error::Missing)?;
    let offer = tx.offer(row.package_id).await?.ok_or(Error::Missing)?;
    let mut line = CartLine {
        id: row.id,
        package: row.package_id,
        name: offer.name.clone(),
        whom: PersonTag::new(person.id, person.name.clone()),
        mine,
        typed: row.typed,
        form: None,
        closed: None,
    };
    if offer.state != "offered" {
        line.closed = Some(Refusal::Retired);
        return Ok(line);
    }
    let whom = if mine {
        Some(viewer.clone())
    } else {
        standing(tx, workflow.clock().now(), person).await?
    };
    match whom {
        Some(whom) => {
            let form = request_form::for_whom(tx, workflow, viewer, &whom, row.package_id).await?;
            line.form = Some(form);
        }
        None => line.closed = Some(Refusal::NoAccount),
    }
    Ok(line)
}

/// Somebody who works here, as the one whom something is for, on their usual account. They may do nothing by this.
pub(super) async fn standing(
    tx: &mut Tx,
    now: Timestamp,
    person: Person,
) -> Result<Option<Viewer>> {
    let account = tx
        .primary_account_of(person.id)
        .await?
        .filter(AccountRow::usable);
    Ok(account
        .filter(|_| person.works_at(now))
        .map(|account| Viewer {
            person,
            account: account.id,
            roles: Vec::new(),
        }))
}

/// Choosing people to ask for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choosing {
    /// What is to be asked for.
    pub package: PackageId,
    /// Its name.
    pub name: String,
    /// For whom the policy lets the viewer ask.
    pub scope: ForOthers,
}

/// Reads for whom the viewer may ask. Missing where the package is not offered.
pub async fn choosing(
    workflow: &Workflow,
    viewer: &Viewer,
    package: PackageId,
) -> Result<Choosing> {
    let form = request_form::load(workflow, viewer, package).await?;
    Ok(Choosing {
        package,
        name: form.package.card.name,
        scope: form.package.asking.for_others,
    })
}

//! What every ask is checked for before its lines are looked at: who asks, whether the same form came before, how much
//! was asked of late, and what waits already.

use domain::{AccountId, PackageId, PersonId, Refusal, RequestId, person::Person};
use store::{offers::OfferRow, requests::LineRow};

use crate::{Error, Result, Unit};

/// The span that the limit on asking counts over.
const SPAN: chrono::Duration = chrono::Duration::minutes(10);

/// The request that the same form made before, if it did. Refuses whoever asks for too much in a short time.
pub(super) async fn asking(
    unit: &mut Unit,
    asker: PersonId,
    key: &str,
    lines: usize,
) -> Result<Option<RequestId>> {
    let since = unit.now - SPAN;
    let before = unit.tx.asked_before(asker, key, since).await?;
    if before.known.is_some() {
        return Ok(before.known);
    }
    let most = i64::from(unit.workflow().settings().asks_per_ten_minutes);
    let more = i64::try_from(lines).unwrap_or(i64::MAX);
    if before.recent.saturating_add(more) > most {
        return Err(Refusal::TooMany {
            after_seconds: SPAN.num_seconds(),
        }
        .into());
    }
    Ok(None)
}

/// A person who works here now.
pub(super) async fn working(unit: &mut Unit, id: PersonId) -> Result<Person> {
    let person = unit
        .tx
        .person(id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    if person.works_at(unit.now) {
        Ok(person)
    } else {
        Err(Error::Forbidden)
    }
}

/// A package that is offered.
pub(super) async fn offered(unit: &mut Unit, package: PackageId) -> Result<OfferRow> {
    let offer = unit.tx.offer(package).await?.ok_or(Error::Missing)?;
    if offer.state == "offered" {
        Ok(offer)
    } else {
        Err(Refusal::Retired.into())
    }
}

/// The same ask, waiting: another takes its place, if whoever asks now also asked then or it is for them.
pub(super) async fn waiting(
    unit: &mut Unit,
    beneficiary: &Person,
    asker: PersonId,
    package: PackageId,
    account: AccountId,
) -> Result<Option<LineRow>> {
    let found = unit
        .tx
        .waiting_line(beneficiary.id, package, account)
        .await?;
    let Some(line) = found else {
        return Ok(None);
    };
    // Somebody else's approvals are not to be lost because a colleague asks for the same.
    if line.asker_id == asker || beneficiary.id == asker {
        Ok(Some(line))
    } else {
        Err(Refusal::AlreadyAsked.into())
    }
}

//! What every ask is checked for before its lines are looked at: who asks, whether the same form came before, how much
//! was asked of late, and what waits already.

use domain::{AccountId, PackageId, PersonId, Refusal, RequestId, Timestamp, person::Person};
use store::{offers::AskedOffer, requests::LineRow};

use crate::{Error, Result, Unit};

/// The span that the limit on asking counts over.
const SPAN: chrono::Duration = chrono::Duration::minutes(10);

/// Whoever asks, or what answers them already.
pub(super) enum Asker {
    /// The request that the same form made before.
    Known(RequestId),
    /// They may ask.
    By(Box<Person>),
}

/// Who asks, unless the same form was sent before. Refuses whoever asks for too much in a short time, and whoever does not
/// work here now.
pub(super) async fn asking(
    unit: &mut Unit,
    asker: PersonId,
    key: &str,
    lines: usize,
) -> Result<Asker> {
    let since = unit.now - SPAN;
    let row = unit
        .tx
        .asker(asker, key, since)
        .await?
        .ok_or(Error::Missing)?;
    if let Some(known) = row.before.known {
        return Ok(Asker::Known(known));
    }
    let most = i64::from(unit.workflow().settings().asks_per_ten_minutes);
    let more = i64::try_from(lines).unwrap_or(i64::MAX);
    if row.before.recent.saturating_add(more) > most {
        return Err(Refusal::TooMany {
            after_seconds: SPAN.num_seconds(),
        }
        .into());
    }
    works(row.person.into_domain(), unit.now).map(|person| Asker::By(Box::new(person)))
}

/// A person who works here now.
pub(super) async fn working(unit: &mut Unit, id: PersonId) -> Result<Person> {
    let person = unit
        .tx
        .person(id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    works(person, unit.now)
}

fn works(person: Person, now: Timestamp) -> Result<Person> {
    if person.works_at(now) {
        Ok(person)
    } else {
        Err(Error::Forbidden)
    }
}

/// A package that is offered, and what an ask for it stands beside.
pub(super) async fn offered(
    unit: &mut Unit,
    package: PackageId,
    beneficiary: PersonId,
    account: AccountId,
) -> Result<AskedOffer> {
    let asked = unit
        .tx
        .asked_offer(package, beneficiary, account)
        .await?
        .ok_or(Error::Missing)?;
    if asked.offer.state == "offered" {
        Ok(asked)
    } else {
        Err(Refusal::Retired.into())
    }
}

/// The same ask, waiting: another takes its place, if whoever asks now also asked then or it is for them.
pub(super) async fn waiting(
    unit: &mut Unit,
    asked: &AskedOffer,
    beneficiary: PersonId,
    asker: PersonId,
) -> Result<Option<LineRow>> {
    let Some(id) = asked.waiting else {
        return Ok(None);
    };
    let line = unit.tx.line(id).await?.ok_or(Error::Missing)?;
    // Somebody else's approvals are not to be lost because a colleague asks for the same.
    if line.asker_id == asker || beneficiary == asker {
        Ok(Some(line))
    } else {
        Err(Refusal::AlreadyAsked.into())
    }
}

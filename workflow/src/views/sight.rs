//! Who may see a request.

use domain::{LineId, PersonId, person::PortalRole};
use store::Tx;

use crate::{Result, access::Viewer};

/// Whether the viewer may see a line: those it is about, those who decide or decided, owners of the package, those above
/// the beneficiary, security and auditors.
pub(super) async fn may_see_line(
    tx: &mut Tx,
    viewer: &Viewer,
    line: LineId,
    asker: PersonId,
    beneficiary: PersonId,
) -> Result<bool> {
    if viewer.id() == asker
        || viewer.id() == beneficiary
        || viewer.has(PortalRole::Security)
        || viewer.has(PortalRole::Auditor)
    {
        return Ok(true);
    }
    let sight = tx.sight(viewer.id(), line).await?;
    Ok(sight.seated || sight.voted || sight.owns || is_above(tx, viewer.id(), beneficiary).await?)
}

/// Whether `above` is above `person` at any depth. Nobody is above themselves.
pub(super) async fn is_above(tx: &mut Tx, above: PersonId, person: PersonId) -> Result<bool> {
    Ok(above != person
        && tx
            .managers_above(&[person])
            .await?
            .iter()
            .any(|row| row.above_id == above))
}

/// Whether the viewer sees a target's own ids and words.
pub(super) fn sees_target(viewer: &Viewer) -> bool {
    [
        PortalRole::Operator,
        PortalRole::Auditor,
        PortalRole::Security,
    ]
    .iter()
    .any(|role| viewer.has(*role))
}

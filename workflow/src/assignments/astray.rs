//! What a scan found to be otherwise at a target than grants say: put back, left until a person says so, kept as an import, or
//! taken away.

use domain::{
    AccountId, EntitlementId, PersonId, Timestamp,
    assignment::{Observed, Origin, Phase},
    audit::{Actor, Event, EventKind},
};
use serde_json::json;
use store::assignments::AssignmentRow;

use super::{Pair, about, adopt, doubt, job, new_row, recompute, report::Problem};
use crate::{Result, Unit, assignments::Call};

/// Why something that vanished is not put back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Withheld {
    /// It is privileged: whoever took it away may have had a reason.
    Privileged,
    /// It was put back once already.
    Again,
    /// The account is switched off or deleted in the directory.
    Unusable,
    /// The database was restored: it may have been taken away since the backup, by us.
    Restored,
}

impl Withheld {
    const fn why(self) -> &'static str {
        match self {
            Self::Privileged => {
                "It was taken away at the target. It is privileged, so it is not put back by itself."
            }
            Self::Again => {
                "It was taken away at the target again after it had been put back, so it is left as it is."
            }
            Self::Unusable => {
                "It was taken away at the target, and the account is switched off or deleted in the directory."
            }
            Self::Restored => {
                "It is not there although a grant gives it. The database was restored from a backup, so it may have been taken away since by Latchkey itself."
            }
        }
    }
}

/// Has the target asked anew about a right that was taken away or came back, and set as grants want it. The holder and the
/// assignment are locked.
pub(crate) async fn ask_anew(unit: &mut Unit, mut row: AssignmentRow) -> Result<()> {
    let now = unit.now;
    row.problem = None;
    row.attempts = 0;
    doubt(unit, &mut row, now);
    unit.enqueue(&[job(&row, now)]);
    Ok(unit.tx.save_assignments(&[row]).await?)
}

/// Leaves a right that was taken away as it is, until a person tries again, it is there again, or nobody wants it any more.
/// The holder and the assignment are locked.
pub(crate) async fn withhold(
    unit: &mut Unit,
    mut row: AssignmentRow,
    why: Withheld,
    asked: Timestamp,
) -> Result<()> {
    let now = unit.now;
    let problem = Problem {
        what: why.why().to_owned(),
        fix: "Ask whoever may have taken it away. Then try again, which puts it back, or end the grant.".into(),
        call: Call::Add,
        status: None,
        request_id: None,
        attempts: 0,
        since: now,
    };
    row.observed = Observed::Absent;
    row.observed_at = Some(asked);
    row.phase = Phase::Attention;
    row.problem = serde_json::to_string(&problem).ok();
    row.next_at = None;
    row.attempts = 0;
    row.settle_reads = 0;
    row.updated_at = now;
    unit.record(
        about(
            Event::new(EventKind::AssignmentAttention, now, Actor::Provisioner),
            &row,
        )
        .because("scan")
        .changing(
            json!({"observed": Observed::Present}),
            json!({"observed": Observed::Absent, "problem": problem}),
        ),
    );
    unit.changed(row.person_id);
    unit.changed("provisioning");
    unit.tx.set_withheld(row.id, now).await?;
    Ok(unit.tx.save_assignments(&[row]).await?)
}

/// Takes away what somebody gave out of band, and nobody wants here. What a grant wants by now stays. The holders are locked.
pub(crate) async fn take_found(unit: &mut Unit, pairs: &[Pair], cause: &str) -> Result<()> {
    let known = unit.tx.lock_pairs(pairs).await?;
    let now = unit.now;
    for fact in unit.tx.pairs(pairs).await? {
        let before = known.iter().find(|row| {
            (row.account_id, row.entitlement_id) == (fact.account_id, fact.entitlement_id)
        });
        let mut row = match before {
            Some(row) if row.desired || row.phase != Phase::Settled => continue,
            Some(row) => row.clone(),
            None => new_row(unit, &fact),
        };
        // Found, not ours: so that the read before the removal does not take it for something to keep.
        row.origin = Some(Origin::Found);
        doubt(unit, &mut row, now);
        unit.record(
            about(
                Event::new(EventKind::AssignmentDesired, now, Actor::Portal),
                &row,
            )
            .because(cause)
            .changing(
                serde_json::Value::Null,
                json!({"desired": false, "note": "given out of band, taken away"}),
            ),
        );
        unit.enqueue(&[job(&row, now)]);
        unit.tx.save_assignments(&[row]).await?;
    }
    Ok(())
}

/// Keeps what somebody gave out of band as an import of its own. The holder is locked, and no grant wants the right.
pub(crate) async fn keep_found(
    unit: &mut Unit,
    person: PersonId,
    account: AccountId,
    right: EntitlementId,
) -> Result<()> {
    let grant = adopt::import(unit, person, account, right).await?;
    unit.record(
        Event::new(EventKind::GrantMade, unit.now, Actor::Provisioner)
            .about(grant)
            .about(person)
            .about(account)
            .about(right)
            .because("scan")
            .changing(
                serde_json::Value::Null,
                json!({"source": "import", "end": "permanent", "note": "given out of band"}),
            ),
    );
    recompute(unit, &[(account, right)], "scan").await
}

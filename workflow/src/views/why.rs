//! Why somebody has a right: every way in which they hold it, and what would remain if one went.

use std::collections::BTreeSet;

use domain::{
    AccountId, AssignmentId, EntitlementId, GrantId, PersonId, Timestamp,
    grant::{End, Health},
    person::PortalRole,
};
use serde::Serialize;

use super::{EntitlementTag, HeldGrant, PersonTag, make};
use crate::{Error, Result, Workflow, access::Viewer, grants::Authority};

/// Ways of one right on the page.
const WAYS: i64 = 100;

/// Which right, or rights, it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// One right of one account.
    Assignment(AssignmentId),
    /// A right of the viewer's own, on any account.
    Right(EntitlementId),
    /// All rights in a grant.
    Grant(GrantId),
}

/// Why somebody has some rights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhyPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// Who has them.
    pub person: PersonTag,
    /// Whether that is the viewer.
    pub me: bool,
    /// Right by right.
    pub rights: Vec<RightWhy>,
    /// Whether the viewer may open the requests behind them.
    pub may_open_requests: bool,
}

/// Why somebody has one right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RightWhy {
    /// The right, with what the target says.
    pub right: EntitlementTag,
    /// The account that has it: its sign-in name, a label.
    pub account: String,
    /// Every way in which it is held or will be, soonest end first.
    pub ways: Vec<Way>,
}

/// One way in which a right is held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Way {
    /// The grant, with request, reason and who approved.
    pub grant: HeldGrant,
    /// Whether it opens the right now.
    pub covers: bool,
    /// If it went: the other ways that would keep the right, by name; none: it falls.
    pub remains: Vec<String>,
}

/// Reads why somebody has a right. For the holder, those above them, who owns the right or a package that gives it,
/// security and auditors; for anybody else there is no such right.
pub async fn load(workflow: &Workflow, viewer: &Viewer, about: About) -> Result<WhyPage> {
    let now = workflow.clock().now();
    let mut tx = workflow.store().read().await?;
    let (person, pairs) = pairs(&mut tx, viewer, about).await?;
    let me = person == viewer.id();
    let reads = viewer.has(PortalRole::Security) || viewer.has(PortalRole::Auditor);
    let names = tx.accounts_of(person).await?;
    let mut rights = Vec::new();
    let mut above = false;
    for (account, right) in pairs {
        let rows = tx.held_of_pair(account, right, WAYS).await?;
        let grants = make::held(&mut tx, viewer, rows).await?;
        let packages: Vec<_> = grants
            .iter()
            .filter(|grant| grant.over.is_none())
            .filter_map(|grant| grant.package.as_ref().map(|package| package.id))
            .collect();
        let authority = Authority::over(&mut tx, viewer, person, &packages, &[right]).await?;
        above |= authority.sees(None, &[]);
        let owned = authority.sees(None, &[right])
            || packages
                .iter()
                .any(|package| authority.sees(Some(*package), &[]));
        if !(reads || owned) {
            continue;
        }
        let Some(tag) = grants
            .iter()
            .flat_map(|grant| &grant.parts)
            .find(|part| part.id == right)
        else {
            continue;
        };
        rights.push(RightWhy {
            right: tag.clone(),
            account: names
                .iter()
                .find(|row| row.id == account)
                .map(|row| row.user_name.clone())
                .unwrap_or_default(),
            ways: ways(grants, now),
        });
    }
    if rights.is_empty() {
        return Err(Error::Missing);
    }
    let row = tx.person(person).await?.ok_or(Error::Missing)?;
    Ok(WhyPage {
        now,
        me,
        person: PersonTag::new(row.id, row.name),
        rights,
        may_open_requests: me || reads || above,
    })
}

type Pairs = BTreeSet<(AccountId, EntitlementId)>;

/// Whose rights it is about, and which.
async fn pairs(tx: &mut store::Tx, viewer: &Viewer, about: About) -> Result<(PersonId, Pairs)> {
    match about {
        About::Assignment(id) => {
            let row = tx.assignment(id).await?.ok_or(Error::Missing)?;
            let pair = (row.account_id, row.entitlement_id);
            Ok((row.person_id, [pair].into()))
        }
        About::Right(right) => {
            let accounts = tx.accounts_of(viewer.id()).await?;
            let pairs = accounts.into_iter().map(|row| (row.id, right));
            Ok((viewer.id(), pairs.collect()))
        }
        About::Grant(id) => {
            let grant = tx.grant(id).await?.ok_or(Error::Missing)?;
            let content = tx.content_of_grants(&[id]).await?;
            let pairs = content
                .into_iter()
                .map(|row| (row.account_id, row.entitlement_id));
            Ok((grant.person_id, pairs.collect()))
        }
    }
}

/// The ways that are not over, each with what would keep the right without it.
fn ways(grants: Vec<HeldGrant>, now: Timestamp) -> Vec<Way> {
    let mut live: Vec<HeldGrant> = grants
        .into_iter()
        .filter(|grant| grant.over.is_none() && !grant.end.passed(now))
        .collect();
    live.sort_by_key(|grant| match grant.end {
        End::At(at) => (false, Some(at), grant.id),
        End::Permanent => (true, None, grant.id),
    });
    let open: Vec<(GrantId, String)> = live
        .iter()
        .filter(|grant| covers(grant, now))
        .map(|grant| (grant.id, grant.name.clone()))
        .collect();
    live.into_iter()
        .map(|grant| Way {
            covers: covers(&grant, now),
            remains: open
                .iter()
                .filter(|(id, _)| *id != grant.id)
                .map(|(_, name)| name.clone())
                .collect(),
            grant,
        })
        .collect()
}

fn covers(grant: &HeldGrant, now: Timestamp) -> bool {
    grant.from <= now && !matches!(grant.health, Health::Scheduled | Health::Suspended)
}

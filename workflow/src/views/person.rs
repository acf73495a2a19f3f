//! One person: attributes, what they hold and why, requests, events.

use domain::{
    AccountId, PersonId, Timestamp,
    person::{AccountKind, PersonState, PortalRole, effective_roles},
};
use serde::Serialize;
use store::views::audit::TrailQuery;

use super::{
    Entry, HeldGrant, PersonTag, access, audit, change,
    decision::{self, Facts},
    kill_switch::{self, Stopped},
    make,
    requests::RequestItem,
};
use crate::{Error, Result, Workflow, access::Viewer};

/// Who may look at anybody.
pub(super) const READERS: &[PortalRole] = &[
    PortalRole::Security,
    PortalRole::Auditor,
    PortalRole::Hr,
    PortalRole::Operator,
];
/// Who sees the employer's number and the events as well.
const TRUSTED: &[PortalRole] = &[PortalRole::Security, PortalRole::Auditor, PortalRole::Hr];
/// Who may end somebody else's sessions.
const ENDERS: &[PortalRole] = &[PortalRole::Security, PortalRole::Hr];
/// Requests on the page.
const REQUESTS: i64 = 20;
/// Events on the page.
const EVENTS: i64 = 30;

/// A person's page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonPage {
    /// Now, for relative times.
    pub now: Timestamp,
    /// What the directory says.
    pub facts: Facts,
    /// Whether that is the viewer.
    pub me: bool,
    /// Mail address; a label.
    pub mail: String,
    /// Company (legal entity).
    pub company: String,
    /// The employer's own number; for the person, HR, security and auditors.
    pub employee_id: Option<String>,
    /// Works here or has left.
    pub state: PersonState,
    /// When they left.
    pub left_at: Option<Timestamp>,
    /// The people above, nearest first.
    pub above: Vec<PersonTag>,
    /// Who answers for them, if they are not an employee.
    pub sponsors: Vec<PersonTag>,
    /// Who stopped them, if somebody did.
    pub stopped: Option<Stopped>,
    /// Whether the viewer may stop them, or let them go on.
    pub may_stop: bool,
    /// Who reports to them, at most 50, by name.
    pub reports: Vec<PersonTag>,
    /// Their sign-in identities; for the person and those with a portal role that may look.
    pub accounts: Vec<AccountView>,
    /// How many sessions of theirs hold now; for those who may end them (security, HR).
    pub sessions: Option<i64>,
    /// Their portal roles that count now.
    pub roles: Vec<PortalRole>,
    /// What they hold, soonest end first.
    pub held: Vec<HeldGrant>,
    /// What was found at targets and not approved here.
    pub found: Vec<HeldGrant>,
    /// What ended within the last 30 days.
    pub ended: Vec<HeldGrant>,
    /// Their newest requests, at most 20.
    pub requests: Vec<RequestItem>,
    /// Whether the viewer may open those requests.
    pub may_open_requests: bool,
    /// Whether the viewer leads them, and may ask for what their team has for them.
    pub may_ask_alike: bool,
    /// Whether the viewer may see all ways in which each right is held.
    pub may_see_why: bool,
    /// The newest audit entries about them, at most 30; for the person, HR, security and auditors.
    pub events: Vec<Entry>,
}

/// One sign-in identity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountView {
    /// Which.
    pub id: AccountId,
    /// User principal name; a label.
    pub user_name: String,
    /// What it is used for.
    pub kind: AccountKind,
    /// Whether the directory lets it sign in.
    pub enabled: bool,
    /// Whether the directory has deleted it.
    pub deleted: bool,
}

/// Reads a person. For themselves, those above them at any depth, security, auditors, HR and operators; for anybody else
/// there is no such person.
pub async fn load(workflow: &Workflow, viewer: &Viewer, id: PersonId) -> Result<PersonPage> {
    let now = workflow.clock().now();
    let me = id == viewer.id();
    let mut tx = workflow.store().read().await?;
    let reads = viewer.must_have(READERS).is_ok();
    let above: Vec<PersonId> = tx
        .managers_above(&[id])
        .await?
        .into_iter()
        .map(|row| row.above_id)
        .filter(|above| *above != id)
        .collect();
    if !me && !reads && !above.contains(&viewer.id()) {
        return Err(Error::Missing);
    }
    let row = tx.person(id).await?.ok_or(Error::Missing)?;
    let sponsors: Vec<PersonId> = tx
        .sponsors_of(&[id])
        .await?
        .into_iter()
        .map(|row| row.sponsor_id)
        .collect();
    let people = tx.persons(&[&above[..], &sponsors].concat()).await?;
    let tags = |ids: &[PersonId]| -> Vec<PersonTag> {
        let mut seen = std::collections::BTreeSet::new();
        ids.iter()
            .filter(|id| seen.insert(**id))
            .filter_map(|id| people.iter().find(|person| person.id == *id))
            .map(|person| PersonTag::new(person.id, person.name.clone()))
            .collect()
    };
    let reports = tx.reports_of(id, None, 50).await?;
    let accounts = if me || reads {
        tx.accounts_of(id).await?
    } else {
        Vec::new()
    };
    let sessions = match viewer.must_have(ENDERS) {
        // Sessions follow the system's clock, whatever the trial's says.
        Ok(()) => Some(
            tx.count_sessions_of(id, workflow.clock().system_now())
                .await?,
        ),
        Err(_) => None,
    };
    let roles: Vec<PortalRole> = tx
        .roles_of(&[id])
        .await?
        .into_iter()
        .map(|row| row.role)
        .collect();
    let (mut held, mut found, ended) = access::of_person(&mut tx, viewer, id, now).await?;
    change::mark(&mut tx, viewer, id, &mut held).await?;
    change::mark(&mut tx, viewer, id, &mut found).await?;
    let stopped = kill_switch::stopped(&mut tx, id).await?;
    let items = tx.items_of(id, false, None, REQUESTS).await?;
    let requests = make::items(&mut tx, items).await?;
    let trusted = me || viewer.must_have(TRUSTED).is_ok();
    let events = if trusted {
        let query = TrailQuery {
            subject: Some(id.to_string()),
            limit: EVENTS,
            ..TrailQuery::default()
        };
        let rows = tx.trail_page(&query).await?;
        audit::entries(&mut tx, rows).await?
    } else {
        Vec::new()
    };
    Ok(PersonPage {
        now,
        me,
        mail: row.mail.clone(),
        company: row.company.clone(),
        employee_id: trusted.then(|| row.employee_id.clone()),
        state: row.state,
        left_at: row.left_at,
        stopped,
        may_stop: !me && row.state == PersonState::Active && viewer.has(PortalRole::Security),
        above: tags(&above),
        sponsors: tags(&sponsors),
        reports: reports
            .into_iter()
            .map(|row| PersonTag::new(row.id, row.name))
            .collect(),
        accounts: accounts
            .into_iter()
            .map(|row| AccountView {
                id: row.id,
                user_name: row.user_name,
                kind: row.kind,
                enabled: row.enabled,
                deleted: row.deleted,
            })
            .collect(),
        sessions,
        roles: effective_roles(&roles).0,
        held,
        found,
        ended,
        requests,
        may_open_requests: me
            || above.contains(&viewer.id())
            || viewer.has(PortalRole::Security)
            || viewer.has(PortalRole::Auditor),
        may_ask_alike: !me && above.contains(&viewer.id()) && row.state == PersonState::Active,
        may_see_why: me
            || above.contains(&viewer.id())
            || viewer.has(PortalRole::Security)
            || viewer.has(PortalRole::Auditor),
        events,
        facts: decision::facts(&mut tx, viewer, row).await?,
    })
}

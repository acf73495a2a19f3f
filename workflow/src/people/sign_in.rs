//! Signing in and out: what happens once the identity provider's token has been verified.

use std::collections::BTreeSet;

use domain::{
    AccountId, PersonId,
    audit::{Actor, Event, EventKind},
    person::{AccountKey, AccountKind, PersonState, PortalRole},
};
use serde_json::{Value, json};
use store::people::{AccountRow, PersonRow};
use uuid::Uuid;

use super::search_key;
use crate::{Error, Result, Unit, Workflow, access::Viewer, roles};

/// What a verified token says.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Tenant id (`tid`), already compared with the configured tenant.
    pub tenant: Uuid,
    /// Object id (`oid`).
    pub object: Uuid,
    /// Name, for showing.
    pub name: String,
    /// `preferred_username`, for showing.
    pub user_name: String,
    /// Mail address, for showing.
    pub mail: Option<String>,
    /// The app roles in the token; none if the token does not tell, which is not the same as an empty list.
    pub roles: Option<Vec<String>>,
    /// Whether the account is a guest in the tenant.
    pub guest: bool,
}

impl SignedIn {
    fn key(&self) -> AccountKey {
        AccountKey {
            tenant: self.tenant,
            object: self.object,
        }
    }
}

/// How a sign-in went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// A session may begin.
    Welcome {
        /// Who.
        person: PersonId,
        /// With which account.
        account: AccountId,
    },
    /// No session may begin; the refusal is in the audit log.
    Refused(SignInRefusal),
}

domain::words! {
    /// Why somebody whose token is good may not come in.
    pub enum SignInRefusal {
        /// They no longer work here.
        Left = "left",
        /// Security has stopped them.
        Stopped = "stopped",
        /// The directory has disabled or deleted the account, or is about to.
        Disabled = "disabled",
    }
}

/// Lets somebody in whose token was verified: finds the account by tenant and object id, or makes it with a person of
/// its own, refreshes the portal roles that come from the directory, and logs it.
pub async fn sign_in(workflow: &Workflow, token: SignedIn) -> Result<SignIn> {
    match attempt(workflow, &token).await {
        // Somebody made the same account at the same moment: it is there now.
        Err(Error::Stale) => attempt(workflow, &token).await,
        other => other,
    }
}

async fn attempt(workflow: &Workflow, token: &SignedIn) -> Result<SignIn> {
    let mut unit = workflow.unit().await?;
    let account = match unit.tx.account_by_key(token.key()).await? {
        Some(seen) => {
            unit.tx.lock_persons(&[seen.person_id]).await?;
            let account = unit.tx.account(seen.id).await?.ok_or(Error::Missing)?;
            if let Some(refusal) = refusal(&mut unit, &account).await? {
                unit.record(
                    Event::new(
                        EventKind::SignInRefused,
                        unit.now,
                        Actor::Person(account.person_id),
                    )
                    .about(account.person_id)
                    .about(account.id)
                    .because(refusal),
                );
                unit.commit().await?;
                return Ok(SignIn::Refused(refusal));
            }
            known(&mut unit, account, token).await?
        }
        None => newcomer(&mut unit, token).await?,
    };
    roles::refresh(&mut unit, &account, claimed(token).as_ref(), "sign-in").await?;
    unit.record(
        Event::new(
            EventKind::SignedIn,
            unit.now,
            Actor::Person(account.person_id),
        )
        .about(account.person_id)
        .about(account.id),
    );
    unit.commit().await?;
    Ok(SignIn::Welcome {
        person: account.person_id,
        account: account.id,
    })
}

async fn refusal(unit: &mut Unit, account: &AccountRow) -> Result<Option<SignInRefusal>> {
    let person = unit
        .tx
        .person(account.person_id)
        .await?
        .ok_or(Error::Missing)?
        .into_domain();
    Ok(if !account.usable() {
        Some(SignInRefusal::Disabled)
    } else if person.suspended {
        Some(SignInRefusal::Stopped)
    } else if !person.works_at(unit.now) {
        Some(SignInRefusal::Left)
    } else {
        None
    })
}

/// An account that was known from the directory only becomes one that signs in.
async fn known(unit: &mut Unit, mut account: AccountRow, token: &SignedIn) -> Result<AccountRow> {
    if account.kind == AccountKind::Directory {
        let before = account.kind;
        account.kind = kind(token);
        account.updated_at = unit.now;
        unit.tx.update_account(&account).await?;
        unit.record(
            Event::new(
                EventKind::AccountChanged,
                unit.now,
                Actor::Person(account.person_id),
            )
            .about(account.id)
            .about(account.person_id)
            .because("first sign-in")
            .changing(json!({"kind": before}), json!({"kind": account.kind})),
        );
    }
    Ok(account)
}

async fn newcomer(unit: &mut Unit, token: &SignedIn) -> Result<AccountRow> {
    let name = if token.name.trim().is_empty() {
        &token.user_name
    } else {
        &token.name
    };
    let mail = token.mail.clone().unwrap_or_default();
    let person = PersonRow {
        id: unit.new_id(),
        name: name.clone(),
        given_name: String::new(),
        search_key: search_key(name, &mail, &token.user_name),
        mail,
        department: String::new(),
        job_title: String::new(),
        country: String::new(),
        office: String::new(),
        company: String::new(),
        employee_id: String::new(),
        employee_type: String::new(),
        user_type: if token.guest { "guest" } else { "member" }.into(),
        manager_id: None,
        hired_at: None,
        last_day_at: None,
        state: PersonState::Active,
        left_at: None,
        suspended_at: None,
        version: 0,
        created_at: unit.now,
        updated_at: unit.now,
    };
    let account = AccountRow {
        id: unit.new_id(),
        person_id: person.id,
        tenant_id: token.tenant,
        object_id: token.object,
        kind: kind(token),
        user_name: token.user_name.clone(),
        enabled: true,
        deleted: false,
        created_at: unit.now,
        updated_at: unit.now,
    };
    unit.tx
        .insert_persons(std::slice::from_ref(&person))
        .await?;
    unit.tx
        .insert_accounts(std::slice::from_ref(&account))
        .await?;
    let actor = Actor::Person(person.id);
    unit.record(
        Event::new(EventKind::PersonAdded, unit.now, actor)
            .about(person.id)
            .because("first sign-in"),
    );
    unit.record(
        Event::new(EventKind::AccountAdded, unit.now, actor)
            .about(account.id)
            .about(person.id)
            .because("first sign-in")
            .changing(
                Value::Null,
                json!({"tenant": account.tenant_id, "object": account.object_id, "kind": account.kind}),
            ),
    );
    unit.changed(person.id);
    Ok(account)
}

const fn kind(token: &SignedIn) -> AccountKind {
    if token.guest {
        AccountKind::Guest
    } else {
        AccountKind::Normal
    }
}

fn claimed(token: &SignedIn) -> Option<BTreeSet<PortalRole>> {
    token.roles.as_ref().map(|roles| {
        roles
            .iter()
            .filter_map(|value| PortalRole::from_app_role(value))
            .collect()
    })
}

/// Notes that somebody signed out; the session itself is the server's to end.
pub async fn signed_out(workflow: &Workflow, person: PersonId) -> Result<()> {
    let mut unit = workflow.unit().await?;
    unit.record(Event::new(EventKind::SignedOut, unit.now, Actor::Person(person)).about(person));
    unit.commit().await
}

/// Ends all sessions of a person: one's own, or anybody's for security and HR. Gives how many there were.
pub async fn end_sessions(workflow: &Workflow, viewer: &Viewer, person: PersonId) -> Result<u64> {
    if viewer.id() != person {
        viewer.must_have(&[PortalRole::Security, PortalRole::Hr])?;
    }
    let mut unit = workflow.unit().await?;
    unit.tx.person(person).await?.ok_or(Error::Missing)?;
    let ended = end_sessions_in(&mut unit, person, Actor::Person(viewer.id()), "asked for").await?;
    unit.commit().await?;
    Ok(ended)
}

/// As [`end_sessions`], inside a use case that has decided that it must happen.
pub(crate) async fn end_sessions_in(
    unit: &mut Unit,
    person: PersonId,
    actor: Actor,
    cause: &str,
) -> Result<u64> {
    let ended = unit.tx.delete_sessions_of(person).await?;
    if ended > 0 {
        unit.record(
            Event::new(EventKind::SessionsEnded, unit.now, actor)
                .about(person)
                .because(cause)
                .changing(json!({"sessions": ended}), json!({"sessions": 0})),
        );
        unit.changed(person);
    }
    Ok(ended)
}

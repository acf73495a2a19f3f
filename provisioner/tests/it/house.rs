//! A few people and rights over a fresh database, and a clock that stands until it is moved.

use chrono::{Duration, TimeZone, Utc};
use domain::{
    AccountId, ApplicationId, EntitlementId, GrantId, PersonId, TargetId, Timestamp,
    audit::Actor,
    deadline::JobKind,
    drift::Drift,
    grant::{End, GrantSource, GrantState},
    person::{AccountKind, PersonState},
};
use store::{
    Store,
    assignments::AssignmentRow,
    catalogue::{ApplicationRow, EntitlementRow},
    grants::GrantRow,
    jobs::{NewJob, Priority},
    people::{AccountRow, PersonRow},
};
use uuid::Uuid;
use workflow::{Clock, Ids, Settings, Unit, Workflow, access::Viewer, assignments};

/// The tenant of the house.
pub const TENANT: Uuid = Uuid::from_u128(0x7e11);

/// People, rights and a clock.
pub struct House {
    pub workflow: Workflow,
    pub clock: Clock,
    pub target: TargetId,
}

pub fn start() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 3, 2, 8, 0, 0).unwrap()
}

pub fn person(n: usize) -> PersonId {
    PersonId(Uuid::from_u128(0x1000 + n as u128))
}

pub fn account(n: usize) -> AccountId {
    AccountId(Uuid::from_u128(0x2000 + n as u128))
}

/// The object id of person `n` at the target.
pub fn user(n: usize) -> Uuid {
    Uuid::from_u128(0xa000 + n as u128)
}

pub fn right(n: usize) -> EntitlementId {
    EntitlementId(Uuid::from_u128(0x3000 + n as u128))
}

/// The object id of the group behind right `n`.
pub fn group(n: usize) -> Uuid {
    Uuid::from_u128(0xb000 + n as u128)
}

impl House {
    /// `people` people and `rights` rights, nobody holding anything.
    pub async fn build(store: Store, seed: u64, people: usize, rights: usize) -> Self {
        Self::with_clock(store, seed, people, rights, Clock::simulated(start())).await
    }

    pub async fn with_clock(
        store: Store,
        seed: u64,
        people: usize,
        rights: usize,
        clock: Clock,
    ) -> Self {
        let workflow = Workflow::new(store, clock.clone(), Ids::seeded(seed), Settings::default());
        let house = Self {
            workflow,
            clock,
            target: TargetId(Uuid::from_u128(0x4000)),
        };
        let now = house.clock.now();
        let mut unit = house.workflow.unit().await.unwrap();
        let persons: Vec<PersonRow> = (0..people).map(|n| a_person(n, now)).collect();
        unit.tx.insert_persons(&persons).await.unwrap();
        let accounts: Vec<AccountRow> = (0..people).map(|n| an_account(n, now)).collect();
        unit.tx.insert_accounts(&accounts).await.unwrap();
        unit.tx
            .ensure_entra_target(house.target, TENANT)
            .await
            .unwrap();
        let application = ApplicationId(Uuid::from_u128(0x5000));
        unit.tx
            .save_application(&ApplicationRow {
                id: application,
                key: "orders".into(),
                name: "Orders".into(),
                summary: String::new(),
                url: String::new(),
                tint: "a".into(),
                initials: "OR".into(),
                retired: false,
            })
            .await
            .unwrap();
        let rights: Vec<EntitlementRow> = (0..rights)
            .map(|n| a_right(n, house.target, application))
            .collect();
        unit.tx.save_entitlements(&rights).await.unwrap();
        unit.commit().await.unwrap();
        house
    }

    pub async fn unit(&self) -> Unit {
        self.workflow.unit().await.unwrap()
    }

    /// Gives a person rights from now on; no length means without end.
    pub async fn give(&self, who: usize, rights: &[usize], length: Option<Duration>) -> GrantId {
        let mut unit = self.unit().await;
        unit.tx.lock_persons(&[person(who)]).await.unwrap();
        let now = unit.now;
        let grant = GrantRow {
            id: unit.new_id(),
            person_id: person(who),
            account_id: account(who),
            package_id: None,
            package_version_id: None,
            line_id: None,
            source: GrantSource::Rule,
            state: GrantState::Active,
            valid_from: now,
            end_at: length.map(|length| now + length),
            ready_at: None,
            ended_at: None,
            end_reason: None,
            ended_by: None,
            end_note: None,
            gone_at: None,
            version: 0,
            created_at: now,
        };
        let content: Vec<EntitlementId> = rights.iter().map(|n| right(*n)).collect();
        unit.tx.insert_grant(&grant, &content).await.unwrap();
        arm(&mut unit, grant.id, grant.end());
        let pairs: Vec<_> = content.iter().map(|right| (account(who), *right)).collect();
        assignments::recompute(&mut unit, &pairs, "test")
            .await
            .unwrap();
        unit.commit().await.unwrap();
        grant.id
    }

    /// Gives a live grant another end.
    pub async fn move_end(&self, who: usize, grant: GrantId, end: Timestamp) {
        let mut unit = self.unit().await;
        unit.tx.lock_persons(&[person(who)]).await.unwrap();
        unit.tx.set_grant_end(grant, End::At(end)).await.unwrap();
        arm(&mut unit, grant, End::At(end));
        unit.commit().await.unwrap();
    }

    /// The holder gives a grant back.
    pub async fn give_back(&self, who: usize, grant: GrantId) {
        let viewer = self.viewer(who).await;
        workflow::grants::give_back(&self.workflow, &viewer, grant)
            .await
            .unwrap();
    }

    /// Somebody leaves.
    pub async fn leave(&self, who: usize) {
        let mut unit = self.unit().await;
        workflow::leave::leave(&mut unit, person(who), Actor::Portal, "test")
            .await
            .unwrap();
        unit.commit().await.unwrap();
    }

    /// Who looks, with no role but those given.
    pub async fn viewer(&self, who: usize) -> Viewer {
        let mut tx = self.workflow.store().read().await.unwrap();
        let row = tx.person(person(who)).await.unwrap().unwrap();
        Viewer {
            person: row.into_domain(),
            account: account(who),
            roles: vec![],
        }
    }

    pub async fn grant(&self, id: GrantId) -> GrantRow {
        self.workflow
            .store()
            .read()
            .await
            .unwrap()
            .grant(id)
            .await
            .unwrap()
            .unwrap()
    }

    /// The assignment of a person and a right.
    pub async fn assignment(&self, who: usize, what: usize) -> Option<AssignmentRow> {
        let mut unit = self.unit().await;
        unit.tx
            .lock_pairs(&[(account(who), right(what))])
            .await
            .unwrap()
            .pop()
    }

    /// When the next of these kinds of job falls due.
    pub async fn next_due(&self, kinds: &[JobKind]) -> Option<Timestamp> {
        self.workflow
            .store()
            .read()
            .await
            .unwrap()
            .next_due(kinds)
            .await
            .unwrap()
    }
}

fn arm(unit: &mut Unit, grant: GrantId, end: End) {
    let Some(due_at) = end.at() else { return };
    unit.enqueue(&[NewJob {
        key: format!("end:{grant}"),
        kind: JobKind::GrantEnd,
        subject: Some(grant.0),
        lane: None,
        priority: Priority::Removal,
        due_at,
    }]);
}

fn a_person(n: usize, now: Timestamp) -> PersonRow {
    PersonRow {
        id: person(n),
        name: format!("Person {n}"),
        given_name: String::new(),
        mail: String::new(),
        department: String::new(),
        job_title: String::new(),
        country: String::new(),
        office: String::new(),
        company: String::new(),
        employee_id: String::new(),
        employee_type: "employee".into(),
        user_type: "member".into(),
        manager_id: None,
        hired_at: None,
        last_day_at: None,
        state: PersonState::Active,
        left_at: None,
        suspended_at: None,
        search_key: String::new(),
        version: 0,
        created_at: now,
        updated_at: now,
    }
}

fn an_account(n: usize, now: Timestamp) -> AccountRow {
    AccountRow {
        id: account(n),
        person_id: person(n),
        tenant_id: TENANT,
        object_id: user(n),
        kind: AccountKind::Normal,
        user_name: format!("person{n}@contoso.example"),
        enabled: true,
        deleted: false,
        created_at: now,
        updated_at: now,
    }
}

fn a_right(n: usize, target: TargetId, application: ApplicationId) -> EntitlementRow {
    EntitlementRow {
        id: right(n),
        key: format!("right-{n}"),
        target_id: target,
        application_id: Some(application),
        kind: "group".into(),
        external_id: group(n).to_string(),
        name: format!("Right {n}"),
        summary: String::new(),
        lane: format!("graph:group:{}", group(n)),
        privileged: false,
        control_scope: None,
        manageable: true,
        unmanageable_reason: None,
        effective_within_seconds: 0,
        owner_id: None,
        drift: Drift::Report,
        instructions: String::new(),
        due_within_seconds: 0,
        facts: String::new(),
    }
}

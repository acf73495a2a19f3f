//! Who and what the script is about, with fixed ids.

use domain::{
    AccountId, ApplicationId, AssignmentId, CatalogueVersionId, EntitlementId, GrantId, LineId,
    PackageId, PackageVersionId, PersonId, RequestId, StageId, TargetId, Timestamp,
    person::{AccountKind, PersonState},
};
use store::people::{AccountRow, PersonRow};
use uuid::Uuid;

use crate::script::{Script, say};

pub fn at(seconds: i64) -> Timestamp {
    // An odd instant: both engines must keep microseconds.
    Timestamp::from_timestamp_micros(1_790_000_000_123_457 + seconds * 1_000_000).unwrap()
}

pub fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

pub fn tenant() -> Uuid {
    uuid(0xabc)
}

pub fn person(n: u128) -> PersonId {
    PersonId(uuid(n))
}

pub fn account(n: u128) -> AccountId {
    AccountId(uuid(0x100 + n))
}

pub fn application(n: u128) -> ApplicationId {
    ApplicationId(uuid(0x200 + n))
}

pub fn target() -> TargetId {
    TargetId(uuid(0x300))
}

pub fn entitlement(n: u128) -> EntitlementId {
    EntitlementId(uuid(0x400 + n))
}

pub fn edition(n: u128) -> CatalogueVersionId {
    CatalogueVersionId(uuid(0x500 + n))
}

pub fn package(n: u128) -> PackageId {
    PackageId(uuid(0x600 + n))
}

pub fn version(n: u128) -> PackageVersionId {
    PackageVersionId(uuid(0x700 + n))
}

pub fn request(n: u128) -> RequestId {
    RequestId(uuid(0x800 + n))
}

pub fn line(n: u128) -> LineId {
    LineId(uuid(0x900 + n))
}

pub fn stage(n: u128) -> StageId {
    StageId(uuid(0xa00 + n))
}

pub fn grant(n: u128) -> GrantId {
    GrantId(uuid(0xb00 + n))
}

pub fn assignment(n: u128) -> AssignmentId {
    AssignmentId(uuid(0xc00 + n))
}

pub fn human(n: u128, name: &str, manager: Option<u128>) -> PersonRow {
    PersonRow {
        id: person(n),
        name: name.into(),
        given_name: "Ö".into(),
        mail: format!("p{n}@contoso.example"),
        department: "Orders".into(),
        job_title: "Analyst".into(),
        country: "SE".into(),
        office: String::new(),
        company: "Contoso".into(),
        employee_id: format!("E{n}"),
        employee_type: "employee".into(),
        user_type: "member".into(),
        manager_id: manager.map(person),
        hired_at: Some(at(-1000)),
        last_day_at: None,
        state: PersonState::Active,
        left_at: None,
        suspended_at: None,
        search_key: name.to_lowercase(),
        version: 0,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub fn identity(n: u128) -> AccountRow {
    AccountRow {
        id: account(n),
        person_id: person(n),
        tenant_id: tenant(),
        object_id: uuid(0x9000 + n),
        kind: AccountKind::Directory,
        user_name: format!("p{n}@contoso.example"),
        enabled: true,
        deleted: false,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// Karin (1) leads Astrid (2), who leads Johan (3) and Maya (4); Olle (5) owns; Elin (6) is security; 7 leaves.
pub async fn lay(script: &mut Script) {
    let people = [
        human(1, "Karin Holm", None),
        human(2, "Astrid Lindqvist", Some(1)),
        human(3, "Johan 100%_Nyberg", Some(2)),
        human(4, "Maya Rao", Some(2)),
        human(5, "Olle Ström", Some(1)),
        human(6, "Elin Berg", Some(1)),
        human(7, "Tomas Ek", Some(1)),
    ];
    say!(script, insert_persons(&people));
    let accounts: Vec<AccountRow> = (1..=7).map(identity).collect();
    say!(script, insert_accounts(&accounts));
}

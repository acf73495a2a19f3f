//! The catalogue's files: faults, plans, editions, and what reaches those who hold something.

mod calendars;
mod handing_in;
mod rights;
mod routes;
mod settling;

use std::fmt::Write as _;

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;
use domain::{
    AccountId, PackageId, PersonId, Refusal,
    catalogue::{GroupFacts, Right},
    request::{Length, LineState, Start, Window},
};
use store::{Engine, testing};
use uuid::Uuid;
use workflow::{
    Clock, Error, Ids, Settings, Workflow,
    access::{self, Viewer},
    catalogue::{self, Applied, Imported, SourceFile},
    requests,
};

use crate::support::start;

pub const TENANT: Uuid = Uuid::from_u128(0x77);
pub const FREJA: u128 = 1;
pub const NILS: u128 = 2;
pub const JOHAN: u128 = 3;
pub const ASTRID: u128 = 4;
const GONE: u128 = 5;

fn group(n: u128) -> Uuid {
    Uuid::from_u128(0x9_0000 + n)
}

fn object(n: u128) -> Uuid {
    Uuid::from_u128(0x1_0000 + n)
}

/// A company with an empty catalogue.
pub struct House {
    pub engine: Engine,
    pub workflow: Workflow,
    pub clock: Clock,
}

pub async fn houses() -> Vec<House> {
    let mut houses = Vec::new();
    for (engine, store) in testing::stores().await {
        let clock = Clock::simulated(start());
        let workflow = Workflow::new(store, clock.clone(), Ids::seeded(3), Settings::default());
        let house = House {
            engine,
            workflow,
            clock,
        };
        for (n, name) in [
            (ASTRID, "Astrid Lindqvist"),
            (FREJA, "Freja Madsen"),
            (NILS, "Nils Åberg"),
            (JOHAN, "Johan Nyberg"),
            (GONE, "Magnus Fors"),
        ] {
            let left = (n == GONE).then(|| house.now());
            house.person(n, object(n), name, left.as_deref()).await;
        }
        for (n, role) in [(FREJA, "catalogue_owner"), (NILS, "administrator")] {
            house.raw(&format!("INSERT INTO portal_roles (account_id, role, source, since) VALUES ({}, '{role}', 'directory', {})",
                house.id(Uuid::from_u128(0x2_0000 + n)), house.now())).await;
        }
        house.import((1..=6).map(plain).collect()).await;
        houses.push(house);
    }
    houses
}

fn plain(n: u128) -> GroupFacts {
    GroupFacts {
        id: group(n),
        display_name: format!("sg-{n}"),
        security_enabled: true,
        ..GroupFacts::default()
    }
}

impl House {
    pub fn id(&self, id: Uuid) -> String {
        testing::literal(self.engine, id)
    }

    pub fn now(&self) -> String {
        match self.engine {
            Engine::Sqlite => self.clock.now().timestamp_micros().to_string(),
            Engine::Postgres => format!("'{}'", self.clock.now().to_rfc3339()),
        }
    }

    pub async fn raw(&self, text: &str) {
        testing::raw(self.workflow.store(), text).await.unwrap();
    }

    async fn person(&self, n: u128, object: Uuid, name: &str, left: Option<&str>) {
        let now = self.now();
        let state = if left.is_some() { "left" } else { "active" };
        let manager = if n == JOHAN {
            self.id(Uuid::from_u128(ASTRID))
        } else {
            "NULL".into()
        };
        self.raw(&format!(
            "INSERT INTO persons (id, name, department, employee_type, manager_id, state, left_at, search_key, created_at, updated_at)
             VALUES ({}, '{name}', 'Orders', 'employee', {manager}, '{state}', {}, '', {now}, {now})",
            self.id(Uuid::from_u128(n)), left.unwrap_or("NULL"))).await;
        self.raw(&format!(
            "INSERT INTO accounts (id, person_id, tenant_id, object_id, kind, enabled, deleted, created_at, updated_at)
             VALUES ({}, {}, {}, {}, 'normal', TRUE, FALSE, {now}, {now})",
            self.id(Uuid::from_u128(0x2_0000 + n)), self.id(Uuid::from_u128(n)), self.id(TENANT), self.id(object))).await;
    }

    async fn import(&self, groups: Vec<GroupFacts>) -> catalogue::ImportOutcome {
        self.import_without(groups, &[]).await
    }

    /// Imports a whole listing, with groups that a direct read did not find either.
    async fn import_without(
        &self,
        groups: Vec<GroupFacts>,
        gone: &[u128],
    ) -> catalogue::ImportOutcome {
        let imported = Imported {
            groups,
            whole: true,
            gone: gone
                .iter()
                .map(|n| Right::Group { id: group(*n) })
                .collect(),
            ..Imported::default()
        };
        catalogue::import(&self.workflow, TENANT, imported)
            .await
            .unwrap()
    }

    pub async fn viewer(&self, n: u128) -> Viewer {
        let (person, account) = (
            PersonId(Uuid::from_u128(n)),
            AccountId(Uuid::from_u128(0x2_0000 + n)),
        );
        access::viewer(&self.workflow, person, account)
            .await
            .unwrap()
            .expect("works here")
    }

    pub async fn apply(&self, text: &str, drafter: Option<u128>) -> Applied {
        let drafter = drafter.map(|n| PersonId(Uuid::from_u128(n)));
        catalogue::apply(&self.workflow, TENANT, &files(text), drafter)
            .await
            .unwrap()
    }

    async fn faults(&self, text: &str) -> Vec<String> {
        match catalogue::plan(&self.workflow, TENANT, &files(text)).await {
            Err(Error::Refused(refusals)) => match refusals.into_iter().next() {
                Some(Refusal::Catalogue { faults }) => faults,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    pub async fn package(&self, key: &str) -> store::catalogue::PackageRow {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.packages()
            .await
            .unwrap()
            .into_iter()
            .find(|row| row.key == key)
            .expect("there is such a package")
    }

    pub async fn ask(&self, package: PackageId) -> workflow::Result<domain::RequestId> {
        let ask = requests::NewAsk {
            confirmed: false,
            package,
            window: Window {
                start: Start::OnActivation,
                length: Length::Seconds(3600),
            },
            reason: "Incident 4312".into(),
            answers: BTreeMap::new(),
            key: format!("{package} {}", self.clock.now()),
        };
        self.clock.move_to(self.clock.now() + Duration::seconds(1));
        requests::ask(&self.workflow, &self.viewer(JOHAN).await, ask).await
    }
}

pub fn files(text: &str) -> Vec<SourceFile> {
    vec![SourceFile {
        path: "applications/orders.toml".into(),
        text: text.into(),
    }]
}

fn person(n: u128) -> String {
    format!("{{ id = \"{}\" }}", object(n))
}

/// One application with one package.
pub fn orders(route: &str, longest: &str, rights: &[u128]) -> String {
    let mut text = String::from("[application]\nkey = \"orders\"\nname = \"Orders\"\n");
    for n in 1..=4_u128 {
        write!(
            text,
            "\n[[entitlement]]\nkey = \"right-{n}\"\ngroup = \"{}\"\nname = \"sg-{n}\"\n",
            group(n)
        )
        .unwrap();
    }
    let rights: Vec<String> = rights.iter().map(|n| format!("\"right-{n}\"")).collect();
    text + &format!(
        "\n[[package]]\nkey = \"orders-read\"\nname = \"Orders, read\"\nopens = [\"Look up orders.\"]\n\
         entitlements = [{}]\nowners = [{}]\nroute = {route}\ndefault = \"8 hours\"\nlongest = \"{longest}\"\nsynonyms = [\"Öl\"]\n",
        rights.join(", "),
        person(ASTRID)
    )
}

#[tokio::test]
async fn all_faults_are_named_at_once_with_line_and_fix() {
    let text = format!(
        r#"[application]
key = "Orders"
name = "Orders"
tint = "pink"
[[entitlement]]
key = "one"
group = "{}"
name = "sg-1"
[[entitlement]]
key = "one"
group = "not an id"
name = "sg-2"
[[entitlement]]
key = "dynamic"
group = "{}"
name = "dyn"
[[entitlement]]
key = "unknown"
group = "{}"
name = "unknown"
[[package]]
key = "a"
name = "A"
opens = ["Look."]
entitlements = ["ome", "dynamic"]
owners = [{}, {}]
route = ["manager", "secrity"]
default = "30 days"
longest = "8 hours"
longset = "9 hours"
continuous = "2 hours"
[[package]]
key = "b"
name = "B"
opens = ["Look."]
entitlements = ["one"]
default = "8 fortnights"
longest = "9 days"
[[package]]
key = "c"
name = "C"
opens = ["Look."]
entitlements = ["one"]
owners = [{}]
route = [{{ approvers = "named", people = [{}], quorum = 2 }}]
default = "8 hours"
longest = "9 days"
[[package.eligibility]]
attribute = "shoe_size"
explain = "?"
[[package]]
key = "d"
name = "D"
opens = ["Look."]
entitlements = ["one"]
owners = [{}]
route = ["security"]
default = "8 hours"
longest = "8 hours"
cedar = """
@explain("Only in Sweden.")
forbid (principal, action, resource) unless {{ principal.land == "se" }};
"""
"#,
        group(1),
        group(7),
        group(99),
        person(GONE),
        person(77),
        person(ASTRID),
        person(ASTRID),
        person(ASTRID),
    );
    for house in houses().await {
        let dynamic = GroupFacts {
            group_types: vec!["DynamicMembership".into()],
            ..plain(7)
        };
        house
            .import((1..=6).map(plain).chain([dynamic]).collect())
            .await;
        let faults = house.faults(&text).await;
        for wanted in [
            "orders.toml line 2: the key `Orders` may have",
            "orders.toml line 4: `tint` is not known",
            "orders.toml line 10: the entitlement `one` stands in applications/orders.toml line 6 already",
            "orders.toml line 11: `group` \"not an id\" is no object id",
            "orders.toml line 15: `dynamic` cannot be lent: its members are computed by a rule",
            "orders.toml line 19: `unknown`",
            "orders.toml line 25: the entitlement `ome` is not defined: did you mean `one`?",
            "no longer works here: name somebody else",
            "orders.toml line 27: `secrity` does not say who decides: did you mean `security`?",
            "orders.toml line 28: `longest` is 8 hours but `default` is 30 days: make default at most 8 hours",
            "orders.toml line 30: `longset` is not known here: did you mean `longest`?",
            "orders.toml line 31: `longest` is 8 hours but `continuous` is 2 hours: make continuous at least 8 hours",
            "orders.toml line 32: the package has no owner",
            "orders.toml line 32: `route` is missing",
            "orders.toml line 37: `default`: \"8 fortnights\" is not a length of time",
            "orders.toml line 45: `quorum` is 2 but only 1 are named",
            "orders.toml line 48: the condition says nothing",
            "orders.toml line 49: `shoe_size` is not an attribute",
            "orders.toml line 60: `cedar`: ",
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(wanted)),
                "no fault {wanted:?} among {faults:#?}"
            );
        }
    }
}

#[tokio::test]
async fn people_and_entitlements_that_are_not_there_are_faults() {
    let text = orders("[\"manager\"]", "9 days", &[1])
        .replace("\"right-1\"]", "\"rigth-1\"]")
        .replace(
            &format!("owners = [{}]", person(ASTRID)),
            &format!("owners = [{}, {}]", person(GONE), person(77)),
        );
    for house in houses().await {
        let faults = house.faults(&text).await;
        for wanted in [
            "no longer works here",
            "is not in the directory",
            "the entitlement `rigth-1` is not defined: did you mean `right-1`?",
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(wanted)),
                "no fault {wanted:?} among {faults:#?}"
            );
        }
        let broken = house.faults("[application\nkey = ").await;
        assert!(broken[0].contains("line 1: this is not TOML"), "{broken:?}");
        assert_eq!(
            house
                .workflow
                .store()
                .read()
                .await
                .unwrap()
                .published_catalogue()
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn privileged_rights_are_never_approved_by_policy_alone() {
    let text = orders("\"none\"", "9 days", &[1])
        .replace("name = \"sg-1\"", "name = \"sg-1\"\nprivileged = true");
    for house in houses().await {
        let faults = house.faults(&text).await;
        assert!(
            faults[0].contains("`route` is \"none\" but it holds a privileged right"),
            "{faults:?}"
        );
    }
}

#[tokio::test]
async fn what_was_applied_plans_to_nothing_and_applies_to_nothing() {
    for house in houses().await {
        let text = orders("[\"manager\", \"security\"]", "9 days", &[1, 2]);
        let plan = catalogue::plan(&house.workflow, TENANT, &files(&text))
            .await
            .unwrap();
        assert!(
            !plan.waits,
            "the first edition of an empty installation waits for nobody"
        );
        assert!(
            plan.to_string().contains("+ package Orders, read"),
            "{plan}"
        );
        assert!(matches!(
            house.apply(&text, None).await,
            Applied::Published { number: 1, .. }
        ));
        assert!(
            catalogue::plan(&house.workflow, TENANT, &files(&text))
                .await
                .unwrap()
                .difference
                .is_empty()
        );
        assert_eq!(house.apply(&text, None).await, Applied::Unchanged);
        let package = house.package("orders-read").await;
        assert_eq!(
            package.search_key,
            "orders, read orders ol astrid lindqvist sg-1 sg-2"
        );
        let edition = package.version_id.expect("an edition");
        // Reordered and commented files say the same; a new name makes no new edition of the policy.
        house
            .apply(
                &format!(
                    "# said again\n{}",
                    text.replace("Orders, read", "Orders, look")
                ),
                None,
            )
            .await;
        let renamed = house.package("orders-read").await;
        assert_eq!(
            (renamed.name.as_str(), renamed.version_id),
            ("Orders, look", Some(edition))
        );
    }
}

#[tokio::test]
async fn a_widening_waits_for_a_second_person() {
    for house in houses().await {
        house
            .apply(&orders("[\"manager\", \"security\"]", "9 days", &[1]), None)
            .await;
        let wider = orders("[\"manager\"]", "10 days", &[1, 2]);
        let Applied::Pending { id, plan, .. } = house.apply(&wider, Some(FREJA)).await else {
            panic!("it must wait");
        };
        assert_eq!(
            plan.difference.reasons().len(),
            4,
            "{:?}",
            plan.difference.reasons()
        );
        assert_eq!(
            house.apply(&wider, Some(FREJA)).await,
            Applied::Unchanged,
            "handing it in again changes nothing"
        );
        assert_eq!(
            house.package("orders-read").await.longest_seconds,
            9 * 86_400,
            "nothing has taken effect"
        );
        let own = catalogue::confirm(&house.workflow, &house.viewer(FREJA).await, id).await;
        assert_eq!(own.unwrap_err().refusals(), [Refusal::OwnDraft]);
        let nobody = catalogue::confirm(&house.workflow, &house.viewer(JOHAN).await, id).await;
        assert!(matches!(nobody, Err(Error::Forbidden)));
        catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id)
            .await
            .unwrap();
        assert_eq!(
            house.package("orders-read").await.longest_seconds,
            10 * 86_400
        );
        let again = catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id).await;
        assert!(matches!(
            again.unwrap_err().refusals(),
            [Refusal::WrongState { .. }]
        ));
        assert_eq!(house.apply(&wider, None).await, Applied::Unchanged);
        let mut tx = house.workflow.store().read().await.unwrap();
        let rows = tx.catalogue_versions(None, 10).await.unwrap();
        assert_eq!(
            rows.iter()
                .map(|row| row.state.as_str())
                .collect::<Vec<_>>(),
            ["published", "superseded"]
        );
        assert_eq!(rows[0].decided_by, Some(PersonId(Uuid::from_u128(NILS))));
    }
}

#[tokio::test]
async fn a_waiting_edition_is_refused_or_taken_back() {
    for house in houses().await {
        let text = orders("[\"manager\"]", "9 days", &[1]);
        house.apply(&text, None).await;
        let wider = orders("[\"manager\"]", "10 days", &[1]);
        let Applied::Pending { id, .. } = house.apply(&wider, Some(FREJA)).await else {
            panic!("it must wait");
        };
        catalogue::refuse(&house.workflow, &house.viewer(NILS).await, id)
            .await
            .unwrap();
        assert_eq!(
            house.package("orders-read").await.longest_seconds,
            9 * 86_400
        );
        let Applied::Pending { id, .. } = house.apply(&wider, Some(FREJA)).await else {
            panic!("it must wait again");
        };
        assert_eq!(
            house.apply(&text, None).await,
            Applied::Unchanged,
            "applying what is published takes it back"
        );
        let late = catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id).await;
        assert!(matches!(
            late.unwrap_err().refusals(),
            [Refusal::WrongState { .. }]
        ));
    }
}

#[tokio::test]
async fn an_approver_who_left_meanwhile_stops_a_confirmation() {
    for house in houses().await {
        house
            .apply(&orders("[\"manager\"]", "9 days", &[1]), None)
            .await;
        let Applied::Pending { id, .. } = house
            .apply(&orders("[\"manager\"]", "10 days", &[1]), Some(FREJA))
            .await
        else {
            panic!("it must wait");
        };
        house
            .raw(&format!(
                "UPDATE persons SET state = 'left', left_at = {} WHERE id = {}",
                house.now(),
                house.id(Uuid::from_u128(ASTRID))
            ))
            .await;
        let refused = catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id).await;
        assert!(matches!(
            refused.unwrap_err().refusals(),
            [Refusal::Catalogue { .. }]
        ));
        assert_eq!(
            house.package("orders-read").await.longest_seconds,
            9 * 86_400
        );
    }
}

#[tokio::test]
async fn a_removed_right_leaves_its_holders_at_once_and_an_added_one_reaches_nobody() {
    for house in houses().await {
        house
            .apply(&orders("\"none\"", "9 days", &[1, 2]), None)
            .await;
        let package = house.package("orders-read").await.id;
        house.ask(package).await.unwrap();
        let account = AccountId(Uuid::from_u128(0x2_0000 + JOHAN));
        assert_eq!(desired(&house, account).await, ["right-1", "right-2"]);
        let plan = catalogue::plan(
            &house.workflow,
            TENANT,
            &files(&orders("\"none\"", "9 days", &[2])),
        )
        .await
        .unwrap();
        assert!(!plan.waits);
        assert!(
            plan.to_string()
                .contains("1 person holds it and lose 1 entitlement at once"),
            "{plan}"
        );
        house.apply(&orders("\"none\"", "9 days", &[2]), None).await;
        assert_eq!(desired(&house, account).await, ["right-2"]);
        let Applied::Pending { id, .. } = house
            .apply(&orders("\"none\"", "9 days", &[2, 3]), Some(FREJA))
            .await
        else {
            panic!("more content waits");
        };
        catalogue::confirm(&house.workflow, &house.viewer(NILS).await, id)
            .await
            .unwrap();
        assert_eq!(desired(&house, account).await, ["right-2"]);
    }
}

pub async fn desired(house: &House, account: AccountId) -> Vec<String> {
    let mut tx = house.workflow.store().begin().await.unwrap();
    let target = tx.entra_target(TENANT).await.unwrap().expect("a target");
    let rights = tx.entitlements(target).await.unwrap();
    let pairs: Vec<_> = rights.iter().map(|row| (account, row.id)).collect();
    let wanted: BTreeSet<_> = tx
        .lock_pairs(&pairs)
        .await
        .unwrap()
        .into_iter()
        .filter(|row| row.desired)
        .map(|row| row.entitlement_id)
        .collect();
    let mut keys: Vec<String> = rights
        .into_iter()
        .filter(|row| wanted.contains(&row.id))
        .map(|row| row.key)
        .collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn a_retired_package_withdraws_what_waits_and_is_not_offered() {
    for house in houses().await {
        let text = orders("[\"manager\"]", "9 days", &[1]);
        let none = text
            .split("\n[[package]]")
            .next()
            .expect("the part before the package")
            .to_owned();
        house.apply(&text, None).await;
        let package = house.package("orders-read").await.id;
        let request = house.ask(package).await.unwrap();
        assert!(matches!(
            house.apply(&none, None).await,
            Applied::Published { .. }
        ));
        assert_eq!(house.package("orders-read").await.state, "retired");
        let mut tx = house.workflow.store().read().await.unwrap();
        assert_eq!(
            tx.lines_of_request(request).await.unwrap()[0].state,
            LineState::Withdrawn
        );
        drop(tx);
        assert_eq!(
            house.ask(package).await.unwrap_err().refusals(),
            [Refusal::Retired]
        );
        assert!(
            matches!(
                house.apply(&text, Some(FREJA)).await,
                Applied::Pending { .. }
            ),
            "offering it anew widens"
        );
    }
}

#[tokio::test]
async fn an_import_says_what_can_be_managed_and_does_not_believe_an_empty_listing() {
    for house in houses().await {
        house
            .apply(&orders("[\"manager\"]", "9 days", &[1]), None)
            .await;
        let synced = GroupFacts {
            on_premises_synced: true,
            ..plain(1)
        };
        let outcome = house
            .import((2..=6).map(plain).chain([synced]).collect())
            .await;
        assert_eq!((outcome.added, outcome.changed, outcome.missing), (0, 1, 0));
        let package = house.package("orders-read").await.id;
        assert!(matches!(
            house.ask(package).await.unwrap_err().refusals(),
            [Refusal::NotManageable { .. }]
        ));
        let outcome = house.import((1..=6).map(plain).collect()).await;
        assert_eq!(outcome.changed, 1);
        house.ask(package).await.unwrap();
        let empty = house.import(vec![]).await;
        assert!(empty.unbelieved && empty.missing == 6, "{empty:?}");
        let fewer = house.import((1..=4).map(plain).collect()).await;
        assert!(!fewer.unbelieved && fewer.missing == 2, "{fewer:?}");
        // A listing alone takes nothing away: each missing group is read directly, and only some are gone.
        let listing = Imported {
            groups: (1..=4).map(plain).collect(),
            whole: true,
            ..Imported::default()
        };
        let mut unlisted = catalogue::unlisted(&house.workflow, TENANT, &listing)
            .await
            .unwrap();
        unlisted.sort_unstable();
        assert_eq!(unlisted, [5, 6].map(|n| Right::Group { id: group(n) }));
        let fewer = house
            .import_without((1..=4).map(plain).collect(), &[6])
            .await;
        assert_eq!(fewer.missing, 2);
        let again = house.import((1..=4).map(plain).collect()).await;
        assert_eq!((again.added, again.changed, again.missing), (0, 0, 1));
        let unlisted = catalogue::unlisted(&house.workflow, TENANT, &Imported::default()).await;
        assert_eq!(
            unlisted.unwrap().len(),
            5,
            "what is known as gone is not read again"
        );
    }
}

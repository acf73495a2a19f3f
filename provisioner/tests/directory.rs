//! Reading the directory over HTTP from the sandbox, on both engines: everything, changes, and every way in which a
//! directory can mislead.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;

use chrono::{Days, Duration};
use domain::{
    PersonId,
    person::{AccountKey, PersonState, PortalRole},
};
use provisioner::{
    directory::{self, Error, Extent, Options, Outcome},
    graph::{self, Credential, Graph},
    http,
};
use sandbox::{
    AppRole, AppRoleAssignment, Client, Config, Directory, Fault, FaultKind, Group, Running,
    Sandbox, ServicePrincipal, User,
};
use store::{
    Engine,
    directory::DirectoryRow,
    people::{AccountRow, PersonRow},
    testing,
};
use uuid::Uuid;
use workflow::{
    Clock, Ids, Settings, Workflow,
    access::{self, Viewer},
    catalogue, holds,
    people::{self, SignIn, SignedIn},
};

const PORTAL: &str = "portal-client";

fn tenant() -> Uuid {
    Uuid::from_u128(0xabc)
}

fn object(n: u128) -> Uuid {
    Uuid::from_u128(0x9000 + n)
}

/// Somebody of the sample company. 1 leads, 2..=4 report to 1, everybody else to 2.
fn user(n: u128) -> User {
    User {
        employee_id: Some(format!("E{n}")),
        employee_type: Some("Employee".into()),
        department: Some("Orders".into()),
        usage_location: Some("SE".into()),
        country: Some("Sweden".into()),
        manager: match n {
            1 => None,
            2..=4 => Some(object(1)),
            _ => Some(object(2)),
        },
        ..User::new(
            object(n),
            &format!("Person Åberg {n:03}"),
            &format!("p{n}@contoso.example"),
        )
    }
}

/// A company of so many; 2 is security directly, 3 is HR through a group, 4 a contractor whom 1 sponsors.
fn company(size: u128) -> Directory {
    let mut users: Vec<User> = (1..=size).map(user).collect();
    users[3].employee_type = Some("Contractor".into());
    users[3].sponsors = vec![object(1)];
    let role = |n: u128, value: &str| AppRole {
        id: Uuid::from_u128(n),
        ..AppRole::new(Uuid::from_u128(n), value, value)
    };
    let group = Group::new(Uuid::from_u128(0x77), "HR people");
    let portal = Uuid::from_u128(0x50);
    let assigned = |role: u128, principal: Uuid| AppRoleAssignment {
        app_role_id: Uuid::from_u128(role),
        principal_id: principal,
        resource_id: portal,
        ..AppRoleAssignment::default()
    };
    Directory {
        users,
        memberships: [(group.id, BTreeSet::from([object(3)]))].into(),
        app_role_assignments: vec![assigned(0x61, object(2)), assigned(0x62, group.id)],
        groups: vec![group],
        service_principals: vec![ServicePrincipal {
            id: portal,
            app_id: PORTAL.into(),
            display_name: "Latchkey".into(),
            app_roles: vec![role(0x61, "Portal.Security"), role(0x62, "Portal.HR")],
            ..ServicePrincipal::default()
        }],
        ..Directory::default()
    }
}

struct World {
    engine: Engine,
    sandbox: Running,
    workflow: Workflow,
    clock: Clock,
    graph: Graph,
}

async fn worlds(company: Directory) -> Vec<World> {
    let mut worlds = Vec::new();
    for (engine, store) in testing::stores().await {
        let sandbox = Sandbox::start(
            Config::new(tenant(), company.clone())
                .client(Client::provisioner("provisioner", "a secret for tests")),
        )
        .await
        .unwrap();
        let clock = Clock::simulated(sandbox.now());
        let ids = Ids::seeded(11);
        let workflow = Workflow::new(store, clock.clone(), ids.clone(), Settings::default());
        let options = graph::Options {
            authority: sandbox.url().into(),
            base: sandbox.graph_url(),
            scope: format!("{}/.default", sandbox.url()),
            ..graph::Options::public(
                tenant(),
                "provisioner",
                Credential::Secret("a secret for tests".into()),
            )
        };
        let http = http::client(&http::Options::default()).unwrap();
        worlds.push(World {
            engine,
            graph: Graph::new(http, clock.clone(), ids, options).unwrap(),
            sandbox,
            workflow,
            clock,
        });
    }
    worlds
}

impl World {
    async fn try_read(&self) -> Result<Outcome, Error> {
        let options = Options {
            tenant: tenant(),
            portal_client_id: Some(PORTAL.into()),
        };
        directory::run(&self.workflow, &self.graph, &options).await
    }

    async fn read(&self) -> Outcome {
        self.try_read()
            .await
            .unwrap_or_else(|error| panic!("{:?}: {error}", self.engine))
    }

    /// Everything again, as in the night.
    async fn read_all(&self) -> Outcome {
        self.clock.move_to(self.clock.now() + Days::new(1));
        let outcome = self.read().await;
        assert_eq!(outcome.extent, Extent::Full);
        outcome
    }

    async fn account(&self, n: u128) -> Option<AccountRow> {
        let mut tx = self.workflow.store().read().await.unwrap();
        let key = AccountKey {
            tenant: tenant(),
            object: object(n),
        };
        tx.account_by_key(key).await.unwrap()
    }

    async fn person(&self, n: u128) -> PersonRow {
        let account = self.account(n).await.expect("an account");
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.person(account.person_id).await.unwrap().unwrap()
    }

    async fn viewer(&self, n: u128) -> Option<Viewer> {
        let account = self.account(n).await?;
        access::viewer(&self.workflow, account.person_id, account.id)
            .await
            .unwrap()
    }

    /// The version of a hold, as its page shows it.
    async fn hold_version(&self, id: domain::HoldId) -> i64 {
        let mut tx = self.workflow.store().begin().await.unwrap();
        tx.lock_hold(id).await.unwrap().unwrap().version
    }

    async fn active(&self) -> i64 {
        let mut tx = self.workflow.store().read().await.unwrap();
        tx.count_active_people().await.unwrap()
    }

    async fn state(&self) -> DirectoryRow {
        people::directory_state(&self.workflow, tenant())
            .await
            .unwrap()
            .expect("it was read")
    }

    fn edit(&self, n: u128, change: impl FnOnce(&mut User)) {
        let mut user = self.sandbox.user(object(n)).expect("a user");
        change(&mut user);
        self.sandbox.put_user(user);
    }

    async fn audit_kinds(&self, person: PersonId) -> Vec<String> {
        let mut tx = self.workflow.store().read().await.unwrap();
        let query = store::audit::AuditQuery {
            subject: Some(person.to_string()),
            limit: 100,
            ..store::audit::AuditQuery::default()
        };
        let page = tx.audit_page(&query).await.unwrap();
        page.into_iter().rev().map(|row| row.kind).collect()
    }
}

#[tokio::test]
async fn the_first_reading_brings_everybody_and_the_second_changes_nothing() {
    let mut company = company(12);
    company.users[11].account_enabled = false;
    for world in worlds(company).await {
        let first = world.read().await;
        assert_eq!(first.extent, Extent::Full);
        assert_eq!(first.applied.added, 12);
        assert_eq!((first.applied.left, first.applied.held), (0, 0));
        assert_eq!(first.roles_changed, 2);
        assert!(first.doubts.is_empty(), "{:?}", first.doubts);

        let five = world.person(5).await;
        assert_eq!(five.name, "Person Åberg 005");
        assert_eq!(
            (five.country.as_str(), five.employee_type.as_str()),
            ("SE", "employee")
        );
        assert!(
            five.search_key.starts_with("person aberg 005"),
            "{}",
            five.search_key
        );
        assert_eq!(five.manager_id, Some(world.person(2).await.id));
        assert_eq!(world.person(12).await.state, PersonState::Left);
        assert!(world.viewer(12).await.is_none());

        let mut tx = world.workflow.store().read().await.unwrap();
        let contractor = world.person(4).await.id;
        let sponsors = tx.sponsors_of(&[contractor]).await.unwrap();
        assert_eq!(sponsors[0].sponsor_id, world.person(1).await.id);
        drop(tx);
        assert_eq!(world.viewer(2).await.unwrap().roles, [PortalRole::Security]);
        assert_eq!(world.viewer(3).await.unwrap().roles, [PortalRole::Hr]);

        let second = world.read().await;
        assert_eq!(second.extent, Extent::Changes);
        assert_eq!(
            (second.seen, second.applied),
            (0, people::Applied::default())
        );
        let third = world.read_all().await;
        assert_eq!(third.applied, people::Applied::default());
    }
}

#[tokio::test]
async fn changes_are_followed() {
    for world in worlds(company(9)).await {
        world.read().await;
        world.edit(6, |user| user.department = Some("Finance".into()));
        world.edit(7, |user| user.manager = Some(object(3)));
        world.sandbox.put_user(user(20));
        assert!(world.sandbox.delete_user(object(9)));
        let outcome = world.read().await;
        assert_eq!(outcome.extent, Extent::Changes);
        assert_eq!(
            outcome.applied,
            people::Applied {
                added: 1,
                changed: 3,
                returned: 0,
                left: 1,
                held: 0
            },
            "{:?}",
            world.engine
        );
        assert_eq!(world.person(6).await.department, "Finance");
        assert_eq!(
            world.person(7).await.manager_id,
            Some(world.person(3).await.id)
        );
        assert_eq!(
            world.person(20).await.manager_id,
            Some(world.person(2).await.id)
        );
        let nine = world.person(9).await;
        assert_eq!(nine.state, PersonState::Left);
        assert!(world.account(9).await.unwrap().deleted);
        assert_eq!(
            world.audit_kinds(nine.id).await,
            [
                "person_added",
                "account_added",
                "person_changed",
                "account_changed",
                "person_left"
            ]
        );
    }
}

#[tokio::test]
async fn a_dead_place_in_the_changes_reads_everything() {
    for world in worlds(company(6)).await {
        world.read().await;
        world.edit(6, |user| user.department = Some("Finance".into()));
        world.sandbox.fail(FaultKind::DeltaExpired);
        let outcome = world.read().await;
        assert_eq!((outcome.extent, outcome.applied.changed), (Extent::Full, 1));
        world.sandbox.faults().clear();
        // And so does a week without a reading.
        world.edit(6, |user| user.department = Some("Sales".into()));
        world
            .sandbox
            .set_offset(Duration::days(8).num_microseconds().unwrap());
        let outcome = world.read().await;
        assert_eq!((outcome.extent, outcome.applied.changed), (Extent::Full, 1));
        assert_eq!(world.read().await.extent, Extent::Changes);
    }
}

#[tokio::test]
async fn an_empty_or_cut_listing_removes_nobody() {
    for world in worlds(company(60)).await {
        world.read().await;
        for fault in [
            FaultKind::EmptyListing,
            FaultKind::TruncatedListing { keep: 10 },
        ] {
            world
                .sandbox
                .fail(Fault::from(fault).path_prefix("/v1.0/users"));
            let outcome = world.read_all().await;
            assert_eq!(outcome.applied, people::Applied::default());
            assert_eq!(outcome.doubts.len(), 1, "{:?}", outcome.doubts);
            assert_eq!(world.active().await, 60);
            let state = world.state().await;
            assert!(state.problem.unwrap().contains("nobody was removed"));
            world.sandbox.faults().clear();
            // It tries again without waiting for the night.
            let healed = world.read().await;
            assert_eq!((healed.extent, healed.doubts.len()), (Extent::Full, 0));
            assert_eq!(world.state().await.problem, None);
        }
        // A few who are only missing from the listing are asked for one by one.
        world
            .sandbox
            .fail(Fault::from(FaultKind::TruncatedListing { keep: 55 }).path_prefix("/v1.0/users"));
        let outcome = world.read_all().await;
        assert_eq!(outcome.applied, people::Applied::default());
        assert_eq!((outcome.seen, outcome.doubts.len()), (60, 0));
        // An empty listing of roles takes nobody's.
        world.sandbox.faults().clear();
        world
            .sandbox
            .fail(Fault::from(FaultKind::EmptyListing).path_prefix("/v1.0/groups"));
        world.read().await;
        assert_eq!(world.viewer(2).await.unwrap().roles, [PortalRole::Security]);
    }
}

#[tokio::test]
async fn throttling_dying_tokens_and_passing_failures_only_delay() {
    for world in worlds(company(25)).await {
        world.sandbox.fail(FaultKind::Throttle {
            every: Some(3),
            percent: None,
            retry_after: Some(0.02),
        });
        assert_eq!(world.read().await.applied.added, 25);
        world.sandbox.faults().clear();
        world.sandbox.revoke_tokens();
        world.edit(6, |user| user.department = Some("Finance".into()));
        assert_eq!(world.read().await.applied.changed, 1);
        world.sandbox.fail(FaultKind::Deny);
        world.edit(7, |user| user.department = Some("Finance".into()));
        assert!(matches!(world.try_read().await, Err(Error::Graph { .. })));
        assert!(world.state().await.problem.is_some());
        world.sandbox.faults().clear();
        // Nothing of what came meanwhile is lost.
        let outcome = world.read().await;
        assert_eq!(
            (outcome.extent, outcome.applied.changed),
            (Extent::Changes, 1)
        );
        assert_eq!(world.state().await.problem, None);
    }
}

#[tokio::test]
async fn another_tenant_is_refused() {
    for world in worlds(company(6)).await {
        let id = Uuid::from_u128(0xdef);
        world.sandbox.fail(FaultKind::WrongTenant { id });
        assert!(matches!(
            world.try_read().await,
            Err(Error::WrongTenant { .. })
        ));
        assert_eq!(world.active().await, 0);
        assert!(
            world
                .state()
                .await
                .problem
                .unwrap()
                .contains(&id.to_string())
        );
    }
}

#[tokio::test]
async fn without_the_permission_for_last_days_everything_else_is_read() {
    let soon = Clock::system().system_now() + Duration::days(30);
    let mut company = company(6);
    company.users[5].employee_leave_date_time = Some(soon);
    for world in worlds(company).await {
        world.read().await;
        assert!(world.person(6).await.last_day_at.is_some());
        // The permission is taken away: what asks for the last day is denied.
        world.edit(6, |user| {
            user.department = Some("Finance".into());
            user.employee_leave_date_time = None;
        });
        world.sandbox.fail(
            Fault::from(FaultKind::Deny)
                .path_prefix("/v1.0/users/delta")
                .calls(2),
        );
        let outcome = world.read().await;
        assert!(outcome.doubts[0].contains("User-LifeCycleInfo.Read.All"));
        let six = world.person(6).await;
        assert_eq!(six.department, "Finance");
        assert!(six.last_day_at.is_some(), "what cannot be read stays");
    }
}

#[tokio::test]
async fn a_disabled_account_is_a_leave_and_a_return_restores_nothing() {
    for world in worlds(company(8)).await {
        world.read().await;
        assert_eq!(world.viewer(2).await.unwrap().roles.len(), 1);
        world.edit(2, |user| user.account_enabled = false);
        let outcome = world.read().await;
        assert_eq!((outcome.applied.left, outcome.applied.held), (1, 0));
        assert!(world.viewer(2).await.is_none());
        let signed = SignedIn {
            tenant: tenant(),
            object: object(2),
            name: "Person".into(),
            user_name: "p2@contoso.example".into(),
            mail: None,
            roles: Some(vec![]),
            guest: false,
        };
        assert!(matches!(
            people::sign_in(&world.workflow, signed).await.unwrap(),
            SignIn::Refused(people::SignInRefusal::Disabled)
        ));
        // The next whole reading finds nothing new to do.
        assert_eq!(world.read_all().await.applied, people::Applied::default());
        world.edit(2, |user| user.account_enabled = true);
        let outcome = world.read().await;
        assert_eq!((outcome.applied.returned, outcome.applied.left), (1, 0));
        let two = world.person(2).await;
        assert_eq!((two.state, two.left_at), (PersonState::Active, None));
        // The role is there only because the directory still gives it.
        assert_eq!(outcome.roles_changed, 1);
    }
}

#[tokio::test]
async fn a_mass_leave_waits_for_a_human() {
    for world in worlds(company(40)).await {
        world.read().await;
        for n in 11..=20 {
            world.edit(n, |user| user.account_enabled = false);
        }
        world.edit(21, |user| user.department = Some("Finance".into()));
        let outcome = world.read().await;
        assert_eq!((outcome.applied.left, outcome.applied.held), (0, 10));
        assert_eq!(outcome.applied.changed, 1, "everything else is applied");
        assert_eq!(world.active().await, 40);
        assert!(world.viewer(11).await.is_some(), "nothing of it is applied");
        // Neither do they leave a little later, in another reading, nor does a second hold come up.
        let outcome = world.read_all().await;
        assert_eq!((outcome.applied.left, outcome.applied.held), (0, 10));
        // Those who come back are taken out.
        world.edit(11, |user| user.account_enabled = true);
        let outcome = world.read().await;
        assert_eq!((outcome.applied.left, outcome.applied.held), (0, 9));
        // One more alone leaves at once.
        world.edit(30, |user| user.account_enabled = false);
        let outcome = world.read().await;
        assert_eq!((outcome.applied.left, outcome.applied.held), (1, 9));

        let mut tx = world.workflow.store().read().await.unwrap();
        let hold = tx.waiting_hold().await.unwrap().expect("one waits");
        assert_eq!((hold.counted, hold.allowed), (9, 5));
        assert_eq!(tx.hold_people(hold.id).await.unwrap().len(), 9);
        drop(tx);
        let version = world.hold_version(hold.id).await;
        let security = world.viewer(2).await.unwrap();
        assert!(matches!(
            holds::confirm(&world.workflow, &security, hold.id, version).await,
            Err(workflow::Error::Forbidden)
        ));
        let hr = world.viewer(3).await.unwrap();
        assert!(matches!(
            holds::confirm(&world.workflow, &hr, hold.id, version - 1).await,
            Err(workflow::Error::Stale)
        ));
        assert_eq!(
            holds::confirm(&world.workflow, &hr, hold.id, version)
                .await
                .unwrap(),
            9
        );
        assert_eq!(world.active().await, 30);
        assert!(world.viewer(12).await.is_none());
        assert!(world.viewer(11).await.is_some());
        assert!(matches!(
            holds::dismiss(&world.workflow, &hr, hold.id, version).await,
            Err(workflow::Error::Refused(_))
        ));
        assert_eq!(world.read_all().await.applied, people::Applied::default());
    }
}

#[tokio::test]
async fn a_dismissed_hold_lets_nobody_leave() {
    for world in worlds(company(40)).await {
        world.read().await;
        for n in 11..=20 {
            assert!(world.sandbox.delete_user(object(n)));
        }
        assert_eq!(world.read().await.applied.held, 10);
        let hold = {
            let mut tx = world.workflow.store().read().await.unwrap();
            tx.waiting_hold().await.unwrap().expect("one waits")
        };
        let hr = world.viewer(3).await.unwrap();
        let version = world.hold_version(hold.id).await;
        holds::dismiss(&world.workflow, &hr, hold.id, version)
            .await
            .unwrap();
        assert_eq!(world.active().await, 40);
        // The directory still says so: it is asked again.
        assert_eq!(world.read_all().await.applied.held, 10);
    }
}

#[tokio::test]
async fn the_same_mail_under_another_object_id_is_somebody_else() {
    for world in worlds(company(6)).await {
        world.read().await;
        let first = world.person(6).await;
        assert!(world.sandbox.delete_user(object(6)));
        world.sandbox.put_user(User {
            id: object(66),
            ..user(6)
        });
        let outcome = world.read().await;
        assert_eq!((outcome.applied.added, outcome.applied.left), (1, 1));
        let second = world.person(66).await;
        assert_ne!(first.id, second.id);
        assert_eq!(first.mail, second.mail);
        assert_eq!(world.person(6).await.state, PersonState::Left);
        assert_eq!(second.state, PersonState::Active);
    }
}

#[tokio::test]
async fn a_last_day_ends_when_it_is_over() {
    for world in worlds(company(6)).await {
        world.read().await;
        let last = world.clock.now() + Duration::hours(1);
        world.edit(6, |user| user.employee_leave_date_time = Some(last));
        assert_eq!(world.read().await.applied.changed, 1);
        assert!(world.viewer(6).await.is_some());
        world.clock.move_to(last);
        assert!(
            world.viewer(6).await.is_none(),
            "at once, without a reading"
        );
        assert_eq!(world.read().await.applied.left, 1);
        assert_eq!(world.person(6).await.state, PersonState::Left);
        // The account is still enabled in the directory, and that brings nobody back.
        let outcome = world.read_all().await;
        assert_eq!((outcome.applied.returned, outcome.applied.left), (0, 0));
        // Unless the last day was wrong.
        world.edit(6, |user| user.employee_leave_date_time = None);
        let outcome = world.read().await;
        assert_eq!((outcome.applied.returned, outcome.applied.left), (1, 0));
        assert!(world.viewer(6).await.is_some());
    }
}

#[tokio::test]
async fn somebody_quite_new_is_not_gone_because_a_replica_does_not_know_them() {
    for world in worlds(company(6)).await {
        world.read().await;
        let newcomer = SignedIn {
            tenant: tenant(),
            object: object(50),
            name: "New".into(),
            user_name: "new@contoso.example".into(),
            mail: None,
            roles: Some(vec![]),
            guest: false,
        };
        people::sign_in(&world.workflow, newcomer).await.unwrap();
        world.sandbox.fail(FaultKind::DeltaExpired);
        let outcome = world.read().await;
        assert_eq!((outcome.extent, outcome.applied.left), (Extent::Full, 0));
        world.clock.move_to(world.clock.now() + Duration::hours(2));
        let outcome = world.read().await;
        assert_eq!((outcome.extent, outcome.applied.left), (Extent::Full, 1));
    }
}

#[tokio::test]
async fn circles_of_managers_do_no_harm() {
    let mut company = company(6);
    company.users[0].manager = Some(object(2));
    company.users[4].manager = Some(object(5));
    for world in worlds(company).await {
        world.read().await;
        assert_eq!(
            world.person(5).await.manager_id,
            None,
            "nobody is their own manager"
        );
        assert_eq!(
            world.person(1).await.manager_id,
            Some(world.person(2).await.id)
        );
        let six = world.person(6).await.id;
        let mut tx = world.workflow.store().read().await.unwrap();
        assert!(tx.managers_above(&[six]).await.unwrap().len() <= 64);
    }
}

#[tokio::test]
async fn the_groups_that_decide_are_read_and_one_that_cannot_be_read_stops_nothing() {
    let treasury = Uuid::from_u128(0x78);
    for world in worlds(company(8)).await {
        world.sandbox.put_group(Group::new(treasury, "Treasury"));
        for n in [5, 6] {
            assert!(world.sandbox.add_member(treasury, object(n)));
        }
        assert_eq!(world.read().await.groups_changed, 0, "no stage names one");
        let rights = graph::import::Options {
            tenant: tenant(),
            ..graph::import::Options::default()
        };
        graph::import::run(&world.workflow, &world.graph, &rights)
            .await
            .unwrap();
        let file = catalogue::SourceFile {
            path: "orders.toml".into(),
            text: format!(
                "[application]\nkey = \"orders\"\nname = \"Orders\"\n[[entitlement]]\nkey = \"read\"\ngroup = \"{}\"\nname = \"HR\"\n\
                 [[package]]\nkey = \"read\"\nname = \"Orders\"\nopens = [\"Look.\"]\nentitlements = [\"read\"]\nowners = [{{ id = \"{}\" }}]\n\
                 route = [{{ approvers = \"group\", group = \"{treasury}\" }}]\ndefault = \"1 hour\"\nlongest = \"1 day\"\n",
                Uuid::from_u128(0x77),
                object(1)
            ),
        };
        catalogue::apply(&world.workflow, tenant(), &[file], None)
            .await
            .unwrap();
        let members = async || {
            let mut tx = world.workflow.store().read().await.unwrap();
            tx.group_accounts(treasury).await.unwrap().len()
        };
        assert_eq!(world.read().await.groups_changed, 1);
        assert_eq!(members().await, 2);
        assert_eq!(world.read().await.groups_changed, 0);

        assert!(world.sandbox.remove_member(treasury, object(6)));
        assert_eq!(world.read().await.groups_changed, 1);
        assert_eq!(members().await, 1);

        world
            .sandbox
            .fail(Fault::from(FaultKind::Deny).group(treasury));
        let outcome = world.read().await;
        assert!(
            outcome.doubts[0].contains(&treasury.to_string()),
            "{:?}",
            outcome.doubts
        );
        assert_eq!(members().await, 1, "what was read last stays for a day");
        world.sandbox.faults().clear();

        assert!(world.sandbox.delete_group(treasury));
        assert_eq!(world.read().await.groups_changed, 1);
        assert_eq!(members().await, 0);
    }
}

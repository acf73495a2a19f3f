//! Scans of a target for what was given or taken there by hand, with the sandbox as Microsoft Graph.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    assignment::{Observed, Phase},
    deadline::JobKind,
    drift::Stop,
    finding::{FindingKind, FindingState},
    grant::GrantSource,
    person::PortalRole,
};
use provisioner::{
    graph::{Entra, Switches},
    worker::{Moment, Options, Seam, Worker},
};
use sandbox::{FaultKind, Running, User};
use store::{
    Store,
    findings::{FindingQuery, NamedFindingRow},
    scans::{ScanRow, ScannedRow},
    testing,
};
use uuid::Uuid;
use workflow::{Error, access::Viewer, assignments, findings, scans};

use crate::{
    graph,
    house::{House, account, group, person, right, user},
};

/// Who owns the rights.
const OLLE: usize = 13;

/// A house whose one target is the sandbox, and a worker.
pub struct Town {
    pub house: House,
    pub sandbox: Running,
    worker: Worker,
}

impl Town {
    pub async fn build(store: Store) -> Self {
        let house = House::build(store, 1, 14, 1).await;
        let (sandbox, groups) = graph::target(14, 1).await;
        let worker = Worker::builder(house.workflow.clone(), Options::default())
            .connector("graph", groups)
            .build();
        let owner = testing::literal(house.workflow.store().engine(), person(OLLE).0);
        let town = Self {
            house,
            sandbox,
            worker,
        };
        town.raw(&format!("UPDATE entitlements SET owner_id = {owner}"))
            .await;
        town
    }

    pub async fn raw(&self, text: &str) {
        testing::raw(self.house.workflow.store(), text)
            .await
            .unwrap();
    }

    pub async fn walk(&self, ahead: chrono::Duration) {
        self.worker
            .walk(self.house.clock.now() + ahead, Duration::ZERO, &|_| ())
            .await
            .unwrap();
    }

    pub async fn operator(&self) -> Viewer {
        Viewer {
            roles: vec![PortalRole::Operator],
            ..self.house.viewer(12).await
        }
    }

    /// Some hours later an operator has the target scanned.
    pub async fn scan(&self) {
        self.walk(chrono::Duration::hours(2)).await;
        let operator = self.operator().await;
        scans::ask(&self.house.workflow, &operator, self.house.target)
            .await
            .unwrap();
        self.walk(chrono::Duration::minutes(2)).await;
    }

    pub async fn found(&self, kind: FindingKind, state: FindingState) -> Vec<NamedFindingRow> {
        let mut tx = self.house.workflow.store().read().await.unwrap();
        tx.findings_page(&FindingQuery {
            kind: Some(kind),
            state: Some(state),
            limit: 50,
            ..FindingQuery::default()
        })
        .await
        .unwrap()
    }

    async fn scanned(&self) -> ScannedRow {
        let mut tx = self.house.workflow.store().read().await.unwrap();
        tx.scanned(right(0)).await.unwrap().unwrap()
    }

    pub async fn pass(&self) -> Option<ScanRow> {
        let mut tx = self.house.workflow.store().read().await.unwrap();
        tx.scan(self.house.target).await.unwrap()
    }

    pub fn holds(&self, who: usize) -> bool {
        self.sandbox.members(group(0)).contains(&user(who))
    }

    /// How often the group was listed.
    fn listed(&self) -> usize {
        let path = "members/microsoft.graph.user";
        self.sandbox
            .requests()
            .iter()
            .filter(|request| request.path.contains(path))
            .count()
    }

    pub async fn imports(&self, who: usize) -> usize {
        let mut tx = self.house.workflow.store().read().await.unwrap();
        let grants = tx.live_grants_of_person(person(who)).await.unwrap();
        let import = |grant: &&store::grants::GrantRow| grant.source == GrantSource::Import;
        grants.iter().filter(import).count()
    }
}

#[tokio::test]
async fn what_somebody_gave_is_a_finding_of_the_owner_until_it_is_gone() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        let stranger = Uuid::from_u128(0xdead);
        town.sandbox
            .put_user(User::new(stranger, "Robot", "robot@contoso.example"));
        assert!(town.sandbox.add_member(group(0), user(1)));
        assert!(town.sandbox.add_member(group(0), stranger));
        town.scan().await;
        town.scan().await;
        let open = town.found(FindingKind::OutOfBand, FindingState::Open).await;
        assert_eq!(open.len(), 2, "{open:?}");
        assert!(open.iter().all(|row| row.owner_id == Some(person(OLLE))));
        let whom: Vec<_> = open
            .iter()
            .map(|row| (row.person_id, row.holder.clone()))
            .collect();
        assert!(whom.contains(&(Some(person(1)), None)), "{whom:?}");
        assert!(
            whom.contains(&(None, Some(stranger.to_string()))),
            "{whom:?}"
        );
        // Nothing is done about it by itself.
        assert!(town.holds(1) && town.house.assignment(1, 0).await.is_none());
        assert_eq!(town.imports(1).await, 0);
        assert_eq!(
            (town.scanned().await.given, town.scanned().await.changes),
            (2, 0)
        );

        assert!(town.sandbox.remove_member(group(0), user(1)));
        assert!(town.sandbox.remove_member(group(0), stranger));
        town.scan().await;
        assert!(
            town.found(FindingKind::OutOfBand, FindingState::Open)
                .await
                .is_empty()
        );
        let closed = town
            .found(FindingKind::OutOfBand, FindingState::Closed)
            .await;
        assert_eq!(closed.len(), 2);
    }
}

#[tokio::test]
async fn its_owner_has_it_taken_away() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        assert!(town.sandbox.add_member(group(0), user(1)));
        town.scan().await;
        let open = town.found(FindingKind::OutOfBand, FindingState::Open).await;
        let workflow = &town.house.workflow;
        let other = town.house.viewer(2).await;
        let note = "Nobody asked for it.";
        let refused = findings::take_away(workflow, &other, open[0].id, None, note).await;
        assert!(matches!(refused, Err(Error::Missing)));
        let owner = town.house.viewer(OLLE).await;
        findings::take_away(workflow, &owner, open[0].id, None, note)
            .await
            .unwrap();
        town.walk(chrono::Duration::minutes(2)).await;
        assert!(!town.holds(1));
        assert_eq!(town.imports(1).await, 0);
        town.scan().await;
        let closed = town
            .found(FindingKind::OutOfBand, FindingState::Closed)
            .await;
        assert_eq!(closed.len(), 1);
    }
}

#[tokio::test]
async fn what_vanished_is_put_back_once_and_then_waits_for_a_person() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        town.house.give(0, &[0], None).await;
        town.walk(chrono::Duration::minutes(2)).await;
        assert!(town.holds(0));
        town.sandbox.remove_member(group(0), user(0));
        town.scan().await;
        assert!(town.holds(0), "it is put back once");
        assert!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .is_empty()
        );

        town.sandbox.remove_member(group(0), user(0));
        town.scan().await;
        assert!(!town.holds(0), "and not again");
        let row = town.house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed),
            (Phase::Attention, Observed::Absent)
        );
        let open = town.found(FindingKind::Vanished, FindingState::Open).await;
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].owner_id, Some(person(OLLE)));
        // Nor by what looks for forgotten work.
        assert_eq!(assignments::sweep(&town.house.workflow).await.unwrap(), 0);
        town.scan().await;
        assert!(!town.holds(0));
        assert_eq!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .len(),
            1
        );

        let operator = town.operator().await;
        assignments::retry(&town.house.workflow, &operator, row.id)
            .await
            .unwrap();
        town.walk(chrono::Duration::days(1)).await;
        assert!(town.holds(0), "an operator has it put back");
        assert!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn what_is_privileged_is_never_put_back_by_itself() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        town.raw("UPDATE entitlements SET privileged = TRUE").await;
        let grant = town
            .house
            .give(0, &[0], Some(chrono::Duration::days(20)))
            .await;
        town.walk(chrono::Duration::minutes(2)).await;
        town.sandbox.remove_member(group(0), user(0));
        town.scan().await;
        assert!(!town.holds(0));
        assert_eq!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .len(),
            1
        );
        // Whoever took it away gives it again.
        town.sandbox.add_member(group(0), user(0));
        town.scan().await;
        let row = town.house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed),
            (Phase::Settled, Observed::Present)
        );
        assert!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .is_empty()
        );
        // The end of its grant is its end.
        town.sandbox.remove_member(group(0), user(0));
        town.scan().await;
        town.house.give_back(0, grant).await;
        findings::arm_daily(&town.house.workflow).await.unwrap();
        town.walk(chrono::Duration::days(1)).await;
        let row = town.house.assignment(0, 0).await.unwrap();
        assert_eq!((row.phase, row.desired), (Phase::Settled, false));
        assert!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn an_empty_or_truncated_listing_changes_nothing() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        for who in 0..3 {
            town.house.give(who, &[0], None).await;
        }
        town.raw("UPDATE entitlements SET privileged = TRUE").await;
        town.walk(chrono::Duration::minutes(2)).await;
        for (fault, why) in [
            (FaultKind::EmptyListing, Stop::Empty),
            (FaultKind::TruncatedListing { keep: 1 }, Stop::NotWhole),
        ] {
            town.sandbox.fail(fault);
            town.scan().await;
            town.sandbox.faults().clear();
            assert_eq!(town.scanned().await.stopped, Some(why));
            for who in 0..3 {
                let row = town.house.assignment(who, 0).await.unwrap();
                assert_eq!(
                    (row.phase, row.observed),
                    (Phase::Settled, Observed::Present)
                );
            }
        }
        // There is nothing to go on with where the listing is not whole.
        let operator = town.operator().await;
        let changes = town.scanned().await.changes;
        let on = scans::go_on(&town.house.workflow, &operator, right(0), changes).await;
        assert!(matches!(on, Err(Error::Stale)));
        town.scan().await;
        assert_eq!(town.scanned().await.stopped, None);
        assert!(
            town.found(FindingKind::Vanished, FindingState::Open)
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn pages_that_fail_are_tried_again_and_given_up_with_a_reason() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        town.house.give(0, &[0], None).await;
        town.walk(chrono::Duration::minutes(2)).await;
        town.sandbox.fail(FaultKind::ServerError {
            percent: 100.0,
            status: 503,
            retry_after: None,
        });
        town.scan().await;
        let pass = town.pass().await.unwrap();
        assert_eq!(pass.ended_at, None, "it is tried again");
        town.walk(chrono::Duration::hours(3)).await;
        let pass = town.pass().await.unwrap();
        assert!(
            pass.ended_at.is_some() && pass.problem.is_some(),
            "{pass:?}"
        );
        town.sandbox.faults().clear();
        assert!(town.holds(0));
        town.walk(chrono::Duration::days(2)).await;
        let pass = town.pass().await.unwrap();
        assert_eq!(pass.problem, None, "the next one is armed");
    }
}

#[tokio::test]
async fn many_changes_wait_for_an_operator() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        for who in 0..11 {
            town.sandbox.add_member(group(0), user(who));
        }
        town.scan().await;
        let row = town.scanned().await;
        assert_eq!((row.stopped, row.changes), (Some(Stop::TooMany), 11));
        let open = || town.found(FindingKind::OutOfBand, FindingState::Open);
        assert!(open().await.is_empty());

        let workflow = &town.house.workflow;
        let operator = town.operator().await;
        let anybody = town.house.viewer(12).await;
        assert!(
            scans::go_on(workflow, &anybody, right(0), 11)
                .await
                .is_err()
        );
        // Of another number they know nothing.
        let other = scans::go_on(workflow, &operator, right(0), 9).await;
        assert!(matches!(other, Err(Error::Stale)));
        // By then it is one more than they saw.
        scans::go_on(workflow, &operator, right(0), 11)
            .await
            .unwrap();
        town.sandbox.add_member(group(0), user(11));
        town.walk(chrono::Duration::minutes(2)).await;
        assert_eq!(town.scanned().await.stopped, Some(Stop::TooMany));
        assert!(open().await.is_empty());

        scans::go_on(workflow, &operator, right(0), 12)
            .await
            .unwrap();
        town.walk(chrono::Duration::minutes(2)).await;
        let row = town.scanned().await;
        assert_eq!((row.stopped, row.allowed), (None, 0));
        assert_eq!(open().await.len(), 12);
    }
}

#[tokio::test]
async fn a_paused_target_is_not_scanned() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        let workflow = &town.house.workflow;
        let operator = town.operator().await;
        let target = town.house.target;
        scans::arm(workflow).await.unwrap();
        assignments::pause_target(workflow, &operator, target, "maintenance")
            .await
            .unwrap();
        assert!(scans::ask(workflow, &operator, target).await.is_err());
        town.walk(chrono::Duration::days(2)).await;
        scans::arm(workflow).await.unwrap();
        assert_eq!((town.listed(), town.pass().await), (0, None));
        assert_eq!(town.house.next_due(&[JobKind::TargetScan]).await, None);
        assignments::resume_target(workflow, &operator, target)
            .await
            .unwrap();
        town.walk(chrono::Duration::days(3)).await;
        // Each day once.
        assert_eq!(town.listed(), 3);
    }
}

#[tokio::test]
async fn of_two_workers_one_scans() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        let second = Worker::builder(town.house.workflow.clone(), Options::default())
            .connector(
                "graph",
                Arc::new(Entra::new(
                    graph::calls(&town.sandbox, "hush"),
                    Switches::default(),
                )),
            )
            .build();
        let operator = town.operator().await;
        scans::ask(&town.house.workflow, &operator, town.house.target)
            .await
            .unwrap();
        let (one, other) = tokio::join!(town.worker.drain(), second.drain());
        one.unwrap();
        other.unwrap();
        assert_eq!(town.listed(), 1);
        assert!(town.pass().await.unwrap().ended_at.is_some());
    }
}

/// Ends the process when a listing is about to be recorded.
#[derive(Debug, Default)]
struct Killer(AtomicBool);

impl Seam for Killer {
    fn stops(&self, moment: Moment) -> bool {
        moment == Moment::Recording && !self.0.swap(true, Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_killed_scan_goes_on_under_the_next_lease() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        assert!(town.sandbox.add_member(group(0), user(1)));
        let doomed = Worker::builder(town.house.workflow.clone(), Options::default())
            .connector(
                "graph",
                Arc::new(Entra::new(
                    graph::calls(&town.sandbox, "hush"),
                    Switches::default(),
                )),
            )
            .seam(Arc::new(Killer::default()))
            .build();
        let operator = town.operator().await;
        scans::ask(&town.house.workflow, &operator, town.house.target)
            .await
            .unwrap();
        let killed = tokio::time::timeout(Duration::from_secs(3), doomed.drain()).await;
        assert!(killed.is_err(), "it stands still until it is killed");
        let pass = town.pass().await.unwrap();
        assert_eq!(pass.ended_at, None);
        town.walk(chrono::Duration::minutes(5)).await;
        assert!(town.pass().await.unwrap().ended_at.is_some());
        assert_eq!(town.listed(), 2);
        assert_eq!(
            town.found(FindingKind::OutOfBand, FindingState::Open)
                .await
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn the_file_says_what_becomes_of_what_was_given() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        // A timed grant stays timed, whatever is adopted beside it.
        town.house
            .give(0, &[0], Some(chrono::Duration::days(1)))
            .await;
        town.walk(chrono::Duration::minutes(2)).await;
        town.raw("UPDATE entitlements SET drift = 'adopt'").await;
        town.sandbox.add_member(group(0), user(1));
        town.scan().await;
        assert_eq!((town.imports(0).await, town.imports(1).await), (0, 1));
        let row = town.house.assignment(1, 0).await.unwrap();
        assert_eq!(
            (row.desired, row.only_imports, row.phase),
            (true, true, Phase::Settled)
        );
        town.walk(chrono::Duration::days(2)).await;
        assert!(!town.holds(0) && town.holds(1));

        // What is privileged is adopted by nobody.
        town.raw("UPDATE entitlements SET privileged = TRUE").await;
        town.sandbox.add_member(group(0), user(2));
        town.scan().await;
        assert_eq!(town.imports(2).await, 0);
        assert_eq!(
            town.found(FindingKind::OutOfBand, FindingState::Open)
                .await
                .len(),
            1
        );

        town.raw("UPDATE entitlements SET drift = 'repair'").await;
        town.scan().await;
        assert!(!town.holds(2) && town.holds(1), "an import is a grant");
        town.scan().await;
        assert!(
            town.found(FindingKind::OutOfBand, FindingState::Open)
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_right_that_ended_and_was_given_anew_is_no_import_where_it_is_repaired() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        town.raw("UPDATE entitlements SET drift = 'repair'").await;
        town.house
            .give(0, &[0], Some(chrono::Duration::hours(1)))
            .await;
        town.walk(chrono::Duration::hours(3)).await;
        assert!(!town.holds(0));
        town.sandbox.add_member(group(0), user(0));
        town.scan().await;
        assert_eq!((town.holds(0), town.imports(0).await), (false, 0));
    }
}

#[tokio::test]
async fn another_tenant_is_compared_with_nothing() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        town.house.give(0, &[0], None).await;
        town.walk(chrono::Duration::minutes(2)).await;
        let engine = town.house.workflow.store().engine();
        let other = testing::literal(engine, Uuid::from_u128(0x0bad));
        town.raw(&format!(
            "UPDATE targets SET tenant_id = {other} WHERE kind = 'graph'"
        ))
        .await;
        town.scan().await;
        assert_eq!(town.listed(), 0);
        let pass = town.pass().await.unwrap();
        assert!(pass.problem.unwrap().contains("another tenant"));
        let row = town.house.assignment(0, 0).await.unwrap();
        assert_eq!(row.phase, Phase::Settled);
        assert_eq!(account(0), row.account_id);
    }
}

//! A database that was restored from a backup, and a target that is not switched on yet, with the sandbox as Microsoft Graph.

use domain::{
    assignment::{Closed, Observed, Phase},
    audit::{Actor, EventKind},
    finding::{FindingKind, FindingState},
};
use sandbox::FaultKind;
use store::{scans::ScanRow, testing};
use workflow::{
    Error, assignments,
    restores::{self, Compared, Seen},
    targets,
    views::{access, provisioning, restore::Restore},
};

use crate::{
    house::{TENANT, group, right, user},
    scans::Town,
};

fn minutes(of: i64) -> chrono::Duration {
    chrono::Duration::minutes(of)
}

impl Town {
    async fn restored(&self, proof: &str) -> bool {
        restores::note(
            &self.house.workflow,
            proof,
            "the log is behind",
            Actor::Portal,
        )
        .await
        .unwrap()
    }

    /// What the page says of the restore.
    async fn restore(&self) -> Option<Restore> {
        let operator = self.operator().await;
        provisioning::load(&self.house.workflow, &operator, None)
            .await
            .unwrap()
            .restore
    }

    async fn go_on(&self, given: i64, missing: i64) -> workflow::Result<()> {
        let operator = self.operator().await;
        let seen = Seen { given, missing };
        restores::go_on(&self.house.workflow, &operator, seen).await
    }

    async fn logged(&self, kind: EventKind) -> usize {
        let mut tx = self.house.workflow.store().read().await.unwrap();
        let rows = tx.audit_after(0, 10_000).await.unwrap();
        rows.iter().filter(|row| row.kind == kind.as_str()).count()
    }

    /// Why a right waits, as the provisioner's page says it.
    async fn waits(&self, who: usize) -> String {
        let row = self.house.assignment(who, 0).await.unwrap();
        assert_eq!(row.phase, Phase::Due);
        row.problem.unwrap_or_default()
    }

    /// Calls at the target that change something.
    fn writes(&self) -> usize {
        self.sandbox
            .requests()
            .iter()
            .filter(|request| request.method != "GET" && request.path.contains("members"))
            .count()
    }
}

#[tokio::test]
async fn after_a_restore_nothing_is_given_until_an_operator_has_seen_what_the_targets_hold() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        town.house.give(0, &[0], None).await;
        town.house
            .give(4, &[0], Some(chrono::Duration::hours(3)))
            .await;
        town.walk(minutes(2)).await;
        assert!(town.holds(0) && town.holds(4));
        // The backup is of now. Since then one lost the right and another got it, and a third was to get it.
        town.raw("UPDATE entitlements SET drift = 'adopt'").await;
        town.house.give(3, &[0], None).await;
        assert!(town.sandbox.remove_member(group(0), user(0)));
        assert!(town.sandbox.add_member(group(0), user(2)));
        assert!(town.restored("checkpoint 12").await);
        assert!(!town.restored("checkpoint 12").await, "it is one restore");
        assert!(town.go_on(0, 0).await.is_err(), "nothing was compared yet");
        town.walk(minutes(2)).await;

        // What waits says why; what is missing is not put back; what is unknown is for a human, also where the file adopts.
        assert!(!town.holds(3) && town.waits(3).await.contains("restored from a backup"));
        let row = town.house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed, town.holds(0)),
            (Phase::Attention, Observed::Absent, false)
        );
        let open = async |kind| town.found(kind, FindingState::Open).await.len();
        assert_eq!(open(FindingKind::Vanished).await, 1);
        assert_eq!(open(FindingKind::OutOfBand).await, 1);
        assert_eq!(town.imports(2).await, 0);

        // Ends that come meanwhile are ends, and what is given meanwhile waits as well.
        town.house.give(5, &[0], None).await;
        town.walk(chrono::Duration::hours(7)).await;
        assert!(!town.holds(4) && !town.holds(3) && !town.holds(5));

        let page = town.restore().await.unwrap();
        let one = &page.targets[0];
        assert_eq!(one.compared, Compared::Whole);
        assert_eq!((one.given, one.missing, one.waiting), (1, 1, 2));
        assert!(page.may_go_on);
        let anybody = town.house.viewer(12).await;
        let refused = restores::go_on(&town.house.workflow, &anybody, page.seen).await;
        assert!(matches!(refused, Err(Error::Forbidden)));
        let blind = town.go_on(0, 1).await;
        assert!(
            matches!(blind, Err(Error::Stale)),
            "other numbers were seen"
        );
        town.go_on(1, 1).await.unwrap();
        assert_eq!(town.restore().await, None);
        assert_eq!(town.logged(EventKind::RestoreReconciled).await, 1);
        assert!(!town.restored("checkpoint 12").await, "nor is it one again");
        town.walk(minutes(2)).await;
        assert!(town.holds(3) && town.holds(5));
        assert!(
            !town.holds(0),
            "what was missing waits for a word of its own"
        );

        let operator = town.operator().await;
        assignments::retry(&town.house.workflow, &operator, row.id)
            .await
            .unwrap();
        town.walk(minutes(2)).await;
        assert!(town.holds(0));
    }
}

#[tokio::test]
async fn a_target_that_was_not_compared_whole_is_in_the_way() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        for who in 0..3 {
            town.house.give(who, &[0], None).await;
        }
        town.walk(minutes(2)).await;
        town.house.give(3, &[0], None).await;
        // A pass was under way in the backup, and this right was done with.
        let now = town.house.clock.now();
        let mut unit = town.house.unit().await;
        unit.tx
            .save_scan(&ScanRow {
                target_id: town.house.target,
                begun_at: now - minutes(5),
                ended_at: None,
                problem: None,
            })
            .await
            .unwrap();
        unit.commit().await.unwrap();
        town.sandbox.fail(FaultKind::EmptyListing);
        assert!(town.restored("said").await);
        town.walk(minutes(2)).await;
        assert!(town.pass().await.unwrap().begun_at >= now, "it began anew");
        let compared = async || town.restore().await.unwrap().targets[0].compared;
        assert_eq!(compared().await, Compared::NotWhole);
        let on = town.go_on(0, 0).await;
        assert!(matches!(on, Err(Error::Stale)));
        town.sandbox.faults().clear();

        // A paused target is not scanned; there is nothing else that could go on.
        let workflow = &town.house.workflow;
        let operator = town.operator().await;
        assignments::pause_target(workflow, &operator, town.house.target, "maintenance")
            .await
            .unwrap();
        assert_eq!(compared().await, Compared::Paused);
        assert!(town.go_on(0, 0).await.is_err());
        assignments::resume_target(workflow, &operator, town.house.target)
            .await
            .unwrap();
        town.walk(minutes(2)).await;
        assert_eq!(compared().await, Compared::NotWhole, "the last one still");
        town.scan().await;
        assert_eq!(compared().await, Compared::Whole);
        assert!(!town.holds(3));
        town.go_on(0, 0).await.unwrap();
        town.walk(minutes(2)).await;
        assert!(town.holds(3));
    }
}

#[tokio::test]
async fn what_a_restored_database_does_not_know_to_be_its_own_is_no_import() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        // Granted in the backup, and given since by the process that was lost.
        town.house
            .give(0, &[0], Some(chrono::Duration::hours(2)))
            .await;
        assert!(town.sandbox.add_member(group(0), user(0)));
        assert!(town.restored("said").await);
        town.walk(minutes(2)).await;
        let row = town.house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed, town.imports(0).await),
            (Phase::Settled, Observed::Present, 0)
        );
        town.walk(chrono::Duration::hours(3)).await;
        assert!(!town.holds(0), "it ends with its grant");
    }
}

#[tokio::test]
async fn a_target_in_shadow_is_read_and_never_written_until_it_is_switched_on() {
    for (_, store) in testing::stores().await {
        let town = Town::build(store).await;
        let workflow = &town.house.workflow;
        targets::configure_directory(workflow, TENANT, true)
            .await
            .unwrap();
        town.raw("UPDATE entitlements SET drift = 'repair'").await;
        town.house.give(0, &[0], None).await;
        let over = town.house.give(3, &[0], None).await;
        town.sandbox.add_member(group(0), user(1));
        town.sandbox.add_member(group(0), user(3));
        town.walk(minutes(2)).await;
        town.scan().await;
        town.house.give_back(3, over).await;
        town.walk(chrono::Duration::hours(13)).await;
        assert!(!town.holds(0) && town.holds(1) && town.holds(3));
        assert_eq!(town.writes(), 0);
        assert!(town.waits(0).await.contains("not switched on"));

        // What it would change is listed, and whoever asked is told the truth.
        let operator = town.operator().await;
        let page = provisioning::target(workflow, &operator, town.house.target, None)
            .await
            .unwrap();
        assert_eq!(page.target.closed, Some(Closed::Shadow));
        assert_eq!(page.target.attention.count, 0);
        assert_eq!((page.additions.count, page.removals.count), (1, 1));
        let listed: Vec<_> = page
            .waiting
            .iter()
            .map(|one| (&one.entitlement, one.desired))
            .collect();
        assert!(listed.contains(&(&right(0), true)) && listed.contains(&(&right(0), false)));
        let asked = town.house.viewer(0).await;
        let held = access::load(workflow, &asked).await.unwrap().held;
        let at = held[0].parts[0].at_target.as_ref().unwrap();
        assert_eq!(at.closed, Some(Closed::Shadow));
        let stranger = town.house.viewer(5).await;
        let page = provisioning::target(workflow, &stranger, town.house.target, None).await;
        assert!(matches!(page, Err(Error::Forbidden)));

        targets::configure_directory(workflow, TENANT, false)
            .await
            .unwrap();
        town.walk(minutes(2)).await;
        assert!(town.holds(0) && !town.holds(1));
    }
}

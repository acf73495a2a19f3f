//! Licences over real HTTP, against the sandbox: the promises of every connector, seats, locations, and the ways that a licence
//! comes by.

use std::{sync::Arc, time::Duration};

use domain::assignment::{Observed, Phase};
use provisioner::{
    connector::{Connector, Outcome, Place, Reply},
    graph::{Entra, Switches},
    worker::{Options, Worker},
};
use sandbox::{FaultKind, Group, Running, SubscribedSku, User};
use serde_json::json;
use store::testing;
use uuid::Uuid;
use workflow::{assignments::Problem, scans};

use crate::{
    contract::{Sandboxed, keeps_its_promises},
    graph::{allowed, misconfigured, never},
    house::{House, TENANT, group, right, user},
};

const OFFICE: Uuid = Uuid::from_u128(0xb1);
const POWER: &str = "LicenseAssignment.ReadWrite.All";
const ON: Switches = Switches {
    app_roles: false,
    licences: true,
};

/// Five people with a usage location, a group that gives nothing yet, and so many seats.
async fn target(seats: usize, permissions: &[&str], switches: Switches) -> (Running, Arc<Entra>) {
    let (sandbox, entra) = allowed(5, 1, permissions, switches).await;
    for n in 0..5 {
        locate(&sandbox, n, Some("SE"));
    }
    sandbox.buy(SubscribedSku::new(OFFICE, "OFFICE", seats));
    (sandbox, entra)
}

fn locate(sandbox: &Running, account: usize, location: Option<&str>) {
    let known = sandbox.user(user(account)).unwrap();
    sandbox.put_user(User {
        usage_location: location.map(str::to_owned),
        ..known
    });
}

/// The group gives the licence to this account.
fn inherit(sandbox: &Running, account: usize) {
    sandbox.put_group(Group {
        assigned_licenses: vec![json!({"skuId": OFFICE, "disabledPlans": []})],
        ..Group::new(group(0), "Everybody")
    });
    assert!(sandbox.add_member(group(0), user(account)));
}

fn place(account: usize) -> Place {
    Place {
        kind: "licence".into(),
        external_id: OFFICE.to_string(),
        name: "Office".into(),
        ..crate::fake::place(TENANT, user(account))
    }
}

fn posts(sandbox: &Running) -> usize {
    let requests = sandbox.requests();
    requests
        .iter()
        .filter(|request| request.path.ends_with("/assignLicense"))
        .count()
}

#[tokio::test]
async fn licences_keep_the_promises() {
    let (sandbox, entra) = target(9, &[POWER], ON).await;
    let peer = Sandboxed {
        sandbox,
        place,
        nowhere: Uuid::from_u128(0xdead).to_string(),
        holds: |sandbox, account| sandbox.licences(user(account)).contains(&OFFICE),
        writes: "/v1.0/users",
    };
    keeps_its_promises(entra.as_ref(), &peer).await;
}

#[tokio::test]
async fn a_seat_is_looked_for_before_anything_is_written() {
    let (sandbox, entra) = target(1, &[POWER], ON).await;
    sandbox.give_licence(user(1), OFFICE);
    let said = never(&entra.ensure_present(&place(0)).await);
    assert!(said.contains("1 of 1 are taken"), "{said}");
    assert_eq!(posts(&sandbox), 0);
    sandbox.buy(SubscribedSku {
        capability_status: "Suspended".into(),
        ..SubscribedSku::new(OFFICE, "OFFICE", 5)
    });
    let said = never(&entra.ensure_present(&place(0)).await);
    assert!(said.contains("run out"), "{said}");
    sandbox.buy(SubscribedSku::new(OFFICE, "OFFICE", 2));
    assert_eq!(entra.ensure_present(&place(0)).await.outcome, Outcome::Done);
}

#[tokio::test]
async fn a_missing_usage_location_is_said_with_what_to_do() {
    let (sandbox, entra) = target(5, &[POWER], ON).await;
    locate(&sandbox, 0, None);
    let said = never(&entra.ensure_present(&place(0)).await);
    assert!(
        said.contains("no usage location") && said.contains("Set the usage location"),
        "{said}"
    );
    assert_eq!(posts(&sandbox), 0);
    locate(&sandbox, 0, Some("SE"));
    assert_eq!(entra.ensure_present(&place(0)).await.outcome, Outcome::Done);
}

#[tokio::test]
async fn a_licence_of_a_group_counts_as_held_and_cannot_be_taken() {
    let (sandbox, entra) = target(5, &[POWER], ON).await;
    inherit(&sandbox, 0);
    sandbox.give_licence(user(1), OFFICE);
    let here = place(0);
    let through = |reply: &Reply| reply.evidence.detail.contains("Everybody");
    let read = entra.observe(&here).await;
    assert_eq!(read.outcome, Outcome::Seen(Observed::Present));
    assert!(through(&read), "{read:?}");
    let added = entra.ensure_present(&here).await;
    assert_eq!(added.outcome, Outcome::Already);
    assert!(through(&added), "{added:?}");
    let said = never(&entra.ensure_absent(&here).await);
    assert!(
        said.contains("Everybody") && said.contains("out of that group"),
        "{said}"
    );
    assert_eq!(posts(&sandbox), 0, "nothing is tried that cannot work");
    let listing = entra.list("licence", &OFFICE.to_string()).await.unwrap();
    assert_eq!(listing.holders, [user(1).to_string()].into());
    assert_eq!(listing.otherwise, [user(0).to_string()].into());
    // Both ways at once: ours goes, the group's stays.
    sandbox.give_licence(user(0), OFFICE);
    assert_eq!(entra.ensure_absent(&here).await.outcome, Outcome::Done);
    assert!(sandbox.licences(user(0)).is_empty());
    assert_eq!(
        entra.observe(&here).await.outcome,
        Outcome::Seen(Observed::Present)
    );
}

#[tokio::test]
async fn what_the_directory_could_not_carry_out_is_read_back_and_said() {
    let (sandbox, entra) = target(5, &[POWER], ON).await;
    assert_eq!(entra.ensure_present(&place(0)).await.outcome, Outcome::Done);
    for (error, word) in [
        ("CountViolation", "free seat"),
        ("MutuallyExclusiveViolation", "conflicts"),
        ("DependencyViolation", "needs another"),
        ("SomethingNew", "SomethingNew"),
    ] {
        sandbox.faults().clear();
        sandbox.fail(FaultKind::LicenceError {
            error: error.into(),
        });
        let said = never(&entra.observe(&place(0)).await);
        assert!(
            said.contains("does not work") && said.contains(word),
            "{said}"
        );
    }
    // It can be taken all the same.
    assert_eq!(entra.ensure_absent(&place(0)).await.outcome, Outcome::Done);
    assert!(sandbox.licences(user(0)).is_empty());
}

#[tokio::test]
async fn nothing_is_given_while_it_is_off_and_a_missing_permission_is_named() {
    let (sandbox, entra) = target(5, &[POWER], Switches::default()).await;
    let said = never(&entra.ensure_present(&place(0)).await);
    assert!(
        said.contains("graph.licences") && said.contains(POWER),
        "{said}"
    );
    assert!(sandbox.requests().is_empty(), "what is off is not asked");
    sandbox.give_licence(user(0), OFFICE);
    assert_eq!(entra.ensure_absent(&place(0)).await.outcome, Outcome::Done);

    let (sandbox, entra) = target(5, &[], ON).await;
    let (said, everywhere) = misconfigured(&entra.ensure_present(&place(0)).await);
    assert!(said.contains(POWER) && !everywhere, "{said}");
    let findings = entra.diagnose().await;
    let bad = findings.iter().filter(|finding| !finding.fine);
    assert_eq!(bad.count(), 2, "{findings:?}");
    sandbox.stop().await;
}

/// A worker over the sandbox, with the first right of the house turned into the licence.
async fn town(store: store::Store, sandbox: &Running, entra: Arc<Entra>) -> (House, Worker) {
    let house = House::build(store, 1, 5, 1).await;
    testing::raw(
        house.workflow.store(),
        &format!(
            "UPDATE entitlements SET kind = 'licence', external_id = '{OFFICE}', lane = 'account'"
        ),
    )
    .await
    .unwrap();
    assert!(sandbox.requests().is_empty());
    let worker = Worker::builder(house.workflow.clone(), Options::default())
        .connector("graph", entra)
        .build();
    (house, worker)
}

async fn walk(house: &House, worker: &Worker, ahead: chrono::Duration) {
    worker
        .walk(house.clock.now() + ahead, Duration::ZERO, &|_| ())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lent_licence_goes_again_and_a_full_one_needs_attention() {
    for (_, store) in testing::stores().await {
        let (sandbox, entra) = target(1, &[POWER], ON).await;
        let (house, worker) = town(store, &sandbox, entra).await;
        house.give(0, &[0], Some(chrono::Duration::hours(1))).await;
        walk(&house, &worker, chrono::Duration::minutes(5)).await;
        assert!(sandbox.licences(user(0)).contains(&OFFICE));
        let first = house.assignment(0, 0).await.unwrap();
        assert_eq!(first.phase, Phase::Settled);
        assert!(
            first.lane.starts_with("account:"),
            "a licence's write locks the account: {}",
            first.lane
        );

        house.give(1, &[0], None).await;
        walk(&house, &worker, chrono::Duration::minutes(5)).await;
        let full = house.assignment(1, 0).await.unwrap();
        assert_ne!(first.lane, full.lane);
        assert_eq!(full.phase, Phase::Attention);
        let problem = full.problem.as_deref().and_then(Problem::read).unwrap();
        assert!(problem.what.contains("no free seat"), "{problem:?}");

        // The first one's time is over: the seat is free, and the second one gets it without anybody doing anything.
        walk(&house, &worker, chrono::Duration::hours(2)).await;
        assert!(sandbox.licences(user(0)).is_empty());
        assert!(sandbox.licences(user(1)).contains(&OFFICE));
        let full = house.assignment(1, 0).await.unwrap();
        assert_eq!((full.phase, full.problem), (Phase::Settled, None));
    }
}

#[tokio::test]
async fn what_a_group_gives_stays_when_a_grant_ends_and_is_said_when_it_must_go() {
    for (_, store) in testing::stores().await {
        let (sandbox, entra) = target(5, &[POWER], ON).await;
        let (house, worker) = town(store, &sandbox, entra).await;
        let hour = Some(chrono::Duration::hours(1));
        let (expired, revoked) = (
            house.give(0, &[0], hour).await,
            house.give(1, &[0], None).await,
        );
        walk(&house, &worker, chrono::Duration::minutes(5)).await;
        // Both have it of us, and then of a group as well.
        inherit(&sandbox, 0);
        assert!(sandbox.add_member(group(0), user(1)));
        walk(&house, &worker, chrono::Duration::hours(2)).await;
        assert!(sandbox.licences(user(0)).is_empty(), "ours is gone");
        let row = house.assignment(0, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed),
            (Phase::Settled, Observed::Present)
        );
        assert!(row.desired && row.only_imports, "held another way");
        assert_eq!(house.grant(expired).await.gone_at, None);

        // Who leaves keeps nothing: it is said what stands in the way.
        house.leave(1).await;
        walk(&house, &worker, chrono::Duration::hours(2)).await;
        assert!(sandbox.licences(user(1)).is_empty(), "ours is gone");
        let row = house.assignment(1, 0).await.unwrap();
        assert_eq!((row.phase, row.desired), (Phase::Attention, false));
        let problem = row.problem.as_deref().and_then(Problem::read).unwrap();
        assert!(problem.what.contains("Everybody"), "{problem:?}");
        assert!(sandbox.remove_member(group(0), user(1)));
        walk(&house, &worker, chrono::Duration::hours(1)).await;
        let row = house.assignment(1, 0).await.unwrap();
        assert_eq!(
            (row.phase, row.observed),
            (Phase::Settled, Observed::Absent)
        );
        assert!(house.grant(revoked).await.gone_at.is_some());
    }
}

#[tokio::test]
async fn a_scan_reports_who_was_given_it_and_leaves_out_whom_a_group_gives_it() {
    for (_, store) in testing::stores().await {
        let (sandbox, entra) = target(5, &[POWER], ON).await;
        let (house, worker) = town(store, &sandbox, entra).await;
        // One by request, one by a group and by request, one by a group alone, one past the portal.
        for account in [0, 1] {
            house.give(account, &[0], None).await;
        }
        inherit(&sandbox, 1);
        assert!(sandbox.add_member(group(0), user(2)));
        sandbox.give_licence(user(3), OFFICE);
        walk(&house, &worker, chrono::Duration::hours(2)).await;
        assert!(sandbox.licences(user(1)).is_empty(), "held already");
        scans::arm(&house.workflow).await.unwrap();
        walk(&house, &worker, chrono::Duration::hours(30)).await;
        let mut tx = house.workflow.store().read().await.unwrap();
        let row = tx.scanned(right(0)).await.unwrap().unwrap();
        assert_eq!(
            (row.listed, row.given, row.vanished, row.stopped),
            (2, 1, 0, None)
        );
        let drift = tx.drift_of(right(0)).await.unwrap();
        assert_eq!(drift.len(), 1);
        assert_eq!(drift[0].holder, user(3).to_string());
    }
}

//! What every connector promises, as one suite: to be run against a peer of the target with real calls. The peer is looked at
//! through its own eyes, never through the connector.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::assignment::Observed;
use provisioner::connector::{Connector, Failure, Outcome, Place};
use sandbox::{Fault, FaultKind, Lost, Running};
use uuid::Uuid;

use crate::{
    fake::place,
    graph::target,
    house::{TENANT, group, user},
};

/// A target under test.
#[async_trait]
pub trait Peer: Send + Sync {
    /// The place of the account with this number, from 0, in the right that everybody shares. There are `people` of them.
    fn place(&self, account: usize) -> Place;
    /// How many accounts there are: more than a page of the target's listings holds.
    fn people(&self) -> usize;
    /// A place in a right that the target does not have.
    fn nowhere(&self) -> Place;
    /// Whether the target itself says that the account holds the right.
    async fn holds(&self, account: usize) -> bool;
    /// The target's own id of the account, as its listings say it.
    async fn own_id(&self, account: usize) -> String;
    /// The next write takes effect, and its reply is lost.
    async fn lose_the_next_reply(&self);
    /// Nothing is lost any more.
    async fn mend(&self);
    /// The target answers nothing but failures from now on.
    async fn break_down(&self);
}

fn seen(present: bool) -> Outcome {
    Outcome::Seen(if present {
        Observed::Present
    } else {
        Observed::Absent
    })
}

/// Twice is harmless, a lost reply is found out by reading back, one that fails harms no other, what is not there is said so,
/// a listing is whole, and the diagnosis speaks.
pub async fn keeps_its_promises(connector: &dyn Connector, peer: &dyn Peer) {
    let first = peer.place(0);
    assert_eq!(connector.observe(&first).await.outcome, seen(false));
    assert!(!peer.holds(0).await, "a read changes nothing");

    // Twice is harmless, both ways.
    assert!(matches!(
        connector.ensure_absent(&first).await.outcome,
        Outcome::Already | Outcome::Done
    ));
    assert_eq!(
        connector.ensure_present(&first).await.outcome,
        Outcome::Done
    );
    assert!(peer.holds(0).await);
    assert!(matches!(
        connector.ensure_present(&first).await.outcome,
        Outcome::Already | Outcome::Done
    ));
    assert!(peer.holds(0).await);
    assert_eq!(connector.observe(&first).await.outcome, seen(true));
    assert!(!peer.holds(1).await, "nobody else is touched");
    assert_eq!(connector.observe(&peer.place(1)).await.outcome, seen(false));

    // A right that is not there fails alone, and in words.
    match connector.ensure_present(&peer.nowhere()).await.outcome {
        Outcome::Failed(Failure::Never { why, fix }) => assert!(!why.is_empty() && !fix.is_empty()),
        other => panic!("a right that is not there: {other:?}"),
    }
    assert_eq!(connector.observe(&first).await.outcome, seen(true));

    assert_eq!(connector.ensure_absent(&first).await.outcome, Outcome::Done);
    assert!(!peer.holds(0).await);
    assert!(matches!(
        connector.ensure_absent(&first).await.outcome,
        Outcome::Already | Outcome::Done
    ));
    assert_eq!(connector.observe(&first).await.outcome, seen(false));

    // A lost reply is no success; a read tells what came of it.
    peer.lose_the_next_reply().await;
    match connector.ensure_present(&first).await.outcome {
        Outcome::Failed(Failure::Later {
            throttled: false,
            why,
            ..
        }) => assert!(!why.is_empty()),
        other => panic!("a lost reply: {other:?}"),
    }
    peer.mend().await;
    assert!(peer.holds(0).await);
    assert_eq!(connector.observe(&first).await.outcome, seen(true));
    assert!(matches!(
        connector.ensure_present(&first).await.outcome,
        Outcome::Already | Outcome::Done
    ));

    // A listing is whole, also where it comes in pages.
    let mut expected = BTreeSet::new();
    for account in 0..peer.people() {
        let outcome = connector.ensure_present(&peer.place(account)).await.outcome;
        assert!(
            matches!(outcome, Outcome::Already | Outcome::Done),
            "{outcome:?}"
        );
        expected.insert(peer.own_id(account).await);
    }
    let listing = connector
        .list(&first.kind, &first.external_id)
        .await
        .expect("it can be listed");
    assert_eq!(listing.holders, expected);
    assert!(
        connector
            .list(&first.kind, &peer.nowhere().external_id)
            .await
            .is_err()
    );

    // The diagnosis speaks, in good days and in bad ones.
    let findings = connector.diagnose().await;
    assert!(!findings.is_empty());
    assert!(
        findings
            .iter()
            .all(|finding| finding.fine && !finding.what.is_empty()),
        "{findings:?}"
    );
    peer.break_down().await;
    match connector.ensure_absent(&first).await.outcome {
        Outcome::Failed(Failure::Later { .. }) => {}
        other => panic!("a target that is down: {other:?}"),
    }
    let findings = connector.diagnose().await;
    assert!(
        findings
            .iter()
            .any(|finding| !finding.fine && !finding.fix.is_empty()),
        "{findings:?}"
    );
    peer.mend().await;
    assert_eq!(connector.observe(&first).await.outcome, seen(true));
}

/// The sandbox for Graph, with five people and a right of one kind.
pub struct Sandboxed {
    /// The sandbox.
    pub sandbox: Running,
    /// The place of an account in the right.
    pub place: fn(usize) -> Place,
    /// What a right is called that it does not have.
    pub nowhere: String,
    /// Whether an account holds the right.
    pub holds: fn(&Running, usize) -> bool,
    /// Where writes of the right go.
    pub writes: &'static str,
}

#[async_trait]
impl Peer for Sandboxed {
    fn place(&self, account: usize) -> Place {
        (self.place)(account)
    }

    fn people(&self) -> usize {
        5
    }

    fn nowhere(&self) -> Place {
        Place {
            external_id: self.nowhere.clone(),
            ..self.place(0)
        }
    }

    async fn holds(&self, account: usize) -> bool {
        (self.holds)(&self.sandbox, account)
    }

    async fn own_id(&self, account: usize) -> String {
        user(account).to_string()
    }

    async fn lose_the_next_reply(&self) {
        self.sandbox.fail(
            Fault::from(FaultKind::LostReply {
                percent: 100.0,
                how: Lost::Close,
            })
            .method("POST")
            .path_prefix(self.writes),
        );
    }

    async fn mend(&self) {
        self.sandbox.faults().clear();
    }

    async fn break_down(&self) {
        self.sandbox.fail(FaultKind::ServerError {
            percent: 100.0,
            status: 503,
            retry_after: None,
        });
    }
}

#[tokio::test]
async fn graph_keeps_its_promises() {
    let (sandbox, groups) = target(5, 1).await;
    let peer = Sandboxed {
        sandbox,
        place: |account| Place {
            external_id: group(0).to_string(),
            ..place(TENANT, user(account))
        },
        nowhere: place(TENANT, user(0)).external_id,
        holds: |sandbox, account| sandbox.members(group(0)).contains(&user(account)),
        writes: "/v1.0/groups",
    };
    keeps_its_promises(groups.as_ref(), &peer).await;
    assert_ne!(group(0), Uuid::nil());
}
